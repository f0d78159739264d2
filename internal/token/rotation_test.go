package token_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/token"
)

// model is the world around a ring: verifiers that cache JWKS for as long as
// they were told, tokens under way, and time that goes on in jumps.
type model struct {
	now    time.Time
	policy token.Policy
	keys   []token.StoredKey
	names  int
	tokens []modelToken
	caches []modelCache
	killed map[string]bool      // dropped in an emergency, or born in one
	shown  map[string]time.Time // when a key came into JWKS
	maxAge map[string]time.Duration

	longest time.Duration // of all former max-ages
}

type modelToken struct {
	kid     string
	expires time.Time
}

type modelCache struct {
	until time.Time
	kids  []string
}

func newModel(p token.Policy) *model {
	m := &model{now: noon, policy: p, killed: map[string]bool{}, shown: map[string]time.Time{}, maxAge: map[string]time.Duration{}}
	m.become(p.Next(nil, noon))
	m.killed[m.keys[0].ID] = true // the very first is known to nobody
	return m
}

// become names the new keys and notes when they were shown first.
func (m *model) become(next []token.StoredKey) {
	m.keys = next
	for i := range m.keys {
		if m.keys[i].ID == "" {
			m.names++
			m.keys[i].ID = fmt.Sprint("k", m.names)
			m.shown[m.keys[i].ID], m.maxAge[m.keys[i].ID] = m.now, m.policy.MaxAge
		}
	}
}

func (m *model) jwks() (kids []string) {
	for _, k := range m.keys {
		if k.State != token.Removed {
			kids = append(kids, k.ID)
		}
	}
	return kids
}

func (m *model) active() (list []token.StoredKey) {
	for _, k := range m.keys {
		if k.State == token.Active {
			list = append(list, k)
		}
	}
	return list
}

// TestRotationModel: at every instant one key is active; none signs before its
// time; no token fails at a verifier that caches JWKS as it may, unless somebody
// declared an emergency; steps may be late, settings may change at a restart.
func TestRotationModel(t *testing.T) {
	for i := range 20 {
		t.Run(fmt.Sprint(i), func(t *testing.T) { rapid.Check(t, rotationModel) })
	}
}

func rotationModel(t *rapid.T) {
	draw := func() token.Policy {
		minutes := func(name string, list ...int) time.Duration {
			return time.Duration(rapid.SampledFrom(list).Draw(t, name)) * time.Minute
		}
		return token.Policy{
			Algorithm: rapid.SampledFrom([]token.Algorithm{token.ES256, token.EdDSA}).Draw(t, "algorithm"),
			Rotation:  minutes("rotation", 0, 1, 30, 600), Publish: minutes("publish", 0, 5, 120), MaxAge: minutes("max-age", 0, 1, 5, 90),
		}
	}
	m := newModel(draw())
	t.Repeat(map[string]func(*rapid.T){
		"time": func(t *rapid.T) {
			m.now = m.now.Add(time.Duration(rapid.IntRange(0, 2400).Draw(t, "seconds")) * time.Second)
		},
		"a moment": func(*rapid.T) { m.now = m.now.Add(time.Second) },
		"step":     func(*rapid.T) { m.become(m.policy.Next(m.keys, m.now)) },
		"rotate":   func(*rapid.T) { m.become(m.policy.Rotate(m.keys, m.now)) },
		"restart": func(*rapid.T) {
			m.longest = max(m.longest, m.policy.MaxAge) // caches may still go by it, as the manual says
			m.policy = draw()
			m.policy.Publish = max(m.policy.Publish, 2*m.longest)
			m.become(m.policy.Next(m.keys, m.now))
		},
		"emergency": func(t *rapid.T) {
			if rapid.IntRange(0, 9).Draw(t, "how bad") > 0 {
				return // not today
			}
			for _, kid := range m.jwks() {
				m.killed[kid] = true
			}
			m.become(m.policy.RotateNow(m.keys, m.now))
			m.killed[m.active()[0].ID] = true
		},
		"sign": func(t *rapid.T) {
			lifetime := time.Duration(rapid.IntRange(60, 3600).Draw(t, "lifetime")) * time.Second
			m.tokens = append(m.tokens, modelToken{m.active()[0].ID, m.now.Add(lifetime)})
		},
		"fetch": func(*rapid.T) { m.caches = append(m.caches, modelCache{m.now.Add(m.policy.MaxAge), m.jwks()}) },
		"":      m.check,
	})
}

// check holds the promises of this instant.
func (m *model) check(t *rapid.T) {
	if n := len(m.active()); n != 1 {
		t.Fatalf("%d keys are active: %s", n, states(m.keys))
	}
	a := m.active()[0]
	if wait := 2 * m.maxAge[a.ID]; !m.killed[a.ID] && a.ActiveFrom.Before(m.shown[a.ID].Add(wait)) {
		t.Fatalf("%s signs from %v and was shown at %v: less than %v", a.ID, a.ActiveFrom, m.shown[a.ID], wait)
	}
	m.caches = slices.DeleteFunc(m.caches, func(c modelCache) bool { return !m.now.Before(c.until) })
	m.tokens = slices.DeleteFunc(m.tokens, func(tk modelToken) bool { return m.now.After(tk.expires.Add(time.Minute)) || m.killed[tk.kid] })
	knows := [][]string{m.jwks()} // who fetches now
	for _, c := range m.caches {
		knows = append(knows, c.kids)
	}
	for _, tk := range append(m.tokens, modelToken{kid: a.ID}) {
		for _, kids := range knows {
			if !slices.Contains(kids, tk.kid) && !m.killed[tk.kid] {
				t.Fatalf("the token of %s fails at a verifier that knows %v; keys %s", tk.kid, kids, states(m.keys))
			}
		}
	}
}

// TestNextSettles: doing it twice changes nothing more, and what is given is
// never written to.
func TestNextSettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var keys []token.StoredKey
		for i := range rapid.IntRange(0, 6).Draw(t, "keys") {
			at := noon.Add(time.Duration(rapid.IntRange(-9, 9).Draw(t, "minutes")) * time.Minute)
			keys = append(keys, token.StoredKey{
				ID: fmt.Sprint(i), Algorithm: rapid.SampledFrom(algorithms).Draw(t, "algorithm"), CreatedAt: at, ActiveFrom: at, RemovedAt: at,
				State: rapid.SampledFrom([]string{token.Published, token.Active, token.Retired, token.Removed}).Draw(t, "state"),
			})
		}
		before := states(keys)
		p := token.Policy{Algorithm: token.EdDSA, Rotation: time.Hour, MaxAge: time.Minute}
		once := p.Next(keys, noon)
		if got, want := states(p.Next(once, noon)), states(once); got != want {
			t.Fatalf("%s: once %s, twice %s", before, want, got)
		}
		if states(keys) != before {
			t.Fatalf("%s was changed to %s", before, states(keys))
		}
	})
}
