package dialect_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"testing"

	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/oauth"
)

// TestRFC9701Section4Accept: a signed answer is for who names it, and likes it
// no less than the plain one.
func TestRFC9701Section4Accept(t *testing.T) {
	const signed = "application/token-introspection+jwt"
	for name, c := range map[string]struct {
		accept []string
		want   bool
	}{
		"nothing":                    {nil, false},
		"an empty line":              {[]string{""}, false},
		"anything":                   {[]string{"*/*"}, false},
		"any application type":       {[]string{"application/*"}, false},
		"signed":                     {[]string{signed}, true},
		"signed in capitals":         {[]string{"Application/Token-Introspection+JWT"}, true},
		"signed among others":        {[]string{"text/html, " + signed + ";q=0.5"}, true},
		"signed in a second line":    {[]string{"text/html", signed}, true},
		"both":                       {[]string{"application/json, " + signed}, true},
		"JSON, or else signed":       {[]string{"application/json, " + signed + ";q=0.9"}, false},
		"signed, or else JSON":       {[]string{"application/json;q=0.9, " + signed}, true},
		"anything but signed":        {[]string{"*/*, " + signed + ";q=0"}, false},
		"a weight that is no number": {[]string{signed + ";q=much"}, false},
		"a weight that is NaN":       {[]string{signed + ";q=NaN"}, false},
		"a weight above 1":           {[]string{signed + ";q=2"}, false},
		"garbage":                    {[]string{";;,=,\x00"}, false},
		"a type that begins like it": {[]string{signed + "x"}, false},
	} {
		r := &http.Request{Header: http.Header{"Accept": c.accept}}
		if got := dialect.WantsStatement(r); got != c.want {
			t.Errorf("%s: WantsStatement(%q) = %v, want %v", name, c.accept, got, c.want)
		}
	}
}

// TestRFC9701Section5Claims: iss, aud, iat and what the plain answer says, and
// neither sub nor exp beside them.
func TestRFC9701Section5Claims(t *testing.T) {
	active := oauth.Introspection{Scope: "openid", ClientID: "app_a", Subject: "app_a", Expires: 3, IssuedAt: 1, NotBefore: 1, Audience: []string{"customer"}, Issuer: "i", ID: "j", Partner: "prt_p"}
	for name, c := range map[string]struct {
		active bool
		want   string
	}{
		"active":   {true, `{"iss":"https://a","aud":"app_b","iat":7,"token_introspection":{"active":true,"scope":"openid","client_id":"app_a","sub":"app_a","exp":3,"iat":1,"nbf":1,"aud":["customer"],"iss":"i","jti":"j","token_type":"Bearer","partner":"prt_p"}}`},
		"inactive": {false, `{"iss":"https://a","aud":"app_b","iat":7,"token_introspection":{"active":false}}`},
	} {
		got := dialect.Statement("https://a", "app_b", 7, active, c.active)
		var a, b any
		if err := json.Unmarshal(got, &a); err != nil || json.Unmarshal([]byte(c.want), &b) != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, c.want)
		}
	}
}

func FuzzWantsStatement(f *testing.F) {
	f.Add("application/token-introspection+jwt;q=0.5, */*")
	f.Fuzz(func(t *testing.T, line string) {
		r := &http.Request{Header: http.Header{"Accept": {line}}}
		if got := dialect.WantsStatement(r); got && !dialect.WantsStatement(&http.Request{Header: http.Header{"Accept": {line, "text/html"}}}) {
			t.Errorf("%q: another type beside it changes the answer", line)
		}
	})
}
