package authn

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/throttle"
)

// FailuresOfClient is how often the authentication of one client may fail from
// one range of addresses: fewer than ten a minute never throttle.
var FailuresOfClient = throttle.Limit{Burst: 10, Every: 6 * time.Second, Most: time.Minute}

// FailuresOfAddress is how often authentication may fail from one address,
// whoever it is tried for.
var FailuresOfAddress = throttle.Limit{Burst: 30, Every: 2 * time.Second, Most: time.Minute}

// Throttle slows down who guesses, and nobody else. Failures are counted for a
// client and a range of addresses together, and for an address by itself:
//
//   - Over the first limit a request is not looked at any more, right or wrong.
//     Others' failures count for their own addresses only. From a range from
//     which the client has been right before, the right secret still passes.
//   - Over the second a failure is answered as throttled. A client with few
//     failures of its own still passes with the right secret: a neighbour, or
//     whoever else is behind the same proxy, cannot lock it out.
//
// What was sent as client_id is counted whether there is such a client or not:
// otherwise the limit would tell which ones there are.
type Throttle struct {
	clients   *throttle.Limiter
	addresses *throttle.Limiter
	ranges    known
	kept      *kept // nil: nothing outlives the process
	// lenient is until when the right secret passes from everywhere: after the
	// very first start it is not known yet where clients come from.
	lenient time.Time
}

// lenience is long enough for every client that renews its tokens to come by.
const lenience = time.Hour

// throttledKeys is how many debtors of each kind are remembered: 1 MiB.
const throttledKeys = 1 << 16

// NewThrottle returns a throttle that starts now and knows nobody.
func NewThrottle(now time.Time) *Throttle {
	return &Throttle{
		clients:   throttle.New(FailuresOfClient, throttledKeys),
		addresses: throttle.New(FailuresOfAddress, throttledKeys),
		ranges:    known{words: make([]atomic.Uint64, knownRanges)},
		lenient:   now.Add(lenience),
	}
}

// attempt is one try to authenticate, as the throttle sees it.
type attempt struct {
	client, address throttle.Key
	id              domain.ClientID // as it was sent, which may be anything
	wide            [16]byte        // the range of addresses
	named           bool            // it came with a client_id
	at              time.Time
}

// attempt sorts a request. A nil throttle, which tests have, sorts nothing.
func (t *Throttle) attempt(id, address string, now time.Time) attempt {
	if t == nil {
		return attempt{}
	}
	one, wide := ranges(address)
	return attempt{t.clients.Key(id, wide[:]), t.addresses.Key("", one[:]), domain.ClientID(id), wide, id != "", now}
}

// ranges returns what counts as one address, and as one range of addresses,
// each in its IPv6 form: an IPv4 address and its /24, and of IPv6 the /64, which
// is what one household or one machine has. What is no address is all zeros.
func ranges(text string) (one, wide [16]byte) {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return one, wide
	}
	one = a.As16()
	if a.Unmap().Is4() {
		wide = one
		wide[15] = 0
		return one, wide
	}
	clear(one[8:])
	return one, one
}

// refuses reports how an attempt is refused before it is looked at, or nil.
func (t *Throttle) refuses(a attempt) error {
	if t == nil || t.clients.Wait(a.client, a.at) == 0 || a.at.Before(t.lenient) || t.ranges.has(a.client, a.at) || t.kept.has(a) {
		return nil
	}
	return t.failed(a, unread(a.id))
}

// unread is the cause of an attempt that was not looked at. It names nothing by
// itself: what was sent as client_id may be a secret.
type unread domain.ClientID

// Error returns the cause.
func (unread) Error() string { return "not looked at" }

// Refusal tells the audit log why, and for which application it would have been.
func (u unread) Refusal() (why string, client domain.ClientID) {
	return u.Error(), domain.ClientID(u)
}

// failed counts an attempt that failed, and returns the answer: why, or that
// it was one too many.
func (t *Throttle) failed(a attempt, why error) error {
	if t == nil {
		return why
	}
	wait := t.addresses.Charge(a.address, a.at)
	pause := &domain.Pause{Limit: "address", Quota: FailuresOfAddress.Burst, Window: FailuresOfAddress.Window(), Wait: wait, Err: why}
	if a.named {
		if wait := t.clients.Charge(a.client, a.at); wait >= pause.Wait {
			pause.Limit, pause.Quota, pause.Window, pause.Wait = "client", FailuresOfClient.Burst, FailuresOfClient.Window(), wait
		}
	}
	if pause.Wait == 0 {
		return why
	}
	return &domain.Error{Kind: domain.Throttled, Public: "too many failed attempts; wait before the next one", Err: pause}
}

// succeeded remembers where a client was right.
func (t *Throttle) succeeded(a attempt) {
	if t != nil && t.ranges.add(a.client, a.at) {
		t.kept.note(a)
	}
}
