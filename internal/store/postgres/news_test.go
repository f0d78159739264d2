package postgres_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store/postgres"
)

// TestNewsBesideSlowReads: a node whose readers are all taken still hears of the
// others.
func TestNewsBesideSlowReads(t *testing.T) {
	o := options()
	o.Readers = 1
	s := open(t, "", o)
	err := s.Read(t.Context(), func(ctx context.Context, _ postgres.Conn) error {
		_, err := s.News(ctx)
		if err == nil {
			_, _, err = s.Revocations(ctx, 0)
		}
		if err == nil {
			_, err = s.Directory(ctx)
		}
		if err == nil {
			_, err = s.SigningKeys(ctx)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	limit, err := s.Values(t.Context(), "SELECT current_setting('statement_timeout')")
	if err != nil || limit[0] != "1min" {
		t.Errorf("a read may take %v (%v), want a minute", limit, err)
	}
}

// TestRevokedTokensAreNoNews: the feed has them, and nobody has to read the
// directory again.
func TestRevokedTokensAreNoNews(t *testing.T) {
	s := open(t, "", options())
	heard := make(chan struct{}, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Listen(ctx, func() { heard <- struct{}{} }) }()
	<-heard // the connection
	before, err := s.News(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	revoke(t, s, 0)
	<-heard
	if n, err := s.News(t.Context()); err != nil || n != before {
		t.Errorf("a revoked token: got the news %d after %d (%v), want the same", n, before, err)
	}
	if err := s.AddPartner(t.Context(), domain.Partner{ID: "prt_a", Name: "a"}, domain.Entry{ID: "aud_a"}); err != nil {
		t.Fatal(err)
	}
	<-heard
	if n, err := s.News(t.Context()); err != nil || n == before {
		t.Errorf("a new partner: got the news %d (%v), want another number", n, err)
	}
	cancel()
	<-done
}

func revoke(t *testing.T, s *postgres.Store, n int) {
	t.Helper()
	r := domain.Revocation{Token: domain.DigestTokenID(fmt.Sprint(n)), Until: noon}
	if err := s.RevokeToken(t.Context(), r, noon.AddDate(-1, 0, 0), domain.Entry{ID: fmt.Sprint("aud_", n)}); err != nil {
		t.Fatal(err)
	}
}

// TestPlaceOfAnotherPast: who has followed the feed before an older backup was
// restored is told all of it again.
func TestPlaceOfAnotherPast(t *testing.T) {
	s := open(t, "", options())
	list, place, err := s.Revocations(t.Context(), 1000)
	if err != nil || len(list) != 0 || place != 1000 {
		t.Errorf("an empty feed: got %v and the place %d (%v), want none and the same place", list, place, err)
	}
	revoke(t, s, 1)
	revoke(t, s, 2)
	list, place, err = s.Revocations(t.Context(), place)
	if err != nil || len(list) != 2 || place >= 1000 {
		t.Errorf("got %d revocations and the place %d (%v), want two and the newest's", len(list), place, err)
	}
	list, _, err = s.Revocations(t.Context(), place)
	if err != nil || len(list) != 0 {
		t.Errorf("got %v (%v) twice", list, err)
	}
}
