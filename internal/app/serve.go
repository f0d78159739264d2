package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/server/auth"
	"github.com/wattgate/wattgate/internal/server/customer"
	"github.com/wattgate/wattgate/internal/server/support"
	"github.com/wattgate/wattgate/internal/throttle"
	"github.com/wattgate/wattgate/web"
)

// URLs are the public addresses of the hosts, without a slash at the end.
type URLs struct{ Auth, Customer, Support string }

// Serve answers requests until ctx ends, and then lets those under way finish.
// ready is called once, when the first request can come.
func (a *App) Serve(ctx context.Context, ready func(URLs) error) error {
	if err := errors.Join(a.openKeys(ctx), a.openClientCAs()); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", a.Config.Listen)
	if err != nil {
		return err
	}
	if a.nodes.engine != nil { // nobody is to meet a node that has heard nothing yet
		if err := a.catchUp(ctx); err != nil {
			return errors.Join(err, listener.Close())
		}
	}
	urls := a.urls(listener.Addr())
	a.site.Store(&urls.Support)
	metrics := newMeasures()
	a.sockets, a.deliveries = &customer.Sockets{News: a.news, Now: a.world.Now, Origins: a.Config.origins()}, a.deliverer()
	metrics.news(a.sockets, a.deliveries)
	handler, err := a.hosts(urls, metrics.observe)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	srv := a.httpServer(handler)
	if a.Config.TLSCert != "" {
		certificate, err := tls.LoadX509KeyPair(a.Config.TLSCert, a.Config.TLSKey)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		srv.TLSConfig = tlsConfig(certificate)
		a.askForCertificates(srv.TLSConfig)
		listener = tls.NewListener(listener, srv.TLSConfig)
	}
	admin, err := a.listenAdmin()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	var operator net.Listener
	if a.Config.AdminListen != "" {
		if operator, err = net.Listen("tcp", a.Config.AdminListen); err != nil {
			return errors.Join(err, listener.Close(), admin.Close())
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	a.run(ctx, group, srv, listener)
	a.run(ctx, group, a.adminServer(a.adminHandler(metrics)), admin)
	if operator != nil {
		a.run(ctx, group, a.httpServer(a.operator(metrics)), operator)
	}
	group.Go(func() error { return a.flushUses(ctx) })
	group.Go(func() error { return a.keepTrail(ctx) })
	group.Go(func() error { return a.sweepDenied(ctx) })
	group.Go(func() error { return a.stepKeys(ctx) })
	group.Go(func() error { return a.hear(ctx) })
	group.Go(func() error { return a.sealMonths(ctx) })
	group.Go(func() error { return a.spreadNews(ctx) })
	group.Go(func() error { return a.deliver(ctx, a.deliveries) })
	group.Go(func() error {
		<-ctx.Done()
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		a.sockets.End(ending)
		return nil
	})
	a.log.Info("serving", "listen", listener.Addr().String(), "auth", urls.Auth, "customer", urls.Customer, "support", urls.Support, "environment", a.Config.Environment)
	if ready != nil {
		if err := ready(urls); err != nil {
			group.Go(func() error { return err })
		}
	}
	err = group.Wait()
	a.log.Info("stopped")
	return err
}

// grace is how long requests under way may take after the signal to stop.
const grace = 10 * time.Second

// run serves until ctx ends.
func (a *App) run(ctx context.Context, group *errgroup.Group, srv *http.Server, l net.Listener) {
	group.Go(func() error {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			return errors.Join(err, srv.Close())
		}
		return nil
	})
}

// httpServer bounds what a connection may take: slow headers, slow bodies and
// idle connections all end (measured: hundreds of slow ones do no harm).
func (a *App) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
}

// adminServer serves the owner of the installation, whose imports may be long.
func (a *App) adminServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug)}
}

// tlsConfig takes TLS 1.2 and later with authenticated encryption only.
func tlsConfig(certificate tls.Certificate) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
	}
}

// urls returns the public addresses: those configured, otherwise where we
// listen. Nothing ever comes from a request's Host header.
func (a *App) urls(at net.Addr) URLs {
	scheme := "http"
	if a.Config.TLSCert != "" {
		scheme = "https"
	}
	u := URLs{Auth: a.Config.AuthURL, Customer: a.Config.CustomerURL, Support: a.Config.SupportURL}
	if u.Auth == "" {
		host, _, _ := net.SplitHostPort(a.Config.Listen)
		port := at.(*net.TCPAddr).Port
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			host = "localhost"
		}
		u.Auth = scheme + "://" + net.JoinHostPort(host, fmt.Sprint(port))
	}
	u.Auth = strings.TrimSuffix(u.Auth, "/")
	if u.Customer == "" {
		u.Customer = u.Auth
	}
	if u.Support == "" {
		u.Support = u.Auth
	}
	u.Customer, u.Support = strings.TrimSuffix(u.Customer, "/"), strings.TrimSuffix(u.Support, "/")
	return u
}

