package authn_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/dpop"
	"github.com/wattgate/wattgate/internal/oauth"
)

const resource = "https://customer.example.com/v1/graphql/"

// holder is a client with a key.
type holder struct {
	key crypto.Signer
	alg jose.SignatureAlgorithm
}

func newHolder(t testing.TB) holder {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return holder{key, jose.ES256}
}

func (h holder) thumbprint(t testing.TB) string {
	t.Helper()
	sum, err := (&jose.JSONWebKey{Key: h.key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// proof makes a proof by another's library.
func (h holder) proof(t testing.TB, url, raw, nonce string) string {
	t.Helper()
	options := (&jose.SignerOptions{EmbedJWK: true}).WithType(dpop.Type)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: h.alg, Key: h.key}, options)
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{"jti": rand.Text(), "htm": "POST", "htu": url, "iat": now.Unix(), "nonce": nonce}
	if raw != "" {
		sum := sha256.Sum256([]byte(raw))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func verifier() *dpop.Verifier {
	return &dpop.Verifier{Nonces: dpop.NewNonces([32]byte{7}, now), Used: &dpop.Memory{}}
}

// TestPresent is RFC 9449 §7 and RFC 8705 §3 at a resource. Each token is
// presented twice, so that a remembered one is asked for its proof as well.
func TestPresent(t *testing.T) {
	mine, theirs := newHolder(t), newHolder(t)
	certificate, another := []byte("a certificate"), []byte("another")
	key := domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: mine.thumbprint(t)}
	x5t := domain.Confirmation{Method: domain.ConfirmCertificate, Thumbprint: authn.CertificateThumbprint(certificate)}
	type present = domain.Presentation
	for name, c := range map[string]struct {
		bound domain.Confirmation
		with  func(raw, nonce string) present
		code  oauth.Code // empty: accepted
	}{
		"bound to nothing": {with: func(raw, _ string) present { return present{Token: raw} }},
		"bound to nothing, by chance with a certificate": {with: func(raw, _ string) present { return present{Token: raw, Certificate: another} }},
		"RFC 9449 §7.1: bound to nothing, with the scheme DPoP": {code: oauth.InvalidToken, with: func(raw, nonce string) present {
			return present{Token: raw, DPoP: true, Proofs: []string{mine.proof(t, resource, raw, nonce)}}
		}},
		"RFC 9449 §7.1: bound to a key, with its proof": {bound: key, with: func(raw, nonce string) present {
			return present{Token: raw, DPoP: true, Proofs: []string{mine.proof(t, resource, raw, nonce)}}
		}},
		"RFC 9449 §7.2: alone":                       {bound: key, code: oauth.InvalidToken, with: func(raw, _ string) present { return present{Token: raw} }},
		"RFC 9449 §4.3: with the scheme and nothing": {bound: key, code: oauth.InvalidDPoPProof, with: func(raw, _ string) present { return present{Token: raw, DPoP: true} }},
		"RFC 9449 §7.2: with its proof and another scheme": {bound: key, code: oauth.InvalidToken, with: func(raw, nonce string) present {
			return present{Token: raw, Proofs: []string{mine.proof(t, resource, raw, nonce)}}
		}},
		"RFC 9449 §4.3: with two proofs": {bound: key, code: oauth.InvalidDPoPProof, with: func(raw, nonce string) present {
			return present{Token: raw, DPoP: true, Proofs: []string{mine.proof(t, resource, raw, nonce), mine.proof(t, resource, raw, nonce)}}
		}},
		"RFC 9449 §4.3: with a proof by another key": {bound: key, code: oauth.InvalidToken, with: func(raw, nonce string) present {
			return present{Token: raw, DPoP: true, Proofs: []string{theirs.proof(t, resource, raw, nonce)}}
		}},
		"RFC 9449 §4.3: with a proof for another token": {bound: key, code: oauth.InvalidDPoPProof, with: func(raw, nonce string) present {
			return present{Token: raw, DPoP: true, Proofs: []string{mine.proof(t, resource, "x.y.z", nonce)}}
		}},
		"RFC 9449 §4.3: with a proof for another URL": {bound: key, code: oauth.InvalidDPoPProof, with: func(raw, nonce string) present {
			return present{Token: raw, DPoP: true, Proofs: []string{mine.proof(t, "https://evil.example.com/", raw, nonce)}}
		}},
		"RFC 9449 §9: with a proof without a nonce": {bound: key, code: oauth.UseDPoPNonce, with: func(raw, _ string) present {
			return present{Token: raw, DPoP: true, Proofs: []string{mine.proof(t, resource, raw, "")}}
		}},
		"a certificate instead of the key": {bound: key, code: oauth.InvalidToken, with: func(raw, _ string) present {
			return present{Token: raw, Certificate: certificate}
		}},
		"RFC 8705 §3: bound to a certificate, on its connection": {bound: x5t, with: func(raw, _ string) present { return present{Token: raw, Certificate: certificate} }},
		"RFC 8705 §3: on another's connection":                   {bound: x5t, code: oauth.InvalidToken, with: func(raw, _ string) present { return present{Token: raw, Certificate: another} }},
		"RFC 8705 §3: on one without":                            {bound: x5t, code: oauth.InvalidToken, with: func(raw, _ string) present { return present{Token: raw} }},
		"a proof instead of the certificate": {bound: x5t, code: oauth.InvalidToken, with: func(raw, nonce string) present {
			return present{Token: raw, DPoP: true, Certificate: certificate, Proofs: []string{mine.proof(t, resource, raw, nonce)}}
		}},
	} {
		at := now
		tokens, r, _ := api(&at)
		r.claims.Bound = c.bound
		tokens.DPoP = verifier()
		for range 2 {
			p := c.with("a.b.c", tokens.DPoP.Nonces.New(now))
			p.Method, p.URL = "POST", resource
			got, err := tokens.Present(&p, domain.AudienceCustomer)
			if c.code == "" {
				if err != nil || got.Bound != c.bound || got.Client != "app_a" {
					t.Errorf("%s: got %+v, %v", name, got, err)
				}
				continue
			}
			e, ok := errors.AsType[*oauth.Error](err)
			if got != (domain.Caller{}) || !ok || e.Code != c.code || !errors.Is(err, authn.ErrInvalid) || e.Challenge == "" {
				t.Errorf("%s: got %+v, %v, want %s", name, got, err, c.code)
			}
			if ok && c.bound.Method != domain.ConfirmCertificate && e.Nonce == "" {
				t.Errorf("%s: no nonce for the next try", name)
			}
		}
	}
}

// TestABoundTokenNeedsWhoKnowsOfIt: who asks without the presentation does not
// get past, and an exchange only with what the request has proven.
func TestABoundTokenNeedsWhoKnowsOfIt(t *testing.T) {
	at := now
	tokens, r, _ := api(&at)
	r.claims.Bound = domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: newHolder(t).thumbprint(t)}
	if got, err := tokens.Caller("a.b.c", domain.AudienceCustomer); !errors.Is(err, authn.ErrInvalid) || got != (domain.Caller{}) {
		t.Errorf("Caller: got %+v, %v, want a refusal", got, err)
	}
	other := domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: newHolder(t).thumbprint(t)}
	for name, c := range map[string]struct {
		proven domain.Confirmation
		good   bool
	}{"nothing": {}, "another key": {proven: other}, "the key": {r.claims.Bound, true}} {
		if _, err := tokens.Held("a.b.c", domain.AudienceCustomer, c.proven); (err == nil) != c.good {
			t.Errorf("%s: got %v, want accepted: %v", name, err, c.good)
		}
	}
	said, active, err := tokens.Introspect("a.b.c", "app_a")
	if err != nil || !active || said.JKT != r.claims.Bound.Thumbprint || said.X5T != "" {
		t.Errorf("introspection: got %+v, %v, %v", said, active, err)
	}
}

