package registry_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

// fullDisk is a store that takes no counts while it is full.
type fullDisk struct {
	registry.Store
	full atomic.Bool
}

func (d *fullDisk) CountUses(ctx context.Context, uses map[domain.SecretID]domain.SecretUse) error {
	if d.full.Load() {
		return errors.New("no space left")
	}
	return d.Store.CountUses(ctx, uses)
}

// hours returns how many tokens each hour had, of all secrets of an application.
func (w *world) hours(t *testing.T, id domain.ClientID) map[int64]int64 {
	t.Helper()
	uses, err := w.store.SecretUses(t.Context(), id)
	must(t, err)
	got := map[int64]int64{}
	for _, use := range uses {
		for _, h := range use.Hours {
			got[h.Hour] += h.Tokens
		}
	}
	return got
}

// TestTokensPerHour: a batch across a full hour says which tokens were before it,
// and what the store did not take comes with the next batch.
func TestTokensPerHour(t *testing.T) {
	w := newWorld(t)
	disk := &fullDisk{Store: w.Store}
	w.Store = disk
	a, s := w.app(t, registry.NewApplication{})
	use := func(n int) {
		t.Helper()
		for range n {
			if !w.opens(a.ID, s) {
				t.Fatal("the secret does not open")
			}
		}
	}
	start := w.now
	hour := domain.HourOf(start)
	check := func(when string, want map[int64]int64) {
		t.Helper()
		if got := w.hours(t, a.ID); !maps.Equal(got, want) {
			t.Errorf("%s: got the hours %v, want %v", when, got, want)
		}
	}
	w.now = start.Add(time.Hour - time.Second)
	use(3)
	w.now = start.Add(time.Hour)
	use(2)
	must(t, w.Flush(t.Context()))
	check("a batch across a full hour", map[int64]int64{hour: 3, hour + 1: 2})

	disk.full.Store(true)
	use(4)
	if err := w.Flush(t.Context()); err == nil {
		t.Error("a full disk: got no error")
	}
	w.now = start.Add(2 * time.Hour)
	use(1)
	disk.full.Store(false)
	must(t, w.Flush(t.Context()))
	check("after the disk was full", map[int64]int64{hour: 3, hour + 1: 6, hour + 2: 1})
}

// TestNoUseIsLost while batches are taken at the same time.
func TestNoUseIsLost(t *testing.T) {
	w := newWorld(t)
	a, _ := w.app(t, registry.NewApplication{})
	secrets, err := w.store.Secrets(t.Context(), a.ID)
	must(t, err)
	const workers, each = 8, 2000
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			for j := range each {
				w.Used(secrets[0].ID, w.now.Add(time.Duration(i*j%2)*time.Hour), true)
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	for flushed := false; !flushed; {
		select {
		case <-done:
			flushed = true
		default:
		}
		must(t, w.Flush(t.Context()))
	}
	var sum int64
	for n := range maps.Values(w.hours(t, a.ID)) {
		sum += n
	}
	uses, err := w.store.SecretUses(t.Context(), a.ID)
	must(t, err)
	total := slices.Collect(maps.Values(uses))
	if len(total) != 1 || total[0].Tokens != workers*each || sum != workers*each {
		t.Errorf("got the totals %+v and %d in all hours, want %d", total, sum, workers*each)
	}
}

// TestAQuestionIsNoToken: who asks about a token uses its secret, and gets none.
func TestAQuestionIsNoToken(t *testing.T) {
	w := newWorld(t)
	a, s := w.app(t, registry.NewApplication{})
	key, _ := w.app(t, registry.NewApplication{Name: "Keyed", Keys: keySet(t, "a")})
	if !w.opens(a.ID, s) {
		t.Fatal("the secret does not open")
	}
	w.now = w.now.Add(time.Minute)
	if _, err := w.clients.Client(string(a.ID), s, domain.ClientSecretPost, domain.Origin{}); err != nil {
		t.Fatal(err)
	}
	w.UsedOwn(key.ID, w.now, false)
	must(t, w.Flush(t.Context()))
	uses, err := w.store.SecretUses(t.Context(), a.ID)
	must(t, err)
	for id, use := range uses {
		if use.Tokens != 1 || len(use.Hours) != 1 || !use.LastUsed.Equal(w.now) {
			t.Errorf("%s: got %+v, want one token, and the last use at %v", id, use, w.now)
		}
	}
	own, err := w.store.OwnUse(t.Context(), key.ID)
	must(t, err)
	if len(uses) != 1 || own.Tokens != 0 || len(own.Hours) != 0 || !own.LastUsed.Equal(w.now) {
		t.Errorf("got %d secrets and %+v of the key, want one, and no token", len(uses), own)
	}
}
