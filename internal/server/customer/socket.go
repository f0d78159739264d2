package customer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/throttle"
)

// protocol is how GraphQL is spoken over a WebSocket: that of the library
// graphql-ws. Its close codes are below.
const protocol = "graphql-transport-ws"

// Why a connection is closed.
const (
	closeDone        = websocket.StatusNormalClosure // 1000: nothing was asked for long
	closeGoing       = websocket.StatusGoingAway     // 1001: the server stops
	closeLater       = websocket.StatusTryAgainLater // 1013: there are too many
	closeInvalid     = websocket.StatusCode(4400)
	closeUnknown     = websocket.StatusCode(4401) // asked before anybody was known to ask
	closeForbidden   = websocket.StatusCode(4403) // the token is not good, or not any more
	closeProtocol    = websocket.StatusCode(4406)
	closeInitTimeout = websocket.StatusCode(4408)
	closeTwice       = websocket.StatusCode(4409) // an identifier that is in use
	closeInitTwice   = websocket.StatusCode(4429)
)

// The bounds of connections.
const (
	maxMessage   = 64 << 10 // bytes of one message that comes in
	maxID        = 128      // bytes of a subscription's identifier
	maxFeeds     = 20       // subscriptions of one connection
	maxSockets   = 2000     // connections of all callers,
	maxOfPartner = 500      // of one partner's,
	maxOfClient  = 100      // of one application's,
	maxUnknown   = 256      // and of those who have not said who they are
	maxAllFeeds  = 5000     // subscriptions of all connections
)

// times are how long things may take.
type times struct {
	begin    time.Duration // until somebody says who they are
	idle     time.Duration // without a subscription
	life     time.Duration
	write    time.Duration // for a client to take one message
	standing time.Duration // between two looks whether the token still counts
	ping     time.Duration
	pong     time.Duration
	poll     time.Duration // between two looks for news, whether anybody tells of any
	pause    time.Duration // between two looks, at least
}

var usualTimes = times{
	begin: 3 * time.Second, idle: time.Minute, life: 6 * time.Hour, write: 20 * time.Second, standing: 5 * time.Second,
	ping: 30 * time.Second, pong: 10 * time.Second, poll: 15 * time.Second, pause: 200 * time.Millisecond,
}

// subscribeLimit is how often one caller may subscribe.
var subscribeLimit = throttle.Limit{Burst: 60, Every: time.Second}

// News says that something may be new.
type News interface {
	// Follow returns a channel that has something whenever it may be, and what
	// ends that.
	Follow() (told <-chan struct{}, stop func())
}

// Sockets are the WebSocket connections of a host: how many, whose, and their
// end. The zero Sockets with News and Now is ready.
type Sockets struct {
	News News
	Now  func() time.Time
	// Origins are those of web pages that may connect besides the host's own.
	Origins []string

	once    sync.Once
	times   times
	ending  chan struct{}
	known   gate
	limiter *throttle.Limiter

	mu      sync.Mutex
	closing bool
	unknown int
	running sync.WaitGroup

	open, feeds, events atomic.Int64
}

// SocketCounts are the connections and subscriptions that there are now, and the
// events sent since the start.
type SocketCounts struct{ Connections, Subscriptions, Events int64 }

// Counts returns the counts.
func (s *Sockets) Counts() SocketCounts {
	return SocketCounts{s.open.Load(), s.feeds.Load(), s.events.Load()}
}

func (s *Sockets) begin() {
	s.once.Do(func() {
		if s.times == (times{}) {
			s.times = usualTimes
		}
		s.ending = make(chan struct{})
		s.known = gate{things: "connections", most: maxSockets, partner: maxOfPartner, of: maxOfClient, retry: 30 * time.Second}
		s.limiter = throttle.New(subscribeLimit, accountsKept)
	})
}

// End closes all connections, because the server goes away, and waits until they
// are, or ctx ends. None is taken afterwards.
func (s *Sockets) End(ctx context.Context) {
	s.begin()
	s.mu.Lock()
	if !s.closing {
		s.closing = true
		close(s.ending)
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.running.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// enter lets a connection in of which nobody knows yet whose it is. identified is
// called once that is known, and leave at the end.
func (s *Sockets) enter() (identified, leave func(), err error) {
	s.begin()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing:
		return nil, nil, &domain.Error{Kind: domain.Unavailable, Public: "the server is about to stop"}
	case s.unknown >= maxUnknown:
		return nil, nil, &domain.Error{Kind: domain.Unavailable, Public: "too many connections are about to begin"}
	}
	s.unknown++
	s.running.Add(1)
	s.open.Add(1)
	identified = sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.unknown--
	})
	return identified, func() {
		identified()
		s.open.Add(-1)
		s.running.Done()
	}, nil
}

