package intake

import (
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Report says what a file changed.
type Report struct {
	File         string
	SupplyPoints []SupplyPoint // in the order of the file
	Channels     int           // of the file
	NewChannels  int           // of those, created

	// How many readings were new, differed from what was stored, and were the
	// same. Readings without a value are not counted.
	Accepted, Corrected, Unchanged int64

	// How many lines were left out, and the first [MaxRejections] of them.
	Rejected   int64
	Rejections []Rejection

	Repeated bool      // the batch was taken before, and this is what came of it then
	Days     int       // written
	Indexes  int64     // of registers, written; Accepted and Corrected count them too
	From, To time.Time // the span of the file's readings; zero where it has none
}

// SupplyPoint is a supply point of a file.
type SupplyPoint struct {
	Name     string // MARKET:identifier
	Partner  domain.PartnerID
	Property domain.PropertyID
	Created  bool
}

// Changed reports whether anything was stored.
func (r *Report) Changed() bool {
	if r.Days > 0 || r.Indexes > 0 || r.NewChannels > 0 {
		return true
	}
	for _, p := range r.SupplyPoints {
		if p.Created {
			return true
		}
	}
	return false
}

// Summary returns one sentence without its full stop: what was stored, or that
// nothing changed.
func (r *Report) Summary() string {
	if !r.Changed() {
		return "nothing changed: stored already " + count(r.Unchanged, "reading")
	}
	var s string
	switch {
	case r.Indexes == 0:
		s = fmt.Sprintf("stored %s in %s of %s", count(r.Accepted+r.Corrected, "reading"), count(int64(r.Days), "day"), count(int64(r.Channels), "channel"))
	case r.Days == 0:
		s = fmt.Sprintf("stored %s of %s", count(r.Indexes, "register read"), count(int64(r.Channels), "channel"))
	default:
		s = fmt.Sprintf("stored %s in %s and %s of %s", count(r.Accepted+r.Corrected-r.Indexes, "reading"), count(int64(r.Days), "day"),
			count(r.Indexes, "register read"), count(int64(r.Channels), "channel"))
	}
	if r.Corrected > 0 {
		s += ", of these " + count(r.Corrected, "correction")
	}
	if r.Unchanged > 0 {
		s += "; stored already " + count(r.Unchanged, "reading")
	}
	if r.Rejected > 0 {
		s += "; left out " + count(r.Rejected, "line")
	}
	return s
}

// count writes a number of things.
func count(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
