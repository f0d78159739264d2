package dialect_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/oauth"
)

func TestReadAuthorization(t *testing.T) {
	all := "response_type=code&client_id=app_a&redirect_uri=https%3A%2F%2Fx%2F%3Fa%3Db&scope=openid+offline&state=s%26t&nonce=n&code_challenge=c" +
		"&code_challenge_method=S256&request_uri=u&response_mode=query&prompt=login&max_age=5&audience=a+b&audience=c&resource=r"
	whole := dialect.Authorization{
		ResponseType: "code", ClientID: "app_a", RedirectURI: "https://x/?a=b", Scope: "openid offline", State: "s&t", Nonce: "n", CodeChallenge: "c",
		CodeChallengeMethod: "S256", RequestURI: "u", ResponseMode: "query", Prompt: "login", MaxAge: "5", Audience: []string{"a", "b", "c"}, Resource: []string{"r"},
	}
	for name, c := range map[string]struct {
		raw     string
		want    dialect.Authorization
		refused bool
	}{
		"all of it":                     {all, whole, false},
		"nothing":                       {"", dialect.Authorization{}, false},
		"what nobody knows is ignored":  {"x=1&x=2&client_id=a", dialect.Authorization{ClientID: "a"}, false},
		"an empty one counts as none":   {"state=", dialect.Authorization{}, false},
		"a request object":              {"request=x", dialect.Authorization{Unsupported: "request"}, false},
		"one of RFC 6749 §3.1 twice":    {"state=1&state=2", dialect.Authorization{}, true},
		"twice, once without a value":   {"state=1&state=", dialect.Authorization{}, true},
		"a control character":           {"state=%0a", dialect.Authorization{}, true},
		"what is not UTF-8":             {"state=%ff", dialect.Authorization{}, true},
		"larger than 4 KiB":             {"state=" + strings.Repeat("x", 4<<10+1), dialect.Authorization{}, true},
		"what is not percent-encoded":   {"state=%", dialect.Authorization{}, true},
		"larger than 64 KiB altogether": {"x=" + strings.Repeat("x", 64<<10), dialect.Authorization{}, true},
	} {
		get := httptest.NewRequest("GET", "/oauth2/authorize", nil)
		get.URL.RawQuery = c.raw
		for method, r := range map[string]func() (dialect.Authorization, error){
			"GET":  func() (dialect.Authorization, error) { return dialect.ReadAuthorization(get) },
			"POST": func() (dialect.Authorization, error) { return dialect.ReadAuthorization(posted(urlencoded, c.raw)) },
		} {
			if method == "POST" && strings.Contains(name, "64 KiB") {
				continue // its own bounds are those of every form
			}
			got, err := r()
			if !reflect.DeepEqual(got, c.want) || (err != nil) != c.refused {
				t.Errorf("%s (%s): got %+v, %v; want %+v, refused %v", name, method, got, err, c.want, c.refused)
			}
			if e, ok := errors.AsType[*oauth.Error](err); err != nil && (!ok || e.Code != oauth.InvalidRequest) {
				t.Errorf("%s (%s): got %v, want invalid_request", name, method, err)
			}
		}
	}
}

// FuzzAuthorization: what is read says the same when it is written and read again,
// by both methods, and beside an error there is nothing.
func FuzzAuthorization(f *testing.F) {
	for _, seed := range []string{"", "client_id=a&state=%26", "state=1&state=2", "audience=a+b&audience=c", "%", "request=x;y", "state=\x00", "scope=a%20b&max_age=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r := httptest.NewRequest("GET", "/oauth2/authorize", nil)
		r.URL.RawQuery = raw
		a, err := dialect.ReadAuthorization(r)
		if err != nil {
			if !reflect.DeepEqual(a, dialect.Authorization{}) {
				t.Fatalf("%q: got %+v beside the error %v", raw, a, err)
			}
			return
		}
		again := url.Values{}
		for name, value := range map[string]string{
			"response_type": a.ResponseType, "client_id": a.ClientID, "redirect_uri": a.RedirectURI, "scope": a.Scope, "state": a.State, "nonce": a.Nonce,
			"code_challenge": a.CodeChallenge, "code_challenge_method": a.CodeChallengeMethod, "request_uri": a.RequestURI,
			"response_mode": a.ResponseMode, "prompt": a.Prompt, "max_age": a.MaxAge, a.Unsupported: "x",
		} {
			if value != "" && name != "" {
				again.Set(name, value)
			}
		}
		for name, list := range map[string][]string{"audience": a.Audience, "resource": a.Resource} {
			if len(list) > 0 {
				again.Set(name, strings.Join(list, " "))
			}
		}
		r.URL.RawQuery = again.Encode()
		got, err := dialect.ReadAuthorization(r)
		if err != nil && len(again["audience"])+len(again["resource"]) > 0 {
			return // several of 4 KiB each are more than one may be
		}
		if err != nil || !reflect.DeepEqual(got, a) {
			t.Fatalf("%q: got %+v, and from %q %+v, %v", raw, a, again.Encode(), got, err)
		}
	})
}