// upgrades reports whether a request wants to become a WebSocket.
func upgrades(r *http.Request) bool {
	return slices.ContainsFunc(r.Header.Values("Upgrade"), func(v string) bool { return strings.EqualFold(strings.TrimSpace(v), "websocket") })
}

// held is a token and who holds it, as was proven once.
type held struct {
	token  string
	caller domain.Caller
}

// hold finds out who holds the token of a request.
func (h *Host) hold(r *http.Request) (*held, error) {
	presented, err := dialect.Presented(r, h.URL)
	if err != nil {
		return nil, &domain.Error{Kind: domain.Unauthenticated, Public: authn.ErrInvalid.Public, Err: err}
	}
	caller, err := h.Tokens.Present(&presented, domain.AudienceCustomer)
	if err == nil {
		err = authz.Opens(caller, domain.AudienceCustomer)
	}
	if err != nil {
		return nil, err
	}
	return &held{presented.Token, caller}, nil
}

// standing asks whether the token still counts, and for what. What it is bound to
// was proven when the connection began.
func (h *Host) standing(t *held) (domain.Caller, error) {
	caller, err := h.Tokens.Held(t.token, domain.AudienceCustomer, t.caller.Bound)
	if err == nil {
		err = authz.Opens(caller, domain.AudienceCustomer)
	}
	return caller, err
}

// socket speaks GraphQL over a WebSocket, for as long as the connection lasts.
func (h *Host) socket(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	if h.Sockets == nil {
		return &domain.Error{Kind: domain.Unavailable, Public: "there are no subscriptions here"}
	}
	// No cookie is read, so that a foreign page gains nothing by connecting. It has
	// no business here all the same.
	if origins := r.Header.Values("Origin"); len(origins) > 0 && (len(origins) > 1 || !h.expects(origins[0])) {
		return &domain.Error{Kind: domain.Forbidden, Public: "this origin may not connect"}
	}
	var token *held
	var refused error
	if len(r.Header.Values("Authorization")) > 0 {
		// A bound token needs its proof, and a proof is for a request: this one.
		if token, refused = h.hold(r); refused != nil && dialect.WriteChallenge(http.Header{}, refused) {
			return refused
		}
	}
	identified, leave, err := h.Sockets.enter()
	if err != nil {
		return err
	}
	defer leave()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{protocol}, CompressionMode: websocket.CompressionDisabled,
		InsecureSkipVerify: true, // the origin was looked at
	})
	if err != nil { // and has been answered
		call.Event.Refused(&domain.Error{Kind: domain.Invalid, Public: "no good WebSocket handshake", Err: err})
		return nil
	}
	conn.SetReadLimit(maxMessage)
	s := &socket{host: h, conn: conn, request: r, call: call, token: token, refused: refused, identified: identified, feeds: map[string]*feed{}}
	s.serve(context.WithValue(context.WithoutCancel(r.Context()), callKey{}, call))
	return nil
}

// expects reports whether pages of the origin may connect.
func (h *Host) expects(origin string) bool {
	return strings.EqualFold(origin, h.URL) ||
		slices.ContainsFunc(h.Sockets.Origins, func(o string) bool { return strings.EqualFold(origin, o) })
}

// socket is one connection.
type socket struct {
	host    *Host
	conn    *websocket.Conn
	request *http.Request
	call    *server.Call
	ctx     context.Context // of the subscriptions
	started time.Time

	// What the upgrade request presented: a token, or why it is none.
	token      *held
	refused    error
	identified func()
	leave      func() // lets it out of the gate

	mu     sync.Mutex
	known  *held // nil: nobody has said who they are
	inited bool
	idle   time.Time // since when there is no subscription
	feeds  map[string]*feed
	total  int // subscriptions since the beginning

	closer  sync.Once
	code    websocket.StatusCode // why we closed it
	running sync.WaitGroup
	sent    atomic.Int64
}

