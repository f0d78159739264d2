package authn_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

// newsstand keeps revocations in the order in which they come.
type newsstand struct {
	kept []domain.Revocation
	lost error
}

func (s *newsstand) Revocations(_ context.Context, after int64) ([]domain.Revocation, int64, error) {
	if s.lost != nil {
		return nil, after, s.lost
	}
	return s.kept[after:], int64(len(s.kept)), nil
}

func revocation(jti string, until time.Time) domain.Revocation {
	return domain.Revocation{Token: domain.DigestTokenID(jti), Until: until}
}

func TestADenyListDropsWhatIsOver(t *testing.T) {
	var l authn.DenyList
	if l.Denies("a") || l.Len() != 0 {
		t.Error("an empty list denies something")
	}
	for i := range 10_000 {
		l.Add(revocation(fmt.Sprint("short ", i), now.Add(time.Minute)), now)
	}
	l.Add(revocation("long", now.Add(time.Hour)), now)
	if l.Len() != 10_001 || !l.Denies("short 0") || !l.Denies("long") || l.Denies("another") {
		t.Errorf("the list has %d, want 10001 and no other", l.Len())
	}
	l.Add(revocation("long", now), now) // a second time, and shorter: it stays
	end := now.Add(time.Minute + domain.RevocationKept)
	l.Sweep(end.Add(-time.Second))
	if l.Len() != 10_001 {
		t.Errorf("swept too early: %d left", l.Len())
	}
	l.Sweep(end)
	if l.Len() != 1 || l.Denies("short 0") || !l.Denies("long") {
		t.Errorf("%d left after the end of all but one", l.Len())
	}
	// additions alone keep it small too
	for i := range 100_000 {
		at := end.Add(time.Duration(i) * time.Second)
		l.Add(revocation(fmt.Sprint("then ", i), at.Add(time.Minute)), at)
	}
	if kept := int(domain.RevocationKept.Seconds()) + 60; l.Len() > 3*kept {
		t.Errorf("%d are kept, of which %d are of use", l.Len(), kept)
	}
}

// TestADenyListCostsNothing bounds what every request pays.
func TestADenyListCostsNothing(t *testing.T) {
	var l authn.DenyList
	jti := token.NewID(now, nil)
	for range 2 {
		if got := testing.AllocsPerRun(100, func() { l.Denies(jti) }); got != 0 {
			t.Errorf("with %d in the list: %.0f allocations, want none", l.Len(), got)
		}
		l.Add(revocation("another", now.Add(time.Hour)), now)
	}
}

func BenchmarkDenies(b *testing.B) {
	for _, n := range []int{0, 1, 1_000_000} {
		var l authn.DenyList
		for i := range n {
			l.Add(revocation(fmt.Sprint(i), now.Add(time.Hour)), now)
		}
		jti := token.NewID(now, nil)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if l.Denies(jti) {
						b.Fail()
					}
				}
			})
		})
	}
}

func TestManyAreDeniedAtOnce(t *testing.T) {
	var l authn.DenyList
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 1000 {
				jti := fmt.Sprint(g, " ", i)
				l.Add(revocation(jti, now.Add(time.Hour)), now)
				if !l.Denies(jti) {
					t.Errorf("%s is not denied after it was", jti)
				}
				if i%100 == 0 {
					l.Sweep(now)
				}
			}
		})
	}
	all.Wait()
	if l.Len() != 8000 {
		t.Errorf("%d are denied, want 8000", l.Len())
	}
}

