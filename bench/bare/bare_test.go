package bare_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/bench/bare"
)

func ask(handler http.Handler, form string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/oauth2/token", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func TestPlainAnswersOneKilobyteOfJSON(t *testing.T) {
	w := ask(bare.Plain(), "grant_type=client_credentials")
	if got := w.Body.Len(); w.Code != 200 || got != 1024 || !json.Valid(w.Body.Bytes()) {
		t.Errorf("got status %d, %d bytes, %.40q, want 200, 1024 bytes of JSON", w.Code, got, w.Body)
	}
}

func TestBothParseTheForm(t *testing.T) {
	signing, err := bare.Signing(bare.Usual("EdDSA"))
	if err != nil {
		t.Fatal(err)
	}
	for name, handler := range map[string]http.Handler{"plain": bare.Plain(), "signing": signing} {
		for _, form := range []string{"", "grant_type=password", "grant_type=%", "x=" + strings.Repeat("y", 70_000)} {
			if w := ask(handler, form); w.Code != 400 {
				t.Errorf("%s asked with %.30q: got status %d, want 400", name, form, w.Code)
			}
		}
	}
}

func TestSigningAnswersInTheShapeItLearned(t *testing.T) {
	for _, algorithm := range []string{"EdDSA", "ES256"} {
		want := bare.Usual(algorithm)
		handler, err := bare.Signing(want)
		if err != nil {
			t.Fatal(err)
		}
		w := ask(handler, "grant_type=client_credentials")
		got, err := bare.Learn(w.Header(), w.Body.Bytes())
		if err != nil {
			t.Fatalf("%s: learning from %q: %v", algorithm, w.Body, err)
		}
		gotText, _ := json.Marshal(got)
		wantText, _ := json.Marshal(want)
		if string(gotText) != string(wantText) {
			t.Errorf("%s: got shape %s, want %s", algorithm, gotText, wantText)
		}
		again := ask(handler, "grant_type=client_credentials")
		if same := again.Body.String() == w.Body.String(); same == (algorithm == "ES256") {
			t.Errorf("%s: two answers are equal: %v; it must sign anew each time", algorithm, same)
		}
	}
}

func TestSignaturesHaveTheirLength(t *testing.T) {
	for _, algorithm := range []string{"EdDSA", "ES256"} {
		handler, err := bare.Signing(bare.Usual(algorithm))
		if err != nil {
			t.Fatal(err)
		}
		for range 300 { // every 256th integer of an ECDSA signature is a byte shorter
			w := ask(handler, "grant_type=client_credentials")
			token := strings.Split(w.Body.String(), `"`)[3]
			signature, err := base64.RawURLEncoding.DecodeString(token[strings.LastIndex(token, ".")+1:])
			if err != nil || len(signature) != ed25519.SignatureSize {
				t.Fatalf("%s: got a signature of %d bytes, %v, want 64", algorithm, len(signature), err)
			}
		}
	}
}

func TestSigningRefusesAnAlgorithmItDoesNotKnow(t *testing.T) {
	if _, err := bare.Signing(bare.Usual("none")); err == nil {
		t.Error("algorithm none: got no error")
	}
}

func TestServeLivesAsLongAsItsInput(t *testing.T) {
	in, order := io.Pipe()
	address, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- bare.Serve(t.Context(), in, out) }()
	if err := json.NewEncoder(order).Encode(bare.Order{}); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 64)
	n, err := address.Read(line)
	if err != nil || !strings.HasPrefix(string(line[:n]), "127.0.0.1:") {
		t.Fatalf("address: got %q, %v", line[:n], err)
	}
	answer, err := http.Get("http://" + strings.TrimSpace(string(line[:n])))
	if err != nil || answer.StatusCode != 400 {
		t.Errorf("a request without a form: got %v, %v, want status 400", answer, err)
	} else {
		answer.Body.Close()
	}
	order.Close()
	if err := <-ended; err != nil {
		t.Errorf("after the end of its input: got %v", err)
	}
}

func FuzzLearnTakesTheTokenOutAndNothingElse(f *testing.F) {
	f.Add([]byte(`{"access_token":"eyJhbGciOiJFZERTQSJ9.e30.AA","expires_in":299}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		shape, err := bare.Learn(http.Header{}, body)
		if err != nil {
			return
		}
		if !strings.HasPrefix(string(body), shape.Before) || !strings.HasSuffix(string(body), shape.After) {
			t.Errorf("%q: got %q before and %q after the token", body, shape.Before, shape.After)
		}
	})
}
