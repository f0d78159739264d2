package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/wattgate/wattgate/internal/app"
)

// server is a real one in a process of its own.
type server struct {
	cmd            *exec.Cmd
	auth, customer string
}

// startServer serves a data folder on a free port, and returns when it answers.
func startServer(t *testing.T, data string) *server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // whatever happens, nothing is left running
	t.Cleanup(cancel)
	s := &server{cmd: exec.CommandContext(ctx, "wattgate", "serve", "--data", data, "--listen", "127.0.0.1:0")}
	out, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for s.auth == "" {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			t.Fatalf("the server says where it listens: got %v and %q", err, line)
		}
		var said struct{ Msg, Auth, Customer string }
		if json.Unmarshal(line, &said) == nil && said.Msg == "serving" {
			s.auth, s.customer = said.Auth, said.Customer
		}
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }() // ends with the process
	return s
}

// stop ends the process with a signal.
func (s *server) stop(t *testing.T, with syscall.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(with); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait() // killed is no success
}

// token asks for a token.
func (s *server) token(t *testing.T, id, secret string) {
	t.Helper()
	answer, err := http.PostForm(s.auth+"/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("a token: got %d, %v and %.100s", answer.StatusCode, err, body)
	}
}

// wattgate runs a command line and reads its JSON.
func wattgate(t *testing.T, into any, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "wattgate", append(args, "-o", "json")...).Output()
	if err != nil {
		t.Fatalf("wattgate %s: %v", strings.Join(args, " "), err)
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatalf("wattgate %s: %v in %.200s", strings.Join(args, " "), err, out)
	}
}

// stored reads beside the running server what it has stored: all tokens, and
// those of all hours.
func stored(t *testing.T, data string) (tokens, inHours int64) {
	t.Helper()
	conn, err := sqlite.OpenConn(filepath.Join(data, "wattgate.db"), sqlite.OpenReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }() // nothing was written
	conn.SetBusyTimeout(time.Second)
	err = sqlitex.ExecuteTransient(conn, `SELECT (SELECT coalesce(sum(tokens), 0) FROM secret_use), (SELECT coalesce(sum(tokens), 0) FROM secret_hour)`,
		&sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
			tokens, inHours = row.ColumnInt64(0), row.ColumnInt64(1)
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return tokens, inHours
}

// TestKilledServerLosesOneWindow: tokens are issued at a steady rate until a
// batch of their counts has been stored and some more, and then the process is
// killed. What the batch held is there after the next start; what is not is
// younger than one window. A server that is asked to stop loses nothing.
func TestKilledServerLosesOneWindow(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	s := startServer(t, data)
	var partner struct{ ID string }
	wattgate(t, &partner, "partner", "create", "--data", data, "--name", "Partner")
	var made struct {
		Application struct{ ClientID string }
		Secret      string `json:"clientSecret"`
	}
	wattgate(t, &made, "app", "create", "--data", data, "--partner", "Partner", "--name", "App", "--role", "THIRD_PARTY_UTILITY_USAGE_DATA_VIEWER")
	id := made.Application.ClientID

	const (
		every = 20 * time.Millisecond
		tail  = 50              // tokens that nobody stores
		slack = 4 * time.Second // of a busy machine
	)
	var answered []time.Time // when each token had come
	pace := time.NewTicker(every)
	defer pace.Stop()
	issue := func() {
		<-pace.C
		s.token(t, id, made.Secret)
		answered = append(answered, time.Now())
	}
	first := time.Now()
	var batch, inHours int64
	for batch == 0 {
		if waited := time.Since(first); waited > 3*app.FlushEvery {
			t.Fatalf("nothing was stored within %v of the first token, want a batch every %v", waited, app.FlushEvery)
		}
		issue()
		batch, inHours = stored(t, data)
	}
	seen := time.Now()
	if batch != inHours {
		t.Errorf("the batch: got %d tokens and %d in all hours, want the same", batch, inHours)
	}
	for range tail {
		issue()
	}
	s.stop(t, syscall.SIGKILL)
	killed := time.Now()
	if _, err := os.Stat(filepath.Join(data, "wattgate.db-wal")); err != nil {
		t.Errorf("a killed server leaves its log behind: %v", err)
	}

	s = startServer(t, data)
	counted := func() int64 {
		var secrets []struct {
			Tokens int64
			Hours  []struct{ Tokens int64 }
		}
		wattgate(t, &secrets, "app", "secret", "list", "--data", data, id)
		var sum int64
		for _, h := range secrets[0].Hours {
			sum += h.Tokens
		}
		if sum != secrets[0].Tokens {
			t.Errorf("got %d tokens and %d in all hours, want the same", secrets[0].Tokens, sum)
		}
		return secrets[0].Tokens
	}
	kept, issued := counted(), int64(len(answered))
	due := int64(0) // those that had come well before the batch was seen
	for _, at := range answered {
		if seen.Sub(at) > slack {
			due++
		}
	}
	t.Logf("%d tokens in %v, the batch of %d was seen after %v; killed after %v: %d kept", issued, killed.Sub(first), batch, seen.Sub(first), killed.Sub(first), kept)
	switch {
	case kept < batch || kept < due || kept > issued:
		t.Errorf("after the kill: got %d of %d tokens, want at least the %d of the batch and the %d that came before it", kept, issued, batch, due)
	case kept == issued:
		t.Errorf("all %d tokens are there, the last ones not older than %v: is each of them written?", kept, killed.Sub(seen))
	case killed.Sub(answered[kept]) > app.FlushEvery+slack: // they came one after the other
		t.Errorf("a token was lost that was %v old, want none older than a window of %v", killed.Sub(answered[kept]), app.FlushEvery)
	}

	for range 3 {
		issue()
	}
	s.stop(t, syscall.SIGTERM)
	if got := counted(); got != kept+3 {
		t.Errorf("after a stop: got %d tokens, want %d", got, kept+3)
	}
}