func TestAFeed(t *testing.T) {
	at := now
	source := &newsstand{kept: []domain.Revocation{revocation("before", now.Add(time.Hour))}}
	f := &authn.Feed{Source: source, List: &authn.DenyList{}, Now: func() time.Time { return at }}
	if f.Age() <= authn.MaxFeedAge {
		t.Errorf("a feed that was never polled has the age %v", f.Age())
	}
	poll := func() {
		t.Helper()
		if err := f.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	poll()
	if !f.List.Denies("before") || f.Age() != 0 {
		t.Errorf("after the first poll: %d denied, age %v", f.List.Len(), f.Age())
	}
	at = at.Add(time.Second)
	source.kept = append(source.kept, revocation("since", now.Add(time.Hour)))
	poll()
	if !f.List.Denies("since") || f.List.Len() != 2 || f.Age() != 0 {
		t.Errorf("after the second poll: %d denied, age %v", f.List.Len(), f.Age())
	}
	at = at.Add(3 * time.Second)
	source.lost = errors.New("the network is down")
	if err := f.Poll(t.Context()); !errors.Is(err, source.lost) || f.Age() != 3*time.Second {
		t.Errorf("a poll that failed: %v, age %v; want 3 s", err, f.Age())
	}
}

// TestAnOldFeedFailsClosed: nobody acts as a customer, and no token is made of
// another, where it cannot be known whether that was ended elsewhere. An
// application's own reads go on.
func TestAnOldFeedFailsClosed(t *testing.T) {
	own := token.Claims{
		Subject: "app_a", ClientID: "app_a", Partner: "prt_a", Audiences: domain.AudienceSet(domain.AudienceAuth, domain.AudienceCustomer),
		Permissions: domain.AllPermissions(), ID: token.NewID(now, nil), Expires: now.Unix() + 60, IssuedAt: now.Unix(),
	}
	acting := own
	acting.Subject, acting.Actor, acting.SID = string(user), "app_a", "aud_1"
	allowed := own // by the customer, at the consent page
	allowed.Subject, allowed.SID = string(user), "fam_1"
	p := &picture{Applications: map[domain.ClientID]*domain.Listing{"app_a": {
		Application: domain.Application{ID: "app_a", Partner: "prt_a", Audiences: domain.AllAudiences()}, Permissions: domain.AllPermissions(),
	}}}
	for name, c := range map[string]struct {
		claims   token.Claims
		audience domain.Audience
		closed   bool
	}{
		"an application's own read":      {own, domain.AudienceCustomer, false},
		"a customer's read":              {acting, domain.AudienceCustomer, true},
		"a read that a customer allowed": {allowed, domain.AudienceCustomer, true},
		"where tokens are made":          {own, domain.AudienceAuth, true},
		"a customer where they are made": {acting, domain.AudienceAuth, true},
	} {
		for age, old := range map[time.Duration]bool{0: false, authn.MaxFeedAge: false, authn.MaxFeedAge + 1: true} {
			tokens := authn.Tokens{
				Keys: &says{claims: c.claims}, Directory: p, Now: func() time.Time { return now }, FeedAge: func() time.Duration { return age },
			}
			_, err := tokens.Caller("x", c.audience)
			e, _ := errors.AsType[*domain.Error](err)
			if closed := e != nil && e.Kind == domain.Unavailable; closed != (c.closed && old) || !closed && err != nil {
				t.Errorf("%s with news that is %v old: got %v, want refused: %t", name, age, err, c.closed && old)
			}
			_, active, err := tokens.Introspect("x", "app_a")
			if refused := c.claims.Subject != "app_a" && old; (err != nil) != refused || active == refused {
				t.Errorf("a look into %s with news that is %v old: %t, %v", name, age, active, err)
			}
		}
	}
}

// books is a reader for whom a text is the number of a token that it knows. It
// looks at the time as the real one does.
type books struct{ claims map[string]token.Claims }

func (b *books) Verify(raw string, at time.Time, _ token.Expect) (token.Claims, error) {
	c, known := b.claims[raw]
	switch {
	case !known:
		return c, token.ErrSignature
	case c.Expires <= at.Unix():
		return token.Claims{}, token.ErrExpired
	}
	return c, nil
}

// TestTheDenyListModel: after any interleaving of issuing, revoking, time,
// sweeping and starting again, a revoked token is never accepted, and one that
// is not revoked is accepted until its time is over. Once, the clock may be an
// hour ahead for a while.
func TestTheDenyListModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at, keys, source := now, &books{map[string]token.Claims{}}, &newsstand{}
		revoked := map[string]bool{}
		tokens := &authn.Tokens{
			Keys: keys, Now: func() time.Time { return at }, Denied: &authn.DenyList{},
			Directory: &picture{Applications: map[domain.ClientID]*domain.Listing{"app_a": {
				Application: domain.Application{ID: "app_a", Partner: "prt_a", Audiences: domain.AllAudiences()},
			}}},
		}
		issue := func(t *rapid.T) {
			lifetime := rapid.Int64Range(60, 3600).Draw(t, "lifetime")
			keys.claims[fmt.Sprint(len(keys.claims))] = token.Claims{
				Subject: "app_a", ClientID: "app_a", Partner: "prt_a", Audiences: domain.AllAudiences(),
				ID: token.NewID(at, nil), IssuedAt: at.Unix(), Expires: at.Unix() + lifetime,
			}
		}
		issue(t)
		t.Repeat(map[string]func(*rapid.T){
			"issue": issue,
			"revoke": func(t *rapid.T) {
				raw := fmt.Sprint(rapid.IntRange(0, len(keys.claims)-1).Draw(t, "which"))
				c := keys.claims[raw]
				if c.Expires <= at.Unix() {
					return // as the revoker does
				}
				r := revocation(c.ID, time.Unix(c.Expires, 0))
				source.kept = append(source.kept, r)
				tokens.Denied.Add(r, at)
				revoked[raw] = true
			},
			"time": func(t *rapid.T) {
				at = at.Add(time.Duration(rapid.Int64Range(0, int64(40*time.Minute)).Draw(t, "passes")))
			},
			"the clock is an hour ahead for a while": func(*rapid.T) { tokens.Denied.Sweep(at.Add(time.Hour)) },
			"sweep":                                  func(*rapid.T) { tokens.Denied.Sweep(at) },
			"start again": func(t *rapid.T) {
				tokens.Denied = &authn.DenyList{}
				f := &authn.Feed{Source: source, List: tokens.Denied, Now: tokens.Now}
				if err := f.Poll(context.Background()); err != nil {
					t.Fatal(err)
				}
			},
			"": func(t *rapid.T) {
				for raw, c := range keys.claims {
					_, err := tokens.Caller(raw, domain.AudienceCustomer)
					if want := !revoked[raw] && at.Unix() < c.Expires; (err == nil) != want {
						t.Fatalf("token %s, revoked %t, %d s before its end: %v", raw, revoked[raw], c.Expires-at.Unix(), err)
					}
					_, active, err := tokens.Introspect(raw, "app_a")
					if want := !revoked[raw] && at.Unix() < c.Expires; err != nil || active != want {
						t.Fatalf("token %s looked into, revoked %t: %t, %v", raw, revoked[raw], active, err)
					}
				}
			},
		})
	})
}

