package support_test

import (
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/server/support"
	"github.com/wattgate/wattgate/internal/throttle"
)

// TestRightCodesAreCounted: each right code leaves a question in the database.
func TestRightCodesAreCounted(t *testing.T) {
	r := &rooms{}
	host := &support.Host{
		SupportURL: "http://127.0.0.1", Sessions: r, Desk: r, Directory: r, Partners: r, WrongCodes: throttle.New(support.WrongUserCodes, 1),
		Unproven: throttle.New(throttle.Limit{Burst: 2, Every: 1500 * time.Millisecond}, 1),
	}
	h, err := (&server.Serving{Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon }}).OneOrigin(host.Table())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{303, 303, 429, 429} {
		w := send(h, "POST", "/device", url.Values{"user_code": {"BBBB-CCCC"}})
		if w.Code != want || (w.Header().Get("Retry-After") == "2") != (want == 429) {
			t.Errorf("try %d: got %d, Retry-After %q, want %d", i, w.Code, w.Header().Get("Retry-After"), want)
		}
	}
}
