package storetest

import (
	"sync"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
)

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
