package storetest

import (
	"bufio"
	"fmt"
	"io"
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

// Crash follows what [Send] says in a process that ends at any moment, and
// checks what is left of it.
type Crash struct {
	Taken   int // batches that were acknowledged, in all processes
	Lost    int // of these, those that were not there after a crash
	Torn    int // supply points that were in no state between two batches
	Silent  int // batches that were there without having been acknowledged
	Refused int

	next  [senders]int
	state [senders]stored // of the batches before next
}

// stored is all that a sender's supply point holds: every revision of each day,
// and how often the register's reads changed.
type stored struct {
	days  map[string][]string // by register and date, the values of each revision
	shown map[int64]string    // by instant, the value and its revision
}

// From says from where [Send] goes on.
func (c *Crash) From() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(c.next), " ", ","), "[]")
}

// Listen reads what [Send] says until the end, and calls f after each line.
func (c *Crash) Listen(t testing.TB, from io.Reader, f func(line string)) {
	t.Helper()
	for lines := bufio.NewScanner(from); lines.Scan(); {
		var what string
		var sender, batch int
		if _, err := fmt.Sscan(lines.Text(), &what, &sender, &batch); err != nil {
			t.Errorf("the sender says %q: %v", lines.Text(), err)
			continue
		}
		switch {
		case what == "refused":
			c.Refused++
		case what == "taken" && batch == c.next[sender]:
			c.Taken++
			c.advance(sender)
		default:
			t.Errorf("the sender says %q, want the batch %d", lines.Text(), c.next[sender])
		}
		f(lines.Text())
	}
}

func (c *Crash) advance(sender int) {
	c.state[sender] = c.state[sender].with(batchOf(sender, c.next[sender]))
	c.next[sender]++
}

// Check compares what is stored with what was acknowledged: every batch that was
// is there with its values and revisions, and of the one that was on its way all
// or nothing. Then it sends both again, which tells the same, seals and compares
// once more. now must be later than what was recorded.
func (c *Crash) Check(t testing.TB, e store.Engine, now func() time.Time) {
	t.Helper()
	for sender := range senders {
		before := c.state[sender]
		after := before.with(batchOf(sender, c.next[sender]))
		got := readStored(t, e, sender)
		underway := got.equal(after)
		switch {
		case underway:
			c.Silent++
			c.advance(sender)
		case !got.equal(before):
			c.damaged(t, sender, got)
			continue
		}
		if len(before.days) == 0 && len(before.shown) == 0 && !underway {
			continue // perhaps there is not even a home yet
		}
		c.again(t, e, now, sender)
	}
}

// again sends the last batch that is stored, which is known, and the one behind
// it, which is not. The copy goes on from there; the next process sends it again.
func (c *Crash) again(t testing.TB, e store.Engine, now func() time.Time, sender int) {
	t.Helper()
	for n := c.next[sender] - 1; n <= c.next[sender]; n++ {
		known, err := sendBatch(t.Context(), e, now, sender, n)
		if want := n < c.next[sender]; err != nil || known != want {
			t.Errorf("batch %d of sender %d once more: got known %t (%v), want %t", n, sender, known, err, want)
		}
	}
	if _, err := e.Seal(t.Context(), whenever, 2); err != nil {
		t.Errorf("seal after the crash: %v", err)
	}
	after := c.state[sender].with(batchOf(sender, c.next[sender]))
	if got := readStored(t, e, sender); !got.equal(after) {
		t.Errorf("sender %d after one more batch and a seal: %s", sender, got.differ(after))
	}
}

// damaged finds out what is wrong.
func (c *Crash) damaged(t testing.TB, sender int, got stored) {
	t.Helper()
	var s stored
	for n := range c.next[sender] {
		if got.equal(s) {
			c.Lost += c.next[sender] - n
			t.Errorf("sender %d: got %d batches, want the %d that were acknowledged", sender, n, c.next[sender])
			return
		}
		s = s.with(batchOf(sender, n))
	}
	c.Torn++
	t.Errorf("sender %d: what is stored is neither %d nor %d batches: %s", sender, c.next[sender], c.next[sender]+1, got.differ(c.state[sender]))
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
		err = e.Indices(t.Context(), c.ID, time.Unix(0, 0), future, func(i domain.Index) error {
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
