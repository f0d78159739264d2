package storetest

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

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

	Client string // that sends; empty: the one of [Send]

	next  [Senders]int
	state [Senders]stored // of the batches before next
}

// Begin makes the home, and its supply points with the first batch of each
// sender.
func (c *Crash) Begin(t testing.TB, e store.Engine, now func() time.Time) {
	t.Helper()
	err := MoveIn(t.Context(), e, now())
	for sender := range Senders {
		if err == nil {
			_, err = sendBatch(t.Context(), e, now, cmp.Or(c.Client, crashClient), sender, c.next[sender])
		}
		c.Taken++
		c.advance(sender)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Next is the batch that a sender sends next.
func (c *Crash) Next(sender int) int { return c.next[sender] }

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
	for sender := range Senders {
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
		known, err := sendBatch(t.Context(), e, now, cmp.Or(c.Client, crashClient), sender, n)
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
