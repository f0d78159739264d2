package app_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/registry"
)

var (
	anyDrawn = regexp.MustCompile(`(wg_[a-z]+_)[0-9A-Za-z]{49}`)
	anyUser  = regexp.MustCompile(`\b[B-Z]{4}-[B-Z]{4}\b`)
	anyValue = regexp.MustCompile(`wattgate=[A-Za-z0-9_-]{43}`)
)

// TestGoldenAuthorize holds the answers that a customer and an application get on
// the way to tokens, whole, against files.
func TestGoldenAuthorize(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{})
	b := w.browser(t)
	challenge := b.begin(t, c.ask)
	b.logIn(t, challenge)
	decision := b.decision(t, challenge)
	// Each of its own, because a decision replaces the one before.
	one, two, three := w.coach(t, registry.NewApplication{Name: "One"}), w.coach(t, registry.NewApplication{Name: "Two"}), w.coach(t, registry.NewApplication{Name: "Three"})
	first := tokens(t, b.post(t, "/oauth2/token", one.redeem(b.code(t, one.ask))))
	kraken := tokens(t, b.post(t, "/token/", two.redeem(b.code(t, two.ask))))
	quiet := tokens(t, b.post(t, "/oauth2/token", three.redeem(b.code(t, values(three.ask, "scope", "query:property")))))
	device := func() string {
		_, rest, _ := strings.Cut(b.post(t, "/device-authorization/", url.Values{"client_id": {string(c.id)}, "client_secret": {c.secret}}).body, `"device_code":"`)
		code, _, _ := strings.Cut(rest, `"`)
		return code
	}()
	home, err := url.Parse(w.urls.Support)
	if err != nil {
		t.Fatal(err)
	}
	cookie := "Cookie: wattgate=" + b.Jar.Cookies(home)[0].Value
	poll := url.Values{"grant_type": {oauth.GrantDeviceCode}, "device_code": {device}, "client_id": {string(c.id)}, "client_secret": {c.secret}}
	ask := func(more ...string) string {
		return request("GET", "/oauth2/authorize?"+values(c.ask, more...).Encode())
	}
	send := func(path string, f url.Values, headers ...string) string {
		return post(path, urlencoded, f.Encode(), headers...)
	}
	bearer := func(token string) string { return request("GET", "/userinfo", "Authorization: Bearer "+token) }
	names := append(w.masksOf(), mask{string(c.id), "<client-id>"}, mask{c.secret, "<client-secret>"}, mask{url.QueryEscape(w.demo.CustomerPassword), "<password>"})
	for _, c := range []coach{one, two} {
		names = append(names, mask{string(c.id), "<client-id>"}, mask{c.secret, "<client-secret>"})
	}
	g := newGolden(t, "authorize")
	for _, x := range []struct{ name, request string }{
		// RFC 6749 §4.1.1, §4.1.2.1
		{"authorize", ask()},
		{"authorize-post", send("/oauth2/authorize", c.ask)},
		{"authorize-refused", ask("scope", "everything")},
		{"authorize-page", ask("redirect_uri", "https://evil.example/")},
		{"authorize-put", request("PUT", "/oauth2/authorize")},
		// RFC 9126
		{"par", send("/oauth2/par", values(c.ask, "client_secret", c.secret))},
		{"par-refused", send("/oauth2/par", values(c.ask, "client_secret", c.secret, "code_challenge_method", "plain"))},
		{"par-no-credentials", send("/oauth2/par", c.ask)},
		// the pages
		{"login", request("GET", "/login?challenge="+challenge)},
		{"login-wrong", send("/login", url.Values{"challenge": {challenge}, "email": {"nobody@example.com"}, "password": {"x"}})},
		{"login-right", send("/login", url.Values{"challenge": {challenge}, "email": {w.demo.CustomerEmail}, "password": {w.demo.CustomerPassword}})},
		{"login-over", request("GET", "/login?challenge=x")},
		{"login-other-site", send("/login", url.Values{"challenge": {challenge}}, "Sec-Fetch-Site: cross-site")},
		{"consent", request("GET", "/consent?challenge="+challenge, cookie)},
		{"consent-nobody", request("GET", "/consent?challenge="+challenge)},
		{"consent-nothing-chosen", send("/consent", values(decision, "supply_point", ""), cookie)},
		{"consent-allow", send("/consent", decision, cookie)},
		{"device-page", request("GET", "/device?user_code=BBBB-CCCC")},
		{"device-wrong", send("/device", url.Values{"user_code": {"BBBB-CCCC"}})},
		// RFC 6749 §5.1, §5.2, §6
		{"token-code-used", send("/oauth2/token", c.redeem("wg_code_"+strings.Repeat("0", 49)))},
		{"token-no-code", send("/oauth2/token", values(c.redeem("x"), "code", ""))},
		{"token-refresh", send("/oauth2/token", one.renew(first["refresh_token"]))},
		{"token-refresh-used", send("/oauth2/token", one.renew(first["refresh_token"]))},
		{"token-refresh-kraken", send("/token/", two.renew(kraken["refresh_token"]))},
		{"token-refresh-kraken-wrong", send("/token/", c.renew("x"))},
		// RFC 8628
		{"device", send("/device-authorization/", url.Values{"client_id": {string(c.id)}, "client_secret": {c.secret}, "scope": {"openid"}})},
		{"device-no-credentials", send("/device-authorization/", url.Values{"client_id": {string(c.id)}})},
		{"device-pending", send("/oauth2/token", poll)},
		{"device-slow-down", send("/oauth2/token", poll)},
		// OpenID Connect Core §5.3
		{"userinfo", bearer(kraken["access_token"])},
		{"userinfo-not-asked", bearer(quiet["access_token"])},
		{"userinfo-revoked", bearer(first["access_token"])},
		{"userinfo-no-token", request("GET", "/userinfo")},
		{"userinfo-partner", bearer(w.token(t, "/oauth2/token", form(with(grant, credentials(w.demo.PartnerClientID, w.demo.PartnerClientSecret), []string{"scope", "openid"})...)))},
	} {
		a := w.ask(t, x.request)
		text := names.record(x.request, a)
		text = anyValue.ReplaceAllString(anyUser.ReplaceAllString(anyDrawn.ReplaceAllString(text, "$1<drawn>"), "<user-code>"), "wattgate=<session>")
		g.check(t, x.name+".http", text)
		for _, secret := range []string{w.demo.CustomerPassword, c.secret} {
			if strings.Contains(a.body, secret) {
				t.Errorf("%s: a secret stands in the answer", x.name)
			}
		}
	}
	g.done(t)
}
