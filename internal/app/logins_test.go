package app_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/app"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

// login is what obtainKrakenToken answers.
type login struct {
	Token, RefreshToken string
	RefreshExpiresIn    int64
	Payload             map[string]any
}

// obtain is the request for a token; input is the inside of the input object.
func obtain(input string) string {
	return post("/v1/graphql/", jsonType, query(`mutation { obtainKrakenToken(input: {`+input+`}) { token payload refreshToken refreshExpiresIn } }`))
}

func byPassword(email, password string) string {
	return obtain(fmt.Sprintf(`email: %q, password: %q`, email, password))
}

// mine is the request of the demo's customer.
func (w *world) mine() string { return byPassword(w.demo.CustomerEmail, w.demo.CustomerPassword) }

// logIn demands a token.
func (w *world) logIn(t testing.TB, request string) login {
	t.Helper()
	a := w.ask(t, request)
	var body struct {
		Data struct{ ObtainKrakenToken *login }
	}
	if err := json.Unmarshal([]byte(a.body), &body); err != nil || body.Data.ObtainKrakenToken == nil {
		t.Fatalf("got %d %s, want a token", a.status, a.body)
	}
	return *body.Data.ObtainKrakenToken
}

// code returns the code of the first error of a GraphQL answer; none is "".
func code(t testing.TB, a answer) string {
	t.Helper()
	var body struct {
		Errors []struct{ Extensions struct{ ErrorCode string } }
	}
	if err := json.Unmarshal([]byte(a.body), &body); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	if len(body.Errors) == 0 {
		return ""
	}
	return body.Errors[0].Extensions.ErrorCode
}

// answers asks a request and demands the code of its first error.
func (w *world) answers(t testing.TB, what, request, want string) answer {
	t.Helper()
	a := w.ask(t, request)
	if got := code(t, a); got != want {
		t.Errorf("%s: got the code %q in %s, want %q", what, got, a.body, want)
	}
	return a
}

const me = `{ me { firstName } }`

// TestAccountUsersLogIn: what the token says, how long it and its refresh token
// are good for, and that this does not move.
func TestAccountUsersLogIn(t *testing.T) {
	w := newWorld(t)
	first := w.logIn(t, w.mine())
	for claim, want := range map[string]any{
		"iss": w.urls.Customer + "/v1/graphql/", "sub": string(w.demo.CustomerUserID), "gty": "EMAIL-AND-PASSWORD", "tokenUse": "access",
		"iat": float64(noon.Unix()), "origIat": float64(noon.Unix()), "exp": float64(noon.Unix() + 3600), "partner": string(w.demo.Partner),
	} {
		if got := first.Payload[claim]; got != want {
			t.Errorf("%s: got %v, want %v", claim, got, want)
		}
	}
	if fmt.Sprint(first.Payload["aud"]) != "[customer]" || first.Payload["client_id"] != nil || first.Payload["email"] != nil {
		t.Errorf("the token says %v, want the customer's API alone, no application and no address", first.Payload)
	}
	if want := noon.Add(7 * 24 * time.Hour).Unix(); first.RefreshExpiresIn != want {
		t.Errorf("the refresh token expires at %d, want %d", first.RefreshExpiresIn, want)
	}
	w.answers(t, "the token", graphQL(first.Token, me), "")
	if a := w.ask(t, graphQL(first.Token, `{ property(id: "`+string(w.demo.PropertyID)+`") { address measurements(first: 1) { totalCount } } }`)); code(t, a) != "" || !strings.Contains(a.body, "Zonnelaan") {
		t.Errorf("one's own property: got %s", a.body)
	}

	w.clock.move(time.Hour - time.Second)
	w.answers(t, "the token in its last second", graphQL(first.Token, me), "")
	w.clock.move(time.Second)
	w.answers(t, "the token after an hour", graphQL(first.Token, me), "KT-CT-1124")
	renew := obtain(`refreshToken: "` + first.RefreshToken + `"`)
	again := w.logIn(t, renew)
	if again.RefreshToken != first.RefreshToken || again.RefreshExpiresIn != first.RefreshExpiresIn || again.Payload["origIat"] != first.Payload["origIat"] {
		t.Errorf("a renewal has moved something: %v, was %v", again, first)
	}
	w.answers(t, "the new token", graphQL(again.Token, me), "")

	w.clock.move(7*24*time.Hour - time.Hour - time.Second)
	last := w.logIn(t, renew)
	if got, want := last.Payload["exp"], float64(first.RefreshExpiresIn); got != want {
		t.Errorf("the last token is good until %v, want the refresh token's end %v", got, want)
	}
	w.clock.move(time.Second)
	w.answers(t, "the refresh token after seven days", renew, "KT-CT-1134")
	w.clock.move(15 * 24 * time.Hour)
	w.answers(t, "the refresh token later", renew, "KT-CT-1134")
}

