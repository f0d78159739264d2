package customer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/server/customer"
	"github.com/wattgate/wattgate/internal/usage"
)

// exchange is a host whose subscriptions are tested, with tokens that can be
// taken away and news that is told on request.
type exchange struct {
	*village
	url     string
	sockets *customer.Sockets
	log     lines
	agreed  domain.ConsentID

	mu      sync.Mutex
	clock   time.Time
	gone    map[string]error
	changed map[string]domain.Caller
	told    []chan struct{}
}

// lines is a log that is read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newExchange(t *testing.T, change func(*customer.Sockets)) *exchange {
	t.Helper()
	x := &exchange{village: newVillage(t), clock: now, gone: map[string]error{}, changed: map[string]domain.Caller{}}
	x.sockets = &customer.Sockets{News: x, Now: x.now, Origins: []string{"https://app.example.com"}}
	x.sockets.Hurry(time.Minute)
	if change != nil {
		change(x.sockets)
	}
	srv := httptest.NewUnstartedServer(nil)
	host := &customer.Host{Usage: x.usage, Tokens: x, Sockets: x.sockets, URL: "http://customer.test", AuthURL: "http://auth.test"}
	table, err := host.Table()
	if err != nil {
		t.Fatal(err)
	}
	srv.Config.Handler, err = (&server.Serving{Log: slog.New(slog.NewJSONHandler(&x.log, nil)), Now: x.now}).OneOrigin(table)
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	x.url = srv.URL
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		x.sockets.End(ctx)
		srv.Close()
	})
	return x
}

func (x *exchange) now() time.Time {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.clock
}

// Present returns the caller whose name the token is.
func (x *exchange) Present(p *domain.Presentation, audience domain.Audience) (domain.Caller, error) {
	if p.Token == "bound" && !(p.DPoP && len(p.Proofs) == 1 && p.Proofs[0] == "proof" && p.Method == "GET" && p.URL == "http://customer.test/graphql") {
		return domain.Caller{}, &oauth.Error{Code: oauth.InvalidToken, Challenge: `DPoP error="invalid_token"`, Nonce: "nonce", Err: authn.ErrInvalid}
	}
	bound := domain.Confirmation{}
	if p.Token == "bound" {
		bound = domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: "key"}
	}
	return x.Held(p.Token, audience, bound)
}

// Held asks whether the token still counts.
func (x *exchange) Held(token string, _ domain.Audience, proven domain.Confirmation) (domain.Caller, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if token == "" {
		return domain.Caller{}, authn.ErrNoToken
	}
	if err := x.gone[token]; err != nil {
		return domain.Caller{}, err
	}
	if c, ok := x.changed[token]; ok {
		return c, nil
	}
	if token == "bound" {
		if !proven.Bound() {
			return domain.Caller{}, authn.ErrInvalid
		}
		c := callers["ada"]
		c.Bound = proven
		return c, nil
	}
	c, ok := callers[token]
	if !ok {
		return domain.Caller{}, authn.ErrInvalid
	}
	return c, nil
}

// Follow hands out what tell writes into.
func (x *exchange) Follow() (<-chan struct{}, func()) {
	told := make(chan struct{}, 1)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.told = append(x.told, told)
	return told, func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.told = slices.DeleteFunc(x.told, func(c chan struct{}) bool { return c == told })
	}
}

func (x *exchange) tell() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range x.told {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// followed waits until a subscription follows the news.
func (x *exchange) followed(t *testing.T) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 20_000 {
		x.mu.Lock()
		n := len(x.told)
		x.mu.Unlock()
		if n > 0 {
			return
		}
		<-tick.C
	}
	t.Fatal("nobody follows the news")
}

// revoke makes a token count no more.
func (x *exchange) revoke(token string, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.gone[token] = err
}

// client is one end of a connection.
type client struct {
	*websocket.Conn
	t *testing.T
}

func (x *exchange) dial(t *testing.T, header http.Header) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, answer, err := websocket.Dial(ctx, x.url+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: header})
	if err != nil {
		status := 0
		if answer != nil {
			status = answer.StatusCode
		}
		t.Fatalf("dial: %v (status %d)", err, status)
	}
	conn.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &client{conn, t}
}

