package dialect_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

func TestCredentials(t *testing.T) {
	basic := func(s string) []string { return []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(s))} }
	const bad = domain.AuthMethod("refused")
	for name, c := range map[string]struct {
		form       string
		headers    []string
		id, secret string
		method     domain.AuthMethod
	}{
		"in the form":                        {"client_id=a&client_secret=b", nil, "a", "b", domain.ClientSecretPost},
		"in the header":                      {"", basic("a:b"), "a", "b", domain.ClientSecretBasic},
		"in the header, in another case":     {"", []string{"bAsIc " + base64.StdEncoding.EncodeToString([]byte("a:b"))}, "a", "b", domain.ClientSecretBasic},
		"form-encoded in the header":         {"", basic("a%20b:c%3Ad+e"), "a b", "c:d e", domain.ClientSecretBasic},
		"a colon in the secret":              {"", basic("a:b:c"), "a", "b:c", domain.ClientSecretBasic},
		"the same id in both":                {"client_id=a", basic("a:b"), "a", "b", domain.ClientSecretBasic},
		"another id in the form":             {"client_id=c", basic("a:b"), "", "", bad},
		"a secret in both":                   {"client_id=a&client_secret=b", basic("a:b"), "", "", bad},
		"two headers":                        {"", append(basic("a:b"), basic("a:b")...), "", "", bad},
		"nothing":                            {"", nil, "", "", ""},
		"an id alone":                        {"client_id=a", nil, "a", "", ""},
		"an empty secret counts as none":     {"client_id=a&client_secret=", nil, "a", "", ""},
		"another scheme presents nothing":    {"", []string{"Bearer x"}, "", "", ""},
		"no base64 presents nothing":         {"", []string{"Basic ***"}, "", "", ""},
		"no colon presents nothing":          {"", basic("ab"), "", "", ""},
		"a control character is not taken":   {"", basic("a:b\n"), "", "", ""},
		"spare bits in base64 are not taken": {"", []string{"Basic YTpi" + "YTp="}, "", "", ""},
		"a broken escape presents nothing":   {"", basic("a:%"), "", "", ""},
		"a header over 8 KiB":                {"", basic("a:" + strings.Repeat("b", 8<<10)), "", "", ""},
	} {
		r := posted(urlencoded, "grant_type=client_credentials&"+c.form)
		r.Header["Authorization"] = c.headers
		got, err := dialect.ReadToken(r)
		if c.method == bad {
			if e, ok := errors.AsType[*oauth.Error](err); got != nil || !ok || e.Code != oauth.InvalidRequest {
				t.Errorf("%s: got %v, %v; want invalid_request", name, got, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Client.ID != c.id || got.Client.Secret.Reveal() != c.secret || got.Client.Method != c.method {
			t.Errorf("%s: got %q, %q by %q; want %q, %q by %q", name, got.Client.ID, got.Client.Secret.Reveal(), got.Client.Method, c.id, c.secret, c.method)
		}
	}
}

func TestBearerToken(t *testing.T) {
	for name, c := range map[string]struct {
		headers []string
		query   string
		want    string
		refused bool
	}{
		"Bearer (E18)":             {[]string{"Bearer a.b.c"}, "", "a.b.c", false},
		"Bearer in any case":       {[]string{"bEARER a.b.c"}, "", "a.b.c", false},
		"raw (E21, K19)":           {[]string{"a.b.c"}, "", "a.b.c", false},
		"JWT":                      {[]string{"JWT a.b.c"}, "", "a.b.c", false},
		"more than one space":      {[]string{"Bearer   a.b.c "}, "", "a.b.c", false},
		"none":                     {nil, "", "", false},
		"an empty one":             {[]string{""}, "", "", false},
		"two headers":              {[]string{"Bearer a", "Bearer a"}, "", "", true},
		"another scheme":           {[]string{"Basic YTpi"}, "", "", true},
		"two tokens":               {[]string{"Bearer a b"}, "", "", true},
		"two tokens with a comma":  {[]string{"Bearer a,Bearer b"}, "", "", true},
		"a raw list":               {[]string{"a,b"}, "", "", true},
		"a tab":                    {[]string{"Bearer\ta"}, "", "", true},
		"too large":                {[]string{strings.Repeat("a", 8<<10+1)}, "", "", true},
		"in the query":             {nil, "access_token=a", "", true},
		"in the query and header":  {[]string{"Bearer a"}, "x=1&access_token=a", "", true},
		"another query is ignored": {[]string{"Bearer a"}, "user_id=1", "a", false},
	} {
		r := httptest.NewRequest("GET", "/v1/auth/impersonate?"+c.query, nil)
		r.Header["Authorization"] = c.headers
		got, err := dialect.BearerToken(r)
		if got != c.want || (err != nil) != c.refused {
			t.Errorf("%s: %q: got %q, %v; want %q, refused %t", name, c.headers, got, err, c.want, c.refused)
		}
	}
}

func FuzzBearer(f *testing.F) {
	for _, seed := range []string{"", "Bearer", "Bearer a.b.c", "JWT  a", "a.b.c", "DPoP a", "Bearer a b", "Bearer\ta", "Bearer a,b", " ", "Basic YTpi"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Authorization"] = []string{header}
		token, err := dialect.BearerToken(r)
		if err != nil {
			if e, ok := errors.AsType[*oauth.Error](err); token != "" || !ok || e.Code != oauth.InvalidRequest {
				t.Fatalf("%q: got %q beside the error %v", header, token, err)
			}
			return
		}
		if strings.ContainsAny(token, " \t,") || !strings.HasSuffix(strings.TrimRight(header, " "), token) {
			t.Fatalf("%q: got %q", header, token)
		}
		if token == "" {
			return
		}
		for _, scheme := range []string{"", "Bearer ", "JWT "} { // the three spellings say the same
			r.Header["Authorization"] = []string{scheme + token}
			if again, err := dialect.BearerToken(r); again != token || err != nil {
				t.Fatalf("%q: got %q, and from %q %q, %v", header, token, scheme+token, again, err)
			}
		}
	})
}

func TestReadImpersonate(t *testing.T) {
	const id = domain.UserID("usr_0c1a3b5e7f204a639a516f0c2d9be714")
	for name, c := range map[string]struct {
		query   string
		headers http.Header
		want    domain.UserID
	}{
		"an identifier":           {"user_id=" + string(id), nil, id},
		"the UUID":                {"user_id=" + id.UUID(), nil, id},
		"the UUID in capitals":    {"user_id=" + strings.ToUpper(id.UUID()), nil, id},
		"beside something else":   {"x=1&user_id=" + string(id), nil, id},
		"missing":                 {"", nil, ""},
		"twice":                   {"user_id=" + string(id) + "&user_id=" + string(id), nil, ""},
		"an application":          {"user_id=app_0c1a3b5e7f204a639a516f0c2d9be714", nil, ""},
		"a prefetch":              {"user_id=" + string(id), http.Header{"Sec-Purpose": {"prefetch"}}, ""},
		"a prefetch in old words": {"user_id=" + string(id), http.Header{"Purpose": {"Prefetch"}}, ""},
		"a malformed query":       {"user_id=%", nil, ""},
	} {
		r := httptest.NewRequest("GET", "/v1/auth/impersonate", nil)
		r.URL.RawQuery, r.Header = c.query, c.headers
		got, err := dialect.ReadImpersonate(r)
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%s: %q: got %q, %v; want %q", name, c.query, got, err, c.want)
		}
	}
}
