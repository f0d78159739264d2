package authorize_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/registry"
)

// TestTheWholeWay goes from the request to tokens, and what they say.
func TestTheWholeWay(t *testing.T) {
	w := newWorld(t)
	to, err := w.Allow(t.Context(), w.challenge(t, w.params()), w.user, w.decision(), w.origin())
	must(t, err)
	u, err := url.Parse(to)
	must(t, err)
	q := u.Query()
	if !strings.HasPrefix(to, callback+"?code=wg_code_") || q.Get("state") != "s t" || q.Get("iss") != issuer || len(q) != 3 {
		t.Fatalf("RFC 6749 §4.1.2, RFC 9207: the answer goes to %s", to)
	}
	g, err := w.Redeem(t.Context(), w.listing(), q.Get("code"), callback, verifier, w.origin())
	must(t, err)
	if g.Client != w.app || g.User != w.user.ID || g.Partner != w.user.Partner || g.Consent == "" || !g.Offline || g.Nonce != "n" || !g.AuthTime.Equal(w.now().Add(-time.Minute)) {
		t.Errorf("the code became %+v", g)
	}
	made := w.access(t, g)
	caller, err := w.tokens.Caller(made.Access, domain.AudienceCustomer)
	want := domain.PermissionSet(domain.CanQueryProperty, domain.CanViewDetailedUsage)
	if err != nil || caller.User != w.user.ID || caller.Client != w.app || caller.Impersonated() || caller.Act != g.Family || caller.Permissions != want {
		t.Errorf("the token opens as %+v, %v", caller, err)
	}
	if _, err := w.tokens.Caller(made.Access, domain.AudienceAuth); err == nil {
		t.Error("a person's token opens impersonation")
	}
	claims := idClaims(t, made.IDToken)
	for name, want := range map[string]any{ // OpenID Connect Core §2
		"iss": issuer, "sub": string(w.user.ID), "aud": string(w.app), "nonce": "n", "sid": g.Family,
		"iat": float64(w.now().Unix()), "exp": float64(w.now().Unix() + 3600), "auth_time": float64(w.now().Unix() - 60),
	} {
		if claims[name] != want {
			t.Errorf("id_token: %s = %v, want %v", name, claims[name], want)
		}
	}
	if w.opens(made.IDToken) {
		t.Error("an ID token opens an API (RFC 9068 §4)")
	}
	if got := w.actions(t); got != "consent.create" {
		t.Errorf("audit log: got %s", got)
	}
}

func idClaims(t *testing.T, raw string) map[string]any {
	t.Helper()
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		t.Fatalf("id_token = %q", raw)
	}
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	must(t, err)
	if !strings.Contains(string(header), `"typ":"JWT"`) {
		t.Errorf("header of the id_token = %s", header)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	must(t, err)
	var claims map[string]any
	must(t, json.Unmarshal(text, &claims))
	return claims
}

