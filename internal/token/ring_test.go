package token_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"math/big"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

func TestFirstOpeningMakesAKeyAndTheSecondFindsIt(t *testing.T) {
	for _, a := range append(algorithms, "") {
		t.Run(string(a), func(t *testing.T) {
			store := &keyring{}
			first, err := token.OpenRing(t.Context(), settings(store, a))
			if err != nil {
				t.Fatal(err)
			}
			if len(store.keys) != 1 {
				t.Fatalf("%d keys stored, want 1", len(store.keys))
			}
			k := store.keys[0]
			if want := first.Algorithm(); k.Algorithm != want || k.State != token.Active || !k.CreatedAt.Equal(noon.Truncate(time.Microsecond)) || k.ActiveFrom != k.CreatedAt {
				t.Errorf("stored %s, %s, %v, want %s, active, %v", k.Algorithm, k.State, k.CreatedAt, want, noon)
			}
			if !regexp.MustCompile(`^2026-11-[2-9a-z]{12}$`).MatchString(k.ID) {
				t.Errorf("ID = %q, want the month and twelve characters", k.ID)
			}
			raw := sign(t, first, partnerClaims())
			second, err := token.OpenRing(t.Context(), settings(store, a))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := second.Verify(raw, noon, expect); err != nil || len(store.keys) != 1 {
				t.Errorf("after opening again: %v, %d keys, want no error and 1", err, len(store.keys))
			}
		})
	}
}

