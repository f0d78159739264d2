package registry

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Mark puts issues and revocations in one order that no clock can turn round.
// A clock that was ahead makes tokens from the future, and when it has been set
// back, a revocation by the clock alone would not reach them: they would come to
// life when their time has come. So a revocation reaches to the latest instant
// that was ever seen, and what is issued afterwards comes after it. While the
// clock goes forward, both are what the clock says.
//
// The zero Mark is ready; it must not be copied.
type Mark struct {
	seen atomic.Int64 // microseconds: no token has a later instant
	dead atomic.Int64 // microseconds: what is issued from now on is later
}

// Stamp returns the instant of issue of whatever a request brings that arrived
// at an instant by the clock. It has to be taken before anything is looked up
// for the request.
func (m *Mark) Stamp(arrived time.Time) time.Time {
	at := arrived.UnixMicro()
	if dead := m.dead.Load(); at <= dead {
		at = dead + 1
		arrived = time.UnixMicro(at).In(arrived.Location())
	}
	raise(&m.seen, at)
	return arrived
}

// end returns the instant up to which a revocation reaches that is decided now.
func (m *Mark) end(now time.Time) time.Time {
	at := max(now.UnixMicro(), m.seen.Load())
	m.reach(at)
	return time.UnixMicro(at).UTC()
}

// reach takes in a revocation.
func (m *Mark) reach(at int64) {
	raise(&m.seen, at)
	raise(&m.dead, at)
}

// raise lets a number only grow.
func raise(to *atomic.Int64, at int64) {
	for {
		old := to.Load()
		if at <= old || to.CompareAndSwap(old, at) {
			return
		}
	}
}

// OpenMark takes in what was seen before this process. It is called once.
func (r *Registry) OpenMark(ctx context.Context) error {
	stored, err := r.Store.Mark(ctx)
	if err != nil {
		return err
	}
	r.stored = stored.UnixMicro()
	if stored.IsZero() {
		r.stored = 0
	}
	r.Mark.reach(r.stored)
	return nil
}

// reachMarks takes in the revocations of a picture, which another node may have
// made: what is issued here from now on comes after them.
func (r *Registry) reachMarks(picture *domain.Directory) {
	for _, app := range picture.Applications {
		if !app.DeadUntil.IsZero() {
			r.Mark.reach(app.DeadUntil.UnixMicro())
		}
	}
	for _, partner := range picture.Partners {
		if !partner.DeadUntil.IsZero() {
			r.Mark.reach(partner.DeadUntil.UnixMicro())
		}
	}
	for _, dead := range picture.Revoked {
		if at := dead.UnixMicro(); dead.Before(disabledFor) {
			r.Mark.reach(at)
		}
	}
}

// disabledFor is beyond every revocation: what is dead for longer is disabled,
// and no instant of issue comes after that.
var disabledFor = time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)

// flushMark stores how far it has come.
func (r *Registry) flushMark(ctx context.Context) error {
	seen := r.Mark.seen.Load()
	if seen <= r.stored {
		return nil
	}
	if err := r.Store.RaiseMark(ctx, time.UnixMicro(seen)); err != nil {
		return err
	}
	r.stored = seen
	return nil
}