// TestRefusedCodes presents codes in every wrong way. All get one sentence, and
// the code is gone.
func TestRefusedCodes(t *testing.T) {
	w := newWorld(t)
	other := w.add(t, registry.NewApplication{Name: "other"})
	bare := w.add(t, registry.NewApplication{Name: "bare", Grants: []string{oauth.GrantClientCredentials}})
	sentences := map[string]bool{}
	for name, c := range map[string]struct {
		app                      domain.ClientID
		code, redirect, verifier string // empty: the right one
		after                    time.Duration
		spent                    bool
	}{
		"RFC 6749 §4.1.3: another application's code":       {app: other, spent: true},
		"RFC 6749 §4.1.3: another redirect_uri":             {redirect: callback + "/", spent: true},
		"RFC 6749 §4.1.3: no redirect_uri":                  {redirect: "-", spent: true},
		"RFC 7636 §4.6: another verifier":                   {verifier: strings.Repeat("a", 43), spent: true},
		"RFC 7636 §4.6: no verifier":                        {verifier: "-", spent: true},
		"RFC 7636 §4.1: the challenge instead":              {verifier: pkce, spent: true},
		"RFC 6749 §4.1.2: too late":                         {after: authorize.CodeLifetime, spent: true},
		"RFC 6749 §4.1.2: a code that never was":            {code: "wg_code_000000000000000000000000000000000000000000000000X"},
		"RFC 6749 §4.1.2: no code":                          {code: "-"},
		"RFC 6749 §5.2: an application without the grant":   {app: bare},
		"RFC 7636 §4.1: a verifier that is too short by it": {verifier: strings.Repeat("a", 42), spent: true},
	} {
		code := w.code(t)
		pick := func(s, right string) string {
			switch s {
			case "":
				return right
			case "-":
				return ""
			}
			return s
		}
		app := w.listing()
		if c.app != "" {
			app = w.registry.Directory().Application(c.app)
		}
		w.pass(c.after)
		g, err := w.Redeem(t.Context(), app, pick(c.code, code), pick(c.redirect, callback), pick(c.verifier, verifier), w.origin())
		e, ok := errors.AsType[*oauth.Error](err)
		if !ok || g.Family != "" || e.Code != oauth.InvalidGrant && c.app != bare {
			t.Errorf("%s: got %+v, %v", name, g, err)
			continue
		}
		if c.app != bare {
			sentences[e.Description] = true
		}
		_, err = w.Redeem(t.Context(), w.listing(), code, callback, verifier, w.origin())
		if (err != nil) != c.spent {
			t.Errorf("%s: afterwards the right way gives %v; want the code to be spent: %t", name, err, c.spent)
		}
	}
	if len(sentences) != 1 {
		t.Errorf("the refusals have %d sentences, want one: %v", len(sentences), sentences)
	}
}

func TestRFC7636Section41Verifiers(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		verifier string
		want     bool
	}{
		"43 characters":          {strings.Repeat("a", 43), true},
		"128 characters":         {strings.Repeat("Z", 128), true},
		"every kind":             {"ABYZabyz0189-._~ABYZabyz0189-._~ABYZabyz018", true},
		"42 characters":          {strings.Repeat("a", 42), false},
		"129 characters":         {strings.Repeat("a", 129), false},
		"a character of no kind": {strings.Repeat("a", 43) + "+", false},
		"a letter beyond ASCII":  {strings.Repeat("é", 30), false},
	} {
		p := w.params()
		p.CodeChallenge = challengeOf(c.verifier)
		to, err := w.Allow(t.Context(), w.challenge(t, p), w.user, w.decision(), w.origin())
		must(t, err)
		u, err := url.Parse(to)
		must(t, err)
		_, err = w.Redeem(t.Context(), w.listing(), u.Query().Get("code"), callback, c.verifier, w.origin())
		if (err == nil) != c.want {
			t.Errorf("%s: got %v, want %t", name, err, c.want)
		}
	}
}

// TestRFC6749Section412ACodeUsedTwice is code injection: whoever comes second,
// everything that came of the first ends before the answer.
func TestRFC6749Section412ACodeUsedTwice(t *testing.T) {
	w := newWorld(t)
	code := w.code(t)
	g, err := w.Redeem(t.Context(), w.listing(), code, callback, verifier, w.origin())
	must(t, err)
	refresh, err := w.Remember(t.Context(), g, authorize.RefreshLifetime)
	must(t, err)
	made := w.access(t, g)
	if !w.opens(made.Access) {
		t.Fatal("the token opens nothing")
	}
	other := w.add(t, registry.NewApplication{Name: "thief"})
	if _, err := w.Redeem(t.Context(), w.registry.Directory().Application(other), code, callback, "guess", w.origin()); codeOf(err) != "invalid_grant" {
		t.Errorf("the second use: got %v", err)
	}
	if w.opens(made.Access) {
		t.Error("the access token outlives the code's second use")
	}
	if _, _, err := w.Renew(t.Context(), w.listing(), refresh, "", nil, w.origin()); codeOf(err) != "invalid_grant" {
		t.Errorf("the refresh token: got %v", err)
	}
	if late := w.access(t, g); w.opens(late.Access) {
		t.Error("a token that was made afterwards opens something")
	}
	if _, err := w.Remember(t.Context(), g, authorize.RefreshLifetime); codeOf(err) != "invalid_grant" {
		t.Errorf("another refresh token: got %v", err)
	}
	if got := w.actions(t); got != "consent.create family.end" {
		t.Errorf("audit log: got %s", got)
	}
}