// TestFAPITokensAreBound: what an application in FAPI mode got before it counts
// no more, and RS256 is no algorithm of it (FAPI 2.0 Security Profile §5.4).
func TestFAPITokensAreBound(t *testing.T) {
	at := now
	tokens, r, app := api(&at)
	tokens.DPoP = verifier()
	app.FAPI = true
	if _, err := tokens.Present(&domain.Presentation{Token: "a.b.c"}, domain.AudienceCustomer); !errors.Is(err, authn.ErrInvalid) {
		t.Errorf("bound to nothing: got %v", err)
	}
	big, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for alg, good := range map[jose.SignatureAlgorithm]bool{jose.PS256: true, jose.RS256: false} {
		h := holder{big, alg}
		r.claims.Bound = domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: h.thumbprint(t)}
		tokens, _, app := api(&at)
		app.FAPI, tokens.Keys, tokens.DPoP = true, r, verifier()
		p := domain.Presentation{
			Token: "a.b.c", DPoP: true, Method: "POST", URL: resource,
			Proofs: []string{h.proof(t, resource, "a.b.c", tokens.DPoP.Nonces.New(now))},
		}
		if got, err := tokens.Present(&p, domain.AudienceCustomer); (err == nil) != good || good && !got.FAPI {
			t.Errorf("%s: got %+v, %v, want accepted: %v", alg, got, err, good)
		}
	}
}

