package intake

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// apply is the second pass: it writes days in a transaction.
type apply struct {
	Tx
	to       Target
	now      time.Time
	chance   io.Reader
	name     string          // of the file
	batch    *Batch          // that it came as; nil: it came as a file
	rejects  *rejects        // the cutter's
	property domain.Property // of to.Property
	partner  domain.PartnerID
	report   Report
	stored   interval.Day
	packed   []byte
	memory   memory
	shown    map[shownKey]shown
	runs     []span // of a day, to be used again

	mentioned map[string]bool // supply points in the report
}

// put merges a day of the file with what is stored.
func (a *apply) put(s *stream, refuse refusal) error {
	if s.day.Present() == 0 {
		return nil
	}
	if err := a.merge(s, refuse); err != nil {
		return err
	}
	a.report.Unchanged += s.repeated
	return nil
}

func (a *apply) merge(s *stream, refuse refusal) error {
	if err := a.settle(s, s.line); err != nil {
		return s.leaveOut(-1, err)
	}
	was, err := a.Day(s.channel.ID, s.date)
	if err != nil {
		return err
	}
	merged := &s.day
	if was.Revision > 0 {
		if err := a.stored.Decode(was.Data); err != nil {
			return fmt.Errorf("read the stored %s of channel %d: %w", s.date, s.channel.ID, err)
		}
		if err := a.contradiction(s, refuse); err != nil || s.day.Present() == 0 {
			return err
		}
		before := a.report
		a.count(&s.day)
		changed, err := interval.Overlay(&a.stored, &s.day)
		if err != nil {
			a.report = before
			return s.leaveOut(-1, refuse("readings", "ones that go into the stored day "+s.date.String(), err.Error()))
		}
		if !changed {
			return a.note(s, refuse)
		}
		merged = &a.stored
	} else {
		a.report.Accepted += int64(s.day.Present())
	}
	if a.packed, err = merged.Append(a.packed[:0]); err != nil {
		return fmt.Errorf("pack %s of channel %d: %w", s.date, s.channel.ID, err)
	}
	if err := a.write(s, was.Revision); err != nil {
		return err
	}
	return a.note(s, refuse)
}

// write stores the packed day: as a revision the first time that this import
// changes the day, and in the place of that one from then on.
func (a *apply) write(s *stream, was int32) error {
	c := a.memory.of(s.channel.ID, s.date)
	day := domain.Day{Date: s.date, Revision: was, RecordedAt: a.now, Data: a.packed}
	if c.written&bit(s.date) != 0 {
		return a.AmendDay(s.channel.ID, day)
	}
	c.written |= bit(s.date)
	a.report.Days++
	day.Revision++
	return a.PutDay(s.channel.ID, day, a.provenance(s.file))
}

// provenance says where a revision came from.
func (a *apply) provenance(file string) domain.Provenance {
	return domain.Provenance{Source: a.source(file), Reason: a.to.Reason}
}

// source returns what the audit log and the history call a file.
func (a *apply) source(file string) string {
	if a.batch != nil {
		return a.batch.Sender + ":" + a.batch.ID
	}
	return origin(a.name, file)
}

// count compares a day of the file with the stored one, reading by reading.
func (a *apply) count(d *interval.Day) {
	same := d.Minutes == a.stored.Minutes && len(d.Values) == len(a.stored.Values)
	for i, q := range d.Quality {
		switch {
		case q == domain.Missing:
		case !same: // another resolution replaces the day
			a.report.Corrected++
		case a.stored.Quality[i] == domain.Missing:
			a.report.Accepted++
		case a.stored.Quality[i] == q && a.stored.Value(i).Equal(d.Value(i)):
			a.report.Unchanged++
		default:
			a.report.Corrected++
		}
	}
}

