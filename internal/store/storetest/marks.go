package storetest

import (
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// mark returns the latest instant.
func (w *world) mark(t *testing.T) time.Time {
	t.Helper()
	at, err := w.Mark(t.Context())
	must(t, err)
	return at
}

var marks = []promise{
	{"the mark begins at nothing, and never goes back", func(t *testing.T, w *world) {
		equal(t, "mark", w.mark(t), time.Time{})
		for _, at := range []time.Time{past, future, past} {
			must(t, w.RaiseMark(t.Context(), at))
		}
		equal(t, "mark", w.mark(t), future)
	}},
	{"a closed engine has no mark", func(t *testing.T, w *world) {
		must(t, w.Close())
		refused(t, "to raise it", w.RaiseMark(t.Context(), past), domain.Unavailable)
		_, err := w.Mark(t.Context())
		refused(t, "to read it", err, domain.Unavailable)
	}},
}
