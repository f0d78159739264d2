package dialect_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

const someone = "usr_0c1a3b5e7f204a639a516f0c2d9be714"

// exchange is a good exchange, with some parameters set to something else; nil
// leaves one out.
func exchange(changes map[string]any) string {
	f := url.Values{
		"grant_type": {oauth.GrantTokenExchange}, "subject_token": {someone}, "subject_token_type": {oauth.TokenTypeUserID},
		"actor_token": {"a.b.c"}, "actor_token_type": {oauth.TokenTypeAccess},
	}
	for name, value := range changes {
		if f.Del(name); value != nil {
			f.Set(name, value.(string))
		}
	}
	return f.Encode()
}

// TestReadExchange is RFC 8693 §2.1.
func TestReadExchange(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want dialect.Exchange // the zero one: refused
	}{
		"an exchange":                    {exchange(nil), dialect.Exchange{User: someone, Actor: "a.b.c"}},
		"with a reason":                  {exchange(map[string]any{"reason": "she called"}), dialect.Exchange{User: someone, Actor: "a.b.c", Reason: "she called"}},
		"of the user's UUID":             {exchange(map[string]any{"subject_token": "0C1A3B5E-7f20-4a63-9a51-6f0c2d9be714"}), dialect.Exchange{User: someone, Actor: "a.b.c"}},
		"for an access token":            {exchange(map[string]any{"requested_token_type": oauth.TokenTypeAccess}), dialect.Exchange{User: someone, Actor: "a.b.c"}},
		"a token of 8 KiB":               {exchange(map[string]any{"actor_token": strings.Repeat("a", 8<<10)}), dialect.Exchange{User: someone, Actor: strings.Repeat("a", 8<<10)}},
		"a token over 8 KiB":             {exchange(map[string]any{"actor_token": strings.Repeat("a", 8<<10+1)}), dialect.Exchange{}},
		"for a refresh token":            {exchange(map[string]any{"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}), dialect.Exchange{}},
		"without a subject":              {exchange(map[string]any{"subject_token": nil}), dialect.Exchange{}},
		"without the subject's type":     {exchange(map[string]any{"subject_token_type": nil}), dialect.Exchange{}},
		"with a subject of another type": {exchange(map[string]any{"subject_token_type": oauth.TokenTypeAccess}), dialect.Exchange{}},
		"without an actor":               {exchange(map[string]any{"actor_token": nil}), dialect.Exchange{}},
		"without the actor's type":       {exchange(map[string]any{"actor_token_type": nil}), dialect.Exchange{}},
		"with an actor of another type":  {exchange(map[string]any{"actor_token_type": "urn:ietf:params:oauth:token-type:id_token"}), dialect.Exchange{}},
		"of an application":              {exchange(map[string]any{"subject_token": "app_a"}), dialect.Exchange{}},
		"with two actors":                {exchange(nil) + "&actor_token=x", dialect.Exchange{}},
		"with two reasons":               {exchange(nil) + "&reason=x&reason=y", dialect.Exchange{}},
	} {
		got, err := dialect.ReadToken(posted(urlencoded, c.body))
		if c.want == (dialect.Exchange{}) {
			o, _ := errors.AsType[*oauth.Error](err)
			d, _ := errors.AsType[*domain.Error](err)
			if got != nil || (o == nil || o.Code != oauth.InvalidRequest) && (d == nil || d.Kind != domain.Invalid) {
				t.Errorf("%s: got %+v, %v; want it refused as invalid", name, got, err)
			}
			continue
		}
		if err != nil || got.Exchange == nil || *got.Exchange != c.want {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, c.want)
		}
	}
	r := posted(urlencoded, exchange(nil))
	r.URL.RawQuery = "subject_token=" + someone
	if got, err := dialect.ReadToken(r); err == nil {
		t.Errorf("a subject in the query: got %+v", got)
	}
}

func FuzzReadExchange(f *testing.F) {
	f.Add(exchange(nil))
	f.Add(exchange(map[string]any{"reason": "\u202e", "subject_token": "0c1a3b5e-7f20-4a63-9a51-6f0c2d9be714"}))
	f.Add(exchange(nil) + "&client_id=a&client_secret=b")
	f.Fuzz(func(t *testing.T, body string) {
		got, err := dialect.ReadToken(posted(urlencoded, body))
		if err != nil {
			if got != nil {
				t.Fatalf("%q: %+v beside %v", body, got, err)
			}
			return
		}
		if (got.Exchange != nil) != (got.GrantType == oauth.GrantTokenExchange) {
			t.Fatalf("%q: got %+v", body, got)
		}
		if x := got.Exchange; x != nil {
			again, err := domain.ParseUserID(string(x.User))
			if err != nil || again != x.User || x.Actor == "" || len(x.Actor) > 8<<10 {
				t.Fatalf("%q: got %+v, %v", body, x, err)
			}
		}
	})
}

func FuzzReadAbout(f *testing.F) {
	f.Add("token=a.b.c&token_type_hint=access_token&client_id=a&client_secret=b")
	f.Add("token=&token=")
	f.Add("token=%00")
	f.Fuzz(func(t *testing.T, body string) {
		got, err := dialect.ReadAbout(posted(urlencoded, body))
		if (got != nil) == (err != nil) || got != nil && (got.Token == "" || len(got.Token) > 8<<10) {
			t.Fatalf("%q: got %+v, %v", body, got, err)
		}
	})
}

// TestWriteExchanged is RFC 8693 §2.2.1: what is added stands in no other answer.
func TestWriteExchanged(t *testing.T) {
	token := oauth.Token{Access: "a.b.c", Bearer: "Bearer a.b.c", Lifetime: 3600, Scope: "openid", Issued: oauth.TokenTypeAccess}
	ez, kr := httptest.NewRecorder(), httptest.NewRecorder()
	dialect.EnergyZero{}.WriteToken(ez, token)
	dialect.Kraken{}.WriteToken(kr, token)
	const issued = `"issued_token_type":"urn:ietf:params:oauth:token-type:access_token"`
	if got, want := ez.Body.String(), `{"access_token":"a.b.c","expires_in":3599,`+issued+`,"scope":"openid","token_type":"bearer"}`; got != want {
		t.Errorf("EnergyZero: got %s, want %s", got, want)
	}
	if got, want := kr.Body.String(), `{"access_token":"a.b.c","expires_in":3600,"token_type":"Bearer","scope":"openid",`+issued+`}`; got != want {
		t.Errorf("Kraken: got %s, want %s", got, want)
	}
}

// TestWriteIntrospection is RFC 7662 §2.2.
func TestWriteIntrospection(t *testing.T) {
	full := oauth.Introspection{
		Scope: `openid "x"`, ClientID: "app_a", Subject: someone, Expires: 3, IssuedAt: 1, NotBefore: 2, Audience: []string{"auth", "customer"},
		Issuer: "https://auth", ID: "jti", Actor: "app_a", Partner: "prt_a",
	}
	own := full
	own.Subject, own.Actor = "app_a", ""
	const head = `{"active":true,"scope":"openid \"x\"","client_id":"app_a","sub":"`
	const middle = `","exp":3,"iat":1,"nbf":2,"aud":["auth","customer"],"iss":"https://auth","jti":"jti","token_type":"Bearer"`
	for want, t1 := range map[string]oauth.Introspection{
		head + someone + middle + `,"act":{"sub":"app_a"},"partner":"prt_a"}`: full,
		head + "app_a" + middle + `,"partner":"prt_a"}`:                       own,
	} {
		w := httptest.NewRecorder()
		dialect.WriteIntrospection(w, t1)
		if got := w.Body.String(); w.Code != 200 || got != want || !json.Valid([]byte(got)) || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("got %d %s %v\nwant %s", w.Code, got, w.Header(), want)
		}
	}
	w := httptest.NewRecorder()
	if dialect.WriteInactive(w); w.Code != 200 || w.Body.String() != `{"active":false}` || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("inactive: got %d %s %v", w.Code, w.Body, w.Header())
	}
	w = httptest.NewRecorder()
	if dialect.WriteRevoked(w); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("revoked: got %d %s %v", w.Code, w.Body, w.Header())
	}
}

// TestWhatAnErrorIsAbout: causes that share a code are told apart by where
// error_uri leads.
func TestWhatAnErrorIsAbout(t *testing.T) {
	w := httptest.NewRecorder()
	dialect.EnergyZero{ErrorsURL: "https://x/errors"}.WriteError(w, &oauth.Error{Code: oauth.InvalidRequest, About: oauth.NotFound, Description: "d"})
	if got, want := w.Body.String(), `{"error":"invalid_request","error_description":"d","error_uri":"https://x/errors#not_found"}`; w.Code != 400 || got != want {
		t.Errorf("got %d %s, want 400 %s", w.Code, got, want)
	}
}