// TestAnotherAlgorithm: the new key is published, the old one signs until its
// time has come, and all tokens stay good.
func TestAnotherAlgorithm(t *testing.T) {
	for _, atOnce := range []bool{false, true} {
		store, now := &keyring{}, noon
		var raws []string
		for i, a := range algorithms {
			s := settings(store, a)
			s.Policy.Publish, s.Policy.SwitchAtOnce, s.Now = time.Minute, atOnce, func() time.Time { return now }
			ring, err := token.OpenRing(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			if got := ring.Algorithm() == a; got != (i == 0 || atOnce) {
				t.Errorf("switching at once is %v: opened with %s it signs with %s", atOnce, a, ring.Algorithm())
			}
			now = now.Add(time.Minute)
			if _, err := ring.Step(t.Context(), domain.Entry{}); err != nil {
				t.Fatal(err)
			}
			raws = append(raws, sign(t, ring, partnerClaims()))
			for j, raw := range raws {
				if !strings.HasPrefix(string(unb64(t, strings.Split(raw, ".")[0])), `{"alg":"`+string(algorithms[j])) {
					t.Errorf("the token signed with %s is %s", algorithms[j], raw)
				}
				if _, err := ring.Verify(raw, noon, expect); err != nil {
					t.Errorf("signing with %s, the token of %s: %v", a, algorithms[j], err)
				}
			}
		}
		if len(store.keys) != len(algorithms) {
			t.Errorf("%d keys, want one for each algorithm", len(store.keys))
		}
	}
}

func TestStatesOfKeys(t *testing.T) {
	with := func(state string) token.StoredKey {
		k := stored[token.EdDSA]()
		k.State, k.ActiveFrom, k.RemovedAt = state, noon.Add(time.Hour), noon.Add(time.Hour)
		return k
	}
	old := sign(t, openRing(t, token.EdDSA), partnerClaims())
	for _, state := range []string{token.Published, token.Retired} {
		store := &keyring{keys: []token.StoredKey{with(state)}}
		ring, err := token.OpenRing(t.Context(), settings(store, token.EdDSA))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ring.Verify(old, noon, expect); err != nil {
			t.Errorf("a token of a %s key: %v", state, err)
		}
		body, _ := ring.JWKS()
		if sign(t, ring, partnerClaims()) == old || !strings.Contains(string(body), `"2026-11-ed"`) || len(store.keys) != 2 {
			t.Errorf("a %s key signs, is not in %s, or no active one was made beside it", state, body)
		}
	}
}

func TestReloadSwapsAllKeys(t *testing.T) {
	store := &keyring{}
	ring, err := token.OpenRing(t.Context(), settings(store, token.EdDSA))
	if err != nil {
		t.Fatal(err)
	}
	before, tagBefore := ring.JWKS()
	old := sign(t, ring, partnerClaims())

	store.keys = append(store.keys, stored[token.EdDSA]())
	if _, err := ring.Verify(sign(t, openRing(t, token.EdDSA), partnerClaims()), noon, expect); !errors.Is(err, token.ErrUnknownKey) {
		t.Errorf("a key that is only in the store: %v, want ErrUnknownKey", err)
	}
	if err := ring.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after, tag := ring.JWKS(); bytes.Equal(before, after) || tag == tagBefore {
		t.Errorf("after a reload with a new key JWKS is %s under %s, as before", after, tag)
	}
	if raw := sign(t, ring, partnerClaims()); !strings.HasPrefix(raw, b64(header(token.EdDSA))+".") {
		t.Errorf("the youngest active key does not sign: %s", raw)
	}
	if _, err := ring.Verify(old, noon, expect); err != nil {
		t.Errorf("a token of the older key: %v", err)
	}

	store.keys = store.keys[1:] // keys rotate --now: the old one is gone at once
	if err := ring.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Verify(old, noon, expect); !errors.Is(err, token.ErrUnknownKey) {
		t.Errorf("a token of the removed key: %v, want ErrUnknownKey", err)
	}

	store.fail = errors.New("disk gone")
	if err := ring.Reload(t.Context()); !errors.Is(err, store.fail) {
		t.Errorf("Reload without a disk: %v", err)
	}
	if _, err := ring.Verify(sign(t, ring, partnerClaims()), noon, expect); err != nil {
		t.Errorf("after a failed reload the ring does not go on: %v", err)
	}
}

func TestKeysThatAreNotTrusted(t *testing.T) {
	planted := func(change func(k *token.StoredKey)) token.StoredKey {
		k := stored[token.ES256]()
		change(&k)
		return k
	}
	tests := map[string][]token.StoredKey{
		"sealed under another name":      {planted(func(k *token.StoredKey) { k.ID = "2026-11-xx" })},
		"without a private half":         {planted(func(k *token.StoredKey) { k.Sealed = nil })},
		"with another public half":       {planted(func(k *token.StoredKey) { k.Public = stored[token.EdDSA]().Public })},
		"without a public half":          {planted(func(k *token.StoredKey) { k.Public = nil })},
		"of another algorithm":           {planted(func(k *token.StoredKey) { k.Algorithm = token.RS256 })},
		"of no algorithm":                {planted(func(k *token.StoredKey) { k.Algorithm = "" })},
		"not PKCS#8":                     {planted(func(k *token.StoredKey) { k.Sealed = []byte(k.ID + "|nonsense") })},
		"in a state that does not exist": {planted(func(k *token.StoredKey) { k.State = "ACTIVE" })},
		"with a quote in its name": {planted(func(k *token.StoredKey) {
			k.Sealed = bytes.Replace(k.Sealed, []byte(k.ID), []byte(`a"`), 1)
			k.ID = `a"`
		})},
		"there twice":             {stored[token.ES256](), stored[token.ES256]()},
		"of a curve we never use": {p384()},
		"of a short RSA modulus":  {shortRSA()},
	}
	for name, keys := range tests {
		t.Run(name, func(t *testing.T) {
			store := &keyring{keys: append(keys, stored[token.EdDSA]())}
			if ring, err := token.OpenRing(t.Context(), settings(store, token.EdDSA)); err == nil || ring != nil {
				t.Errorf("OpenRing = %v, %v, want an error", ring, err)
			}
		})
	}
}

func p384() token.StoredKey {
	k, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	return storedKey("2026-11-p3", token.ES256, k, err)
}

func shortRSA() token.StoredKey {
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	return storedKey("2026-11-sh", token.RS256, k, err)
}

func TestNothingIsUsedThatWasNotStored(t *testing.T) {
	store := &keyring{fail: errors.New("disk full")}
	if ring, err := token.OpenRing(t.Context(), settings(store, token.ES256)); !errors.Is(err, store.fail) || ring != nil {
		t.Errorf("OpenRing = %v, %v, want the store's error", ring, err)
	}
	s := settings(&forgetful{}, token.ES256)
	if ring, err := token.OpenRing(t.Context(), s); err == nil || ring != nil {
		t.Errorf("OpenRing over a store that forgets = %v, %v, want an error", ring, err)
	}
	s = settings(&keyring{}, "HS256")
	if ring, err := token.OpenRing(t.Context(), s); err == nil || ring != nil {
		t.Errorf("OpenRing for HS256 = %v, %v, want an error", ring, err)
	}
	s = settings(&keyring{}, token.EdDSA)
	s.Chance = strings.NewReader("short")
	if ring, err := token.OpenRing(t.Context(), s); err == nil || ring != nil {
		t.Errorf("OpenRing without randomness = %v, %v, want an error", ring, err)
	}
}

// forgetful is a store that says yes and does nothing.
type forgetful struct{}

func (forgetful) SigningKeys(context.Context) ([]token.StoredKey, error) { return nil, nil }

func (forgetful) ChangeSigningKeys(context.Context, func([]token.StoredKey) ([]token.StoredKey, []domain.Entry, error)) error {
	return nil
}

// TestTokensVerifyWithWhatJWKSSays reads the key set as a stranger would, and
// checks signatures with nothing but the standard library.
func TestTokensVerifyWithWhatJWKSSays(t *testing.T) {
	ring := openRing(t, token.ES256, token.EdDSA, token.RS256)
	body, etag := ring.JWKS()
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(body, &set); err != nil || len(set.Keys) != 3 {
		t.Fatalf("JWKS = %s, %v, want three keys", body, err)
	}
	if !regexp.MustCompile(`^"[A-Za-z0-9_-]{22}"$`).MatchString(etag) {
		t.Errorf("entity tag = %s", etag)
	}
	members := map[token.Algorithm]string{
		token.ES256: "alg crv kid kty use x y", token.EdDSA: "alg crv kid kty use x", token.RS256: "alg e kid kty n use",
	}
	for _, j := range set.Keys {
		a := token.Algorithm(j["alg"])
		t.Run(string(a), func(t *testing.T) {
			if got := sortedKeys(j); got != members[a] || j["use"] != "sig" || j["kid"] != stored[a]().ID {
				t.Errorf("members = %s, want %s; use %q, kid %q", got, members[a], j["use"], j["kid"])
			}
			signer := openRing(t, a)
			for range 300 { // some r, s and coordinates begin with a zero
				raw := sign(t, signer, partnerClaims())
				if !verifyJWK(t, j, raw) {
					t.Fatalf("%s does not verify with %v", raw, j)
				}
				if a != token.ES256 {
					break // deterministic
				}
			}
		})
	}
}

func verifyJWK(t *testing.T, j map[string]string, raw string) bool {
	t.Helper()
	dot := strings.LastIndexByte(raw, '.')
	input, signature := []byte(raw[:dot]), unb64(t, raw[dot+1:])
	digest := sha256.Sum256(input)
	switch j["kty"] + j["crv"] {
	case "ECP-256":
		x, y := unb64(t, j["x"]), unb64(t, j["y"])
		if len(x) != 32 || len(y) != 32 || len(signature) != 64 {
			t.Fatalf("lengths of x, y and the signature: %d, %d, %d, want 32, 32, 64", len(x), len(y), len(signature))
		}
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
		if err != nil {
			t.Fatal(err)
		}
		return ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	case "OKPEd25519":
		return ed25519.Verify(unb64(t, j["x"]), input, signature)
	case "RSA":
		public := &rsa.PublicKey{N: new(big.Int).SetBytes(unb64(t, j["n"])), E: int(new(big.Int).SetBytes(unb64(t, j["e"])).Int64())}
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
	}
	t.Fatalf("a key of an unknown kind: %v", j)
	return false
}

func sortedKeys(m map[string]string) string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	return strings.Join(sorted(names), " ")
}

