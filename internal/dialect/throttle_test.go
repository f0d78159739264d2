package dialect_test

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
)

// TestThrottled: 429 with the whole seconds to wait, rounded up, and the limit
// in the fields of draft-ietf-httpapi-ratelimit-headers.
func TestThrottled(t *testing.T) {
	for name, c := range map[string]struct {
		cause                     error
		retry, policy, rate, body string
	}{
		"a limit": {
			&domain.Pause{Limit: "client", Quota: 10, Window: time.Minute, Wait: 11*time.Second + time.Microsecond, Err: errors.New("a cause")},
			"12", `"client";q=10;w=60`, `"client";r=0;t=12`, `{"error":"slow_down","error_description":"a sentence","error_uri":"https://x/errors#slow_down"}`,
		},
		"no figures": {nil, "1", "", "", `{"error":"slow_down","error_description":"a sentence","error_uri":"https://x/errors#slow_down"}`},
	} {
		ez, kr := httptest.NewRecorder(), httptest.NewRecorder()
		err := &domain.Error{Kind: domain.Throttled, Public: "a sentence", Err: c.cause}
		dialect.EnergyZero{ErrorsURL: "https://x/errors"}.WriteError(ez, err)
		dialect.Kraken{ErrorsURL: "https://x/errors"}.WriteError(kr, err)
		for dialect, w := range map[string]*httptest.ResponseRecorder{"EnergyZero": ez, "Kraken": kr} {
			h := w.Header()
			if w.Code != 429 || h.Get("Retry-After") != c.retry || h.Get("RateLimit-Policy") != c.policy || h.Get("RateLimit") != c.rate ||
				w.Body.String() != c.body || h.Get("Cache-Control") != "no-store" {
				t.Errorf("%s, %s: got %d %v %s, want 429, %s, %s, %s, %s", name, dialect, w.Code, h, w.Body, c.retry, c.policy, c.rate, c.body)
			}
		}
	}
}
