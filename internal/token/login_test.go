package token_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

const (
	loginIssuer = "https://api.example.com/v1/graphql/"
	aFamily     = "fam_abcdefghijkmnpqrstuvwxyz23"
)

// loginClaims are what an account user gets who has logged in.
func loginClaims() token.Claims {
	return token.Claims{
		Issuer: loginIssuer, Subject: "usr_0c1a3b5e7f204a639a516f0c2d9be714", Audiences: domain.AudienceSet(domain.AudienceCustomer),
		IssuedAt: noon.Unix(), NotBefore: noon.Unix(), Expires: noon.Add(time.Hour).Unix(), ID: token.NewID(noon, nil),
		Partner: "prt_a", Scope: "query:property", Permissions: domain.PermissionSet(domain.CanQueryProperty), SID: aFamily,
		Method: domain.LoginPassword, OriginallyAt: noon.Add(-time.Hour).Unix(),
	}
}

func TestLogInsAsTheyAreWritten(t *testing.T) {
	ring := openRing(t, token.ES256)
	both := token.Expect{Issuer: issuer, Login: loginIssuer}
	looks := loginClaims()
	looks.Method, looks.Staff = domain.LoginMasquerade, "usr_1c1a3b5e7f204a639a516f0c2d9be714"
	operator := loginClaims()
	operator.Method = domain.LoginMasquerade
	third := loginClaims()
	third.Method, third.ClientID = domain.LoginThirdParty, "app_third"
	for name, c := range map[string]token.Claims{"by password": loginClaims(), "staff who look on": looks, "the operator": operator, "for a third party": third} {
		raw := sign(t, ring, c)
		got, err := ring.Verify(raw, noon, both)
		if err != nil || got != c {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, c)
		}
		text := payload(t, raw)
		if text != c.Text() || !strings.Contains(text, `"tokenUse":"access","origIat":`) {
			t.Errorf("%s: it says %s, want %s", name, text, c.Text())
		}
		if has := strings.Contains(text, "client_id"); has != (c.ClientID != "") {
			t.Errorf("%s: client_id is there: %t, in %s", name, has, text)
		}
	}
}

// TestEachIssuerForItsKind: a log-in never passes for a token of the authorization
// server, nor one of those for a log-in.
func TestEachIssuerForItsKind(t *testing.T) {
	ring := openRing(t, token.ES256)
	swapped, posing := loginClaims(), userClaims()
	swapped.Issuer, posing.Issuer = issuer, loginIssuer
	both := token.Expect{Issuer: issuer, Login: loginIssuer}
	for name, c := range map[string]struct {
		claims token.Claims
		want   token.Expect
		err    error
	}{
		"each of its own":                        {loginClaims(), both, nil},
		"a user's own":                           {userClaims(), both, nil},
		"a log-in by the authorization server":   {swapped, both, token.ErrIssuer},
		"a token by the GraphQL API":             {posing, both, token.ErrIssuer},
		"a log-in where none count":              {loginClaims(), token.Expect{Issuer: issuer}, token.ErrIssuer},
		"a log-in where its issuer is the other": {loginClaims(), token.Expect{Issuer: loginIssuer}, token.ErrIssuer},
		"a token where only log-ins count":       {userClaims(), token.Expect{Login: issuer}, token.ErrIssuer},
	} {
		if _, err := ring.Verify(sign(t, ring, c.claims), noon, c.want); !errors.Is(err, c.err) {
			t.Errorf("%s: got %v, want %v", name, err, c.err)
		}
	}
}

