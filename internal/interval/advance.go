package interval

import (
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Complete reports whether a packed day has all its intervals. One that cannot
// be read has not.
func Complete(packed []byte) bool {
	h, err := ReadHeader(packed)
	return err == nil && h.Present == h.Count
}

// Advance returns the watermark of a channel: the last day up to which every
// day is complete, beginning behind one for which that is known already, and
// not beyond last. A date that the zone left out is complete as it is. complete
// tells of a day whether it is.
func Advance(known, last domain.Date, zone *time.Location, complete func(domain.Date) (bool, error)) (domain.Date, error) {
	for known < last {
		ok, err := complete(known + 1)
		if err != nil {
			return known, err
		}
		if !ok {
			if start, end := Span(known+1, zone); start.Before(end) {
				return known, nil
			}
		}
		known++
	}
	return known, nil
}
