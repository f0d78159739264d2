package throttle_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/throttle"
)

func TestSpending(t *testing.T) {
	l := throttle.New(throttle.Limit{Burst: 100, Every: time.Second}, 0)
	ada, bo := l.Key("ada", nil), l.Key("bo", nil)
	spend := func(k throttle.Key, n int, now time.Time, wantLeft int, wantWait time.Duration) {
		t.Helper()
		if left, wait := l.Spend(k, n, now); left != wantLeft || wait != wantWait {
			t.Errorf("%d at %s: %d left, wait %s; want %d, %s", n, now, left, wait, wantLeft, wantWait)
		}
	}
	spend(ada, 60, noon, 40, 0)
	spend(ada, 41, noon, 40, time.Second) // charges nothing
	spend(ada, 40, noon, 0, 0)
	spend(ada, 1, noon, 0, time.Second)
	spend(bo, 1, noon, 99, 0) // on an account of its own
	spend(ada, 10, noon.Add(10*time.Second), 0, 0)
	if left := l.Refund(ada, 7, noon.Add(10*time.Second)); left != 7 {
		t.Errorf("after a refund of 7 there are %d left", left)
	}
	if left, whole := l.Left(ada, noon.Add(10*time.Second)); left != 7 || !whole.Equal(noon.Add(103*time.Second)) {
		t.Errorf("%d left, all at %s; want 7, and all after 93 s", left, whole)
	}
	spend(bo, 1_000, noon.Add(time.Minute), 0, 0) // more than ever fits costs all there is
	if left := l.Refund(bo, 5_000, noon.Add(time.Minute)); left != 100 {
		t.Errorf("a refund of more than is owed leaves %d, want all 100", left)
	}
	if left, whole := l.Left(l.Key("cleo", nil), noon); left != 100 || !whole.Equal(noon) {
		t.Errorf("somebody new has %d, all at %s", left, whole)
	}
}

// However it is spent and refunded: nobody spends more than a burst and what
// comes back in the time, and nothing is owed that was never spent.
func TestSpendingAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := throttle.Limit{Burst: rapid.IntRange(1, 500).Draw(t, "burst"), Every: time.Duration(rapid.IntRange(1, 5_000).Draw(t, "every")) * time.Millisecond}
		l := throttle.New(limit, 0)
		k, now, spent := l.Key("ada", nil), noon, 0
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 100_000).Draw(t, "passes")) * time.Millisecond)
			n := rapid.IntRange(0, limit.Burst).Draw(t, "spends")
			left, wait := l.Spend(k, n, now)
			if wait == 0 {
				spent += n
				back := rapid.IntRange(0, n).Draw(t, "back")
				left, spent = l.Refund(k, back, now), spent-back
			} else if left >= n {
				t.Fatalf("%d are left and %d wait for %s", left, n, wait)
			}
			if left < 0 || left > limit.Burst {
				t.Fatalf("%d left of %d", left, limit.Burst)
			}
			if most := limit.Burst + int(now.Sub(noon)/limit.Every); spent > most {
				t.Fatalf("%d spent by %s, want at most %d", spent, now, most)
			}
		}
	})
}
