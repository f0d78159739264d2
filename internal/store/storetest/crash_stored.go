package storetest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/store"
)

// stored is all that a sender's supply point holds: every revision of each day,
// and how often the register's reads changed.
type stored struct {
	days  map[string][]string // by register and date, the values of each revision
	shown map[int64]string    // by instant, the value and its revision
}

// with returns the state after a batch.
func (s stored) with(batch []told) stored {
	next := stored{maps.Clone(s.days), maps.Clone(s.shown)}
	if next.days == nil {
		next = stored{map[string][]string{}, map[int64]string{}}
	}
	changed := map[string][]string{}
	for _, r := range batch {
		if r.register == shownRegister {
			revision := 0
			if was, ok := s.shown[r.start.Unix()]; ok {
				_, _ = fmt.Sscanf(was, "revision %d", &revision) // we wrote it
			}
			next.shown[r.start.Unix()] = fmt.Sprintf("revision %d: %d", revision+1, r.value)
			continue
		}
		key := r.register + " " + r.date.String()
		if changed[key] == nil {
			zone, _ := interval.Zone(crashZone) // batchOf has used it
			from, to := interval.Span(r.date, zone)
			values := slices.Repeat([]string{"-"}, interval.Count(from, to, 60))
			if list := s.days[key]; len(list) > 0 {
				copy(values, strings.Fields(list[len(list)-1]))
			}
			changed[key] = values
		}
		changed[key][r.i] = fmt.Sprint(r.value)
	}
	for key, values := range changed {
		next.days[key] = append(slices.Clip(s.days[key]), strings.Join(values, " "))
	}
	return next
}

func (s stored) equal(other stored) bool {
	return len(s.days) == len(other.days) && len(s.shown) == len(other.shown) && s.differ(other) == ""
}

// differ tells the first difference.
func (s stored) differ(want stored) string {
	for _, key := range slices.Sorted(maps.Keys(joined(s.days, want.days))) {
		if got, want := s.days[key], want.days[key]; !slices.Equal(got, want) {
			return fmt.Sprintf("%s: got the revisions %q, want %q", key, got, want)
		}
	}
	for key := range joined(s.shown, want.shown) {
		if got, want := s.shown[key], want.shown[key]; got != want {
			return fmt.Sprintf("the register at %d: got %q, want %q", key, got, want)
		}
	}
	return ""
}

func joined[K comparable, V any](a, b map[K]V) map[K]V {
	all := map[K]V{}
	maps.Copy(all, a)
	maps.Copy(all, b)
	return all
}

// readStored reads all revisions of all days, and the register's reads.
func readStored(t testing.TB, e store.Engine, sender int) stored {
	t.Helper()
	s := stored{map[string][]string{}, map[int64]string{}}
	channels, err := e.Channels(t.Context(), domain.Scope{Partner: crashHome.Partner}, crashHome.ID)
	if kind := kindOf(err); err != nil && kind != domain.NotFound {
		t.Errorf("the channels: %v", err)
	}
	for _, c := range channels {
		if c.SupplyPoint.Identifier != crashPoint(sender) {
			continue
		}
		list, err := e.Changes(t.Context(), c.ID, domain.Change{}, 1<<30)
		if err != nil {
			t.Errorf("the changes of a channel: %v", err)
		}
		revisions := map[domain.Date]int32{}
		for _, change := range list {
			if revisions[change.Day]++; change.Revision != revisions[change.Day] {
				t.Errorf("%s: got revision %d, want %d", change.Day, change.Revision, revisions[change.Day])
			}
			key := c.Register + " " + change.Day.String()
			s.days[key] = append(s.days[key], readRevision(t, e, c.ID, change))
		}
		err = e.Indices(t.Context(), c.ID, domain.IndexRange{From: time.Unix(0, 0), To: future}, func(i domain.Index) error {
			s.shown[i.At.Unix()] = fmt.Sprintf("revision %d: %d", i.Revision, thousandths(i.Value))
			return nil
		})
		if err != nil {
			t.Errorf("the register's reads: %v", err)
		}
	}
	return s
}

// readRevision reads what was known of a day once a revision was recorded.
func readRevision(t testing.TB, e store.Engine, c domain.ChannelID, change domain.Change) string {
	t.Helper()
	var values []string
	asked := domain.DayRange{First: change.Day, Last: change.Day, AsOf: change.RecordedAt}
	err := e.Days(t.Context(), c, asked, func(d domain.Day) error {
		var day interval.Day
		if err := day.Decode(d.Data); err != nil {
			return err
		}
		if got := (domain.Change{RecordedAt: d.RecordedAt, Day: d.Date, Revision: d.Revision}); !reflect.DeepEqual(got, change) {
			return fmt.Errorf("got %v as of %v", got, change)
		}
		for i, q := range day.Quality {
			switch q {
			case domain.Missing:
				values = append(values, "-")
			case domain.Actual:
				values = append(values, fmt.Sprint(thousandths(day.Value(i))))
			default:
				values = append(values, q.String())
			}
		}
		return nil
	})
	if err != nil {
		t.Errorf("the day %s as of revision %d: %v", change.Day, change.Revision, err)
	}
	return strings.Join(values, " ")
}

// thousandths is an exact value, or an impossible one.
func thousandths(d domain.Decimal) int64 {
	for d.Scale < 3 {
		d.Coefficient, d.Scale = d.Coefficient*10, d.Scale+1
	}
	for ; d.Scale > 3; d.Scale-- {
		if d.Coefficient%10 != 0 {
			return -1
		}
		d.Coefficient /= 10
	}
	return d.Coefficient
}