// TestWhatAnApplicationMayKnow is RFC 7662 §2.2: an application sees its own
// tokens, and of all others it learns the same nothing.
func TestWhatAnApplicationMayKnow(t *testing.T) {
	own := token.Claims{
		Issuer: "https://auth", Subject: "app_a", ClientID: "app_a", Partner: "prt_a", Scope: "openid", ID: token.NewID(now, nil),
		Audiences: domain.AudienceSet(domain.AudienceAuth, domain.AudienceCustomer), Expires: now.Unix() + 60, IssuedAt: now.Unix(), NotBefore: now.Unix(),
	}
	acting := own
	acting.Subject, acting.Actor, acting.SID = string(user), "app_a", "aud_1"
	for name, c := range map[string]struct {
		claims token.Claims
		read   error
		asks   domain.ClientID
		change func(*domain.Listing, *authn.DenyList)
		active bool
	}{
		"its own":                         {own, nil, "app_a", nil, true},
		"one that it made for a customer": {acting, nil, "app_a", nil, true},
		"another application's":           {own, nil, "app_b", nil, false},
		"one of another's customer":       {acting, nil, "app_b", nil, false},
		"none of ours":                    {token.Claims{}, token.ErrSignature, "app_a", nil, false},
		"an expired one":                  {token.Claims{}, token.ErrExpired, "app_a", nil, false},
		"a revoked one":                   {own, nil, "app_a", func(_ *domain.Listing, l *authn.DenyList) { l.Add(revocation(own.ID, now.Add(time.Minute)), now) }, false},
		"one that ended with others":      {own, nil, "app_a", func(a *domain.Listing, _ *authn.DenyList) { a.DeadUntil = now }, false},
		"one of a disabled application":   {own, nil, "app_a", func(a *domain.Listing, _ *authn.DenyList) { a.Closed = true }, false},
		"one that opens nothing now":      {own, nil, "app_a", func(a *domain.Listing, _ *authn.DenyList) { a.Audiences = 0 }, false},
	} {
		a := domain.Listing{Application: domain.Application{ID: "app_a", Partner: "prt_a", Audiences: domain.AudienceSet(domain.AudienceCustomer)}}
		l := &authn.DenyList{}
		if c.change != nil {
			c.change(&a, l)
		}
		tokens := authn.Tokens{
			Keys: &says{claims: c.claims, err: c.read}, Now: func() time.Time { return now }, Denied: l,
			Directory: &picture{Applications: map[domain.ClientID]*domain.Listing{"app_a": &a}},
		}
		got, active, err := tokens.Introspect("x", c.asks)
		if err != nil || active != c.active || !active && got.ClientID+got.Subject+got.ID != "" {
			t.Errorf("%s: got %+v, %t, %v; want active: %t", name, got, active, err, c.active)
			continue
		}
		if active && (got.Subject != c.claims.Subject || got.Actor != string(c.claims.Actor) || fmt.Sprint(got.Audience) != "[customer]" || got.Expires != c.claims.Expires) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
