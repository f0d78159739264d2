package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

var keys = []promise{
	{"keys come back as they were added, oldest first, and belong to no partner", func(t *testing.T, w *world) {
		got, err := w.SigningKeys(t.Context())
		must(t, err)
		equal(t, "number of keys", len(got), 0)
		young := token.StoredKey{
			ID: "young", Algorithm: token.EdDSA, CreatedAt: past.Add(time.Hour), State: token.Published,
			Sealed: []byte{1, 2, 3}, Public: []byte{4, 5},
		}
		old := token.StoredKey{ID: "old", Algorithm: token.ES256, CreatedAt: past, State: token.Active, Sealed: []byte{0}, Public: []byte{6}}
		must(t, w.AddSigningKey(t.Context(), young))
		must(t, w.AddSigningKey(t.Context(), old))
		got, err = w.SigningKeys(t.Context())
		must(t, err)
		equal(t, "keys", got, []token.StoredKey{old, young})
		refused(t, "a key again", w.AddSigningKey(t.Context(), old), domain.Conflict)
	}},
}

var life = []promise{
	{"an open engine is well, a closed one says so", func(t *testing.T, w *world) {
		must(t, w.Check(t.Context()))
		must(t, w.Close())
		refused(t, "a check", w.Check(t.Context()), domain.Unavailable)
		refused(t, "a change", w.Record(t.Context(), w.entry("test.late")), domain.Unavailable)
		_, err := w.Directory(t.Context())
		refused(t, "a reading", err, domain.Unavailable)
		must(t, w.Close())
	}},
	{"closing while others work answers everybody", func(t *testing.T, w *world) {
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				for w.Record(t.Context(), w.entry("test.record")) == nil {
					if _, err := w.Directory(t.Context()); err != nil {
						return
					}
				}
			})
		}
		must(t, w.Close())
		all.Wait()
	}},
}
