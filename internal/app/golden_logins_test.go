package app_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/registry"
)

// anyText is what works like a password, at the customer API.
var anyText = regexp.MustCompile(`wg_(login|presigned|masquerade|test)_[0-9A-Za-z]{49}`)

// TestGoldenLogins holds the answers to account users against files.
func TestGoldenLogins(t *testing.T) {
	w := newWorld(t)
	d := w.demo
	g := newGolden(t, "logins")
	over := w.logIn(t, w.mine())
	w.clock.move(8 * 24 * time.Hour)
	mine := w.logIn(t, w.mine())
	another := w.logIn(t, byPassword(w.second(t)))
	key := w.newKey(t, mine.Token)
	look, _, err := w.Registry.Masquerade(t.Context(), registry.By{Means: "test"}, d.CustomerUserID, "ticket 4711")
	if err != nil {
		t.Fatal(err)
	}
	partner := w.token(t, "/token/", form(with(grant, credentials(d.PartnerClientID, d.PartnerClientSecret))...))
	third := w.token(t, "/token/", form(with(grant, credentials(d.ThirdPartyClientID, d.ThirdPartyClientSecret))...))
	m := append(w.masksOf(), mask{d.CustomerPassword, "<customer-password>"}, mask{d.CustomerEmail, "<customer-email>"})
	with := func(token, mutation string) string { return graphQL(token, "mutation { "+mutation+" }") }
	without := func(mutation string) string {
		return post("/v1/graphql/", jsonType, query("mutation { "+mutation+" }"))
	}
	for _, c := range []struct{ name, request string }{
		{"password", w.mine()},
		{"password-wrong", byPassword(d.CustomerEmail, "wrong wrong wrong")}, // 1138
		{"password-and-possible-errors", without(fmt.Sprintf(`obtainKrakenToken(input: {email: %q, password: %q}) { refreshEndsAt possibleErrors { code type message description } }`, d.CustomerEmail, d.CustomerPassword))},
		{"refresh", obtain(`refreshToken: "` + mine.RefreshToken + `"`)},
		{"refresh-expired", obtain(`refreshToken: "` + over.RefreshToken + `"`)}, // 1134
		{"refresh-unknown", obtain(`refreshToken: "x"`)},                         // 1135
		{"key", obtain(`APIKey: "` + key + `"`)},
		{"key-wrong", obtain(`APIKey: "x"`)},                      // 1139
		{"organization", obtain(`organizationSecretKey: "x"`)},    // 11100
		{"presigned-wrong", obtain(`preSignedKey: "x"`)},          // 1129
		{"two-methods", obtain(`APIKey: "x", refreshToken: "x"`)}, // 1605
		{"long-lived-customer", with(mine.Token, `obtainLongLivedRefreshToken(input: {krakenToken: "`+mine.Token+`"}) { refreshToken refreshExpiresIn }`)}, // 1132
		{"long-lived-expired", with(third, `obtainLongLivedRefreshToken(input: {krakenToken: "`+over.Token+`"}) { refreshToken refreshExpiresIn }`)},       // 1120
		{"long-lived-foreign", with(third, `obtainLongLivedRefreshToken(input: {krakenToken: "x"}) { refreshToken refreshExpiresIn }`)},                    // 1121
		{"long-lived-application", with(third, `obtainLongLivedRefreshToken(input: {krakenToken: "`+partner+`"}) { refreshToken refreshExpiresIn }`)},      // 1122
		{"long-lived", with(third, `obtainLongLivedRefreshToken(input: {krakenToken: "`+mine.Token+`"}) { refreshToken refreshExpiresIn }`)},
		{"presign", with(partner, fmt.Sprintf(`generatePreSignedToken(email: %q, numberOfDaysAllowed: 1, scope: VIEW_DETAILED_USAGE) { token errors { field messages } }`, d.CustomerEmail))},
		{"presign-unknown", with(partner, `generatePreSignedToken(email: "nobody@example.com", numberOfDaysAllowed: 1, scope: VIEW_DETAILED_USAGE) { token }`)},                                    // 1131
		{"presign-too-long", with(partner, fmt.Sprintf(`generatePreSignedToken(email: %q, numberOfDaysAllowed: 31, scope: VIEW_DETAILED_USAGE) { token }`, d.CustomerEmail))},                      // 1605
		{"invalidate-foreign", with(another.Token, `invalidateRefreshToken(input: {refreshToken: "`+mine.RefreshToken+`"}) { token { key } }`)},                                                    // 1130
		{"invalidate-all-foreign", with(another.Token, fmt.Sprintf(`invalidateRefreshTokensForUser(input: {email: %q}) { status }`, d.CustomerEmail))},                                             // 1128
		{"invalidate-no-token", without(`invalidateRefreshToken(input: {refreshToken: "x"}) { token { key } }`)},                                                                                   // 1112
		{"masquerade-foreign", without(`masqueradeAuthentication(masqueradeToken: "` + look.Reveal() + `", userId: "` + string(d.OtherCustomerUserID) + `") { token errors { field messages } }`)}, // 1145
		{"masquerade", without(`masqueradeAuthentication(masqueradeToken: "` + look.Reveal() + `", userId: "` + d.CustomerUserID.UUID() + `") { token errors { field messages } }`)},
		{"new-key", with(mine.Token, `regenerateSecretKey { viewer { givenName liveSecretKey } }`)},
		{"invalidate", with(mine.Token, `invalidateRefreshToken(input: {refreshToken: "`+mine.RefreshToken+`"}) { token { key expiryDt } }`)},
		{"reauthenticate", with(another.Token, `forceReauthentication(input: {includeThirdParties: true}) { tokensInvalidated effectiveAt }`)},
		{"reauthenticated", graphQL(another.Token, me)}, // 1111
	} {
		got := m.record(c.request, w.ask(t, c.request))
		g.check(t, c.name+".http", anyText.ReplaceAllString(got, "<wg_$1>"))
	}
	g.check(t, "claims.json", m.claims(t, mine.Token))
	if !t.Failed() {
		g.done(t)
	}
}