// contradiction refuses a day that comes once more in the same file and says
// something else. What the file said before is in the store by now.
func (a *apply) contradiction(s *stream, refuse refusal) error {
	d := &s.day
	said := a.memory.of(s.channel.ID, s.date).said
	if !said.touches(d.Start, s.end) {
		return nil
	}
	const want = "one reading for each interval"
	if d.Minutes != a.stored.Minutes || len(d.Values) != len(a.stored.Values) {
		return s.leaveOut(-1, refuse("duration", fmt.Sprintf("%d minutes like the rest of %s", a.stored.Minutes, s.date), fmt.Sprintf("%d minutes", d.Minutes)))
	}
	for i, q := range d.Quality {
		if q == domain.Missing || !said.touches(d.At(i), d.At(i)+1) {
			continue
		}
		if q != a.stored.Quality[i] || !d.Value(i).Equal(a.stored.Value(i)) {
			err := refuse("start", want, fmt.Sprintf("a second one for %s, %s %s after %s %s",
				interval.FormatMoment(time.Unix(d.At(i), 0).In(s.zone)), d.Value(i), q, a.stored.Value(i), a.stored.Quality[i]))
			if err = s.leaveOut(i, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxSpans bounds what is remembered of what a file has said.
const maxSpans = 1_000_000

// note remembers which intervals the file has said something about, of a day
// that has some.
func (a *apply) note(s *stream, refuse refusal) error {
	d := &s.day
	a.runs = a.runs[:0]
	for i := 0; i < len(d.Quality); {
		from := i
		for i < len(d.Quality) && d.Quality[i] != domain.Missing {
			i++
		}
		if i == from {
			i++
			continue
		}
		first, last := d.At(from), d.At(i)
		if i == len(d.Quality) && d.Minutes == interval.WholeDay {
			last = s.end
		}
		a.runs = append(a.runs, span{first, last})
	}
	a.span(a.runs[0].from, a.runs[len(a.runs)-1].to)
	said := &a.memory.of(s.channel.ID, s.date).said
	before := len(*said)
	said.add(a.runs...)
	if a.memory.runs += len(*said) - before; a.memory.runs > maxSpans {
		return refuse("start", fmt.Sprintf("readings with at most %d gaps; a channel has one every 64 days anyway", maxSpans), "more")
	}
	return nil
}

// span widens the report's.
func (a *apply) span(first, last int64) {
	from, to := time.Unix(first, 0).UTC(), time.Unix(last, 0).UTC()
	if a.report.From.IsZero() || from.Before(a.report.From) {
		a.report.From = from
	}
	if to.After(a.report.To) {
		a.report.To = to
	}
}

// record writes one line into the audit log, if anything changed.
func (a *apply) record() error {
	if !a.report.Changed() {
		return nil
	}
	points := a.report.SupplyPoints
	e := domain.Entry{
		ID: domain.NewEntryID(a.now, a.chance), At: a.now, Action: "measurements.import",
		Client: a.to.Client, User: a.to.User, By: a.to.By, RequestID: a.to.Origin.RequestID, Address: a.to.Origin.Address,
		Partner: points[0].Partner, Object: points[0].Name,
		Detail: fmt.Sprintf("%q: %s", a.source(a.name), a.report.Summary()),
	}
	if a.to.Reason != "" {
		e.Detail += fmt.Sprintf("; reason: %q", a.to.Reason)
	}
	for _, p := range points[1:] {
		if p.Partner != e.Partner {
			e.Partner = "" // a file of several partners is the platform's matter
		}
	}
	if len(points) > 1 {
		e.Object = fmt.Sprintf("%d supply points", len(points))
	}
	return a.Record(e)
}

// notFound reports whether a store's error says that something does not exist.
func notFound(err error) bool {
	e, ok := errors.AsType[*domain.Error](err)
	return ok && e.Kind == domain.NotFound
}

func invalid(format string, args ...any) error {
	return &domain.Error{Kind: domain.Invalid, Public: fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) error {
	return &domain.Error{Kind: domain.Conflict, Public: fmt.Sprintf(format, args...)}
}