// open dials and says who is there.
func (x *exchange) open(t *testing.T, token string) *client {
	t.Helper()
	c := x.dial(t, nil)
	c.send(`{"type":"connection_init","payload":{"authorization":"` + token + `"}}`)
	c.expect(`{"type":"connection_ack"}`)
	return c
}

func (c *client) send(text string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatalf("send %s: %v", text, err)
	}
}

func (c *client) receive() (string, error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	_, b, err := c.Read(ctx)
	return string(b), err
}

func (c *client) expect(want string) {
	c.t.Helper()
	if got, err := c.receive(); err != nil || got != want {
		c.t.Fatalf("got %s, %v, want %s", got, err, want)
	}
}

// closed reads until the connection is closed, and returns how.
func (c *client) closed() websocket.StatusCode {
	for {
		if _, err := c.receive(); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

const selection = `{changes{identifier direction register day revision}cursor hasNextPage}`

// subscribe asks for the changes of a property.
func (c *client) subscribe(id, property, after string) {
	c.t.Helper()
	body, err := json.Marshal(map[string]any{"id": id, "type": "subscribe", "payload": map[string]any{
		"query":     `subscription($id:ID!,$after:String){measurementsChanged(propertyId:$id,after:$after)` + selection + `}`,
		"variables": map[string]any{"id": property, "after": after},
	}})
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(string(body))
}

// event is what comes of a subscription.
type event struct {
	ID, Type string
	Payload  json.RawMessage
	Days     []string
	Cursor   string
}

func (c *client) event() event {
	c.t.Helper()
	text, err := c.receive()
	if err != nil {
		c.t.Fatalf("no event: %v", err)
	}
	var e event
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		c.t.Fatalf("%s: %v", text, err)
	}
	var data struct {
		Data struct {
			MeasurementsChanged struct {
				Cursor  string
				Changes []struct {
					Identifier, Register, Day string
					Revision                  int
				}
			}
		}
	}
	if e.Type == "next" {
		if err := json.Unmarshal(e.Payload, &data); err != nil {
			c.t.Fatalf("%s: %v", text, err)
		}
		for _, n := range data.Data.MeasurementsChanged.Changes {
			e.Days = append(e.Days, fmt.Sprint(n.Register, " ", n.Day, " ", n.Revision))
		}
		e.Cursor = data.Data.MeasurementsChanged.Cursor
	}
	return e
}

// latest is the cursor behind all that is stored of Ada's home.
func (x *exchange) latest(t *testing.T) string {
	t.Helper()
	cursor, err := x.usage.Latest(t.Context(), callers["third-party"], "prop_ada")
	if err != nil {
		t.Fatal(err)
	}
	return cursor
}

func TestTheProtocol(t *testing.T) {
	const hello = `{"type":"connection_init","payload":{"Authorization":"Bearer ada"}}`
	ask := func(id string) string {
		return `{"id":"` + id + `","type":"subscribe","payload":{"query":"subscription{measurementsChanged(propertyId:\"prop_ada\"){cursor}}"}}`
	}
	for name, c := range map[string]struct {
		send []string
		want []string // answers
		code websocket.StatusCode
	}{
		"no text of the protocol":             {[]string{`hello`}, nil, 4400},
		"a list":                              {[]string{`[]`}, nil, 4400},
		"two values":                          {[]string{hello + hello}, nil, 4400},
		"an unknown type":                     {[]string{`{"type":"start"}`}, nil, 4400},
		"a type that is ours":                 {[]string{`{"type":"next","id":"1"}`}, nil, 4400},
		"no identifier":                       {[]string{hello, `{"type":"subscribe","payload":{"query":"{me{id}}"}}`}, []string{`{"type":"connection_ack"}`}, 4400},
		"a long identifier":                   {[]string{hello, ask(strings.Repeat("x", 129))}, []string{`{"type":"connection_ack"}`}, 4400},
		"asked before anybody is known":       {[]string{ask("1")}, nil, 4401},
		"no token":                            {[]string{`{"type":"connection_init"}`}, nil, 4403},
		"an empty payload":                    {[]string{`{"type":"connection_init","payload":{}}`}, nil, 4403},
		"null for a token":                    {[]string{`{"type":"connection_init","payload":{"Authorization":null}}`}, nil, 4403},
		"an unknown token":                    {[]string{`{"type":"connection_init","payload":{"Authorization":"nobody"}}`}, nil, 4403},
		"a token for another API":             {[]string{`{"type":"connection_init","payload":{"Authorization":"auth-only"}}`}, nil, 4403},
		"a bound token without its proof":     {[]string{`{"type":"connection_init","payload":{"Authorization":"DPoP bound"}}`}, nil, 4403},
		"two spellings of one member":         {[]string{`{"type":"connection_init","payload":{"Authorization":"ada","authorization":"bo"}}`}, nil, 4400},
		"a number for a token":                {[]string{`{"type":"connection_init","payload":{"Authorization":1}}`}, nil, 4400},
		"a payload that is a list":            {[]string{`{"type":"connection_init","payload":[]}`}, nil, 4400},
		"who are you, twice":                  {[]string{hello, hello}, []string{`{"type":"connection_ack"}`}, 4429},
		"an identifier that is in use":        {[]string{hello, ask("1"), ask("1")}, []string{`{"type":"connection_ack"}`}, 4409},
		"a ping is answered, also before all": {[]string{`{"type":"ping","payload":{"a":1}}`, `{"type":"pong"}`, `[]`}, []string{`{"type":"pong"}`}, 4400},
		"one that is over can begin again":    {[]string{hello, ask("1"), `{"id":"1","type":"complete"}`, ask("1"), `{"id":"2","type":"complete"}`, `[]`}, []string{`{"type":"connection_ack"}`}, 4400},
		"too long a message":                  {[]string{hello, strings.Repeat(" ", 64<<10) + hello}, []string{`{"type":"connection_ack"}`}, websocket.StatusMessageTooBig},
	} {
		x := newExchange(t, nil)
		conn := x.dial(t, nil)
		for _, text := range c.send {
			conn.send(text)
		}
		for _, want := range c.want {
			if got, err := conn.receive(); err != nil || got != want {
				t.Errorf("%s: got %s, %v, want %s", name, got, err, want)
			}
		}
		if got := conn.closed(); got != c.code {
			t.Errorf("%s: closed with %d, want %d", name, got, c.code)
		}
	}
}

func TestTokensOfConnections(t *testing.T) {
	x := newExchange(t, nil)
	for _, header := range []http.Header{
		{"Authorization": {"ada"}},
		{"Authorization": {"Bearer ada"}},
		{"Authorization": {"JWT ada"}},
		{"Authorization": {"DPoP bound"}, "Dpop": {"proof"}},
	} {
		c := x.dial(t, header)
		c.send(`{"type":"connection_init"}`)
		c.expect(`{"type":"connection_ack"}`)
	}
	for _, payload := range []string{`"AUTHORIZATION":"jwt ada"`, `"authorization":"bearer ada"`, `"Authorization":"ada","other":{"x":1}`} {
		c := x.dial(t, nil)
		c.send(`{"type":"connection_init","payload":{` + payload + `}}`)
		c.expect(`{"type":"connection_ack"}`)
	}
	// The token of the first message wins over that of the upgrade request.
	c := x.dial(t, http.Header{"Authorization": {"expired"}})
	c.send(`{"type":"connection_init","payload":{"Authorization":"ada"}}`)
	c.expect(`{"type":"connection_ack"}`)
}

// What is refused before there is a connection.
func TestRefusedUpgrades(t *testing.T) {
	x := newExchange(t, nil)
	for name, c := range map[string]struct {
		header http.Header
		status int
		nonce  string
	}{
		"our own page":                    {http.Header{"Origin": {"http://customer.test"}}, 101, ""},
		"a page that was named":           {http.Header{"Origin": {"https://app.example.com"}}, 101, ""},
		"no page":                         {http.Header{}, 101, ""},
		"a foreign page":                  {http.Header{"Origin": {"https://evil.example"}}, 403, ""},
		"a page that looks like ours":     {http.Header{"Origin": {"http://customer.test.evil.example"}}, 403, ""},
		"our name by another scheme":      {http.Header{"Origin": {"https://customer.test"}}, 403, ""},
		"a page of nobody's":              {http.Header{"Origin": {"null"}}, 403, ""},
		"two pages":                       {http.Header{"Origin": {"http://customer.test", "http://customer.test"}}, 403, ""},
		"a bound token without its proof": {http.Header{"Authorization": {"Bearer bound"}}, 401, "nonce"},
		"a bound token, another proof":    {http.Header{"Authorization": {"DPoP bound"}, "Dpop": {"other"}}, 401, "nonce"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, x.url+"/graphql", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = c.header
		for k, v := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "graphql-transport-ws",
		} {
			r.Header.Set(k, v)
		}
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != c.status || answer.Header.Get("DPoP-Nonce") != c.nonce {
			t.Errorf("%s: status %d, nonce %q, want %d and %q", name, answer.StatusCode, answer.Header.Get("DPoP-Nonce"), c.status, c.nonce)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, x.url+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.Read(ctx); websocket.CloseStatus(err) != 4406 {
		t.Errorf("the older protocol: %v, want 4406", err)
	}
}

// A client that goes on from its last cursor gets every revision once, whatever
// breaks in between, and however slowly it reads.
func TestSubscriptions(t *testing.T) {
	x := newExchange(t, nil)
	day := domain.NewDate(2024, 7, 3)
	cursor := x.latest(t)
	var got, want []string
	revision := 1
	correct := func(n int) {
		for range n {
			revision++
			x.correct(t, day, int64(revision))
			want = append(want, fmt.Sprint("1 2024-07-03 ", revision))
		}
		x.tell()
	}
	for round := range 4 {
		correct(round) // while nobody is connected
		c := x.open(t, []string{"third-party", "ada"}[round%2])
		c.subscribe("a", "prop_ada", cursor)
		for len(got) < len(want)+150 {
			if len(got) == len(want) {
				break
			}
			e := c.event()
			got, cursor = append(got, e.Days...), e.Cursor
		}
		correct(150) // at once: nobody reads meanwhile
		events := 0
		for len(got) < len(want) {
			e := c.event()
			events++
			got, cursor = append(got, e.Days...), e.Cursor
		}
		if events > 100 {
			t.Errorf("150 revisions came in %d events, want them together", events)
		}
		_ = c.CloseNow()
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %d revisions, want %d, each once and in order:\n%q\n%q", len(got), len(want), got, want)
	}
}

// A subscription without a cursor begins with what comes.
func TestFromNowOn(t *testing.T) {
	x := newExchange(t, nil)
	c := x.open(t, "ada")
	c.subscribe("a", "prop_ada", "")
	done := make(chan event, 1)
	go func() { done <- c.event() }()
	for revision := 2; ; revision++ { // nobody says when it has begun
		x.correct(t, domain.NewDate(2024, 7, 3), int64(revision))
		x.tell()
		select {
		case e := <-done:
			if len(e.Days) == 0 || !strings.HasPrefix(e.Days[0], "1 2024-07-03 ") || strings.HasSuffix(e.Days[0], " 1") {
				t.Errorf("got %q, want corrections only", e.Days)
			}
			return
		default:
		}
	}
}

// Somebody else's property, an unknown one and what cannot be one are refused in
// the same bytes; so is what a query is refused.
func TestWhatIsNotSubscribedTo(t *testing.T) {
	x := newExchange(t, nil)
	ask := func(token, property, after string) string {
		t.Helper()
		c := x.open(t, token)
		c.subscribe("a", property, after)
		e := c.event()
		if e.Type != "error" {
			t.Errorf("%s subscribes to %s: got %s", token, property, e.Payload)
		}
		return string(e.Payload)
	}
	for _, token := range []string{"third-party", "partner", "ada", "consented"} {
		unknown := ask(token, "prop_unknown", "")
		if !strings.Contains(unknown, "KT-CT-6622") {
			t.Errorf("%s, of an unknown property: %s", token, unknown)
		}
		for _, id := range []string{"prop_cleo", "no property"} {
			if got := ask(token, id, ""); got != unknown {
				t.Errorf("%s asks for %q: %s, and for an unknown one: %s", token, id, got, unknown)
			}
		}
	}
	for name, c := range map[string]struct{ got, want string }{
		"without the permission":         {ask("narrowed", "prop_ada", ""), "KT-CT-1111"},
		"a metering application":         {ask("metering", "prop_ada", ""), "KT-CT-1111"},
		"a cursor that is none":          {ask("ada", "prop_ada", "x"), "after is not a cursor"},
		"a customer of the same partner": {ask("bo", "prop_ada", ""), "KT-CT-6622"},
	} {
		if !strings.Contains(c.got, c.want) {
			t.Errorf("%s: %s, want %s", name, c.got, c.want)
		}
	}
	c := x.open(t, "ada")
	for query, want := range map[string]string{
		`{me{firstName}}`:                           "send queries and mutations by POST",
		`subscription{nothing}`:                     "Cannot query field",
		`subscription{measurementsChanged{cursor}}`: "propertyId",
		`subscription{__typename}`:                  "",
		`subscription{`:                             "",
		`subscription{a:measurementsChanged(propertyId:\"prop_ada\"){cursor}b:measurementsChanged(propertyId:\"prop_ada\"){cursor}}`: "",
	} {
		c.send(`{"id":"q","type":"subscribe","payload":{"query":"` + query + `"}}`)
		if e := c.event(); e.Type != "error" || e.ID != "q" || !strings.Contains(string(e.Payload), want) {
			t.Errorf("%s: got %s %s, want an error with %q", query, e.Type, e.Payload, want)
		}
	}
	c.send(`{"id":"q","type":"subscribe","payload":"x"}`)
	if e := c.event(); e.Type != "error" {
		t.Errorf("no request at all: got %s %s", e.Type, e.Payload)
	}
	if out := x.post("ada", `subscription{measurementsChanged(propertyId:"prop_ada"){cursor}}`, nil); !strings.Contains(out.Body.String(), "WebSocket") {
		t.Errorf("by POST: %s", out.Body)
	}
}

// Whoever may not read any more is told nothing more, whatever ended.
func TestPermissionIsAskedForEachEvent(t *testing.T) {
	expired, other := authn.ErrExpired, authn.ErrInvalid
	for name, end := range map[string]struct {
		do   func(x *exchange)
		code websocket.StatusCode // 0: the subscription ends, and not the connection
	}{
		"the token has expired": {func(x *exchange) { x.revoke("consented", expired) }, 4403},
		"it was revoked":        {func(x *exchange) { x.revoke("consented", other) }, 4403},
		"the role holds less": {func(x *exchange) {
			c := callers["consented"]
			c.Permissions = domain.PermissionSet(domain.CanQueryProperty)
			x.mu.Lock()
			defer x.mu.Unlock()
			x.changed["consented"] = c
		}, 0},
		"the consent is withdrawn": {func(x *exchange) {
			_, err := x.store.EndConsent(t.Context(), x.agreed, domain.Caller{Partner: stroom, User: ada}, now, x.entry("consent.revoke"))
			if err != nil {
				t.Error(err)
			}
		}, 0},
	} {
		x := newExchange(t, nil)
		x.agreed = x.consent(t, "app_agreed", ada, nil).ID
		cursor, err := x.usage.Latest(t.Context(), callers["consented"], "prop_ada")
		if err != nil {
			t.Fatal(err)
		}
		c := x.open(t, "consented")
		c.subscribe("a", "prop_ada", cursor)
		x.followed(t)
		end.do(x)
		if end.code != 0 {
			if got := c.closed(); got != end.code {
				t.Errorf("%s: closed with %d, want %d", name, got, end.code)
			}
			continue
		}
		x.tell()
		if e := c.event(); e.Type != "error" || e.ID != "a" || strings.Contains(string(e.Payload), "data") {
			t.Errorf("%s: got %s %s, want an error", name, e.Type, e.Payload)
		}
		c.send(`{"type":"ping"}`)
		c.expect(`{"type":"pong"}`)
	}
}

func TestBoundsOfConnections(t *testing.T) {
	x := newExchange(t, nil)
	c := x.open(t, "ada")
	for i := range 20 {
		c.subscribe(fmt.Sprint(i), "prop_ada", x.latest(t))
	}
	c.subscribe("one too many", "prop_ada", "")
	if e := c.event(); e.Type != "error" || e.ID != "one too many" || !strings.Contains(string(e.Payload), "KT-CT-1199") {
		t.Errorf("got %s %s, want KT-CT-1199", e.Type, e.Payload)
	}
	if got := x.sockets.Counts(); got.Connections != 1 || got.Subscriptions != 20 {
		t.Errorf("counted %+v, want one connection with 20 subscriptions", got)
	}
	for i := range 100 {
		c.send(`{"id":"` + fmt.Sprint(i%20) + `","type":"complete"}`)
		c.subscribe(fmt.Sprint(i%20), "prop_ada", x.latest(t))
	}
	if e := c.event(); e.Type != "error" || !strings.Contains(string(e.Payload), "KT-CT-1199") {
		t.Errorf("a hundred subscriptions at once: got %s %s, want KT-CT-1199", e.Type, e.Payload)
	}
	var many []*client
	for range 99 {
		many = append(many, x.open(t, "ada"))
	}
	late := x.dial(t, nil)
	late.send(`{"type":"connection_init","payload":{"Authorization":"ada"}}`)
	if got := late.closed(); got != websocket.StatusTryAgainLater {
		t.Errorf("one connection too many of an application: closed with %d, want 1013", got)
	}
	_ = many[0].CloseNow()
	for {
		again := x.dial(t, nil)
		again.send(`{"type":"connection_init","payload":{"Authorization":"ada"}}`)
		if _, err := again.receive(); err == nil {
			break // as soon as the server has seen that one is gone
		}
	}
}

func TestEndsOfConnections(t *testing.T) {
	quick := newExchange(t, func(s *customer.Sockets) { s.Hurry(10 * time.Millisecond) })
	if got := quick.dial(t, nil).closed(); got != 4408 {
		t.Errorf("nobody says who they are: closed with %d, want 4408", got)
	}
	x := newExchange(t, nil)
	c := x.open(t, "ada")
	c.subscribe("a", "prop_ada", x.latest(t))
	idle := x.open(t, "bo")
	x.mu.Lock()
	x.clock = x.clock.Add(2 * time.Minute)
	x.mu.Unlock()
	if got := idle.closed(); got != websocket.StatusNormalClosure {
		t.Errorf("without a subscription: closed with %d, want 1000", got)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		x.sockets.End(t.Context())
	}()
	if got := c.closed(); got != websocket.StatusGoingAway {
		t.Errorf("the server stops: closed with %d, want 1001", got)
	}
	<-ended
	if got := x.sockets.Counts(); got.Connections != 0 || got.Subscriptions != 0 {
		t.Errorf("counted %+v after the end", got)
	}
	x.logged(t, `"status":101`, `"code":1001,"subscriptions":1`, `"user":"`+string(ada)+`"`)
	r, err := http.Get(x.url + "/graphql?query=%7B__typename%7D")
	if err != nil || r.StatusCode != http.StatusOK {
		t.Errorf("a query by GET: %v, %v", r, err)
	}
	_ = r.Body.Close()
}

// logged waits for texts in the log: a line is written when the handler has come
// back, which is after the client has seen the end.
func (x *exchange) logged(t *testing.T, texts ...string) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 20_000 {
		if log := x.log.String(); !slices.ContainsFunc(texts, func(s string) bool { return !strings.Contains(log, s) }) {
			return
		}
		<-tick.C
	}
	t.Errorf("the log is %s, want %q in it", x.log.String(), texts)
}

// Who does not read loses the connection, and nobody else waits for them.
func TestSlowReaders(t *testing.T) {
	x := newExchange(t, func(s *customer.Sockets) { s.SlowAfter(50 * time.Millisecond) })
	one := 1
	first, err := x.usage.Changes(t.Context(), callers["ada"], "prop_ada", usage.ChangesQuery{First: &one})
	if err != nil {
		t.Fatal(err)
	}
	slow := x.open(t, "ada")
	var fields strings.Builder
	for i := range 25 {
		fmt.Fprintf(&fields, " identifier_%d:identifier", i)
	}
	for i := range 20 { // a year, twenty times and in many words: more than any buffer on the way holds
		slow.send(`{"id":"` + fmt.Sprint(i) + `","type":"subscribe","payload":{"query":"subscription{measurementsChanged(propertyId:\"prop_ada\",after:\"` +
			first.Cursor(0) + `\"){changes{` + fields.String() + `}}}"}}`)
	}
	quick := x.open(t, "third-party")
	quick.subscribe("a", "prop_ada", x.latest(t))
	x.followed(t)
	x.correct(t, domain.NewDate(2024, 7, 3), 2)
	x.tell()
	if e := quick.event(); len(e.Days) != 1 {
		t.Errorf("got %s %s, want the correction", e.Type, e.Payload)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 20_000 {
		if x.sockets.Counts().Connections == 1 {
			return
		}
		<-tick.C
	}
	t.Errorf("%+v: the slow one is still there", x.sockets.Counts())
}