func TestSigningFromManyGoroutinesDuringReloads(t *testing.T) {
	ring := openRing(t, token.EdDSA, token.ES256)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 100 {
				c := userClaims()
				c.ID = token.NewID(noon, nil)
				raw, err := ring.Sign(nil, &c)
				if got, err2 := ring.Verify(string(raw), noon, expect); err != nil || err2 != nil || got != c {
					t.Errorf("Sign: %v, Verify: %+v, %v, want %+v", err, got, err2, c)
					return
				}
			}
		})
	}
	for range 50 {
		if err := ring.Reload(t.Context()); err != nil {
			t.Error(err)
		}
	}
	group.Wait()
}

func TestIDHoldsTheInstantOfIssue(t *testing.T) {
	for _, at := range []time.Time{noon, noon.Add(time.Microsecond), time.Unix(0, 0), time.Date(2100, 1, 1, 0, 0, 0, 999_999_999, time.UTC)} {
		id := token.NewID(at, nil)
		got, ok := token.IssuedAt(id)
		if !ok || !got.Equal(at.Truncate(time.Microsecond)) || len(id) != 27 {
			t.Errorf("IssuedAt(%q) = %v, %v, want %v", id, got, ok, at.Truncate(time.Microsecond))
		}
	}
	if a, b := token.NewID(noon, nil), token.NewID(noon, nil); a == b {
		t.Errorf("two tokens of one instant have one jti, %q", a)
	}
	good := token.NewID(noon, bytes.NewReader(make([]byte, 12)))
	for name, id := range map[string]string{
		"nothing": "", "short": good[:26], "long": good + "A", "padding": good[:26] + "=", "spare bits": good[:26] + "B",
		"a line break": good[:26] + "\n", "a line break inside": good[:5] + "\n" + good[6:], "other base64": good[:20] + "+/" + good[22:],
		"before 1970": "_" + good[1:], "beyond the year 5138": "B" + good[1:],
	} {
		if at, ok := token.IssuedAt(id); ok || !at.IsZero() {
			t.Errorf("%s: IssuedAt(%q) = %v, %v, want false", name, id, at, ok)
		}
	}
}
