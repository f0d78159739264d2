package dialect_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// codes reads all codes out of the source of package oauth, so that a new one
// cannot be forgotten here.
func codes(t *testing.T) (list []oauth.Code) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../oauth/oauth.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Type == nil || fmt.Sprint(spec.Type) != "Code" {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, oauth.Code(text))
		return true
	})
	if len(list) < 10 {
		t.Fatalf("found %d codes: %v", len(list), list)
	}
	return list
}

func TestEveryCodeIsExplained(t *testing.T) {
	var explained []oauth.Code
	for _, e := range dialect.Explained {
		if len(e.Meaning) < 20 || !strings.HasSuffix(e.Meaning, ".") {
			t.Errorf("%s: %q explains nothing", e.Code, e.Meaning)
		}
		explained = append(explained, e.Code)
	}
	want := codes(t)
	slices.Sort(want)
	slices.Sort(explained)
	if !slices.Equal(explained, want) {
		t.Errorf("explained are %v, want %v", explained, want)
	}
}

// TestEveryCodeHasAnAnswer writes every code in both dialects.
func TestEveryCodeHasAnAnswer(t *testing.T) {
	status := map[oauth.Code]int{
		oauth.InvalidClient: 401, oauth.InvalidToken: 401, oauth.InsufficientScope: 403, oauth.NotFound: 404,
		oauth.ServerError: 500, oauth.TemporarilyUnavailable: 503,
	}
	challenges := map[string]map[oauth.Code]string{
		"EnergyZero": {
			oauth.InvalidClient: `Basic realm="wattgate"`, oauth.InvalidToken: `Bearer error="invalid_token"`,
			oauth.InsufficientScope: `Bearer error="insufficient_scope"`,
		},
		"Kraken": {oauth.InvalidClient: `Bearer error="invalid_client"`}, // it has a token endpoint and nothing else
	}
	for _, code := range codes(t) {
		want := status[code]
		if want == 0 {
			want = 400
		}
		for name, write := range map[string]func(*httptest.ResponseRecorder, error){
			"EnergyZero": func(w *httptest.ResponseRecorder, err error) {
				dialect.EnergyZero{ErrorsURL: "https://x/errors"}.WriteError(w, err)
			},
			"Kraken": func(w *httptest.ResponseRecorder, err error) {
				dialect.Kraken{ErrorsURL: "https://x/errors"}.WriteError(w, err)
			},
		} {
			w := httptest.NewRecorder()
			write(w, fmt.Errorf("while testing: %w", &oauth.Error{Code: code, Description: `a "sentence"`, Err: errors.New("a cause")}))
			var body map[string]string
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Fatal(err)
			}
			if w.Code != want || body["error"] != string(code) || strings.Contains(w.Body.String(), "cause") {
				t.Errorf("%s, %s: got %d %s, want %d", name, code, w.Code, w.Body, want)
			}
			short := name == "Kraken" && code == oauth.InvalidClient
			if !short && (body["error_description"] != `a "sentence"` || body["error_uri"] != "https://x/errors#"+string(code)) {
				t.Errorf("%s, %s: got %s", name, code, w.Body)
			}
			if got := w.Header().Get("WWW-Authenticate"); got != challenges[name][code] {
				t.Errorf("%s, %s: the challenge %q, want %q", name, code, got, challenges[name][code])
			}
			if (w.Header().Get("Retry-After") != "") != (w.Code == 503) || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s, %s: headers %v", name, code, w.Header())
			}
		}
	}
}

// TestEveryKindHasAnAnswer translates every kind of our own errors.
func TestEveryKindHasAnAnswer(t *testing.T) {
	want := map[domain.Kind]struct {
		status int
		code   oauth.Code
	}{
		domain.Internal:        {500, oauth.ServerError},
		domain.Invalid:         {400, oauth.InvalidRequest},
		domain.Conflict:        {400, oauth.InvalidRequest},
		domain.Unauthenticated: {401, oauth.InvalidToken},
		domain.Forbidden:       {403, oauth.InsufficientScope},
		domain.NotFound:        {404, oauth.NotFound},
		domain.Unavailable:     {503, oauth.TemporarilyUnavailable},
		domain.Throttled:       {429, oauth.SlowDown},
	}
	if len(want) != domain.Kinds() {
		t.Fatalf("this test knows %d kinds, want %d", len(want), domain.Kinds())
	}
	for kind, c := range want {
		w := httptest.NewRecorder()
		dialect.EnergyZero{}.WriteError(w, &domain.Error{Kind: kind, Public: "a sentence", Err: errors.New("a cause")})
		sentence := "a sentence"
		if kind == domain.Internal {
			sentence = "something went wrong on our side"
		}
		if got, want := w.Body.String(), `{"error":"`+string(c.code)+`","error_description":"`+sentence+`"}`; w.Code != c.status || got != want {
			t.Errorf("%v: got %d %s, want %d %s", kind, w.Code, got, c.status, want)
		}
	}
	w := httptest.NewRecorder()
	dialect.Kraken{}.WriteError(w, errors.New("a cause"))
	if w.Code != 500 || strings.Contains(w.Body.String(), "cause") {
		t.Errorf("an error without a kind: got %d %s", w.Code, w.Body)
	}
}

func TestWriteToken(t *testing.T) {
	token := oauth.Token{Access: "a.b.c", Bearer: "Bearer a.b.c", Lifetime: 300, Scope: `openid "x"`}
	ez, quiet, kr := httptest.NewRecorder(), httptest.NewRecorder(), httptest.NewRecorder()
	dialect.EnergyZero{}.WriteToken(ez, token)
	dialect.EnergyZero{NoTokenHeader: true}.WriteToken(quiet, token)
	dialect.Kraken{}.WriteToken(kr, token)
	const energyZero = `{"access_token":"a.b.c","expires_in":299,"scope":"openid \"x\"","token_type":"bearer"}`
	const kraken = `{"access_token":"a.b.c","expires_in":300,"token_type":"Bearer","scope":"openid \"x\""}`
	for name, c := range map[string]struct {
		w            *httptest.ResponseRecorder
		body, header string
	}{
		"EnergyZero": {ez, energyZero, "Bearer a.b.c"}, "EnergyZero without the header": {quiet, energyZero, ""}, "Kraken": {kr, kraken, ""},
	} {
		h := c.w.Header()
		if got := c.w.Body.String(); c.w.Code != 200 || got != c.body || h.Get("Authorization") != c.header {
			t.Errorf("%s: got %d %s and %q, want %s and %q", name, c.w.Code, got, h.Get("Authorization"), c.body, c.header)
		}
		if h.Get("Cache-Control") != "no-store" || h.Get("Pragma") != "no-cache" || h.Get("Content-Type") != "application/json;charset=UTF-8" {
			t.Errorf("%s: headers %v", name, h)
		}
		if !json.Valid(c.w.Body.Bytes()) {
			t.Errorf("%s: %s is not JSON", name, c.w.Body)
		}
	}
}
