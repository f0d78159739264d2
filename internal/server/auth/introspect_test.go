package auth_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/server/auth"
)

// scribe signs statements, as far as a test can read them.
type scribe struct{ err error }

func (s scribe) SignStatement(typ string, claims []byte) (string, error) {
	return typ + " " + string(claims), s.err
}
func (scribe) Algorithms() []string { return []string{"EdDSA"} }

// TestRFC9701SignedIntrospection: signed is what is asked for signed, and a
// refusal stays JSON (RFC 9701 §5, RFC 7662 §2.3).
func TestRFC9701SignedIntrospection(t *testing.T) {
	const signed = "application/token-introspection+jwt"
	for name, c := range map[string]struct {
		token, accept string
		statements    auth.Statements
		client        error
		status        int
		media, says   string
	}{
		"an active token":         {"good", signed, scribe{}, nil, 200, signed, `token-introspection+jwt {"iss":"https://auth.example.com","aud":"app_a","iat":42,"token_introspection":{"active":true,`},
		"an inactive token":       {"bad", signed, scribe{}, nil, 200, signed, `"aud":"app_a","iat":42,"token_introspection":{"active":false}}`},
		"asked for plain":         {"good", "application/json", scribe{}, nil, 200, "application/json;charset=UTF-8", `{"active":true,`},
		"nobody who signs":        {"good", signed, nil, nil, 200, "application/json;charset=UTF-8", `{"active":true,`},
		"a refused client":        {"good", signed, scribe{}, &oauth.Error{Code: oauth.InvalidClient}, 401, "application/json;charset=UTF-8", `"error":"invalid_client"`},
		"what cannot be signed":   {"good", signed, scribe{errors.New("broken")}, nil, 500, "application/json;charset=UTF-8", `"error":"server_error"`},
		"a token that is missing": {"", signed, scribe{}, nil, 400, "application/json;charset=UTF-8", `"error":"invalid_request"`},
	} {
		rooms := &rooms{err: c.client}
		host := &auth.Host{Clients: rooms, Tokens: rooms, Issuer: rooms, Keys: rooms, Revoker: rooms, Introspector: rooms, Statements: c.statements, URL: issuer, MaxAge: time.Minute}
		h, err := (&server.Serving{Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Unix(42, 0) }}).OneOrigin(host.Table())
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/oauth2/introspect", strings.NewReader("client_id=app_a&client_secret=s&token="+c.token))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept", c.accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status || w.Header().Get("Content-Type") != c.media || !strings.Contains(w.Body.String(), c.says) || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: got %d %v %s, want %d %s …%s", name, w.Code, w.Header(), w.Body, c.status, c.media, c.says)
		}
	}
}
