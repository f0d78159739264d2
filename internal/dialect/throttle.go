package dialect

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// throttled is the refusal of a caller who has tried too often: 429
// (RFC 6585 §4) with the code that RFC 8628 §3.5 has for it.
func throttled(e *domain.Error) refusal {
	r := refusal{status: http.StatusTooManyRequests, code: oauth.SlowDown, description: e.Public, pause: &domain.Pause{Wait: time.Second}}
	if p, ok := errors.AsType[*domain.Pause](e.Err); ok {
		r.pause = p
	}
	return r
}

// writePause says how long to wait: Retry-After in whole seconds (RFC 9110
// §10.2.3), and the limit with what is left of it in the fields RateLimit and
// RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers §3, §4): q is the
// quota, w its window, r what is left, t the time until there is more.
func writePause(h http.Header, p *domain.Pause) {
	wait := strconv.FormatInt(seconds(p.Wait), 10)
	h.Set("Retry-After", wait)
	if p.Limit == "" {
		return
	}
	h.Set("RateLimit-Policy", `"`+p.Limit+`";q=`+strconv.Itoa(p.Quota)+`;w=`+strconv.FormatInt(seconds(p.Window), 10))
	h.Set("RateLimit", `"`+p.Limit+`";r=0;t=`+wait)
}

// seconds rounds up: who comes back in time must not be early.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