func TestReadRedemption(t *testing.T) {
	const device = "urn:ietf:params:oauth:grant-type:device_code"
	for name, c := range map[string]struct {
		body string
		want string // code, redirect, verifier, refresh, device
	}{
		"a code":                        {"grant_type=authorization_code&code=c&redirect_uri=u&code_verifier=v", "c u v  "},
		"a code alone":                  {"grant_type=authorization_code&code=c", "c    "},
		"a refresh token":               {"grant_type=refresh_token&refresh_token=r&code=c", "   r "},
		"a device code":                 {"grant_type=" + device + "&device_code=d&refresh_token=r", "    d"},
		"RFC 6749 §4.1.3: no code":      {"grant_type=authorization_code&code_verifier=v", ""},
		"RFC 6749 §6: no refresh token": {"grant_type=refresh_token", ""},
		"RFC 8628 §3.4: no device code": {"grant_type=" + device, ""},
		"RFC 6749 §3.2: a code twice":   {"grant_type=authorization_code&code=c&code=d", ""},
	} {
		req, err := dialect.ReadToken(posted(urlencoded, c.body))
		if c.want == "" {
			if e, ok := errors.AsType[*oauth.Error](err); req != nil || !ok || e.Code != oauth.InvalidRequest {
				t.Errorf("%s: got %+v, %v; want invalid_request", name, req, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		is := req.Redemption
		if got := strings.Join([]string{is.Code, is.Redirect, is.Verifier, is.Refresh.Reveal(), is.Device.Reveal()}, " "); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	req, err := dialect.ReadToken(posted(urlencoded, "grant_type=client_credentials&code=c"))
	if err != nil || req.Redemption != nil {
		t.Errorf("client credentials with a code: got %+v, %v", req, err)
	}
}

// TestTokensOfPeople: where the two dialects put the refresh token and the ID token.
func TestTokensOfPeople(t *testing.T) {
	token := oauth.Token{Access: "a.b.c", Bearer: "Bearer a.b.c", Lifetime: 300, Scope: "openid", Refresh: "r", IDToken: "i"}
	ez, kr := httptest.NewRecorder(), httptest.NewRecorder()
	dialect.EnergyZero{}.WriteToken(ez, token)
	dialect.Kraken{}.WriteToken(kr, token)
	for name, c := range map[string]struct{ got, want string }{
		"EnergyZero": {ez.Body.String(), `{"access_token":"a.b.c","expires_in":299,"id_token":"i","refresh_token":"r","scope":"openid","token_type":"bearer"}`},
		"Kraken":     {kr.Body.String(), `{"access_token":"a.b.c","expires_in":300,"token_type":"Bearer","scope":"openid","refresh_token":"r","id_token":"i"}`},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %s, want %s", name, c.got, c.want)
		}
	}
}

// TestAnswersAboutPeopleAreJSON whatever stands in a name.
func TestAnswersAboutPeopleAreJSON(t *testing.T) {
	w := httptest.NewRecorder()
	dialect.WriteUserInfo(w, dialect.UserInfo{Subject: "usr_1", Name: `Ada "de" <Wit>`, Email: "ada@example.com"})
	var got map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got) != 3 || got["name"] != `Ada "de" <Wit>` || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("got %s, %v, %v", w.Body, w.Header(), err)
	}
	for scope, want := range map[string]bool{"openid": true, "a openid b": true, "openidx": false, "": false, "OPENID": false} {
		if dialect.ScopeHolds(scope, "openid") != want {
			t.Errorf("%q holds openid: want %v", scope, want)
		}
	}
}