// TestBind is the token endpoint's side: RFC 9449 §5, RFC 8705 §3, FAPI 2.0
// Security Profile §5.3.2.1.
func TestBind(t *testing.T) {
	const endpoint = "https://auth.example.com/oauth2/token"
	h := newHolder(t)
	certificate := []byte("a certificate")
	x5t := domain.Confirmation{Method: domain.ConfirmCertificate, Thumbprint: authn.CertificateThumbprint(certificate)}
	jkt := domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: h.thumbprint(t)}
	for name, c := range map[string]struct {
		method      domain.AuthMethod
		fapi        bool
		proof       bool
		certificate []byte
		want        domain.Confirmation
		code        oauth.Code
	}{
		"a secret":                           {},
		"a secret and a proof":               {proof: true, want: jkt},
		"a secret and a certificate":         {certificate: certificate},
		"a certificate":                      {method: domain.TLSClientAuth, certificate: certificate, want: x5t},
		"one that signs itself":              {method: domain.SelfSignedTLSClientAuth, certificate: certificate, want: x5t},
		"a certificate and a proof":          {method: domain.TLSClientAuth, certificate: certificate, proof: true, want: jkt},
		"FAPI with nothing":                  {method: domain.PrivateKeyJWT, fapi: true, code: oauth.InvalidRequest},
		"FAPI with a proof":                  {method: domain.PrivateKeyJWT, fapi: true, proof: true, want: jkt},
		"FAPI with an assertion and the TLS": {method: domain.PrivateKeyJWT, fapi: true, certificate: certificate, want: x5t},
	} {
		b := &authn.Bindings{DPoP: verifier(), Now: func() time.Time { return now }}
		app := &domain.Listing{Application: domain.Application{ID: "app_a", AuthMethod: c.method, FAPI: c.fapi}}
		var headers []string
		if c.proof {
			headers = []string{h.proof(t, endpoint, "", b.DPoP.Nonces.New(now))}
		}
		proof, err := b.Read(headers, "POST", endpoint)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := b.Bind(app, proof, c.certificate)
		if e, ok := errors.AsType[*oauth.Error](err); ok != (c.code != "") || ok && e.Code != c.code || got != c.want {
			t.Errorf("%s: got %+v, %v, want %+v %s", name, got, err, c.want, c.code)
		}
		if !c.proof {
			continue
		}
		if got, err := b.Bind(app, proof, c.certificate); err == nil || got.Bound() {
			t.Errorf("%s: the same proof binds again: %+v, %v", name, got, err)
		}
	}
	b := &authn.Bindings{DPoP: verifier(), Now: func() time.Time { return now }}
	for name, c := range map[string]struct {
		headers []string
		code    oauth.Code
	}{
		"two headers": {[]string{"a.b.c", "a.b.c"}, oauth.InvalidDPoPProof},
		"nonsense":    {[]string{"hello"}, oauth.InvalidDPoPProof},
		"no nonce":    {[]string{h.proof(t, endpoint, "", "")}, oauth.UseDPoPNonce},
	} {
		_, err := b.Read(c.headers, "POST", endpoint)
		if e, ok := errors.AsType[*oauth.Error](err); !ok || e.Code != c.code || e.Nonce == "" || e.Challenge != "" {
			t.Errorf("%s: got %v, want %s with a nonce", name, err, c.code)
		}
	}
}

// TestARememberedTokenThatIsPresentedAllocatesNothing: binding costs nothing who
// does not use it.
func TestARememberedTokenThatIsPresentedAllocatesNothing(t *testing.T) {
	tokens, partner, acting := realTokens(t)
	tokens.DPoP = verifier()
	for name, raw := range map[string]string{"an application's": partner, "a customer's": acting} {
		p := &domain.Presentation{Token: raw}
		if got := testing.AllocsPerRun(200, func() {
			if _, err := tokens.Present(p, domain.AudienceCustomer); err != nil {
				t.Fatal(err)
			}
		}); got != 0 {
			t.Errorf("%s token allocates %.0f times, want never", name, got)
		}
	}
}

func BenchmarkPresentedProof(b *testing.B) {
	h := newHolder(b)
	at := now
	tokens, r, _ := api(&at)
	r.claims.Bound = domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: h.thumbprint(b)}
	tokens.DPoP = verifier()
	p := domain.Presentation{Token: "a.b.c", DPoP: true, Method: "POST", URL: resource, Proofs: []string{h.proof(b, resource, "a.b.c", tokens.DPoP.Nonces.New(now))}}
	b.ReportAllocs()
	for b.Loop() {
		tokens.DPoP.Used = &dpop.Memory{}
		if _, err := tokens.Present(&p, domain.AudienceCustomer); err != nil {
			b.Fatal(err)
		}
	}
}
