package assertion_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wattgate/wattgate/internal/assertion"
	"github.com/wattgate/wattgate/internal/domain"
)

var now = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const (
	client   = domain.ClientID("app_a")
	issuer   = "https://auth.example.com"
	endpoint = issuer + "/oauth2/token"
)

var want = assertion.Expect{Client: client, Audiences: []string{issuer, endpoint}, Now: now}

// signers makes one key of each kind.
func signers(t testing.TB) map[jose.SignatureAlgorithm]crypto.Signer {
	t.Helper()
	ec, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, ed, err2 := ed25519.GenerateKey(rand.Reader)
	big, err3 := rsa.GenerateKey(rand.Reader, 2048)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return map[jose.SignatureAlgorithm]crypto.Signer{jose.ES256: ec, jose.EdDSA: ed, jose.PS256: big, jose.RS256: big}
}

func keySet(t testing.TB, keys ...jose.JSONWebKey) []byte {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func claims(change map[string]any) map[string]any {
	c := map[string]any{"iss": client, "sub": client, "aud": endpoint, "exp": now.Unix() + 60, "iat": now.Unix(), "jti": "one"}
	for name, v := range change {
		if v == nil {
			delete(c, name)
		} else {
			c[name] = v
		}
	}
	return c
}

func sign(t testing.TB, alg jose.SignatureAlgorithm, key any, headers map[jose.HeaderKey]any, payload string) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, &jose.SignerOptions{ExtraHeaders: headers})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func text(t testing.TB, c map[string]any) string {
	t.Helper()
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEveryAlgorithm(t *testing.T) {
	for alg, signer := range signers(t) {
		keys, err := assertion.ParseKeys(keySet(t, jose.JSONWebKey{Key: signer.Public(), KeyID: "k", Algorithm: string(alg), Use: "sig"}))
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		raw := sign(t, alg, jose.JSONWebKey{Key: signer, KeyID: "k"}, nil, text(t, claims(nil)))
		got, err := keys.Verify(raw, want)
		if err != nil || got.ID != "one" || got.Expires.Unix() != now.Unix()+60 {
			t.Errorf("%s: got %+v and %v", alg, got, err)
		}
		if sub, err := assertion.Subject(raw); err != nil || sub != client {
			t.Errorf("%s: subject %q, %v", alg, sub, err)
		}
	}
}

// RFC 7523 §3, one case a rule; RFC 8725 §3.
func TestRefusals(t *testing.T) {
	all := signers(t)
	ec := all[jose.ES256]
	key := jose.JSONWebKey{Key: ec.Public(), KeyID: "k"}
	second, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := assertion.ParseKeys(keySet(t, key,
		jose.JSONWebKey{Key: second.Public(), KeyID: "second"}, jose.JSONWebKey{Key: all[jose.EdDSA].Public(), KeyID: "other"}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Verify(sign(t, jose.EdDSA, all[jose.EdDSA], nil, text(t, claims(nil))), want); err != nil {
		t.Errorf("no kid, and one key of that alg: %v", err)
	}
	mine := jose.JSONWebKey{Key: ec, KeyID: "k"}
	good := sign(t, jose.ES256, mine, nil, text(t, claims(nil)))
	if _, err := keys.Verify(good, want); err != nil {
		t.Fatal(err)
	}
	with := func(change map[string]any) string { return sign(t, jose.ES256, mine, nil, text(t, claims(change))) }
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	for name, raw := range map[string]string{
		"another issuer":              with(map[string]any{"iss": "app_b"}),
		"another subject":             with(map[string]any{"sub": "app_b"}),
		"another audience":            with(map[string]any{"aud": "https://elsewhere.example.com"}),
		"two audiences":               with(map[string]any{"aud": []string{issuer, "https://elsewhere.example.com"}}),
		"no audience":                 with(map[string]any{"aud": nil}),
		"no exp":                      with(map[string]any{"exp": nil}),
		"expired at this second":      with(map[string]any{"exp": now.Unix()}),
		"too long a life":             with(map[string]any{"exp": now.Unix() + 361}),
		"from the future":             with(map[string]any{"iat": now.Unix() + 61}),
		"not yet":                     with(map[string]any{"nbf": now.Unix() + 61}),
		"no jti":                      with(map[string]any{"jti": nil}),
		"a jti without end":           with(map[string]any{"jti": strings.Repeat("x", 256)}),
		"a claim twice":               sign(t, jose.ES256, mine, nil, `{"iss":"app_b","iss":"app_a","sub":"app_a","aud":"`+issuer+`","exp":`+fmt.Sprint(now.Unix()+60)+`,"jti":"x"}`),
		"another key":                 sign(t, jose.ES256, jose.JSONWebKey{Key: stranger, KeyID: "k"}, nil, text(t, claims(nil))),
		"an unknown kid":              sign(t, jose.ES256, jose.JSONWebKey{Key: ec, KeyID: "z"}, nil, text(t, claims(nil))),
		"no kid, and two of that alg": sign(t, jose.ES256, ec, nil, text(t, claims(nil))),
		"the kid of another alg":      sign(t, jose.ES256, jose.JSONWebKey{Key: ec, KeyID: "other"}, nil, text(t, claims(nil))),
		"its own key in the header":   embedded(t, stranger, text(t, claims(nil))),
		"a key from an address":       sign(t, jose.ES256, mine, map[jose.HeaderKey]any{"jku": "https://x"}, text(t, claims(nil))),
		"HMAC under the public key":   sign(t, jose.HS256, []byte(strings.Repeat("k", 32)), nil, text(t, claims(nil))),
		"alg none":                    none + "." + parts[1] + ".",
		"no signature":                parts[0] + "." + parts[1] + ".",
		"another payload":             parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(text(t, claims(map[string]any{"jti": "two"})))) + "." + parts[2],
		"a part too many":             good + ".x",
		"nothing":                     "",
		"more than 8 KiB":             good + strings.Repeat("A", 8<<10),
		"JSON instead of the compact": `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
	} {
		if got, err := keys.Verify(raw, want); err == nil || got != (assertion.Claims{}) {
			t.Errorf("%s: got %+v and %v, want a refusal", name, got, err)
		} else if strings.Contains(err.Error(), parts[1]) {
			t.Errorf("%s: the error quotes the assertion", name)
		}
	}
}

func embedded(t testing.TB, key *ecdsa.PrivateKey, payload string) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, &jose.SignerOptions{EmbedJWK: true})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// RFC 7518 §3.5: the salt is as long as the hash. Libraries take any.
func TestSaltOfAnotherLength(t *testing.T) {
	key := signers(t)[jose.PS256].(*rsa.PrivateKey)
	keys, err := assertion.ParseKeys(keySet(t, jose.JSONWebKey{Key: key.Public(), KeyID: "k"}))
	if err != nil {
		t.Fatal(err)
	}
	for salt, good := range map[int]bool{32: true, 0: false, 20: false, 64: false} {
		input := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"PS256","kid":"k"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(text(t, claims(nil))))
		digest := sha256.Sum256([]byte(input))
		options := &rsa.PSSOptions{SaltLength: salt}
		if salt == 0 {
			options.SaltLength = 1 // 0 means the longest there
		}
		signature, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], options)
		if err != nil {
			t.Fatal(err)
		}
		_, err = keys.Verify(input+"."+base64.RawURLEncoding.EncodeToString(signature), want)
		if (err == nil) != good {
			t.Errorf("salt of %d bytes: got %v, want accepted: %v", salt, err, good)
		}
	}
}

func TestParseKeys(t *testing.T) {
	all := signers(t)
	p384, err1 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	public := func(alg jose.SignatureAlgorithm, kid string) jose.JSONWebKey {
		return jose.JSONWebKey{Key: all[alg].Public(), KeyID: kid}
	}
	if err1 != nil {
		t.Fatal(err1)
	}
	many := make([]jose.JSONWebKey, 11)
	for i := range many {
		many[i] = public(jose.ES256, fmt.Sprint(i))
	}
	encryption := public(jose.ES256, "k")
	encryption.Use = "enc"
	for name, test := range map[string]struct {
		text []byte
		good bool
	}{
		"one without a kid":    {keySet(t, public(jose.ES256, "")), true},
		"three kinds":          {keySet(t, public(jose.ES256, "a"), public(jose.EdDSA, "b"), public(jose.PS256, "c")), true},
		"none":                 {keySet(t), false},
		"eleven":               {keySet(t, many...), false},
		"the same kid twice":   {keySet(t, public(jose.ES256, "a"), public(jose.EdDSA, "a")), false},
		"two without kid":      {keySet(t, public(jose.ES256, ""), public(jose.EdDSA, "")), false},
		"a private key":        {keySet(t, jose.JSONWebKey{Key: all[jose.ES256], KeyID: "a"}), false},
		"a shared secret":      {keySet(t, jose.JSONWebKey{Key: []byte(strings.Repeat("s", 32)), KeyID: "a"}), false},
		"another curve":        {keySet(t, jose.JSONWebKey{Key: p384.Public(), KeyID: "a"}), false},
		"for encryption":       {keySet(t, encryption), false},
		"not a set":            {[]byte(`{"kty":"EC"}`), false},
		"not JSON":             {[]byte(`hello`), false},
		"larger than 16 KiB":   {[]byte(`{"keys":[` + strings.Repeat(" ", 17<<10) + `]}`), false},
		"an address, not keys": {[]byte(`"https://example.com/jwks.json"`), false},
	} {
		if _, err := assertion.ParseKeys(test.text); (err == nil) != test.good {
			t.Errorf("%s: got %v, want accepted: %v", name, err, test.good)
		}
	}
}

func FuzzAssertion(f *testing.F) {
	all := signers(f)
	keys, err := assertion.ParseKeys(keySet(f, jose.JSONWebKey{Key: all[jose.EdDSA].Public(), KeyID: "k"}))
	if err != nil {
		f.Fatal(err)
	}
	good := sign(f, jose.EdDSA, jose.JSONWebKey{Key: all[jose.EdDSA], KeyID: "k"}, nil, text(f, claims(nil)))
	f.Add(good)
	f.Add(good[:len(good)-2])
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := keys.Verify(raw, want)
		if err == nil && raw != good && strings.TrimSpace(raw) != good {
			t.Errorf("another text verifies: %q", raw)
		}
		if err != nil && got != (assertion.Claims{}) {
			t.Errorf("claims %+v beside the error %v", got, err)
		}
	})
}

func FuzzKeySet(f *testing.F) {
	f.Add(keySet(f, jose.JSONWebKey{Key: signers(f)[jose.ES256].Public(), KeyID: "k"}))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AA"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := assertion.ParseKeys(text)
		if err != nil {
			return
		}
		if _, err := keys.Verify("a.b.c", want); err == nil {
			t.Error("nonsense verifies")
		}
	})
}
