package interval

import (
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Overlay lays the present intervals of a later batch over a stored day: it
// fills in what was missing and replaces what was corrected, and old becomes
// the result. It reports whether a value or a quality changed; a value that is
// only written with another scale is no change, and then old stays as it was.
//
// Both must begin at the same instant. Of two scales the finer is kept. A batch
// in another resolution replaces the day where it is complete; otherwise it is
// a [domain.Conflict], because values cannot be split, nor half a day mixed.
// After an error old is as it was. Nothing is shared with new.
func Overlay(old, new *Day) (changed bool, err error) {
	if old.Start != new.Start {
		return false, conflict("a day that begins at %s cannot go over one that begins at %s",
			FormatMoment(time.Unix(new.Start, 0).UTC()), FormatMoment(time.Unix(old.Start, 0).UTC()))
	}
	if old.Minutes != new.Minutes {
		return replace(old, new)
	}
	if len(old.Values) != len(new.Values) {
		return false, conflict("a day of %d intervals cannot go over one of %d", len(new.Values), len(old.Values))
	}
	if !differs(old, new) {
		return false, nil
	}
	scale := max(old.Scale, new.Scale)
	for i, q := range new.Quality {
		if q == domain.Missing {
			continue
		}
		if _, ok := new.Value(i).Rescale(scale); !ok {
			return false, tooManyDigits(new.Value(i), scale)
		}
	}
	if err := old.rescaleUnder(new, scale); err != nil {
		return false, err
	}
	for i, q := range new.Quality {
		if q == domain.Missing {
			continue
		}
		v, _ := new.Value(i).Rescale(scale)
		old.Values[i], old.Quality[i] = v.Coefficient, q
	}
	return true, nil
}

// rescaleUnder is rescale, except that values which are about to be replaced
// need not fit.
func (d *Day) rescaleUnder(new *Day, scale uint8) error {
	for i, q := range new.Quality {
		if _, ok := d.Value(i).Rescale(scale); !ok && q == domain.Missing {
			return tooManyDigits(d.Value(i), scale)
		}
	}
	for i := range d.Values {
		v, _ := d.Value(i).Rescale(scale)
		d.Values[i] = v.Coefficient
	}
	d.Scale = scale
	return nil
}

// replace puts a complete day in the place of one with another resolution.
func replace(old, new *Day) (bool, error) {
	if present := new.Present(); present < len(new.Quality) || present == 0 {
		return false, conflict(
			"readings of %d minutes cannot go into a day of %d minutes unless they are all there: %d of %d are",
			new.Minutes, old.Minutes, present, len(new.Quality))
	}
	old.Minutes, old.Scale = new.Minutes, new.Scale
	old.Values = append(old.Values[:0], new.Values...)
	old.Quality = append(old.Quality[:0], new.Quality...)
	return true, nil
}

// differs reports whether new says something else than old where it speaks.
func differs(old, new *Day) bool {
	for i, q := range new.Quality {
		if q == domain.Missing {
			continue
		}
		if q != old.Quality[i] || !old.Value(i).Equal(new.Value(i)) {
			return true
		}
	}
	return false
}

func conflict(format string, args ...any) error {
	return &domain.Error{Kind: domain.Conflict, Public: fmt.Sprintf(format, args...)}
}
