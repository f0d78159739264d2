package dpop_test

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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wattgate/wattgate/internal/dpop"
)

var (
	now    = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	nonces = dpop.NewNonces([32]byte{1}, now.Add(-time.Hour))
)

const (
	target = "https://auth.example.com/oauth2/token"
	token  = "aaa.bbb.ccc"
)

func verifier() *dpop.Verifier { return &dpop.Verifier{Nonces: nonces, Used: &dpop.Memory{}} }

func want() dpop.Expect {
	return dpop.Expect{Method: "POST", URL: target, Token: token, Now: now}
}

// keys are one of each kind, made once.
var keys = sync.OnceValue(func() map[string]crypto.Signer {
	ec, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, ed, err2 := ed25519.GenerateKey(rand.Reader)
	big, err3 := rsa.GenerateKey(rand.Reader, 2048)
	if err := errors.Join(err1, err2, err3); err != nil {
		panic(err)
	}
	return map[string]crypto.Signer{dpop.ES256: ec, dpop.EdDSA: ed, dpop.Ed25519: ed, dpop.PS256: big, dpop.RS256: big}
})

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func public(alg string) map[string]any {
	var m map[string]any
	b := text(jose.JSONWebKey{Key: keys()[alg].Public()})
	if err := json.Unmarshal([]byte(b), &m); err != nil {
		panic(err)
	}
	return m
}

func head(alg string, change map[string]any) string {
	return text(with(map[string]any{"typ": dpop.Type, "alg": alg, "jwk": public(alg)}, change))
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func says(change map[string]any) string {
	return text(with(map[string]any{
		"jti": "one", "htm": "POST", "htu": target, "iat": now.Unix(), "ath": hash(token), "nonce": nonces.New(now),
	}, change))
}

func with(m, change map[string]any) map[string]any {
	for name, v := range change {
		if v == nil {
			delete(m, name)
		} else {
			m[name] = v
		}
	}
	return m
}

// sign signs header and claims as they are with the key of an algorithm.
func sign(alg, header, claims string) string {
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	return input + "." + base64.RawURLEncoding.EncodeToString(signature(alg, input, rsa.PSSSaltLengthEqualsHash))
}

func signature(alg, input string, salt int) []byte {
	digest := sha256.Sum256([]byte(input))
	var s []byte
	var err error
	switch key := keys()[alg]; alg {
	case dpop.ES256:
		r, v, e := ecdsa.Sign(rand.Reader, key.(*ecdsa.PrivateKey), digest[:])
		s, err = make([]byte, 64), e
		r.FillBytes(s[:32])
		v.FillBytes(s[32:])
	case dpop.EdDSA, dpop.Ed25519:
		s, err = key.Sign(rand.Reader, []byte(input), crypto.Hash(0))
	case dpop.PS256:
		s, err = rsa.SignPSS(rand.Reader, key.(*rsa.PrivateKey), crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: salt})
	default:
		s, err = key.Sign(rand.Reader, digest[:], crypto.SHA256)
	}
	if err != nil {
		panic(err)
	}
	return s
}

func TestEveryAlgorithm(t *testing.T) {
	for _, alg := range dpop.Algorithms() {
		v := verifier()
		p, err := v.Check(sign(alg, head(alg, nil), says(nil)), want())
		if err != nil || p.Algorithm != alg {
			t.Fatalf("%s: got %+v and %v", alg, p, err)
		}
		// RFC 7638 as another library has it
		sum, err := (&jose.JSONWebKey{Key: keys()[alg].Public()}).Thumbprint(crypto.SHA256)
		if want := base64.RawURLEncoding.EncodeToString(sum); err != nil || p.Thumbprint != want {
			t.Errorf("%s: thumbprint %s, want %s (%v)", alg, p.Thumbprint, want, err)
		}
		if err := v.Use(p, now); err != nil {
			t.Errorf("%s: the first use: %v", alg, err)
		}
		if err := v.Use(p, now); !errors.Is(err, dpop.ErrProof) {
			t.Errorf("%s: the second use: got %v, want it refused", alg, err)
		}
	}
}

