package dialect_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/oauth"
)

// RFC 9449 §7.1 and §4.3.
func TestPresented(t *testing.T) {
	for name, c := range map[string]struct {
		headers []string
		proofs  []string
		query   string
		token   string
		dpop    bool
		refused bool
	}{
		"nothing":                      {},
		"Bearer":                       {headers: []string{"Bearer a.b.c"}, token: "a.b.c"},
		"raw":                          {headers: []string{"a.b.c"}, token: "a.b.c"},
		"DPoP":                         {headers: []string{"DPoP a.b.c"}, proofs: []string{"p"}, token: "a.b.c", dpop: true},
		"in any case":                  {headers: []string{"dPoP  a.b.c "}, proofs: []string{"p"}, token: "a.b.c", dpop: true},
		"DPoP without a proof":         {headers: []string{"DPoP a.b.c"}, token: "a.b.c", dpop: true},
		"two proofs stay two":          {headers: []string{"DPoP a.b.c"}, proofs: []string{"p", "q"}, token: "a.b.c", dpop: true},
		"a proof beside Bearer":        {headers: []string{"Bearer a.b.c"}, proofs: []string{"p"}, token: "a.b.c"},
		"two headers":                  {headers: []string{"DPoP a.b.c", "DPoP a.b.c"}, refused: true},
		"two schemes":                  {headers: []string{"DPoP a.b.c", "Bearer a.b.c"}, refused: true},
		"two tokens":                   {headers: []string{"DPoP a.b.c, a.b.c"}, refused: true},
		"no token":                     {headers: []string{"DPoP  "}, refused: true},
		"longer than 8 KiB":            {headers: []string{"DPoP " + strings.Repeat("a", 8<<10)}, refused: true},
		"a token in the query as well": {headers: []string{"DPoP a.b.c"}, query: "?access_token=a.b.c", refused: true},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://elsewhere.example.com/v1/%67raphql/"+c.query, nil)
		r.Header["Authorization"], r.Header["Dpop"] = c.headers, c.proofs
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Raw: []byte("der")}}}
		got, err := dialect.Presented(r, "https://customer.example.com")
		if c.refused {
			if e, ok := errors.AsType[*oauth.Error](err); !ok || e.Code != oauth.InvalidRequest || got.Token != "" {
				t.Errorf("%s: got %+v, %v, want a refusal", name, got, err)
			}
			continue
		}
		if err != nil || got.Token != c.token || got.DPoP != c.dpop || string(got.Certificate) != "der" {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
		if c.dpop && (got.Method != "POST" || got.URL != "https://customer.example.com/v1/%67raphql/" || len(got.Proofs) != len(c.proofs)) {
			t.Errorf("%s: got %+v, want our own name, and all proofs", name, got)
		}
	}
}

// RFC 9449 §5, §7.1 and §8: where the nonce stands, and which status it is.
func TestWriteBinding(t *testing.T) {
	challenge := `DPoP error="use_dpop_nonce", algs="ES256"`
	for name, c := range map[string]struct {
		err    *oauth.Error
		status int
		header string
	}{
		"at a token endpoint": {&oauth.Error{Code: oauth.UseDPoPNonce, Nonce: "n"}, 400, ""},
		"a bad proof":         {&oauth.Error{Code: oauth.InvalidDPoPProof, Nonce: "n"}, 400, ""},
		"at a resource":       {&oauth.Error{Code: oauth.UseDPoPNonce, Nonce: "n", Challenge: challenge}, 401, challenge},
		"a stolen token":      {&oauth.Error{Code: oauth.InvalidToken, Nonce: "n", Challenge: challenge}, 401, challenge},
	} {
		for dialectName, d := range map[string]interface {
			WriteError(http.ResponseWriter, error)
		}{"EnergyZero": dialect.EnergyZero{}, "Kraken": dialect.Kraken{}} {
			w := httptest.NewRecorder()
			d.WriteError(w, c.err)
			if got := w.Header(); w.Code != c.status || got.Get("WWW-Authenticate") != c.header || got.Get("DPoP-Nonce") != "n" ||
				!strings.Contains(w.Body.String(), `"error":"`+string(c.err.Code)+`"`) {
				t.Errorf("%s, %s: got %d, %v, %s", name, dialectName, w.Code, got, w.Body)
			}
		}
	}
	bound := oauth.Token{Access: "a.b.c", Bearer: "DPoP a.b.c", DPoP: true, Lifetime: 600}
	for name, write := range map[string]func(http.ResponseWriter, oauth.Token){"EnergyZero": dialect.EnergyZero{}.WriteToken, "Kraken": dialect.Kraken{}.WriteToken} {
		w := httptest.NewRecorder()
		write(w, bound)
		if !strings.Contains(w.Body.String(), `"token_type":"DPoP"`) || name == "EnergyZero" && w.Header().Get("Authorization") != "DPoP a.b.c" {
			t.Errorf("%s: got %v %s", name, w.Header(), w.Body)
		}
	}
	for want, said := range map[string]oauth.Introspection{
		`"token_type":"DPoP","cnf":{"jkt":"t"}`:        {JKT: "t"},
		`"token_type":"Bearer","cnf":{"x5t#S256":"t"}`: {X5T: "t"},
		`"token_type":"Bearer","partner"`:              {},
	} {
		w := httptest.NewRecorder()
		dialect.WriteIntrospection(w, said)
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("got %s, want %s in it", w.Body, want)
		}
	}
}
