package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	engine "github.com/wattgate/wattgate/internal/store/sqlite"
	"github.com/wattgate/wattgate/internal/store/storetest"
)

// TestKilledServerKeepsBatches: two senders submit batches over HTTP, and the
// server is killed. What was answered with 200 is there, and the batch that was
// not answered is sent again, to the same effect whether it was stored or not.
func TestKilledServerKeepsBatches(t *testing.T) {
	t.Parallel()
	const kills = 6
	chance := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	data := filepath.Join(t.TempDir(), "data")
	startServer(t, data).stop(t, syscall.SIGTERM) // it makes the folder
	inProcess(t, data, func(s *engine.Store) {
		if err := storetest.MoveIn(t.Context(), s, time.Now()); err != nil {
			t.Fatal(err)
		}
	})
	var made struct {
		Application struct{ ClientID string }
		Secret      string `json:"clientSecret"`
	}
	wattgate(t, &made, "app", "create", "--data", data, "--partner", string(storetest.CrashPartner), "--name", "Metering", "--role", "METERING_INTEGRATION", "--audience", "measurements")
	c := storetest.Crash{Client: made.Application.ClientID}
	inProcess(t, data, func(s *engine.Store) { c.Begin(t, s, time.Now) })
	begun := time.Now()
	for range kills {
		s := startServer(t, data)
		token := s.bearer(t, made.Application.ClientID, made.Secret)
		says, hears := io.Pipe()
		go func() {
			var all sync.WaitGroup
			for sender := range storetest.Senders {
				all.Go(func() { submit(hears, s.customer, token, sender, c.Next(sender)) })
			}
			all.Wait()
			_ = hears.Close() // never fails
		}()
		batches := 1 + chance.IntN(30)
		c.Listen(t, says, func(string) {
			if batches--; batches == 0 {
				time.AfterFunc(time.Duration(chance.Int64N(int64(10*time.Millisecond))), func() { _ = s.cmd.Process.Kill() }) // it does not end by itself
			}
		})
		_ = s.cmd.Wait() // killed is no success
		inProcess(t, data, func(s *engine.Store) { c.Check(t, s, time.Now) })
		checkIntegrity(t, filepath.Join(data, "wattgate.db"))
	}
	t.Logf("%d kills in %v: %d batches acknowledged, %d lost, %d torn, %d stored and not acknowledged any more",
		kills, time.Since(begun), c.Taken, c.Lost, c.Torn, c.Silent)
	if c.Refused > 0 || c.Taken < kills {
		t.Errorf("got %d batches acknowledged and %d refused, want at least %d and 0", c.Taken, c.Refused, kills)
	}
}

// inProcess opens the database of a server that does not run.
func inProcess(t *testing.T, data string, f func(*engine.Store)) {
	t.Helper()
	s, err := engine.Open(t.Context(), filepath.Join(data, "wattgate.db"), engine.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	f(s)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// bearer asks for a token and returns it.
func (s *server) bearer(t *testing.T, id, secret string) string {
	t.Helper()
	answer, err := http.PostForm(s.auth+"/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }() // was read
	var got struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || got.Token == "" {
		t.Fatalf("a token: got %d and %v", answer.StatusCode, err)
	}
	return got.Token
}

// submit sends one batch after the other until the server has gone, and says
// what came of each.
func submit(to io.Writer, customer, token string, sender, n int) {
	client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	for ; ; n++ {
		id, content := storetest.Batch(sender, n)
		r, err := http.NewRequest(http.MethodPost, customer+"/v1/measurements", strings.NewReader(content))
		if err != nil {
			panic(err) // the same for everybody
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/x-ndjson")
		r.Header.Set("Idempotency-Key", id)
		answer, err := client.Do(r)
		if err != nil {
			return // it has gone
		}
		said, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close() // was read
		switch {
		case answer.StatusCode != http.StatusOK:
			_, _ = fmt.Fprintf(to, "refused %d %d %s\n", sender, n, said) // a pipe in memory
			return
		case err != nil:
			return // no whole answer: nobody knows
		}
		_, _ = fmt.Fprintf(to, "taken %d %d\n", sender, n)
	}
}