// TestLogInsThatCannotBe are neither signed nor, signed by a true key, accepted.
func TestLogInsThatCannotBe(t *testing.T) {
	ring := openRing(t, token.ES256)
	for name, change := range map[string]func(*token.Claims){
		"an unknown method":              func(c *token.Claims) { c.Method = "CLIENT-CREDENTIALS" },
		"of an application":              func(c *token.Claims) { c.Subject, c.ClientID = "app_a", "app_a" },
		"with somebody who acts":         func(c *token.Claims) { c.Actor, c.ClientID = "app_a", "app_a" },
		"without a family":               func(c *token.Claims) { c.SID = "" },
		"with an entry of the audit log": func(c *token.Claims) { c.SID = "aud_0" },
		"for the audience auth":          func(c *token.Claims) { c.Audiences = domain.AllAudiences() },
		"for measurements too":           func(c *token.Claims) { c.Audiences |= domain.AudienceSet(domain.AudienceMeasurements) },
		"with more than a customer has":  func(c *token.Claims) { c.Permissions |= domain.PermissionSet(domain.CanImpersonate) },
		"bound to a key": func(c *token.Claims) {
			c.Bound = domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: strings.Repeat("a", 43)}
		},
		"without origIat":                     func(c *token.Claims) { c.OriginallyAt = 0 },
		"with an application nobody got it":   func(c *token.Claims) { c.ClientID = "app_a" },
		"by a pre-signed token nobody made":   func(c *token.Claims) { c.Method = domain.LoginPreSigned },
		"for a third party without one":       func(c *token.Claims) { c.Method = domain.LoginThirdParty },
		"with staff who do not look on":       func(c *token.Claims) { c.Staff = "usr_1c1a3b5e7f204a639a516f0c2d9be714" },
		"with staff that is an application":   func(c *token.Claims) { c.Method, c.Staff = domain.LoginMasquerade, "app_a" },
		"no log-in with origIat":              func(c *token.Claims) { *c = userClaims(); c.OriginallyAt = 1 },
		"no log-in with staff":                func(c *token.Claims) { *c = userClaims(); c.Staff = "usr_1c1a3b5e7f204a639a516f0c2d9be714" },
		"no log-in and without a client_id":   func(c *token.Claims) { *c = userClaims(); c.ClientID = "" },
		"an application's without client_id ": func(c *token.Claims) { *c = partnerClaims(); c.ClientID = "" },
	} {
		c := loginClaims()
		change(&c)
		if raw, err := ring.Sign(nil, &c); !errors.Is(err, token.ErrClaims) {
			t.Errorf("%s: signed as %s, %v", name, raw, err)
		}
		if c.Method == "" && c.ClientID != "" { // its text leaves out what is wrong
			continue
		}
		raw := forge(token.ES256, header(token.ES256), c.Text())
		if got, err := ring.Verify(raw, noon, token.Expect{Issuer: issuer, Login: loginIssuer}); err == nil {
			t.Errorf("%s: accepted as %+v", name, got)
		}
	}
	text := func(c token.Claims) string { return c.Text() }
	for name, said := range map[string]string{
		"origIat alone":                    strings.TrimSuffix(text(userClaims()), "}") + `,"origIat":1}`,
		"an empty gty":                     strings.TrimSuffix(text(userClaims()), "}") + `,"gty":"","tokenUse":"access","origIat":1}`,
		"another use":                      strings.Replace(text(loginClaims()), `"tokenUse":"access"`, `"tokenUse":"refresh"`, 1),
		"gty twice":                        strings.TrimSuffix(text(loginClaims()), "}") + `,"gty":"API-KEY","tokenUse":"access","origIat":1}`,
		"an empty client_id":               strings.Replace(text(loginClaims()), `,"partner":`, `,"client_id":"","partner":`, 1),
		"origIat as a text":                strings.Replace(text(loginClaims()), `"origIat":`, `"origIat":"`, 1),
		"somebody who acts and staff both": strings.Replace(text(userClaims()), `"act":{"sub":`, `"act":{"sub":"usr_1c1a3b5e7f204a639a516f0c2d9be714"},"act":{"sub":`, 1),
	} {
		raw := forge(token.ES256, header(token.ES256), said)
		if got, err := ring.Verify(raw, noon, token.Expect{Issuer: issuer, Login: loginIssuer}); err == nil {
			t.Errorf("%s: accepted as %+v", name, got)
		}
	}
}
