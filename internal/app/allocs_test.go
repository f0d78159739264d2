package app_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/app"
)

// maxAllocations is how often a token request may allocate, beyond net/http
// and the signature itself.
const maxAllocations = 12

// maxRefusal is the same for a refusal, which signs nothing, and has somebody
// remembered.
const maxRefusal = 24

// reused is a ResponseWriter that costs nothing itself.
type reused struct {
	header http.Header
	status int
}

func (r *reused) Header() http.Header         { return r.header }
func (r *reused) WriteHeader(status int)      { r.status = status }
func (r *reused) Write(b []byte) (int, error) { return len(b), nil }

// body is a request's body that can be read again.
type body struct{ *strings.Reader }

func (body) Close() error { return nil }

// TestAllocationsOfATokenRequest measures the whole way of the request through
// our handler: routing, reading, asking, signing, writing, counting, logging.
func TestAllocationsOfATokenRequest(t *testing.T) {
	c := &clock{}
	c.micros.Store(noon.UnixMicro())
	a := open(t, 1, c, io.Discard, "token-alg", "EdDSA")
	d, err := a.OpenDemo(t.Context())
	if err = errors.Join(err, a.OpenKeys(t.Context())); err != nil {
		t.Fatal(err)
	}
	h, err := a.Handler(app.URLs{Auth: "http://wattgate.test", Customer: "http://wattgate.test", Support: "http://wattgate.test"})
	if err != nil {
		t.Fatal(err)
	}
	signature := allocationsOfASignature(t)
	forgotten := 0.0 // what pools forget, and have to be given anew
	if detector {
		forgotten = 12
	}
	for name, x := range map[string]struct{ path, form string }{
		"Kraken's (K17)":      {"/token/", form(with(grant, credentials(d.ThirdPartyClientID, d.ThirdPartyClientSecret))...)},
		"EnergyZero's (E13)":  {"/oauth2/token", form(with(grant, credentials(d.PartnerClientID, d.PartnerClientSecret), []string{"scope", "openid offline"})...)},
		"one that is refused": {"/token/", form(with(grant, credentials(d.ThirdPartyClientID, "wg_test_wrong"))...)},
	} {
		text := body{strings.NewReader(x.form)}
		r := &http.Request{
			Method: "POST", URL: &url.URL{Path: x.path}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: "127.0.0.1:4711",
			Header: http.Header{"Content-Type": {urlencoded}}, ContentLength: int64(len(x.form)), Body: text, Host: "wattgate.test",
		}
		w := &reused{header: http.Header{}}
		got := testing.AllocsPerRun(300, func() {
			text.Reset(x.form)
			clear(w.header)
			c.move(refusedEvery(name))
			h.ServeHTTP(w, r)
		})
		if strings.HasPrefix(name, "one") {
			if t.Logf("%s: %.0f allocations", name, got); w.status != 401 || got > maxRefusal+forgotten {
				t.Errorf("%s: status %d, %.0f allocations, want 401 and at most %d", name, w.status, got, maxRefusal)
			}
			continue
		}
		ours := got - signature
		if t.Logf("%s: %.0f allocations, %.0f of them the signature's: ours are %.0f", name, got, signature, ours); w.status != 200 || ours > maxAllocations+forgotten {
			t.Errorf("%s: status %d, %.0f allocations of ours, want 200 and at most %d", name, w.status, ours, maxAllocations)
		}
	}
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// refusedEvery is far enough apart that no refusal is throttled.
func refusedEvery(name string) time.Duration {
	if strings.HasPrefix(name, "one") {
		return time.Minute
	}
	return 0
}

// allocationsOfASignature measures what the standard library takes for one
// EdDSA signature.
func allocationsOfASignature(t *testing.T) float64 {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 512)
	return testing.AllocsPerRun(300, func() {
		if _, err := crypto.Signer(key).Sign(rand.Reader, text, crypto.Hash(0)); err != nil {
			t.Fatal(err)
		}
	})
}