// TestWrongCredentialsAreOneAnswer: whoever is not a customer with that password
// gets the same bytes.
func TestWrongCredentialsAreOneAnswer(t *testing.T) {
	w := newWorld(t)
	d := w.demo
	twin := domain.User{Partner: d.OtherPartner, Customer: true, Email: d.CustomerEmail, FirstName: "Ada", Surname: "Twin"}
	want := ""
	for name, request := range map[string]string{
		"a wrong password":                   byPassword(d.CustomerEmail, "wrong wrong wrong"),
		"nobody's address":                   byPassword("nobody@example.com", d.CustomerPassword),
		"staff":                              byPassword(d.OAuthManagerEmail, d.OAuthManagerPassword),
		"the customer at another partner":    obtain(fmt.Sprintf(`email: %q, password: %q, partnerId: %q`, d.CustomerEmail, d.CustomerPassword, d.OtherPartner)),
		"the customer at a partner unknown":  obtain(fmt.Sprintf(`email: %q, password: %q, partnerId: "x"`, d.CustomerEmail, d.CustomerPassword)),
		"an empty password":                  byPassword(d.CustomerEmail, ""),
		"an empty address":                   byPassword("", ""),
		"an application's id and its secret": byPassword(string(d.PartnerClientID), d.PartnerClientSecret),
	} {
		a := w.answers(t, name, request, "KT-CT-1138")
		if want == "" {
			want = a.body
		}
		if a.body != want {
			t.Errorf("%s: got %s, want the bytes of the others: %s", name, a.body, want)
		}
	}
	if !strings.Contains(want, `"message":"Please make sure the credentials are correct."`) || !strings.Contains(want, `"errorType":"VALIDATION"`) {
		t.Errorf("got %s, want the dialect's own words", want)
	}
	w.clock.move(time.Hour) // what was counted is forgotten
	if _, _, err := w.Registry.AddUser(t.Context(), registry.By{Means: "test"}, twin, registry.Password{Text: domain.NewSecret("another good password"), Drawn: true}); err != nil {
		t.Fatal(err)
	}
	w.answers(t, "an address of two partners' customers", w.mine(), "KT-CT-1138")
	w.logIn(t, obtain(fmt.Sprintf(`email: %q, password: %q, partnerId: %q`, d.CustomerEmail, d.CustomerPassword, d.Partner)))
}

// TestGuessingIsThrottled: by account and address together, as on the log-in page.
func TestGuessingIsThrottled(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		w.answers(t, fmt.Sprintf("guess %d", i+1), byPassword(w.demo.CustomerEmail, "wrong wrong wrong"), "KT-CT-1138")
	}
	w.answers(t, "one guess more", byPassword(w.demo.CustomerEmail, "wrong wrong wrong"), "KT-CT-1199")
	w.answers(t, "the right password then", w.mine(), "KT-CT-1199")
	w.clock.move(2 * time.Minute)
	w.logIn(t, w.mine())
	for i := range 21 { // texts that nobody can guess cost little, and are bounded by the address
		want := "KT-CT-1139"
		if i == 20 {
			want = "KT-CT-1199"
		}
		w.answers(t, fmt.Sprintf("key %d", i+1), obtain(`APIKey: "x"`), want)
	}
}

// TestExactlyOneMethod: what is no way to prove who one is, is said so, and what
// belongs into another field opens nothing.
func TestExactlyOneMethod(t *testing.T) {
	w := newWorld(t)
	d := w.demo
	mine := w.logIn(t, w.mine())
	key := w.newKey(t, mine.Token)
	for name, c := range map[string]struct{ input, code, path string }{
		"nothing":                         {"", "KT-CT-1605", `["input"]`},
		"an address alone":                {`email: "a@example.com"`, "KT-CT-1605", `["input"]`},
		"two methods":                     {`APIKey: "` + key + `", refreshToken: "` + mine.RefreshToken + `"`, "KT-CT-1605", `["input"]`},
		"a password and a key":            {`email: "a", password: "b", APIKey: "` + key + `"`, "KT-CT-1605", `["input"]`},
		"an organisation's key":           {`organizationSecretKey: "` + d.PartnerClientSecret + `"`, "KT-CT-11100", `["input","organizationSecretKey"]`},
		"a wrong key":                     {`APIKey: "` + key[:len(key)-1] + `"`, "KT-CT-1139", `["input","apiKey"]`},
		"an application's secret as key":  {`APIKey: "` + d.PartnerClientSecret + `"`, "KT-CT-1139", `["input","apiKey"]`},
		"a refresh token as key":          {`APIKey: "` + mine.RefreshToken + `"`, "KT-CT-1139", `["input","apiKey"]`},
		"a key as refresh token":          {`refreshToken: "` + key + `"`, "KT-CT-1135", `["input","refreshToken"]`},
		"an access token as refresh":      {`refreshToken: "` + mine.Token + `"`, "KT-CT-1135", `["input","refreshToken"]`},
		"a key as pre-signed":             {`preSignedKey: "` + key + `"`, "KT-CT-1129", ""},
		"a refresh token as pre-signed":   {`preSignedKey: "` + mine.RefreshToken + `"`, "KT-CT-1129", ""},
		"a key as password":               {fmt.Sprintf(`email: %q, password: %q`, d.CustomerEmail, key), "KT-CT-1138", `[]`},
		"a refresh token that never was":  {`refreshToken: "wg_login_0"`, "KT-CT-1135", `["input","refreshToken"]`},
		"null for everything that is not": {`APIKey: null, email: null, refreshToken: "x"`, "KT-CT-1135", `["input","refreshToken"]`},
	} {
		a := w.answers(t, name, obtain(c.input), c.code)
		if c.path != "" && !strings.Contains(a.body, `"inputPath":`+c.path) {
			t.Errorf("%s: got %s, want the path %s", name, a.body, c.path)
		}
	}
	if got := w.logIn(t, obtain(`APIKey: "`+key+`"`)); got.Payload["gty"] != "API-KEY" {
		t.Errorf("by key: got %v", got.Payload)
	}
}

