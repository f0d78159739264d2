package dpop_test

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/dpop"
)

func digest(shard byte, n int) (d [16]byte) {
	d[0] = shard
	binary.BigEndian.PutUint64(d[8:], uint64(n))
	return d
}

// A memory that is full takes nothing more, rather than forget what is still
// good; it takes again when that is over.
func TestAFullMemoryRefuses(t *testing.T) {
	m := &dpop.Memory{}
	until := now.Add(dpop.MaxAge)
	n := 0
	for ; n < 1<<15; n++ {
		if err := m.Take(digest(0, n), until, now); err != nil {
			if !errors.Is(err, dpop.ErrFull) {
				t.Fatal(err)
			}
			break
		}
	}
	if n != dpop.ShardRoom {
		t.Fatalf("a part took %d, want %d", n, dpop.ShardRoom)
	}
	for _, old := range []int{0, 1, n / 2, n - 1} {
		if err := m.Take(digest(0, old), until, now); !errors.Is(err, dpop.ErrProof) {
			t.Errorf("number %d once more: got %v, want it refused", old, err)
		}
	}
	if err := m.Take(digest(1, 0), until, now); err != nil {
		t.Errorf("another part: %v", err)
	}
	if err := m.Take(digest(0, n), until.Add(time.Minute), until); err != nil {
		t.Errorf("when all is over: %v", err)
	}
}

// The memory against a model that keeps everything.
func TestMemoryAgainstAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &dpop.Memory{}
		model := map[int]time.Time{}
		at := now
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			at = at.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "ms")) * time.Millisecond)
			n := rapid.IntRange(0, 60).Draw(t, "proof")
			until := at.Add(time.Duration(rapid.IntRange(1, 180).Draw(t, "life")) * time.Second)
			err := m.Take(digest(byte(n), n), until, at)
			used := model[n].After(at)
			if (err != nil) != used {
				t.Fatalf("proof %d at %s: got %v, the model says used: %v until %s", n, at, err, used, model[n])
			}
			if !used {
				model[n] = until
			}
		}
	})
}