// RFC 7638 §3.1 has an example; RFC 8037 §A.3 has one for Ed25519.
func TestThumbprintsOfTheStandards(t *testing.T) {
	for name, c := range map[string]struct{ key, want string }{
		"RFC 8037 §A.3": {`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
		"RFC 9449 §4.2": {`{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}`, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"},
	} {
		if got, err := dpop.Thumbprint([]byte(c.key)); err != nil || got != c.want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, c.want)
		}
	}
}

// RFC 9449 §4.3, one case a rule.
func TestRefusals(t *testing.T) {
	es := dpop.ES256
	claims := func(change map[string]any) string { return sign(es, head(es, nil), says(change)) }
	header := func(change map[string]any) string { return sign(es, head(es, change), says(nil)) }
	jwk := func(change map[string]any) string { return header(map[string]any{"jwk": with(public(es), change)}) }
	good := claims(nil)
	if _, err := verifier().Check(good, want()); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	for name, c := range map[string]struct {
		raw  string
		want error
	}{
		"2: not a JWT":                           {"hello", dpop.ErrProof},
		"2: nothing":                             {"", dpop.ErrProof},
		"2: two parts":                           {parts[0] + "." + parts[1], dpop.ErrProof},
		"2: four parts":                          {good + ".x", dpop.ErrProof},
		"2: larger than 8 KiB":                   {good + strings.Repeat("A", 8<<10), dpop.ErrProof},
		"2: padding":                             {good + "=", dpop.ErrProof},
		"2: a line break":                        {parts[0] + "\n." + parts[1] + "." + parts[2], dpop.ErrProof},
		"2: two proofs in one":                   {good + ", " + good, dpop.ErrProof},
		"3: no jti":                              {claims(map[string]any{"jti": nil}), dpop.ErrProof},
		"3: a jti without end":                   {claims(map[string]any{"jti": strings.Repeat("x", 256)}), dpop.ErrProof},
		"3: no htm":                              {claims(map[string]any{"htm": nil}), dpop.ErrProof},
		"3: no htu":                              {claims(map[string]any{"htu": nil}), dpop.ErrProof},
		"3: no iat":                              {claims(map[string]any{"iat": nil}), dpop.ErrProof},
		"3: iat in words":                        {claims(map[string]any{"iat": "now"}), dpop.ErrProof},
		"3: an endless iat":                      {claims(map[string]any{"iat": 1e300}), dpop.ErrProof},
		"3: a claim twice":                       {sign(es, head(es, nil), strings.Replace(says(nil), `{`, `{"htm":"GET",`, 1)), dpop.ErrProof},
		"4: no typ":                              {header(map[string]any{"typ": nil}), dpop.ErrProof},
		"4: another typ":                         {header(map[string]any{"typ": "JWT"}), dpop.ErrProof},
		"5: alg none":                            {header(map[string]any{"alg": "none"}), dpop.ErrProof},
		"5: a shared secret":                     {header(map[string]any{"alg": "HS256"}), dpop.ErrProof},
		"5: the alg of another key":              {header(map[string]any{"alg": dpop.EdDSA}), dpop.ErrProof},
		"5: RS256 under an EC key":               {header(map[string]any{"alg": dpop.RS256}), dpop.ErrProof},
		"6: another's signature":                 {sign(dpop.EdDSA, head(es, nil), says(nil)), dpop.ErrProof},
		"6: no signature":                        {parts[0] + "." + parts[1] + ".", dpop.ErrProof},
		"6: another payload":                     {parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(says(map[string]any{"jti": "two"}))) + "." + parts[2], dpop.ErrProof},
		"7: a private key":                       {jwk(map[string]any{"d": "AAAA"}), dpop.ErrProof},
		"7: a private member without sense":      {jwk(map[string]any{"qi": 1}), dpop.ErrProof},
		"7: a shared key":                        {jwk(map[string]any{"kty": "oct", "k": "AAAA"}), dpop.ErrProof},
		"7: no key":                              {header(map[string]any{"jwk": nil}), dpop.ErrProof},
		"7: a key twice":                         {sign(es, strings.Replace(head(es, nil), `{`, `{"jwk":{},`, 1), says(nil)), dpop.ErrProof},
		"7: a point that is not on the curve":    {jwk(map[string]any{"x": public(es)["y"]}), dpop.ErrProof},
		"7: another curve":                       {jwk(map[string]any{"crv": "P-384"}), dpop.ErrProof},
		"7: a coordinate that is cut":            {jwk(map[string]any{"x": "AAAA"}), dpop.ErrProof},
		"7: a name of the key instead":           {header(map[string]any{"jwk": nil, "kid": "k"}), dpop.ErrProof},
		"7: a key from an address":               {header(map[string]any{"jku": "https://x"}), dpop.ErrProof},
		"7: special treatment":                   {header(map[string]any{"crit": []string{"b64"}, "b64": false}), dpop.ErrProof},
		"8: another method":                      {claims(map[string]any{"htm": "GET"}), dpop.ErrProof},
		"8: the method in lower case":            {claims(map[string]any{"htm": "post"}), dpop.ErrProof},
		"9: another path":                        {claims(map[string]any{"htu": target + "/"}), dpop.ErrProof},
		"9: another host":                        {claims(map[string]any{"htu": "https://evil.example.com/oauth2/token"}), dpop.ErrProof},
		"9: another scheme":                      {claims(map[string]any{"htu": "http://auth.example.com/oauth2/token"}), dpop.ErrProof},
		"9: another port":                        {claims(map[string]any{"htu": "https://auth.example.com:8443/oauth2/token"}), dpop.ErrProof},
		"9: our host as a user":                  {claims(map[string]any{"htu": "https://auth.example.com@evil.example.com/oauth2/token"}), dpop.ErrProof},
		"10: no nonce":                           {claims(map[string]any{"nonce": nil}), dpop.ErrNonce},
		"10: somebody's nonce":                   {claims(map[string]any{"nonce": dpop.NewNonces([32]byte{2}, now).New(now)}), dpop.ErrNonce},
		"10: an old nonce":                       {claims(map[string]any{"nonce": nonces.New(now.Add(-dpop.NonceLife))}), dpop.ErrNonce},
		"10: a nonce from before the start":      {claims(map[string]any{"nonce": nonces.New(now.Add(-2 * time.Hour))}), dpop.ErrNonce},
		"10: a nonce from the future":            {claims(map[string]any{"nonce": nonces.New(now.Add(dpop.Skew + time.Second))}), dpop.ErrNonce},
		"11: too old":                            {claims(map[string]any{"iat": now.Add(-dpop.MaxAge).Unix()}), dpop.ErrProof},
		"11: from the future":                    {claims(map[string]any{"iat": now.Add(dpop.Skew).Unix() + 1}), dpop.ErrProof},
		"12: no ath":                             {claims(map[string]any{"ath": nil}), dpop.ErrProof},
		"12: ath of another token":               {claims(map[string]any{"ath": hash("x.y.z")}), dpop.ErrProof},
		"12: wrong, and without a nonce as well": {claims(map[string]any{"ath": nil, "nonce": nil}), dpop.ErrProof},
	} {
		got, err := verifier().Check(c.raw, want())
		if !errors.Is(err, c.want) || got != (dpop.Proof{}) {
			t.Errorf("%s: got %+v and %v, want %v", name, got, err, c.want)
		} else if strings.Contains(err.Error(), parts[1]) {
			t.Errorf("%s: the error quotes the proof", name)
		}
	}
}

func TestWhatIsGoodEnough(t *testing.T) {
	es := dpop.ES256
	for name, change := range map[string]map[string]any{
		"a query and a fragment are ignored (RFC 9449 §4.3)": {"htu": target + "?a=b#c"},
		"another spelling of the same URL":                   {"htu": "HTTPS://AUTH.example.com:443/x/../oauth2/%74oken"},
		"a fraction of a second":                             {"iat": float64(now.Unix()) - 0.5},
		"nearly too old":                                     {"iat": now.Add(-dpop.MaxAge).Unix() + 1},
		"nearly from the future":                             {"iat": now.Add(dpop.Skew).Unix()},
		"claims that nobody knows":                           {"extra": map[string]any{"a": 1}},
		"an old nonce that is still good":                    {"nonce": nonces.New(now.Add(-dpop.NonceLife + time.Second))},
	} {
		if _, err := verifier().Check(sign(es, head(es, nil), says(change)), want()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// a token request has no token to hash (RFC 9449 §5)
	first := want()
	first.Token = ""
	if _, err := verifier().Check(sign(es, head(es, nil), says(map[string]any{"ath": nil})), first); err != nil {
		t.Errorf("a token request: %v", err)
	}
}

// RFC 9449 §8.2: a client gets a new nonce before the old one is useless.
func TestANonceIsReplacedInTime(t *testing.T) {
	for age, stale := range map[time.Duration]bool{0: false, 59 * time.Second: false, time.Minute: true, 4 * time.Minute: true} {
		p, err := verifier().Check(sign(dpop.ES256, head(dpop.ES256, nil), says(map[string]any{"nonce": nonces.New(now.Add(-age))})), want())
		if err != nil || p.StaleNonce() != stale {
			t.Errorf("a nonce of %s: stale is %v (%v), want %v", age, p.StaleNonce(), err, stale)
		}
	}
}

// A clock that is set back refuses nobody who comes with a nonce of now.
func TestAClockThatIsSetBack(t *testing.T) {
	v := &dpop.Verifier{Nonces: dpop.NewNonces([32]byte{1}, now.Add(time.Hour)), Used: &dpop.Memory{}}
	if _, err := v.Check(sign(dpop.ES256, head(dpop.ES256, nil), says(map[string]any{"nonce": v.Nonces.New(now)})), want()); err != nil {
		t.Errorf("a nonce of now: %v", err)
	}
}

// RFC 7518 §3.5: the salt is as long as the hash. Libraries take any.
func TestSaltOfAnotherLength(t *testing.T) {
	input := base64.RawURLEncoding.EncodeToString([]byte(head(dpop.PS256, nil))) + "." + base64.RawURLEncoding.EncodeToString([]byte(says(nil)))
	for salt, good := range map[int]bool{32: true, 20: false, 64: false, 1: false} {
		_, err := verifier().Check(input+"."+base64.RawURLEncoding.EncodeToString(signature(dpop.PS256, input, salt)), want())
		if (err == nil) != good {
			t.Errorf("salt of %d bytes: got %v, want accepted: %v", salt, err, good)
		}
	}
}

func TestOneOfManyUsesAProof(t *testing.T) {
	v := verifier()
	p, err := v.Check(sign(dpop.ES256, head(dpop.ES256, nil), says(nil)), want())
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	got := make(chan error, 100)
	for range 100 {
		all.Go(func() { got <- v.Use(p, now) })
	}
	all.Wait()
	close(got)
	good := 0
	for err := range got {
		if err == nil {
			good++
		}
	}
	if good != 1 {
		t.Errorf("%d of 100 used the same proof, want 1", good)
	}
}
