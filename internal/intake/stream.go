package intake

import (
	"fmt"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// stream is a channel of the file. A day may come in pieces, such as a block
// for each hour; it is open until a reading of another day comes.
type stream struct {
	channel domain.Channel
	zone    *time.Location // nil where only the property would tell, while checking
	wrong   *domain.Error  // why the channel has no place here
	rejects *rejects       // the cutter's
	file    string         // where the open day began
	line    int
	isOpen  bool
	date    domain.Date
	end     int64 // of the open day, in Unix seconds
	day     interval.Day
	lines   []int // of the open day's readings, where lines are left out
	again   []repetition
	// repeated is how many readings of the open day were said once more: they change
	// nothing, however far apart they stand.
	repeated int64

	// The zone's offset from UTC since an instant and until another.
	east         int
	since, until int64
}

// repetition is a line that says of an interval of the open day what another has
// said.
type repetition struct{ interval, line int }

// maxRepetitions bounds those of a day where lines are left out.
const maxRepetitions = 1000

// fits reports what [stream.set] would refuse of a block within the open day.
func (s *stream) fits(b *meterfile.Block, step int64, refuse refusal) error {
	t := b.Start.Unix()
	for i, v := range b.Values {
		if t < s.end {
			if _, _, err := s.slot(t, step, domain.Decimal{Coefficient: v, Scale: b.Scale}, b.Quality[i], refuse); err != nil {
				return err
			}
		}
		t += step
	}
	return nil
}

// set puts a reading into the open day.
func (s *stream) set(t, step int64, v domain.Decimal, q domain.Quality, line int, refuse refusal) error {
	i, again, err := s.slot(t, step, v, q, refuse)
	switch {
	case err != nil || i < 0:
		return err
	case again && s.rejects == nil:
		s.repeated++
		return nil
	case again && len(s.again) == maxRepetitions:
		return refuse("start", fmt.Sprintf("a day with at most %d repetitions", maxRepetitions), "more")
	case again:
		s.again = append(s.again, repetition{i, line})
		s.repeated++
		return nil
	}
	if err := s.day.Set(i, v, q); err != nil {
		return refuse("value", "at most 18 digits, with the decimal places of the rest of its day", v.String())
	}
	if s.rejects != nil {
		s.lines[i] = line
	}
	return nil
}

// slot returns where in the open day a reading belongs, and -1 where there is
// none; again says that it is there already.
func (s *stream) slot(t, step int64, v domain.Decimal, q domain.Quality, refuse refusal) (i int, again bool, err error) {
	d := &s.day
	if step != int64(d.Minutes)*60 {
		return -1, false, refuse("duration", fmt.Sprintf("%d minutes like the rest of %s", d.Minutes, s.date), fmt.Sprintf("%d minutes", step/60))
	}
	i = int((t - d.Start) / step)
	if (t-d.Start)%step != 0 || i >= len(d.Values) {
		got := interval.FormatMoment(time.Unix(t, 0).In(s.zone))
		if d.Minutes == interval.WholeDay {
			return -1, false, refuse("start", "a day that begins at midnight in "+s.zone.String(), got)
		}
		return -1, false, refuse("start", fmt.Sprintf("a multiple of %d minutes after midnight in %s", d.Minutes, s.zone), got)
	}
	if q == domain.Missing {
		return -1, false, nil
	}
	if d.Quality[i] != domain.Missing {
		if d.Quality[i] == q && d.Value(i).Equal(v) {
			return i, true, nil
		}
		return -1, false, refuse("start", "one reading for each interval", fmt.Sprintf("a second one for %s, %s %s after %s %s",
			interval.FormatMoment(time.Unix(t, 0).In(s.zone)), v, q, d.Value(i), d.Quality[i]))
	}
	return i, false, nil
}

// leaveOut leaves readings of the open day out, whose error is the reason, where
// lines are left out: the one at i, or all where i is negative.
func (s *stream) leaveOut(i int, err error) error {
	reason, ok := RejectionOf(err)
	if s.rejects == nil || !ok {
		return err
	}
	var lines []int
	for j, q := range s.day.Quality {
		if q != domain.Missing && (i < 0 || i == j) {
			lines = append(lines, s.lines[j])
			s.day.Values[j], s.day.Quality[j] = 0, domain.Missing
		}
	}
	for _, r := range s.again {
		if i < 0 || i == r.interval {
			lines = append(lines, r.line)
			s.repeated--
		}
	}
	slices.Sort(lines)
	for _, line := range slices.Compact(lines) {
		s.rejects.add(line, reason.Reason)
	}
	return nil
}
