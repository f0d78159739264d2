package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/usage"
	"github.com/wattgate/wattgate/internal/webhook"
)

// loopbacks are what a demo may send to besides the public internet.
const loopbacks = "127.0.0.0/8 ::1"

// webhookNetworks are the networks that web hooks may be sent to besides the
// public internet.
func (a *App) webhookNetworks() webhook.Networks {
	text := a.Config.WebhookNetworks
	if a.isDemo {
		text += " " + loopbacks
	}
	list, _ := webhook.ParseNetworks(text) // as Validate has seen
	return list
}

// webhooks keeps the web hooks of applications.
func (a *App) webhooks() *webhook.Manager {
	return &webhook.Manager{
		Store: a.store, Sealer: a.hooks, Networks: a.webhookNetworks(), Now: a.world.Now, Chance: a.world.Chance, Wake: a.news.tell,
	}
}

// deliverer sends what web hooks are to be told.
func (a *App) deliverer() *webhook.Deliverer {
	d := &webhook.Deliverer{
		Store: a.store, Reader: webhookReader{a.Usage}, Directory: a.Registry, Sealer: a.hooks,
		Sender: newWebhookSender(a.webhookNetworks()), Now: a.world.Now, Chance: a.world.Chance,
		Trouble: func(doing string, err error) { a.log.Error(doing, "error", err.Error()) },
	}
	if a.nodes.engine != nil {
		d.Holder = domain.NewEntryID(a.world.Now(), a.world.Chance)
	}
	return d
}

// webhookReader asks what an application may read.
type webhookReader struct{ usage *usage.Service }

// Recorded is what a channel has recorded at one instant.
func (r webhookReader) Recorded(ctx context.Context, caller domain.Caller, c *domain.Channel, at time.Time) (webhook.Recorded, error) {
	found, err := r.usage.Recorded(ctx, caller, c.SupplyPoint.Property, c.ID, at)
	if err != nil {
		return webhook.Recorded{}, err
	}
	return webhook.Recorded{Property: c.SupplyPoint.Property, Changes: found.Changes, Cursor: found.Cursor}, nil
}

// webhookEvery is how often it is looked whether anything is to be delivered,
// whether anybody tells of it or not.
const webhookEvery = 2 * time.Second

// deliver sends what web hooks are to be told, until ctx ends.
func (a *App) deliver(ctx context.Context, d *webhook.Deliverer) error {
	defer d.Wait()
	told, stop := a.news.Follow()
	defer stop()
	again := make(chan struct{}, 1)
	tick := time.NewTicker(webhookEvery)
	defer tick.Stop()
	for {
		more, err := d.Round(ctx, func() { poke(again) })
		if err != nil && ctx.Err() == nil {
			a.log.Error("look what web hooks are to be told", "error", err.Error())
		}
		if more && err == nil {
			poke(again)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-told:
		case <-again:
		case <-tick.C:
		}
	}
}

// The bounds of one delivery over HTTP.
const (
	sendTime    = 10 * time.Second
	connectTime = 5 * time.Second
	maxAnswer   = 64 << 10 // what is read of an answer, so that the connection can be used again
)

// webhookSender sends deliveries over HTTP.
type webhookSender struct{ client *http.Client }

// The causes that owners of web hooks are told. Others may tell of our network.
var (
	errNotPublic = errors.New("the address is not public")
	errNoAnswer  = errors.New("there was no answer in time")
	errNoContact = errors.New("no connection could be made")
	errBroken    = errors.New("the connection broke, or its certificate is not good")
)

// newWebhookSender sends to public addresses, and to the networks. It is the
// address that is dialled that counts, whatever a name said when it was looked
// up before.
func newWebhookSender(networks webhook.Networks) *webhookSender {
	dialer := &net.Dialer{Timeout: connectTime, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !networks.Allow(at.Addr()) {
			return errNotPublic
		}
		return nil
	}}
	return &webhookSender{&http.Client{
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: connectTime,
			ResponseHeaderTimeout: sendTime, MaxResponseHeaderBytes: 16 << 10, MaxIdleConns: 2 * webhook.MaxSends, MaxConnsPerHost: webhook.MaxSends,
			IdleConnTimeout: 30 * time.Second, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       sendTime,
	}}
}

// Send sends one delivery.
func (s *webhookSender) Send(ctx context.Context, r webhook.Request) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return 0, errNoContact
	}
	for _, h := range r.Header {
		request.Header.Set(h[0], h[1])
	}
	request.Header.Set("User-Agent", "Wattgate")
	answer, err := s.client.Do(request)
	if err != nil {
		return 0, cause(err)
	}
	defer func() { _ = answer.Body.Close() }() // nothing was written to it
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer)
	return answer.StatusCode, nil
}

// cause says why there was no answer, in words that tell nothing of where we are.
func cause(err error) error {
	timeout, isNet := errors.AsType[net.Error](err)
	_, dialled := errors.AsType[*net.OpError](err)
	_, named := errors.AsType[*net.DNSError](err)
	switch {
	case errors.Is(err, errNotPublic):
		return errNotPublic
	case errors.Is(err, context.DeadlineExceeded) || isNet && timeout.Timeout():
		return errNoAnswer
	case named || dialled:
		return errNoContact
	}
	return errBroken
}
