package app_test

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/app"
	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/registry"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	postgrestest.Stop()
	os.Exit(code)
}

// node is one of several processes with one database.
type node struct {
	*app.App
	*racer
}

// openNode opens a node with a data folder of its own, which hears of the others
// until the end of the test.
func openNode(t *testing.T, data, database string, now func() time.Time) (*node, *app.Demo) {
	t.Helper()
	a, err := app.Open(t.Context(), &app.Config{Data: data, Database: database}, app.World{Now: now, Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	d, err := a.OpenDemo(t.Context())
	if err = errors.Join(err, a.OpenKeys(t.Context())); err != nil {
		t.Fatal(err)
	}
	h, err := a.Handler(app.URLs{Auth: "http://wattgate.test", Customer: "http://wattgate.test", Support: "http://wattgate.test"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Hear(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, a.Close(context.Background())); err != nil {
			t.Log("the end of a node:", err) // some tests take its database away
		}
	})
	return &node{a, &racer{handler: h, id: string(d.PartnerClientID), secret: d.PartnerClientSecret, user: string(d.CustomerUserID)}}, d
}

// copyFolder gives a second node what it needs of the first one's data folder.
func copyFolder(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	files, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !f.Type().IsRegular() || strings.HasSuffix(f.Name(), ".lock") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, f.Name()), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// until asks every millisecond, and returns how long it took until the answer was
// yes, or gives up after more than a node may take at most. What it waits for comes
// through another process, the database, so that no clock of ours brings it about.
func until(yes func() bool) time.Duration {
	begin, tick := time.Now(), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !yes() && time.Since(begin) < 2*authn.MaxFeedAge {
		<-tick.C
	}
	return time.Since(begin)
}

// TestNodes: what ends at one node ends at the other, within a second, p99, and
// within five at most.
func TestNodes(t *testing.T) {
	database := postgrestest.URL(t)
	data := t.TempDir()
	a, demo := openNode(t, data, database, time.Now)
	b, _ := openNode(t, copyFolder(t, data), database, time.Now)
	if got := until(func() bool { return b.token() != "" }); got > authn.MaxFeedAge {
		t.Fatalf("the second node gives out no token after %v", got)
	}
	var took []time.Duration
	const rounds = 100
	for range rounds {
		token := a.token()
		if !b.active(token) {
			t.Fatal("a token of one node does not count at the other")
		}
		if body := a.revoke(token); body != "" {
			t.Fatalf("revoking: got %s", body)
		}
		took = append(took, until(func() bool { return !b.active(token) }))
	}
	slices.Sort(took)
	t.Logf("a revoked token at the other node: p50 %v, p99 %v, at most %v", took[rounds/2], took[rounds*99/100], took[rounds-1])
	if took[rounds*99/100] > time.Second || took[rounds-1] > authn.MaxFeedAge {
		t.Errorf("revocation took %v (p99) and %v at most, want a second and %v", took[rounds*99/100], took[rounds-1], authn.MaxFeedAge)
	}

	// A token that the other node makes after the application was disabled here,
	// and before it has heard of it, does not outlive the news.
	by := registry.By{Means: "test"}
	for _, c := range []struct {
		doing string
		do    func() error
		undo  func() error
	}{
		{
			"disabling the application",
			func() error { return a.Registry.SetDisabled(t.Context(), by, demo.PartnerClientID, true) },
			func() error { return a.Registry.SetDisabled(t.Context(), by, demo.PartnerClientID, false) },
		},
	} {
		before, exchanged := b.token(), b.exchange(b.token())
		if before == "" || exchanged == "" {
			t.Fatalf("%s: no tokens to begin with", c.doing)
		}
		stop, made := make(chan struct{}), make(chan []string, 1)
		go func() {
			var tokens []string
			for {
				select {
				case <-stop:
					made <- tokens
					return
				default:
					if token := b.token(); token != "" {
						tokens = append(tokens, token)
					}
				}
			}
		}()
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		delay := until(func() bool { return b.token() == "" })
		t.Logf("%s at the other node: %v", c.doing, delay)
		close(stop)
		tokens := append(<-made, before, exchanged)
		if delay > authn.MaxFeedAge {
			t.Errorf("%s: the other node still gives out tokens after %v", c.doing, delay)
		}
		if err := c.undo(); err != nil {
			t.Fatal(err)
		}
		until(func() bool { return b.token() != "" })
		for _, token := range tokens {
			if b.active(token) || a.active(token) {
				t.Errorf("%s: a token from before counts once it is enabled again", c.doing)
				break
			}
		}
		if token := b.token(); !a.active(token) {
			t.Errorf("%s: a token from after counts for nothing", c.doing)
		}
	}
}

// TestDeafNode: a node that hears nothing of the others for five seconds gives
// nothing out, and takes no token that speaks for a customer.
func TestDeafNode(t *testing.T) {
	cluster := postgrestest.Durable(t)
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	n, _ := openNode(t, t.TempDir(), cluster.URL(t), now)
	until(func() bool { return n.token() != "" })
	own := n.token()
	customers := n.exchange(own)
	if own == "" || customers == "" {
		t.Fatal("no tokens to begin with")
	}
	me := func(token string) string {
		return n.ask("POST", "/v1/graphql/", token, `{"query":"{ __typename me { id } }"}`)
	}
	cluster.Crash()
	ahead.Store(int64(authn.MaxFeedAge + time.Second))
	deaf := func() bool {
		return strings.Contains(n.ask("POST", "/oauth2/token", "", n.client()+"&grant_type=client_credentials"), "temporarily_unavailable")
	}
	if got := until(deaf); got > authn.MaxFeedAge {
		t.Errorf("a deaf node gives out tokens: %s", n.ask("POST", "/oauth2/token", "", n.client()+"&grant_type=client_credentials"))
	}
	for sentence, answer := range map[string]string{
		"exchange": n.ask("POST", "/oauth2/token", "", n.client()+"&grant_type="+url.QueryEscape(oauth.GrantTokenExchange)),
		"me":       me(customers),
	} {
		if !strings.Contains(answer, "SERVICE_AVAILABILITY") && !strings.Contains(answer, "temporarily_unavailable") {
			t.Errorf("%s at a deaf node: got %s", sentence, answer)
		}
	}
	if err := cluster.Start(); err != nil {
		t.Fatal(err)
	}
	if got := until(func() bool { return n.token() != "" }); got > 2*authn.MaxFeedAge-time.Second {
		t.Errorf("the node gives out nothing once it hears again: %v", got)
	}
}

// TestNodesAgree: a node with another key, none, or another environment does not
// begin.
func TestNodesAgree(t *testing.T) {
	database := postgrestest.URL(t)
	data := t.TempDir()
	openNode(t, data, database, time.Now)
	for sentence, c := range map[string]struct {
		config app.Config
		spoil  func(t *testing.T, data string)
		want   string
	}{
		"no key": {
			spoil: func(t *testing.T, data string) {
				if err := os.Remove(filepath.Join(data, "wattgate.key")); err != nil {
					t.Fatal(err)
				}
			},
			want: "copy it from the data folder of another node",
		},
		"another key": {
			spoil: func(t *testing.T, data string) {
				other, err := app.Open(t.Context(), &app.Config{Data: filepath.Join(data, "other")}, app.World{Now: time.Now, Log: io.Discard})
				if err != nil {
					t.Fatal(err)
				}
				if err := other.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(filepath.Join(data, "other", "wattgate.key"), filepath.Join(data, "wattgate.key")); err != nil {
					t.Fatal(err)
				}
			},
			want: "is not the key of this database",
		},
		"another environment": {
			config: app.Config{Environment: "production", Origins: map[string]string{"environment": "--environment"}},
			spoil: func(t *testing.T, data string) {
				if err := os.Remove(filepath.Join(data, "environment")); err != nil {
					t.Fatal(err)
				}
			},
			want: "this database is staging and stays it",
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			folder := copyFolder(t, data)
			c.spoil(t, folder)
			c.config.Data, c.config.Database = folder, database
			a, err := app.Open(t.Context(), &c.config, app.World{Now: time.Now, Log: io.Discard})
			if err == nil {
				_ = a.Close(t.Context())
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got the error %v, want one that says: %s", err, c.want)
			}
		})
	}
}

// TestNodesWithOtherClocks: a node whose clock is behind refuses a replaced secret
// as soon as it has heard, and what it made of it before is dead.
func TestNodesWithOtherClocks(t *testing.T) {
	database := postgrestest.URL(t)
	data := t.TempDir()
	a, demo := openNode(t, data, database, time.Now)
	b, _ := openNode(t, copyFolder(t, data), database, func() time.Time { return time.Now().Add(-1900 * time.Millisecond) })
	until(func() bool { return b.token() != "" })
	before := b.token()
	clear, err := a.Registry.ReplaceSecret(t.Context(), registry.By{Means: "test"}, demo.PartnerClientID, 0)
	if err != nil {
		t.Fatal(err)
	}
	made := []string{before}
	delay := until(func() bool {
		token := b.token()
		made = append(made, token)
		return token == ""
	})
	if delay > time.Second {
		t.Errorf("the replaced secret works at the other node for %v", delay)
	}
	a.secret, b.secret = clear.Reveal(), clear.Reveal()
	for _, token := range made {
		if token != "" && (a.active(token) || b.active(token)) {
			t.Fatal("a token of the replaced secret counts once the other node has heard")
		}
	}
	for _, n := range []*node{a, b} {
		if token := n.token(); !a.active(token) || !b.active(token) {
			t.Error("a token of the new secret does not count everywhere")
		}
	}
}

// TestOutage: a change that fails with the database holds nothing back once that
// is there again.
func TestOutage(t *testing.T) {
	cluster := postgrestest.Durable(t)
	n, demo := openNode(t, t.TempDir(), cluster.URL(t), time.Now)
	until(func() bool { return n.token() != "" })
	cluster.Crash()
	if err := n.Registry.SetDisabled(t.Context(), registry.By{Means: "test"}, demo.PartnerClientID, true); err == nil {
		t.Error("an application was disabled without a database")
	}
	if err := cluster.Start(); err != nil {
		t.Fatal(err)
	}
	if got := until(func() bool { return n.token() != "" }); got > authn.MaxFeedAge+time.Second {
		t.Errorf("the application is held back for %v after the outage", got)
	}
}
