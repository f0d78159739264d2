package postgres_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store/postgres"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

func TestSettings(t *testing.T) {
	s := open(t, "", options()) // whose server has synchronous_commit=off
	err := s.Change(t.Context(), func(ctx context.Context, c postgres.Conn) error {
		for setting, want := range map[string]string{
			"synchronous_commit": "on", "transaction_isolation": "read committed", "transaction_read_only": "off",
			"idle_in_transaction_session_timeout": "30s", "lock_timeout": "20s", "application_name": "wattgate",
		} {
			got := ""
			if err := c.QueryRow(ctx, "SELECT current_setting($1)", setting).Scan(&got); err != nil || got != want {
				t.Errorf("%s: got %q (%v), want %q", setting, got, err, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	_, err = s.Values(t.Context(), "DELETE FROM role RETURNING name")
	kind(t, "a reader that writes", err, domain.Unavailable)
	if roles, err := s.Roles(t.Context()); err != nil || len(roles) != 3 {
		t.Errorf("got the roles %v (%v), want three", roles, err)
	}
}

// TestTextsThatPostgreSQLRefuses: SQLite takes them. They are the caller's
// mistake, and no one else's.
func TestTextsThatPostgreSQLRefuses(t *testing.T) {
	s := open(t, "", options())
	for sentence, name := range map[string]string{"a NUL": "a\x00b", "not UTF-8": "a\xffb", "too long for an index": random(10_000)} {
		err := s.AddPartner(t.Context(), domain.Partner{ID: "prt_a", Name: name}, domain.Entry{ID: "aud_1"})
		kind(t, sentence, err, domain.Invalid)
		if len(name) > 100 {
			continue // asking for it is no mistake
		}
		_, err = s.UsersByEmail(t.Context(), name)
		kind(t, sentence+" in a question", err, domain.Invalid)
	}
}

func TestEvidence(t *testing.T) {
	url := postgrestest.URL(t)
	o := options()
	o.Evidence = true
	_, err := postgres.Open(t.Context(), url, o)
	kind(t, "an empty database as evidence", err, domain.Conflict)
	open(t, url, options())
	s := open(t, url, o)
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	kind(t, "a change of evidence", s.Exec(t.Context(), raise), domain.Unavailable)
}

// TestCrash: what was acknowledged is there after the server's processes were
// killed, and the store goes on without being opened again.
func TestCrash(t *testing.T) {
	cluster := postgrestest.Durable(t)
	s := open(t, cluster.URL(t), options())
	const acknowledged = 20
	for range acknowledged {
		if err := s.Exec(t.Context(), raise); err != nil {
			t.Fatal(err)
		}
	}
	cluster.Crash()
	kind(t, "a read while the server is away", s.Check(t.Context()), domain.Unavailable)
	kind(t, "a change while the server is away", s.Exec(t.Context(), raise), domain.Unavailable)
	if err := cluster.Start(); err != nil {
		t.Fatal(err)
	}
	if err := s.Exec(t.Context(), raise); err != nil {
		t.Errorf("a change after the crash: %v", err)
	}
	if got := mark(t, s); got != "21" {
		t.Errorf("got %s raises, want the %d that were acknowledged and one more", got, acknowledged)
	}
}

func TestListen(t *testing.T) {
	url := postgrestest.URL(t)
	one, other := open(t, url, options()), open(t, url, options())
	ctx, cancel := context.WithCancel(t.Context())
	heard, done := make(chan struct{}, 100), make(chan error, 1)
	go func() { done <- other.Listen(ctx, func() { heard <- struct{}{} }) }()
	<-heard // the connection
	if err := one.AddPartner(t.Context(), domain.Partner{ID: "prt_a", Name: "a"}, domain.Entry{ID: "aud_1"}); err != nil {
		t.Fatal(err)
	}
	<-heard // the change
	ended, err := one.Values(t.Context(), `SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
		WHERE datname = current_database() AND query LIKE 'LISTEN%'`)
	if err != nil || len(ended) != 1 {
		t.Fatalf("got %v (%v), want one connection that listens", ended, err)
	}
	<-heard // the next connection: nobody knows what the last one missed
	if err := one.Exec(t.Context(), raise); err != nil {
		t.Fatal(err)
	}
	<-heard
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got the error %v, want the context's", err)
	}
}

// random is text that does not compress.
func random(length int) string {
	text := ""
	for len(text) < length {
		text += rand.Text()
	}
	return text[:length]
}
