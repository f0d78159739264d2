package authn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

// ring is a reader whose keys can go. It takes every text but "forged", and
// tells how often it was asked.
type ring struct {
	claims     token.Claims
	generation atomic.Uint64
	asked      atomic.Int64
	during     func() // runs while a token is verified
}

func (r *ring) Generation() uint64 { return r.generation.Load() }

func (r *ring) Verify(raw string, now time.Time, _ token.Expect) (token.Claims, error) {
	r.asked.Add(1)
	if r.during != nil {
		r.during()
	}
	switch {
	case raw == "forged":
		return token.Claims{}, token.ErrSignature
	case r.claims.Expires <= now.Unix():
		return token.Claims{}, token.ErrExpired
	}
	return r.claims, nil
}

// api is an API with an application, whose tokens say the same all.
func api(at *time.Time) (*authn.Tokens, *ring, *domain.Listing) {
	l := &domain.Listing{
		Application: domain.Application{ID: "app_a", Partner: "prt_a", Reach: domain.ReachPartner, Audiences: domain.AllAudiences()},
		Permissions: domain.PermissionSet(domain.CanQueryProperty),
	}
	r := &ring{claims: token.Claims{
		Subject: "app_a", ClientID: "app_a", Partner: "prt_a", Audiences: domain.AllAudiences(), Permissions: domain.AllPermissions(),
		ID: token.NewID(now, nil), IssuedAt: now.Unix(), NotBefore: now.Unix(), Expires: now.Unix() + 60,
	}}
	d := &picture{Applications: map[domain.ClientID]*domain.Listing{"app_a": l}}
	return &authn.Tokens{Keys: r, Directory: d, Denied: &authn.DenyList{}, Now: func() time.Time { return *at }}, r, l
}

// asked asks for the caller and demands the error, and how often the keys were
// asked so far.
func asked(t *testing.T, tokens *authn.Tokens, r *ring, raw string, want error, times int64) {
	t.Helper()
	_, err := tokens.Caller(raw, domain.AudienceCustomer)
	if !errors.Is(err, want) || r.asked.Load() != times {
		t.Errorf("%s: got %v after %d verifications, want %v after %d", raw, err, r.asked.Load(), want, times)
	}
}

// TestATokenIsVerifiedOnce, and again when the keys changed; and to the second
// as long as it lives.
func TestATokenIsVerifiedOnce(t *testing.T) {
	at := now
	tokens, r, _ := api(&at)
	asked(t, tokens, r, "a.b.c", nil, 1)
	asked(t, tokens, r, "a.b.c", nil, 1)
	asked(t, tokens, r, "a.b.C", nil, 2) // another text is another token
	r.generation.Add(1)
	asked(t, tokens, r, "a.b.c", nil, 3)
	asked(t, tokens, r, "a.b.c", nil, 3)
	at = now.Add(59*time.Second + 999*time.Millisecond)
	asked(t, tokens, r, "a.b.c", nil, 3)
	at = now.Add(60 * time.Second)
	asked(t, tokens, r, "a.b.c", authn.ErrExpired, 4)
	at = now.Add(-2 * time.Second) // the clock was put back: it is for the keys to say
	asked(t, tokens, r, "a.b.c", nil, 5)
	asked(t, tokens, r, "", authn.ErrNoToken, 5)
}

// TestAForgedTokenIsNeverRemembered: each time it comes it is looked at.
func TestAForgedTokenIsNeverRemembered(t *testing.T) {
	at := now
	tokens, r, _ := api(&at)
	for i := range 5 {
		asked(t, tokens, r, "forged", authn.ErrInvalid, int64(i+1))
	}
}

// TestARememberedTokenStillHasToStand: all that can end a token ends one that
// is remembered, with the next request.
func TestARememberedTokenStillHasToStand(t *testing.T) {
	for name, end := range map[string]func(*authn.Tokens, *ring, *domain.Listing){
		"disabled": func(_ *authn.Tokens, _ *ring, l *domain.Listing) { l.Closed = true },
		"revoked":  func(_ *authn.Tokens, _ *ring, l *domain.Listing) { l.DeadUntil = now },
		"gone":     func(a *authn.Tokens, _ *ring, _ *domain.Listing) { clear(a.Directory.Directory().Applications) },
		"denied by its own id": func(a *authn.Tokens, r *ring, _ *domain.Listing) {
			a.Denied.Add(domain.Revocation{Token: domain.DigestTokenID(r.claims.ID), Until: now.Add(time.Hour)}, now)
		},
	} {
		at := now
		tokens, r, l := api(&at)
		asked(t, tokens, r, "a.b.c", nil, 1)
		end(tokens, r, l)
		if _, err := tokens.Caller("a.b.c", domain.AudienceCustomer); !errors.Is(err, authn.ErrInvalid) {
			t.Errorf("%s: got %v, want the token to be over", name, err)
		}
		if r.asked.Load() != 1 {
			t.Errorf("%s: the keys were asked again: the case shows nothing", name)
		}
	}
	at := now
	tokens, r, l := api(&at)
	asked(t, tokens, r, "a.b.c", nil, 1)
	l.Permissions = 0
	caller, err := tokens.Caller("a.b.c", domain.AudienceCustomer)
	if err != nil || caller.Permissions != 0 {
		t.Errorf("a role that holds nothing: got %v, %v, want no permission", caller.Permissions, err)
	}
}

// TestAKeyThatGoesMeanwhile: what was verified with a key while it went is not
// taken for verified afterwards.
func TestAKeyThatGoesMeanwhile(t *testing.T) {
	at := now
	tokens, r, _ := api(&at)
	r.during = func() { r.generation.Add(1) }
	asked(t, tokens, r, "a.b.c", nil, 1)
	r.during = nil
	asked(t, tokens, r, "a.b.c", nil, 2)
	asked(t, tokens, r, "a.b.c", nil, 2)
}

