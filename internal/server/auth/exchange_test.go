package auth_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/oauth"
)

func (r *rooms) Exchange(_ context.Context, app *domain.Listing, req issuance.Exchange) (oauth.Token, error) {
	r.asked = append(r.asked, "exchange for "+string(app.ID)+" as "+string(req.User)+" with "+req.Actor+" because "+req.Reason+" within "+req.Scope)
	return oauth.Token{Access: "a.b.c", Bearer: "Bearer a.b.c", Lifetime: 3600, Scope: req.Scope, Issued: oauth.TokenTypeAccess}, nil
}

func (r *rooms) Revoke(_ context.Context, app *domain.Listing, raw string, _ domain.Origin) error {
	r.asked = append(r.asked, "revoke "+raw+" of "+string(app.ID))
	return r.lost
}

func (r *rooms) Introspect(raw string, app domain.ClientID) (oauth.Introspection, bool, error) {
	r.asked = append(r.asked, "look into "+raw+" for "+string(app))
	return oauth.Introspection{ClientID: string(app)}, raw == "good", r.lost
}

// TestTheOrderOfQuestionsAboutTokens: a form that cannot be read asks nobody,
// and a refused client learns nothing about a token.
func TestTheOrderOfQuestionsAboutTokens(t *testing.T) {
	const user = "usr_0c1a3b5e7f204a639a516f0c2d9be714"
	exchange := "grant_type=" + url.QueryEscape(oauth.GrantTokenExchange) + "&client_id=app_a&client_secret=s&subject_token=" + user +
		"&subject_token_type=" + url.QueryEscape(oauth.TokenTypeUserID) + "&actor_token=t&actor_token_type=" + url.QueryEscape(oauth.TokenTypeAccess) +
		"&reason=a+call&scope=openid"
	const mine = "client_id=app_a&client_secret=s&"
	refused := &oauth.Error{Code: oauth.InvalidClient}
	full := &domain.Error{Kind: domain.Unavailable, Public: "the disk is full"}
	for name, c := range map[string]struct {
		target, body string
		client, lost error
		status       int
		asked, says  string
	}{
		"an exchange":                                {"/oauth2/token", exchange, nil, nil, 200, "client; exchange for app_a as " + user + " with t because a call within openid", `"expires_in":3599,"issued_token_type":`},
		"an exchange of the other":                   {"/token/", exchange, nil, nil, 200, "client; exchange for app_a as " + user + " with t because a call within openid", `"scope":"openid","issued_token_type":`},
		"an exchange by a refused one":               {"/oauth2/token", exchange, refused, nil, 401, "client", "invalid_client"},
		"an exchange without an actor":               {"/oauth2/token", strings.Replace(exchange, "actor_token=t&", "", 1), nil, nil, 400, "", "actor_token is missing"},
		"a revocation":                               {"/oauth2/revoke", mine + "token=t&token_type_hint=refresh_token", nil, nil, 200, "client; revoke t of app_a", ""},
		"a revocation of the other":                  {"/revoke-token/", mine + "token=t", nil, nil, 200, "client; revoke t of app_a", ""},
		"a revocation without the slash":             {"/revoke-token", mine + "token=t", nil, nil, 200, "client; revoke t of app_a", ""},
		"a revocation by a refused one":              {"/oauth2/revoke", mine + "token=t", refused, nil, 401, "client", "invalid_client"},
		"a revocation of the other by a refused one": {"/revoke-token/", mine + "token=t", refused, nil, 401, "client", `{"error":"invalid_client"}`},
		"a revocation that cannot be kept":           {"/oauth2/revoke", mine + "token=t", nil, full, 503, "client; revoke t of app_a", "temporarily_unavailable"},
		"a revocation by a public one":               {"/oauth2/revoke", "client_id=app_a&token=t", nil, nil, 200, "public app_a; revoke t of app_a", ""},
		"a revocation of the other by a public one":  {"/revoke-token/", "client_id=app_a&token=t", nil, nil, 200, "public app_a; revoke t of app_a", ""},
		"a revocation by one that is not public":     {"/oauth2/revoke", "client_id=app_a&token=t", refused, nil, 401, "public app_a", "invalid_client"},
		"a revocation by nobody":                     {"/oauth2/revoke", "token=t", refused, nil, 401, "client", "invalid_client"},
		"a look by a public one":                     {"/oauth2/introspect", "client_id=app_a&token=good", refused, nil, 401, "client", "invalid_client"},
		"a revocation of nothing":                    {"/oauth2/revoke", mine, nil, nil, 400, "", "token is missing"},
		"a token in the query":                       {"/oauth2/revoke?token=t", mine, nil, nil, 400, "", "never into the query"},
		"a look at a good one":                       {"/oauth2/introspect", mine + "token=good", nil, nil, 200, "client; look into good for app_a", `{"active":true,`},
		"a look at a bad one":                        {"/oauth2/introspect", mine + "token=bad", nil, nil, 200, "client; look into bad for app_a", `{"active":false}`},
		"a look by a refused one":                    {"/oauth2/introspect", mine + "token=good", refused, nil, 401, "client", "invalid_client"},
		"a look by somebody without credentials":     {"/oauth2/introspect", "token=good", refused, nil, 401, "client", "invalid_client"},
		"a look at nothing":                          {"/oauth2/introspect", mine, nil, nil, 400, "", "token is missing"},
		"a look by query":                            {"/oauth2/introspect?token=good", mine, nil, nil, 400, "", "never into the query"},
		"our own fault":                              {"/oauth2/introspect", mine + "token=good", nil, errors.New("broken"), 500, "client; look into good for app_a", "server_error"},
	} {
		r := &rooms{err: c.client, lost: c.lost}
		req := httptest.NewRequest("POST", c.target, strings.NewReader(c.body))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		handler(t, r).ServeHTTP(w, req)
		if got := strings.Join(r.asked, "; "); w.Code != c.status || got != c.asked || !strings.Contains(w.Body.String(), c.says) || c.says == "" && w.Body.Len() > 0 {
			t.Errorf("%s: got %d %s after %q, want %d %s after %q", name, w.Code, w.Body, got, c.status, c.says, c.asked)
		}
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: a cache may keep it: %q", name, got)
		}
		if w.Code == 401 && w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: 401 without a challenge", name)
		}
	}
}