// hosts wires the tables of contents of all hosts.
func (a *App) hosts(urls URLs, observe func(host, route string, status int, took time.Duration)) (http.Handler, error) {
	serving := &server.Serving{Log: a.log, Lines: a.lines, Now: a.world.Now, Order: a.Registry.Mark.Stamp, Proxies: a.Config.proxies(), CertificateHeader: http.CanonicalHeaderKey(a.Config.ClientCertHeader), Observe: observe, Refused: a.refused, Deaf: a.deaf(), Strict: strings.HasPrefix(urls.Auth, "https://")}
	authHost, customerHost, pages, err := a.tables(urls)
	if err != nil {
		return nil, err
	}
	any := pages.Everywhere()
	supportHost := pages.Table()
	front := &server.Host{Name: "front", Routes: []server.Route{pages.Front()}}
	if urls.Customer == urls.Auth && urls.Support == urls.Auth {
		return serving.OneOrigin(authHost, customerHost, supportHost, any)
	}
	byName := map[string][]*server.Host{}
	for _, h := range []struct {
		url  string
		list []*server.Host
	}{{urls.Auth, []*server.Host{authHost}}, {urls.Customer, []*server.Host{customerHost}}, {urls.Support, []*server.Host{supportHost}}} {
		u, err := url.Parse(h.url)
		if err != nil {
			return nil, err
		}
		byName[u.Host] = append(byName[u.Host], h.list...)
	}
	for name, list := range byName {
		list = append(list, any)
		if !slices.Contains(list, customerHost) {
			list = append(list, front)
		}
		byName[name] = list
	}
	return serving.ByName(byName)
}

// tables builds the three hosts.
func (a *App) tables(urls URLs) (authHost, customerHost *server.Host, pages *support.Host, err error) {
	tokens := &authn.Tokens{Keys: a.Keys, Directory: a.Registry, Issuer: urls.Auth, Login: loginURL(urls), Now: a.world.Now, Denied: a.denied, DPoP: a.proofs}
	if a.nodes.engine != nil {
		tokens.FeedAge = a.newsAge
	}
	issuer := &issuance.Issuer{
		URL: urls.Auth, Keys: a.Keys, Customers: a.store, Journal: a.store, Actors: tokens, Now: a.world.Now, Chance: a.world.Chance,
		Misses:    throttle.New(issuance.MissesOfApplication, 1<<10),
		Quota:     a.Config.quota(),
		Resources: map[string]domain.Audience{urls.Auth: domain.AudienceAuth, urls.Customer: domain.AudienceCustomer},
	}
	if urls.Customer == urls.Auth { // one origin: its URL names the API that tokens are for
		issuer.Resources = map[string]domain.Audience{urls.Customer: domain.AudienceCustomer}
	}
	errorsURL := urls.Auth + "/errors"
	sessions := a.sessions()
	desk, unproven := a.desk(urls, issuer), throttle.New(auth.UnprovenRequests, 1<<12)
	a.Clients.Audiences = []string{urls.Auth, urls.Auth + "/oauth2/token", urls.Auth + "/token/"}
	authTable := (&auth.Host{
		URL: urls.Auth, MaxAge: a.Config.span("jwks-max-age"),
		Clients: a.Clients, Tokens: tokens, Issuer: issuer, Keys: a.Keys, Revoker: a.revoker(urls, desk), Introspector: tokens, Statements: a.statements(), Bound: a.bound(),
		Desk: desk, Unproven: unproven, People: a.store, LoginURL: urls.Support + "/login", DeviceURL: urls.Support + "/device",
		EnergyZero: dialect.EnergyZero{ErrorsURL: errorsURL, NoTokenHeader: !a.Config.TokenHeader},
		Kraken:     dialect.Kraken{ErrorsURL: errorsURL},
	}).Table()
	pages = &support.Host{
		AuthURL: urls.Auth, CustomerURL: urls.Customer, SupportURL: urls.Support, Environment: a.Config.Environment,
		Ready:    func(r *http.Request) error { return a.ready(r.Context()) },
		Sessions: sessions, Officers: sessions, Registry: a.Registry, Shelf: a.store, Usage: a.Usage, Consents: desk, Desk: desk, Directory: a.Registry, Partners: a.store,
		WrongCodes: throttle.New(support.WrongUserCodes, 1<<12), Unproven: unproven,
	}
	limits, points := a.Config.graphQL()
	if a.isDemo {
		points = nil // nobody is kept from trying
	}
	version, revision := build()
	customerHost, err = (&customer.Host{
		Limits: limits, Points: points, Introspection: customer.Introspection(a.Config.Introspection),
		Documents: a.store, Version: version, Revision: revision,
		Usage: a.Usage, Customers: a.Supply, Tokens: tokens, Logins: a.logins(urls, tokens, sessions), Consents: desk, Front: pages.Front().Handler,
		Intake: a.Importer, Spool: a.Config.Data, Machine: time.Now,
		Sockets: a.sockets, Webhooks: a.webhooks(),
		Web: web.Dist(), Environment: a.Config.Environment,
		URL: urls.Customer, AuthURL: urls.Auth, MaxAge: a.Config.span("jwks-max-age"),
		Certificates: a.Config.asksForCertificates(),
	}).Table()
	if err != nil {
		return nil, nil, nil, err
	}
	return authTable, customerHost, pages, nil
}

// FlushEvery is how much of the counting of routine issuance a crash may lose.
const FlushEvery = 5 * time.Second

// flushUses stores what is counted, until ctx ends.
func (a *App) flushUses(ctx context.Context) error {
	return a.every(ctx, FlushEvery, "store what was counted", a.flush)
}

// every does something again and again until ctx ends. What fails is in the log,
// and is tried again.
func (a *App) every(ctx context.Context, span time.Duration, doing string, do func(context.Context) error) error {
	tick := time.NewTicker(span)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := do(ctx); err != nil && ctx.Err() == nil {
				a.log.Error(doing, "error", err.Error())
			}
		}
	}
}
