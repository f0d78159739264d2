package throttle_test

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/throttle"
)

var noon = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

var tenAMinute = throttle.Limit{Burst: 10, Every: 6 * time.Second, Most: time.Minute}

// TestTenAtOnceThenOneEverySixSeconds is the limit as people tell it.
func TestTenAtOnceThenOneEverySixSeconds(t *testing.T) {
	l := throttle.New(tenAMinute, 1)
	k, now := l.Key("app_a", nil), noon
	for i := range 10 {
		if wait := l.Wait(k, now); wait != 0 {
			t.Fatalf("before charge %d: wait %v, want none", i+1, wait)
		}
		if wait := l.Charge(k, now); wait != 0 {
			t.Fatalf("charge %d: wait %v, want none", i+1, wait)
		}
	}
	if wait := l.Wait(k, now); wait != 6*time.Second {
		t.Errorf("after ten: wait %v, want 6s", wait)
	}
	for i, want := range []time.Duration{12 * time.Second, 18 * time.Second, 24 * time.Second} {
		if wait := l.Charge(k, now); wait != want {
			t.Errorf("charge %d too early: wait %v, want %v: the delay grows", i+1, wait, want)
		}
	}
	for range 100 {
		l.Charge(k, now)
	}
	if wait := l.Wait(k, now); wait != time.Minute+6*time.Second {
		t.Errorf("after a hundred: wait %v, want the burst's last step and Most: 1m6s", wait)
	}
	now = now.Add(time.Minute + 6*time.Second)
	if early := l.Wait(k, now.Add(-time.Microsecond)); early != time.Microsecond {
		t.Errorf("a microsecond early: wait %v, want 1µs", early)
	}
	if wait := l.Charge(k, now); wait != 0 {
		t.Errorf("on time: wait %v, want none", wait)
	}
	if other := l.Key("app_b", nil); l.Wait(other, now) != 0 || l.Charge(other, now) != 0 {
		t.Error("another key has to wait")
	}
}

// TestFewerThanTenAMinuteNeverWait is the promise of the contract, for any
// spread of nine charges over any minute.
func TestFewerThanTenAMinuteNeverWait(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := throttle.New(tenAMinute, 1)
		k := l.Key("app_a", nil)
		var last []time.Time
		now := noon
		for range rapid.IntRange(1, 60).Draw(t, "charges") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "ms")) * time.Millisecond)
			if len(last) >= 9 && now.Sub(last[len(last)-9]) < time.Minute {
				now = last[len(last)-9].Add(time.Minute)
			}
			last = append(last, now)
			if wait := l.Charge(k, now); wait != 0 {
				t.Fatalf("charge %d at %v: wait %v, with at most nine in a minute", len(last), now.Sub(noon), wait)
			}
		}
	})
}

// model is the limiter without a table: one instant for each key.
type model struct {
	limit throttle.Limit
	paid  map[string]time.Time
}

func (m *model) wait(key string, now time.Time) time.Duration {
	debt := time.Duration(0)
	if m.paid[key].After(now) {
		debt = m.paid[key].Sub(now)
	}
	return max(debt+m.limit.Every-m.limit.Window(), 0)
}

func (m *model) charge(key string, now time.Time) time.Duration {
	refused := m.wait(key, now) > 0
	if !refused || m.limit.Most > 0 {
		paid := m.paid[key]
		if paid.Before(now) {
			paid = now
		}
		m.paid[key] = paid.Add(m.limit.Every)
		if most := now.Add(m.limit.Window() + m.limit.Most); m.paid[key].After(most) {
			m.paid[key] = most
		}
	}
	if !refused {
		return 0
	}
	return m.wait(key, now)
}