// serve reads messages until the connection ends.
func (s *socket) serve(ctx context.Context) {
	var cancel context.CancelFunc
	s.ctx, cancel = context.WithCancel(ctx)
	s.started = s.host.Sockets.Now()
	s.idle = s.started
	defer func() {
		cancel()
		s.running.Wait()
		_ = s.conn.CloseNow()
		if s.leave != nil {
			s.leave()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.call.Event.Add(slog.Int("code", int(s.code)), slog.Int("subscriptions", s.total), slog.Int64("events", s.sent.Load()))
	}()
	if s.conn.Subprotocol() != protocol {
		s.close(closeProtocol, "Subprotocol not acceptable: "+protocol+" is")
		return
	}
	s.running.Go(s.watch)
	for {
		kind, data, err := s.conn.Read(ctx)
		if err != nil {
			if code := websocket.CloseStatus(err); code > 0 {
				s.closer.Do(func() { s.code = code }) // they closed it
			}
			return
		}
		if kind != websocket.MessageText || !s.take(data) {
			s.close(closeInvalid, "Invalid message received")
		}
	}
}

// close says why and ends the connection. The first reason counts.
func (s *socket) close(code websocket.StatusCode, why string) {
	s.closer.Do(func() {
		s.code = code
		_ = s.conn.Close(code, why) // whoever is gone need not be told
	})
}

// watch ends the connection where its time is over.
func (s *socket) watch() {
	first := time.NewTimer(s.host.Sockets.times.begin)
	defer first.Stop()
	tick := time.NewTicker(s.host.Sockets.times.standing)
	defer tick.Stop()
	pinged := time.NewTicker(s.host.Sockets.times.ping)
	defer pinged.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.host.Sockets.ending:
			s.close(closeGoing, "the server is going away: connect again and go on with the last cursor")
			return
		case <-first.C:
			if s.holder() == nil {
				s.close(closeInitTimeout, "Connection initialisation timeout")
				return
			}
		case <-tick.C:
			if code, why := s.over(); code != 0 {
				s.close(code, why)
				return
			}
		case <-pinged.C:
			ctx, cancel := context.WithTimeout(s.ctx, s.host.Sockets.times.pong)
			err := s.conn.Ping(ctx)
			cancel()
			if err != nil {
				_ = s.conn.CloseNow()
				return
			}
		}
	}
}

// over reports why the connection is to end now; 0: it is not.
func (s *socket) over() (websocket.StatusCode, string) {
	t := s.holder()
	if t == nil {
		return 0, ""
	}
	if _, err := s.host.standing(t); err != nil && !passing(err) {
		return closing(err)
	}
	now := s.host.Sockets.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(s.feeds) == 0 && now.Sub(s.idle) >= s.host.Sockets.times.idle:
		return closeDone, "there was no subscription for a minute"
	case now.Sub(s.started) >= s.host.Sockets.times.life:
		return closeGoing, "this connection is old: connect again and go on with the last cursor"
	}
	return 0, ""
}

// closing says how a connection ends whose token is not good.
func closing(err error) (websocket.StatusCode, string) {
	e, ok := errors.AsType[*domain.Error](err)
	switch {
	case errors.Is(err, authn.ErrExpired):
		return closeForbidden, "Forbidden: the token has expired"
	case errors.Is(err, authn.ErrNoToken):
		return closeForbidden, "Forbidden: no token was sent"
	case dialect.WriteChallenge(http.Header{}, err):
		return closeForbidden, "Forbidden: a bound token goes into the upgrade request, with its proof"
	case ok && e.Kind == domain.Unavailable:
		return closeLater, "try again a little later"
	}
	return closeForbidden, "Forbidden"
}

// passing reports whether nobody can tell just now: nothing is told meanwhile.
func passing(err error) bool {
	e, ok := errors.AsType[*domain.Error](err)
	return ok && e.Kind == domain.Unavailable || errors.Is(err, context.DeadlineExceeded)
}

// holder returns who has said who they are; nil: nobody.
func (s *socket) holder() *held {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known
}

// write sends one message. Who does not take it in time loses the connection.
func (s *socket) write(text []byte) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.host.Sockets.times.write)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, text)
}

// init finds out who is there: by the token of the message, or by that of the
// upgrade request.
func (s *socket) init(authorization string) {
	s.mu.Lock()
	again := s.inited
	s.inited = true
	s.mu.Unlock()
	if again {
		s.close(closeInitTwice, "Too many initialisation requests")
		return
	}
	token, err := s.token, s.refused
	if authorization != "" {
		r := s.request.Clone(s.ctx)
		r.Header.Set("Authorization", authorization)
		token, err = s.host.hold(r)
	}
	if token == nil && err == nil {
		err = authn.ErrNoToken
	}
	if err != nil {
		note(s.request.WithContext(s.ctx), err)
		s.close(closing(err))
		return
	}
	leave, err := s.host.Sockets.known.enter(token.caller)
	if err != nil {
		note(s.request.WithContext(s.ctx), err)
		s.close(closeLater, reason(err))
		return
	}
	s.leave = leave
	s.identified()
	s.call.Event.Caller(token.caller)
	s.mu.Lock()
	s.known = token
	s.mu.Unlock()
	_ = s.write([]byte(`{"type":"connection_ack"}`)) // reading finds out
}

// reason is the sentence of an error, as far as a close frame has room.
func reason(err error) string {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.120s", e.Public)
}