// newKey makes a live secret key.
func (w *world) newKey(t testing.TB, token string) string {
	t.Helper()
	a := w.ask(t, graphQL(token, `mutation { regenerateSecretKey { viewer { liveSecretKey } } }`))
	_, rest, _ := strings.Cut(a.body, `"liveSecretKey":"`)
	key, _, ok := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("no key in %s", a.body)
	}
	return key
}

// TestALogInIsNoPartnerToken: nothing but the customer API takes it, nobody acts
// with it, and nobody is told about it.
func TestALogInIsNoPartnerToken(t *testing.T) {
	w := newWorld(t)
	d := w.demo
	mine := w.logIn(t, w.mine())
	credentials := form("client_id", string(d.PartnerClientID), "client_secret", d.PartnerClientSecret)
	partner := w.token(t, "/oauth2/token", "grant_type=client_credentials&"+credentials)
	bearer := "Authorization: Bearer " + mine.Token
	for name, c := range map[string]struct {
		request string
		status  int
	}{
		"impersonating with it":      {request("GET", "/v1/auth/impersonate?user_id="+string(d.CustomerUserID), bearer), 401},
		"as actor_token":             {post("/oauth2/token", urlencoded, form(exchange(d.CustomerUserID, mine.Token, "client_id", string(d.PartnerClientID), "client_secret", d.PartnerClientSecret)...)), 400},
		"its refresh token there":    {post("/oauth2/token", urlencoded, "grant_type=refresh_token&refresh_token="+mine.RefreshToken+"&"+credentials), 400},
		"as a client's secret":       {post("/token/", urlencoded, form("grant_type", "client_credentials", "client_id", string(d.PartnerClientID), "client_secret", mine.RefreshToken)), 401},
		"as an assertion":            {post("/oauth2/token", urlencoded, form("grant_type", "client_credentials", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", mine.Token)), 401},
		"at userinfo":                {request("GET", "/userinfo", bearer), 403},
		"submitting measurements":    {post("/v1/measurements", "application/x-ndjson", "{}", bearer, "Idempotency-Key: x"), 401},
		"revoking it as the partner": {post("/oauth2/revoke", urlencoded, "token="+mine.Token+"&"+credentials), 200}, // none of its own
	} {
		if a := w.ask(t, c.request); a.status != c.status || strings.Contains(a.body, "access_token") {
			t.Errorf("%s: got %d %s, want %d", name, a.status, a.body, c.status)
		}
	}
	if a := w.ask(t, post("/oauth2/introspect", urlencoded, "token="+mine.Token+"&"+credentials)); a.body != `{"active":false}` {
		t.Errorf("introspection: got %s", a.body)
	}
	w.answers(t, "after all that", graphQL(mine.Token, me), "")
	w.answers(t, "who has no user logs nobody out", graphQL(partner, `mutation { forceReauthentication(input: {includeThirdParties: true}) { tokensInvalidated } }`), "KT-CT-1111")
	w.answers(t, "another's property", graphQL(mine.Token, `{ property(id: "`+string(d.OtherPropertyID)+`") { id } }`), "KT-CT-6622")

	// Who acts as the customer gets nothing that lasts.
	acting := access(t, w.ask(t, request("GET", "/v1/auth/impersonate?user_id="+string(d.CustomerUserID), "Authorization: "+partner)))
	for name, mutation := range map[string]string{
		"a key":            `mutation { regenerateSecretKey { viewer { liveSecretKey } } }`,
		"a forced log-in":  `mutation { forceReauthentication(input: {includeThirdParties: true}) { tokensInvalidated } }`,
		"a long-lived one": `mutation { obtainLongLivedRefreshToken(input: {krakenToken: "` + mine.Token + `"}) { refreshToken } }`,
	} {
		if got := code(t, w.ask(t, graphQL(acting, mutation))); got != "KT-CT-1111" && got != "KT-CT-1132" {
			t.Errorf("%s for who acts as the customer: got %q", name, got)
		}
	}
	w.answers(t, "the customer's refresh token, by who acts as them", graphQL(acting, `mutation { invalidateRefreshToken(input: {refreshToken: "`+mine.RefreshToken+`"}) { token { key } } }`), "KT-CT-1130")
	w.answers(t, "the customer goes on", graphQL(mine.Token, me), "")
}

// second is the other customer of the demo's first partner, with a password.
func (w *world) second(t testing.TB) (email, password string) {
	t.Helper()
	p := registry.Password{Text: domain.NewSecret("second good password"), Drawn: true}
	u := domain.User{Partner: w.demo.Partner, Customer: true, Email: "third@noordstroom.example", FirstName: "Cor", Surname: "Derde"}
	if _, _, err := w.Registry.AddUser(t.Context(), registry.By{Means: "test"}, u, p); err != nil {
		t.Fatal(err)
	}
	return u.Email, p.Text.Reveal()
}

// TestEndingLogIns: each ends by whom it belongs to, at once and whole, and what
// is another's is answered like what nobody has.
func TestEndingLogIns(t *testing.T) {
	w := newWorld(t)
	one, two := w.logIn(t, w.mine()), w.logIn(t, w.mine())
	other := w.logIn(t, byPassword(w.second(t)))
	end := func(token, refresh string) string {
		return graphQL(token, `mutation { invalidateRefreshToken(input: {refreshToken: "`+refresh+`"}) { token { key expiryDt } possibleErrors { code } } }`)
	}
	foreign := w.answers(t, "another's refresh token", end(other.Token, one.RefreshToken), "KT-CT-1130")
	unknown := w.answers(t, "one that nobody has", end(other.Token, "wg_login_"+strings.Repeat("0", 49)), "KT-CT-1130")
	if foreign.body != unknown.body {
		t.Errorf("got %s for another's and %s for one that nobody has", foreign.body, unknown.body)
	}
	w.answers(t, "without a token", post("/v1/graphql/", jsonType, query(`mutation { invalidateRefreshToken(input: {refreshToken: "x"}) { token { key } } }`)), "KT-CT-1112")
	w.answers(t, "one's own", end(two.Token, one.RefreshToken), "")
	w.answers(t, "its access token", graphQL(one.Token, me), "KT-CT-1111")
	w.answers(t, "its refresh token", obtain(`refreshToken: "`+one.RefreshToken+`"`), "KT-CT-1135")
	w.answers(t, "the other log-in", graphQL(two.Token, me), "")
	w.answers(t, "one's own again", end(two.Token, one.RefreshToken), "")

	all := func(token, email string) string {
		return graphQL(token, `mutation { invalidateRefreshTokensForUser(input: {email: "`+email+`"}) { status } }`)
	}
	foreign = w.answers(t, "all of another user", all(other.Token, w.demo.CustomerEmail), "KT-CT-1128")
	unknown = w.answers(t, "all of nobody", all(other.Token, "nobody@example.com"), "KT-CT-1128")
	if foreign.body != unknown.body {
		t.Errorf("got %s for another user and %s for nobody", foreign.body, unknown.body)
	}
	w.answers(t, "all of one's own", all(two.Token, w.demo.CustomerEmail), "")
	w.answers(t, "then", graphQL(two.Token, me), "KT-CT-1111")
	w.answers(t, "the neighbour", graphQL(other.Token, me), "")
	partner := w.token(t, "/token/", form("grant_type", "client_credentials", "client_id", string(w.demo.OtherPartnerClientID), "client_secret", w.demo.OtherPartnerSecret))
	w.answers(t, "another partner's application", all(partner, "third@noordstroom.example"), "KT-CT-1128")
	partner = w.token(t, "/token/", form("grant_type", "client_credentials", "client_id", string(w.demo.PartnerClientID), "client_secret", w.demo.PartnerClientSecret))
	w.answers(t, "the partner's", all(partner, "third@noordstroom.example"), "")
	w.answers(t, "the neighbour then", graphQL(other.Token, me), "KT-CT-1111")
}

// TestForcedReauthentication ends what was asked to end, and can be asked for so
// often only.
func TestForcedReauthentication(t *testing.T) {
	w := newWorld(t)
	d := w.demo
	partner := w.token(t, "/token/", form("grant_type", "client_credentials", "client_id", string(d.PartnerClientID), "client_secret", d.PartnerClientSecret))
	act := request("GET", "/v1/auth/impersonate?user_id="+string(d.CustomerUserID), "Authorization: "+partner)
	acting := access(t, w.ask(t, act))
	force := func(token string, all bool) string {
		return graphQL(token, fmt.Sprintf(`mutation { forceReauthentication(input: {includeThirdParties: %t}) { tokensInvalidated effectiveAt } }`, all))
	}
	one, two := w.logIn(t, w.mine()), w.logIn(t, w.mine())
	a := w.answers(t, "one's own", force(one.Token, false), "")
	if want := `{"data":{"forceReauthentication":{"tokensInvalidated":true,"effectiveAt":"2026-03-02T12:00:00+00:00"}}}`; a.body != want {
		t.Errorf("got %s, want %s", a.body, want)
	}
	for name, l := range map[string]login{"the token that asked": one, "the other log-in": two} {
		w.answers(t, name, graphQL(l.Token, me), "KT-CT-1111")
		w.answers(t, name+", renewed", obtain(`refreshToken: "`+l.RefreshToken+`"`), "KT-CT-1135")
	}
	w.answers(t, "who acts as the customer", graphQL(acting, me), "")
	for range 3 {
		w.answers(t, "everything", force(w.logIn(t, w.mine()).Token, true), "")
		w.answers(t, "who acted as the customer", graphQL(acting, me), "KT-CT-1111")
		acting = access(t, w.ask(t, act))
		w.answers(t, "who acts from now on", graphQL(acting, me), "")
	}
	w.answers(t, "everything, too often", force(w.logIn(t, w.mine()).Token, true), "KT-CT-1199")
}

// TestALogInEndsWithWhatItDependsOn: the user, the partner, the password.
func TestALogInEndsWithWhatItDependsOn(t *testing.T) {
	w := newWorld(t)
	by := registry.By{Means: "test"}
	for name, c := range map[string]struct {
		end, undo func() error
		still     bool // the password is right all the same
	}{
		"the user is disabled": {
			func() error { return w.Registry.DisableUser(t.Context(), by, w.demo.CustomerUserID, true) },
			func() error { return w.Registry.DisableUser(t.Context(), by, w.demo.CustomerUserID, false) }, false,
		},
		"the partner is disabled": {
			func() error { return w.Registry.DisablePartner(t.Context(), by, w.demo.Partner, true) },
			func() error { return w.Registry.DisablePartner(t.Context(), by, w.demo.Partner, false) }, false,
		},
		"the password is another": {
			func() error {
				return w.Registry.SetPassword(t.Context(), by, w.demo.CustomerUserID, registry.Password{Text: domain.NewSecret("a new good password"), Drawn: true})
			},
			func() error {
				return w.Registry.SetPassword(t.Context(), by, w.demo.CustomerUserID, registry.Password{Text: domain.NewSecret(w.demo.CustomerPassword), Drawn: true})
			}, false,
		},
	} {
		w.clock.move(time.Hour) // what was counted is forgotten
		mine := w.logIn(t, w.mine())
		key := w.newKey(t, mine.Token)
		if err := c.end(); err != nil {
			t.Fatal(err)
		}
		w.answers(t, name+": the token", graphQL(mine.Token, me), "KT-CT-1111")
		w.answers(t, name+": the refresh token", obtain(`refreshToken: "`+mine.RefreshToken+`"`), "KT-CT-1135")
		w.answers(t, name+": the key", obtain(`APIKey: "`+key+`"`), "KT-CT-1139")
		w.answers(t, name+": the password", w.mine(), "KT-CT-1138")
		if err := c.undo(); err != nil {
			t.Fatal(err)
		}
		w.answers(t, name+", and not any more: the token", graphQL(mine.Token, me), "KT-CT-1111")
		w.answers(t, name+", and not any more: the refresh token", obtain(`refreshToken: "`+mine.RefreshToken+`"`), "KT-CT-1135")
		w.logIn(t, w.mine())
	}
}

// TestKeys: a new key ends the old one with what it has brought, and only the
// password brings one.
func TestKeys(t *testing.T) {
	w := newWorld(t)
	mine := w.logIn(t, w.mine())
	key := w.newKey(t, mine.Token)
	brought := w.logIn(t, obtain(`APIKey: "`+key+`"`))
	w.answers(t, "a key by a key", graphQL(brought.Token, `mutation { regenerateSecretKey { viewer { liveSecretKey } } }`), "KT-CT-1111")
	next := w.newKey(t, mine.Token)
	w.answers(t, "the key before", obtain(`APIKey: "`+key+`"`), "KT-CT-1139")
	w.answers(t, "what it has brought", graphQL(brought.Token, me), "KT-CT-1111")
	w.answers(t, "the log-in that made it", graphQL(mine.Token, me), "")
	w.logIn(t, obtain(`APIKey: "`+next+`"`))
	if a := w.ask(t, graphQL(mine.Token, `{ viewer { liveSecretKey } }`)); strings.Contains(a.body, "wg_test_") || code(t, a) != "" {
		t.Errorf("the key is shown again: %s", a.body)
	}
}

// TestStaffLookOn: once, by who may, for a reason, for an hour, changing nothing.
func TestStaffLookOn(t *testing.T) {
	w := newWorld(t)
	d := w.demo
	for name, c := range map[string]struct {
		who    domain.UserID
		whom   domain.UserID
		reason string
	}{
		"without a reason":                 {d.SupportUserID, d.CustomerUserID, " "},
		"with a reason that hides":         {d.SupportUserID, d.CustomerUserID, "a\u202eb"},
		"at another partner's customer":    {d.SupportUserID, d.OtherCustomerUserID, "curious"},
		"by a customer":                    {d.CustomerUserID, d.CustomerUserID, "curious"},
		"at a member of staff":             {d.SupportUserID, d.SupportUserID, "curious"},
		"at nobody":                        {d.SupportUserID, "usr_00000000000000000000000000000000", "curious"},
		"by somebody who does not exist":   {"usr_00000000000000000000000000000000", d.CustomerUserID, "curious"},
		"with a reason that is a novel":    {d.SupportUserID, d.CustomerUserID, strings.Repeat("x", 201)},
		"by staff without SUPPORT_VIEWER ": {w.user(t, domain.User{Staff: true, Email: "engineer2@noordstroom.example", Permissions: 1 << domain.APIEngineer}), d.CustomerUserID, "curious"},
	} {
		if text, _, err := w.Registry.Masquerade(t.Context(), registry.By{User: c.who, Means: "SUPPORT_VIEWER"}, c.whom, c.reason); err == nil {
			t.Errorf("a look %s: got %v, want a refusal", name, text)
		}
	}
	look := func(text, user string) string {
		return post("/v1/graphql/", jsonType, query(`mutation { masqueradeAuthentication(masqueradeToken: "`+text+`", userId: "`+user+`") { token errors { field messages } } }`))
	}
	issue := func() string {
		text, until, err := w.Registry.Masquerade(t.Context(), registry.By{User: d.SupportUserID, Means: "SUPPORT_VIEWER"}, d.CustomerUserID, "ticket 4711")
		if err != nil || !until.Equal(w.clock.now().Add(time.Hour)) {
			t.Fatal(until, err)
		}
		return text.Reveal()
	}
	taken := func(text string) string {
		a := w.answers(t, "a look", look(text, d.CustomerUserID.UUID()), "")
		_, rest, _ := strings.Cut(a.body, `"token":"`)
		token, _, _ := strings.Cut(rest, `"`)
		return token
	}
	text := issue()
	foreign := w.answers(t, "a look at somebody else", look(text, string(d.OtherCustomerUserID)), "KT-CT-1145")
	unknown := w.answers(t, "a look by nothing", look("wg_masquerade_x", string(d.CustomerUserID)), "KT-CT-1145")
	if foreign.body != unknown.body {
		t.Errorf("got %s for somebody else and %s for nothing", foreign.body, unknown.body)
	}
	w.clock.move(20 * time.Minute)
	token := taken(text)
	w.answers(t, "a second look", look(text, string(d.CustomerUserID)), "KT-CT-1145")
	w.answers(t, "what is seen", graphQL(token, me), "")
	if got := w.masksOf().claims(t, token); !strings.Contains(got, `"gty": "MASQUERADE"`) || !strings.Contains(got, `"sub": "<support-user-id>"`) {
		t.Errorf("the token says %s, want who looks", got)
	}
	for name, mutation := range map[string]string{
		"ends log-ins":    `mutation { forceReauthentication(input: {includeThirdParties: false}) { tokensInvalidated } }`,
		"gets a key":      `mutation { regenerateSecretKey { viewer { liveSecretKey } } }`,
		"logs in by that": `mutation { obtainKrakenToken(input: {refreshToken: "x"}) { token } }`,
	} {
		w.answers(t, "who looks "+name, graphQL(token, mutation), "KT-CT-1111")
	}
	if a := w.ask(t, request("DELETE", "/v1/consents/con_2222222222222222", "Authorization: "+token)); a.status != 403 {
		t.Errorf("who looks ends a consent: got %d %s", a.status, a.body)
	}
	w.clock.move(40*time.Minute - time.Second)
	w.answers(t, "in the last second", graphQL(token, me), "")
	w.clock.move(time.Second)
	w.answers(t, "an hour after it was issued", graphQL(token, me), "KT-CT-1124")

	token = taken(issue())
	mine := w.logIn(t, w.mine())
	w.answers(t, "the customer", graphQL(mine.Token, `mutation { forceReauthentication(input: {includeThirdParties: false}) { tokensInvalidated } }`), "")
	w.answers(t, "a look that the customer has ended", graphQL(token, me), "KT-CT-1111")
	token, text = taken(issue()), issue()
	if err := w.Registry.DisableUser(t.Context(), registry.By{Means: "test"}, d.SupportUserID, true); err != nil {
		t.Fatal(err)
	}
	w.answers(t, "a look of who was disabled", graphQL(token, me), "KT-CT-1111")
	w.answers(t, "another look of theirs", look(text, string(d.CustomerUserID)), "KT-CT-1145")
	admin, err := app.Dial(w.Config, nil)
	if err != nil {
		t.Fatal(err)
	}
	var shown app.Masquerade
	if err := admin.Do(t.Context(), "user.masquerade", app.MasqueradeAs{ID: d.CustomerEmail, Reason: "the operator's"}, &shown); err != nil || shown.User != d.CustomerUserID {
		t.Fatal(shown, err)
	}
	w.answers(t, "the operator's", graphQL(taken(shown.Token), me), "")
}

// TestThirdPartiesAndPreSigned: what an application gets for a customer never
// holds more than either, and stays with its partner.
func TestThirdPartiesAndPreSigned(t *testing.T) {
	w := newWorld(t)
	d := w.demo
	client := func(id domain.ClientID, secret string) string {
		return w.token(t, "/token/", form("grant_type", "client_credentials", "client_id", string(id), "client_secret", secret))
	}
	partner, other, third := client(d.PartnerClientID, d.PartnerClientSecret), client(d.OtherPartnerClientID, d.OtherPartnerSecret), client(d.ThirdPartyClientID, d.ThirdPartyClientSecret)
	mine := w.logIn(t, w.mine())
	extend := func(token, kraken string) string {
		return graphQL(token, `mutation { obtainLongLivedRefreshToken(input: {krakenToken: "`+kraken+`"}) { refreshToken refreshExpiresIn } }`)
	}
	w.answers(t, "a customer", extend(mine.Token, mine.Token), "KT-CT-1132")
	w.answers(t, "another partner", extend(other, mine.Token), "KT-CT-1121")
	w.answers(t, "nothing", extend(third, "x"), "KT-CT-1121")
	w.answers(t, "an application's token", extend(third, partner), "KT-CT-1122")
	a := w.answers(t, "a third party", extend(third, mine.Token), "")
	_, rest, _ := strings.Cut(a.body, `"refreshToken":"`)
	long, _, _ := strings.Cut(rest, `"`)
	w.clock.move(2 * time.Hour)
	w.answers(t, "a token that is over", extend(client(d.ThirdPartyClientID, d.ThirdPartyClientSecret), mine.Token), "KT-CT-1120")
	w.clock.move(100 * 24 * time.Hour)
	theirs := w.logIn(t, obtain(`refreshToken: "`+long+`"`))
	if theirs.Payload["client_id"] != string(d.ThirdPartyClientID) || fmt.Sprint(theirs.Payload["perm"]) != "[CAN_QUERY_PROPERTY CAN_VIEW_DETAILED_USAGE]" {
		t.Errorf("the third party's token says %v", theirs.Payload)
	}
	w.answers(t, "a name for the third party", graphQL(theirs.Token, me), "KT-CT-1111")
	w.answers(t, "a property for it", graphQL(theirs.Token, `{ property(id: "`+string(d.PropertyID)+`") { id measurements(first: 1) { totalCount } } }`), "")
	w.answers(t, "another's for it", graphQL(theirs.Token, `{ property(id: "`+string(d.OtherPropertyID)+`") { id } }`), "KT-CT-6622")
	next := w.logIn(t, obtain(`refreshToken: "`+long+`"`))
	if a := w.ask(t, post("/oauth2/revoke", urlencoded, form("token", next.Token, "client_id", string(d.ThirdPartyClientID), "client_secret", d.ThirdPartyClientSecret))); a.status != 200 {
		t.Errorf("revoking: got %d %s", a.status, a.body)
	}
	w.answers(t, "one that the third party has revoked", graphQL(next.Token, `{ properties(accountNumber: "x") { id } }`), "KT-CT-1111")
	w.answers(t, "another of the same log-in", graphQL(theirs.Token, `{ property(id: "`+string(d.PropertyID)+`") { id } }`), "")
	w.change(t, d.ThirdPartyClientID, func(a *domain.Application) { a.Disabled = true })
	w.answers(t, "with the application disabled", graphQL(theirs.Token, `{ properties(accountNumber: "x") { id } }`), "KT-CT-1111")
	w.answers(t, "and its refresh token", obtain(`refreshToken: "`+long+`"`), "KT-CT-1135")

	presign := func(token, email string, days int, scope string) string {
		return graphQL(token, fmt.Sprintf(`mutation { generatePreSignedToken(email: %q, numberOfDaysAllowed: %d, scope: %s) { token } }`, email, days, scope))
	}
	partner, mine = client(d.PartnerClientID, d.PartnerClientSecret), w.logIn(t, w.mine())
	w.answers(t, "by a customer", presign(mine.Token, d.CustomerEmail, 1, "VIEW_DETAILED_USAGE"), "KT-CT-1111")
	foreign := w.answers(t, "for another partner's customer", presign(partner, "customer@zuiderlicht.example", 1, "VIEW_DETAILED_USAGE"), "KT-CT-1131")
	unknown := w.answers(t, "for nobody", presign(partner, "nobody@example.com", 1, "VIEW_DETAILED_USAGE"), "KT-CT-1131")
	if foreign.body != unknown.body {
		t.Errorf("got %s for another partner's customer and %s for nobody", foreign.body, unknown.body)
	}
	for _, days := range []int{0, -1, 31, 1 << 30} {
		w.answers(t, fmt.Sprint(days, " days"), presign(partner, d.CustomerEmail, days, "VIEW_DETAILED_USAGE"), "KT-CT-1605")
	}
	a = w.answers(t, "for the customer", presign(partner, d.CustomerEmail, 2, "VIEW_ACCOUNT_NUMBER"), "")
	_, rest, _ = strings.Cut(a.body, `"token":"`)
	key, _, _ := strings.Cut(rest, `"`)
	short := w.logIn(t, obtain(`preSignedKey: "`+key+`"`))
	if want := w.clock.now().Add(48 * time.Hour).Unix(); short.RefreshExpiresIn != want || fmt.Sprint(short.Payload["perm"]) != "[CAN_QUERY_PROPERTY]" {
		t.Errorf("got %v until %d, want %d", short.Payload, short.RefreshExpiresIn, want)
	}
	w.answers(t, "measurements with it", graphQL(short.Token, `{ property(id: "`+string(d.PropertyID)+`") { measurements(first: 1) { totalCount } } }`), "KT-CT-1111")
	if a := w.ask(t, request("GET", "/v1/consents", "Authorization: "+short.Token)); a.status != 200 || strings.Contains(a.body, "con_") {
		t.Errorf("the customer's consents with it: got %d %s", a.status, a.body)
	}
	invalidate := post("/v1/graphql/", jsonType, query(`mutation { invalidatePreSignedToken(input: {token: "`+key+`"}) { status } }`))
	w.answers(t, "its end", invalidate, "")
	w.answers(t, "its end again", invalidate, "KT-CT-1129")
	w.answers(t, "what it has brought", graphQL(short.Token, `{ properties(accountNumber: "x") { id } }`), "KT-CT-1111")
	w.answers(t, "the token itself", obtain(`preSignedKey: "`+key+`"`), "KT-CT-1129")
	a = w.answers(t, "one more", presign(partner, d.CustomerEmail, 30, "UPDATE_ACCOUNT_DETAILS"), "")
	_, rest, _ = strings.Cut(a.body, `"token":"`)
	key, _, _ = strings.Cut(rest, `"`)
	w.answers(t, "all of another partner's", graphQL(other, `mutation { invalidatePreSignedTokensForUser(input: {email: "`+d.CustomerEmail+`"}) { status } }`), "KT-CT-1124")
	w.answers(t, "all of one's own", graphQL(mine.Token, `mutation { invalidatePreSignedTokensForUser(input: {email: "`+d.CustomerEmail+`"}) { status } }`), "")
	w.answers(t, "the token then", obtain(`preSignedKey: "`+key+`"`), "KT-CT-1129")
}

// TestNoSecretOfALogInIsKept: not in the log, not in the audit log, not in the
// database's files.
func TestNoSecretOfALogInIsKept(t *testing.T) {
	w := newWorld(t)
	mine := w.logIn(t, w.mine())
	key := w.newKey(t, mine.Token)
	w.logIn(t, obtain(`APIKey: "`+key+`"`))
	w.answers(t, "a wrong password", byPassword(w.demo.CustomerEmail, "marked wrong password"), "KT-CT-1138")
	w.answers(t, "a wrong key", obtain(`APIKey: "marked wrong key"`), "KT-CT-1139")
	w.ask(t, request("GET", "/v1/graphql/?"+url.Values{"query": {`mutation { obtainKrakenToken(input: {APIKey: "` + key + `"}) { token } }`}}.Encode()))
	text, _, err := w.Registry.Masquerade(t.Context(), registry.By{Means: "command line"}, w.demo.CustomerUserID, "ticket 4711")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := w.Engine().Entries(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	actions := []string{}
	for _, e := range entries {
		actions = append(actions, e.Action)
	}
	for _, action := range []string{"user.login", "user.key", "user.masquerade"} {
		if !slices.Contains(actions, action) {
			t.Errorf("the audit log has no entry %s: %q", action, actions)
		}
	}
	w.end()
	kept := w.dump(t) + w.log.String() + fmt.Sprint(entries)
	for name, secret := range map[string]string{
		"the password": w.demo.CustomerPassword, "the token": mine.Token, "its signature": mine.Token[strings.LastIndex(mine.Token, ".")+1:],
		"the refresh token": mine.RefreshToken, "the key": key, "the masquerade token": text.Reveal(), "the wrong password": "marked wrong password", "the wrong key": "marked wrong key",
	} {
		if strings.Contains(kept, secret) {
			t.Errorf("%s is kept", name)
		}
	}
}