// TestLikeTheModel compares with the model over any limit, keys and times.
func TestLikeTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := throttle.Limit{
			Burst: rapid.IntRange(1, 20).Draw(t, "burst"),
			Every: time.Duration(rapid.IntRange(1, 10_000_000).Draw(t, "every")) * time.Microsecond,
			Most:  time.Duration(rapid.SampledFrom([]int{0, 1, 60_000_000}).Draw(t, "most")) * time.Microsecond,
		}
		l, m := throttle.New(limit, 1), &model{limit, map[string]time.Time{}}
		now := noon
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 5_000_000).Draw(t, "later")) * time.Microsecond)
			key := rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "key")
			k := l.Key(key, []byte{10, 0, 0})
			if got, want := l.Wait(k, now), m.wait(key, now); got != want {
				t.Fatalf("%q at %v: wait %v, want %v", key, now.Sub(noon), got, want)
			}
			if rapid.Bool().Draw(t, "charge") {
				if got, want := l.Charge(k, now), m.charge(key, now); got != want {
					t.Fatalf("%q charged at %v: wait %v, want %v", key, now.Sub(noon), got, want)
				}
			}
		}
	})
}

// TestMadeUpKeysPushNobodyOut: the table has a fixed size, and who is deep in
// debt stays in it while a flood of keys comes by.
func TestMadeUpKeysPushNobodyOut(t *testing.T) {
	l := throttle.New(tenAMinute, 1)
	k := l.Key("app_guessed", nil)
	for range 11 {
		l.Charge(k, noon)
	}
	var b [8]byte
	for i := range 100_000 {
		binary.LittleEndian.PutUint64(b[:], uint64(i))
		l.Charge(l.Key("made up", b[:]), noon)
	}
	if wait := l.Wait(k, noon); wait != 12*time.Second {
		t.Errorf("after 100,000 other keys: wait %v, want 12s", wait)
	}
}

// TestAClockThatIsPutBackLocksNobodyOut: what was charged in a future that did
// not come is forgotten.
func TestAClockThatIsPutBackLocksNobodyOut(t *testing.T) {
	l := throttle.New(tenAMinute, 1)
	k := l.Key("app_a", nil)
	for range 20 {
		l.Charge(k, noon.Add(time.Hour))
	}
	if wait := l.Wait(k, noon); wait != 0 {
		t.Errorf("an hour earlier: wait %v, want none", wait)
	}
	if wait := l.Charge(k, noon); wait != 0 {
		t.Errorf("charged an hour earlier: wait %v, want none", wait)
	}
}

// TestExactlyABurst charges one key from many goroutines.
func TestExactlyABurst(t *testing.T) {
	l := throttle.New(throttle.Limit{Burst: 100, Every: time.Second}, 1)
	k := l.Key("app_a", nil)
	var allowed atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if l.Charge(k, noon) == 0 {
					allowed.Add(1)
				}
			}
		})
	}
	all.Wait()
	if got := allowed.Load(); got != 100 {
		t.Errorf("%d of 400 charges were allowed, want 100", got)
	}
}

func TestAllocations(t *testing.T) {
	l := throttle.New(tenAMinute, 1<<16)
	prefix := []byte{10, 0, 0}
	for name, do := range map[string]func(){
		"a charge":   func() { l.Charge(l.Key("app_a", prefix), noon) },
		"a question": func() { l.Wait(l.Key("app_a", prefix), noon) },
	} {
		if got := testing.AllocsPerRun(200, do); got != 0 {
			t.Errorf("%s allocates %.0f times, want never", name, got)
		}
	}
}

func BenchmarkCharge(b *testing.B) {
	for _, keys := range []int{1, 10_000} {
		b.Run(fmt.Sprint(keys, " keys"), func(b *testing.B) {
			l := throttle.New(tenAMinute, 1<<16)
			var n [8]byte
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				binary.LittleEndian.PutUint64(n[:], uint64(i%keys))
				l.Charge(l.Key("app_bs769ddb2yqb4anc", n[:]), noon)
			}
		})
	}
}

func BenchmarkWaitInGoodTimes(b *testing.B) {
	l := throttle.New(tenAMinute, 1<<16)
	prefix := []byte{10, 0, 0}
	b.ReportAllocs()
	for b.Loop() {
		l.Wait(l.Key("app_bs769ddb2yqb4anc", prefix), noon)
	}
}