// TestTheMemoryIsBounded fills it well over its edge: early tokens are
// forgotten, late ones are not.
func TestTheMemoryIsBounded(t *testing.T) {
	at := now
	tokens, r, _ := api(&at)
	const many = 100_000
	for i := range many {
		if _, err := tokens.Caller(fmt.Sprint("t", i), domain.AudienceCustomer); err != nil {
			t.Fatal(err)
		}
	}
	if got := tokens.Remembered(); got > 1<<16 || got < 1<<16-1024 {
		t.Errorf("%d tokens are remembered, want 65,536 or hardly fewer", got)
	}
	asked(t, tokens, r, fmt.Sprint("t", many-1), nil, many)
	asked(t, tokens, r, "t0", nil, many+1)
	if got := tokens.Remembered(); got > 1<<16 {
		t.Errorf("%d tokens are remembered, want at most 65,536", got)
	}
}

// TestALongTokenIsNotRemembered: above 2,048 bytes it is verified every time.
func TestALongTokenIsNotRemembered(t *testing.T) {
	at := now
	tokens, r, _ := api(&at)
	long := strings.Repeat("x", 2048)
	asked(t, tokens, r, long, nil, 1)
	asked(t, tokens, r, long, nil, 1)
	asked(t, tokens, r, long+"x", nil, 2)
	asked(t, tokens, r, long+"x", nil, 3)
	if got := tokens.Remembered(); got != 1 {
		t.Errorf("%d tokens are remembered, want 1", got)
	}
}

// TestManyTokensAtOnce is for the race detector: tokens come, expire and are ended
// while others are read.
func TestManyTokensAtOnce(t *testing.T) {
	tokens, r, _ := api(nil)
	var seconds atomic.Int64
	tokens.Now = func() time.Time { return now.Add(time.Duration(seconds.Load()) * time.Second) }
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 2000 {
				raw := fmt.Sprint("t", (i*7+g)%300)
				if i%50 == 0 {
					raw = "forged"
				}
				_, err := tokens.Caller(raw, domain.AudienceCustomer)
				if (err == nil) == (raw == "forged") && !errors.Is(err, authn.ErrExpired) {
					t.Errorf("%s: got %v", raw, err)
				}
				if i%500 == 0 {
					r.generation.Add(1)
					seconds.Add(2)
				}
			}
		})
	}
	all.Wait()
}

// realTokens is an API with a real ring, and a token of an application and one
// of somebody who acts for a customer.
func realTokens(t testing.TB) (tokens *authn.Tokens, partner, acting string) {
	t.Helper()
	at := now
	tokens, r, _ := api(&at)
	keys, err := token.OpenRing(context.Background(), token.Settings{Store: &shelf{}, Cipher: open{}, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	tokens.Keys, tokens.Issuer = keys, "https://auth"
	sign := func(change func(*token.Claims)) string {
		c := r.claims
		c.Issuer, c.Scope, c.ClientID, c.Subject, c.Partner = "https://auth", "openid offline", "app_bs769ddb2yqb4anc", "app_bs769ddb2yqb4anc", "prt_di38serq7iw3abcd"
		change(&c)
		raw, err := keys.Sign(nil, &c)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	d := tokens.Directory.Directory()
	d.Applications["app_bs769ddb2yqb4anc"] = &domain.Listing{
		Application: domain.Application{ID: "app_bs769ddb2yqb4anc", Partner: "prt_di38serq7iw3abcd", Audiences: domain.AllAudiences()}, Permissions: domain.AllPermissions(),
	}
	return tokens, sign(func(*token.Claims) {}), sign(func(c *token.Claims) { c.Subject, c.Actor, c.SID = string(user), c.ClientID, "aud_1" })
}

// TestARememberedTokenAllocatesNothing measures the whole way of a request's
// token: clock, digest, memory, directory, deny list.
func TestARememberedTokenAllocatesNothing(t *testing.T) {
	tokens, partner, acting := realTokens(t)
	tokens.Denied.Add(domain.Revocation{Token: domain.DigestTokenID("another"), Until: now.Add(time.Hour)}, now)
	for name, raw := range map[string]string{"an application's": partner, "a customer's": acting} {
		if got := testing.AllocsPerRun(200, func() {
			if _, err := tokens.Caller(raw, domain.AudienceCustomer); err != nil {
				t.Fatal(err)
			}
		}); got != 0 {
			t.Errorf("%s token allocates %.0f times, want never", name, got)
		}
	}
}

func BenchmarkRememberedToken(b *testing.B) {
	tokens, partner, acting := realTokens(b)
	for name, raw := range map[string]string{"an application's": partner, "a customer's": acting} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tokens.Caller(raw, domain.AudienceCustomer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// shelf keeps signing keys in memory, and open seals nothing.
type (
	shelf struct{ keys []token.StoredKey }
	open  struct{}
)

func (s *shelf) SigningKeys(context.Context) ([]token.StoredKey, error) { return s.keys, nil }

func (s *shelf) ChangeSigningKeys(_ context.Context, change func([]token.StoredKey) ([]token.StoredKey, []domain.Entry, error)) error {
	keys, _, err := change(s.keys)
	if err == nil {
		s.keys = keys
	}
	return err
}

func (open) Seal(_ string, plain []byte) ([]byte, error)  { return bytes.Clone(plain), nil }
func (open) Open(_ string, sealed []byte) ([]byte, error) { return bytes.Clone(sealed), nil }
