package intake

import (
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// maxIndexes bounds what is remembered of the indexes that a file has said.
const maxIndexes = 500_000

// shown is an index that a file has said.
type shown struct {
	value   domain.Decimal
	quality domain.Quality
}

type shownKey struct {
	channel domain.ChannelID
	at      int64 // in Unix seconds
}

// index takes what a register showed at an instant.
func (a *apply) index(s *stream, b *meterfile.Block, refuse refusal) error {
	if b.Quality[0] == domain.Missing {
		return nil
	}
	if err := a.settle(s, b.Line); err != nil {
		return err
	}
	says := shown{domain.Decimal{Coefficient: b.Values[0], Scale: b.Scale}, b.Quality[0]}
	key := shownKey{s.channel.ID, b.Start.Unix()}
	if said, again := a.shown[key]; again {
		if said.quality == says.quality && said.value.Equal(says.value) {
			return nil
		}
		return refuse("start", "one index for each instant", fmt.Sprintf("a second one for %s, %s %s after %s %s",
			interval.FormatMoment(b.Start), says.value, says.quality, said.value, said.quality))
	}
	if len(a.shown) >= maxIndexes {
		return s.rejects.fatal(refuse("start", fmt.Sprintf("at most %d indexes in a file", maxIndexes), "more"))
	}
	if a.shown == nil {
		a.shown = map[shownKey]shown{}
	}
	a.shown[key] = says
	index := domain.Index{At: b.Start, Value: says.value, Quality: says.quality, RecordedAt: a.now}
	was, changed, err := a.PutIndex(s.channel.ID, index, a.provenance(s.file))
	switch {
	case err != nil:
		return err
	case !changed:
		a.report.Unchanged++
	case was.Revision == 0:
		a.report.Accepted++
	default:
		a.report.Corrected++
	}
	if changed {
		a.report.Indexes++
	}
	a.span(key.at, key.at)
	return nil
}

// displaced finds the first interval of a run whose local time is none in the
// zone of its channel: an hour that a summer begins without, or an offset that
// the zone does not have. It is -1 where there is none.
func (s *stream) displaced(b *meterfile.Block, last, step int64) (i int, local string) {
	if !b.HasOffset {
		return -1, ""
	}
	start := b.Start.Unix()
	for t := start; t <= last; {
		if t < s.since || t >= s.until {
			s.period(t)
		}
		if s.east != b.Offset {
			if step > 0 {
				i = int((t - start) / step)
			}
			return i, interval.FormatMoment(time.Unix(t, 0).In(time.FixedZone("", b.Offset)))
		}
		if s.until > last || step <= 0 {
			break
		}
		t += (s.until - t + step - 1) / step * step
	}
	return -1, ""
}

// period looks up the offset at an instant, and how long it lasts.
func (s *stream) period(t int64) {
	at := time.Unix(t, 0).In(s.zone)
	_, s.east = at.Zone()
	_, to := at.ZoneBounds()
	s.since, s.until = t, t+1
	switch {
	case to.IsZero():
		s.until = 1<<62 - 1
	case to.Unix() > t: // package time is wrong at the end of a leap year, where the zone goes on by rule
		s.until = to.Unix()
	}
}
