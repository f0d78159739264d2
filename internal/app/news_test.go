package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/wattgate/wattgate/internal/app"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
	"github.com/wattgate/wattgate/internal/webhook"
)

// store takes in a half-hour of a meter of its own at the demo's household.
func store(t *testing.T, a *app.App, property domain.PropertyID, register string) {
	t.Helper()
	file := "supply_point,register,direction,start_local,start_utc,minutes,value,unit,quality\n" +
		"NLD_ELECTRICITY:871685999999999901," + register + ",CONSUMPTION,2026-03-01T00:00:00+01:00,2026-02-28T23:00:00Z,30,0.25,kwh,ACTUAL\n"
	_, err := a.Importer.Import(t.Context(), intake.File{Name: "new.csv", Content: strings.NewReader(file), Size: int64(len(file))},
		intake.Target{Property: property}, func(int64) {})
	if err != nil {
		t.Fatal(err)
	}
}

// conversation is one connection of a client.
type conversation struct {
	*websocket.Conn
	t *testing.T
}

func (w *world) connect(t *testing.T, token string) *conversation {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, w.urls.Customer+"/v1/graphql/", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	c := &conversation{conn, t}
	c.say(`{"type":"connection_init","payload":{"Authorization":"Bearer ` + token + `"}}`)
	if got := c.hear(); got != `{"type":"connection_ack"}` {
		t.Fatalf("got %s, want the connection", got)
	}
	return c
}

func (c *conversation) say(text string) {
	c.t.Helper()
	if err := c.Write(c.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *conversation) hear() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	_, b, err := c.Read(ctx)
	if err != nil {
		return fmt.Sprint("closed ", int(websocket.CloseStatus(err)))
	}
	return string(b)
}

// TestSubscriptions: the real server tells of what is imported beside it, until
// the token is over, or the server is.
func TestSubscriptions(t *testing.T) {
	w := newWorld(t)
	token := func() string {
		return w.token(t, "/token/", form(with(grant, credentials(w.demo.ThirdPartyClientID, w.demo.ThirdPartyClientSecret))...))
	}
	a := w.ask(t, graphQL(token(), `{measurementChanges(propertyId:"`+string(w.demo.PropertyID)+`",first:1000){pageInfo{endCursor hasNextPage}}}`))
	var page struct {
		Data struct {
			MeasurementChanges struct {
				PageInfo struct{ EndCursor string }
			}
		}
	}
	if err := json.Unmarshal([]byte(a.body), &page); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	c := w.connect(t, token())
	c.say(`{"id":"1","type":"subscribe","payload":{"query":"subscription($id:ID!,$after:String){changed:measurementsChanged(propertyId:$id,after:$after){changes{identifier register day revision}}}","variables":{"id":"` +
		string(w.demo.PropertyID) + `","after":"` + page.Data.MeasurementChanges.PageInfo.EndCursor + `"}}}`)
	store(t, w.App, w.demo.PropertyID, "new")
	const want = `{"identifier":"871685999999999901","register":"new","day":"2026-03-01","revision":1}`
	for got := ""; !strings.Contains(got, want); { // behind the household's own
		got = c.hear()
		if !strings.HasPrefix(got, `{"id":"1","type":"next","payload":{"data":{"changed":{"changes":[{"identifier":`) {
			t.Fatalf("got %s, want changes", got)
		}
	}
	w.clock.move(2 * time.Hour) // longer than any token
	if got := c.hear(); got != "closed 4403" {
		t.Errorf("after the token's end: %s, want 4403", got)
	}
	c = w.connect(t, token())
	go w.end()
	if got := c.hear(); got != "closed 1001" {
		t.Errorf("when the server stops: %s, want 1001", got)
	}
	w.end()
	if log := w.log.String(); !strings.Contains(log, `"status":101`) || !strings.Contains(log, `"code":1001`) || strings.Contains(log, "eyJ") {
		t.Error("the log lacks the end of a connection, or has a token")
	}
}

// TestNewsOfNodes: a node hears of what another one stores, and one of them
// delivers it, once.
func TestNewsOfNodes(t *testing.T) {
	database := postgrestest.URL(t)
	data := t.TempDir()
	a, demo := openNode(t, data, database, time.Now)
	b, _ := openNode(t, copyFolder(t, data), database, time.Now)
	var mu sync.Mutex
	got := map[string]int{}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var event struct{ ID, RegisterID string }
		mu.Lock()
		defer mu.Unlock()
		if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
			t.Error(err)
		}
		got[event.RegisterID]++
	}))
	t.Cleanup(receiver.Close)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	for _, n := range []*node{a, b} {
		running.Go(func() { _ = n.SpreadNews(ctx) }) // both end with ctx
		running.Go(func() { _ = n.Deliver(ctx) })
	}
	told, stop := b.Follow()
	defer stop()
	caller := domain.Caller{Partner: demo.Partner, Client: demo.PartnerClientID, Permissions: domain.AllPermissions()}
	if _, _, err := a.Webhooks().Create(t.Context(), caller, domain.Origin{}, receiver.URL, []webhook.Event{webhook.ReadingsArrived}); err != nil {
		t.Fatal(err)
	}
	const rounds = 10
	for i := range rounds {
		for drained := false; !drained; { // of what was told before
			select {
			case <-told:
			default:
				drained = true
			}
		}
		store(t, a.App, demo.PropertyID, fmt.Sprint("a", i))
		heard := func() bool {
			select {
			case <-told:
				return true
			default:
				return false
			}
		}
		if took := until(heard); took > 5*time.Second {
			t.Fatalf("the other node has not heard after %v", took)
		}
		store(t, b.App, demo.PropertyID, fmt.Sprint("b", i))
	}
	all := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(got) == 2*rounds
	}
	until(all)
	mu.Lock()
	defer mu.Unlock()
	for register, n := range got {
		if n != 1 {
			t.Errorf("%s was delivered %d times, want once", register, n)
		}
	}
	if len(got) != 2*rounds {
		t.Errorf("%d were delivered, want %d", len(got), 2*rounds)
	}
}
