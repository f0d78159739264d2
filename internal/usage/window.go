package usage

import (
	"context"

	"github.com/wattgate/wattgate/internal/interval"
)

// cut divides the order of readings at a mark. What stands exactly there
// belongs to the window if it is inclusive.
type cut struct {
	mark
	inclusive bool
}

// window is a part of the order of readings: what lies above lower and below
// upper. Nil is no bound.
type window struct{ lower, upper *cut }

// narrow returns the span [from, to) in which the intervals start that the
// window and the question's own span leave of the series.
func (w window) narrow(s *Series, ruler *interval.Ruler) (from, to int64) {
	from, to = s.from, s.to
	if w.lower != nil {
		c := s.name().compare(w.lower.name)
		least := w.lower.start
		if c < 0 || c == 0 && !w.lower.inclusive {
			least++
		}
		from = max(from, groupsFrom(s.Group, ruler, least))
	}
	if w.upper != nil {
		c := s.name().compare(w.upper.name)
		bound := w.upper.start
		if c < 0 || c == 0 && w.upper.inclusive {
			bound++
		}
		to = min(to, groupsFrom(s.Group, ruler, bound))
	}
	return from, to
}

// groupsFrom returns where the first group begins that starts at t or later.
func groupsFrom(g interval.Group, ruler *interval.Ruler, t int64) int64 {
	if g == interval.Raw {
		return t
	}
	start, end := ruler.Bounds(t)
	if start < t {
		return end
	}
	return start
}

// walk gives the readings of several series in the order start, name, or
// backwards.
type walk struct {
	readers []*reader
	heads   []Reading // one for each reader that is not at its end
	reverse bool
	begun   bool
}

func newWalk(store Store, chosen []Series, w window, reverse bool) *walk {
	k := &walk{reverse: reverse}
	for i := range chosen {
		k.readers = append(k.readers, newReader(store, &chosen[i], w, reverse))
	}
	return k
}

// next returns the next reading; ok is false at the end.
func (k *walk) next(ctx context.Context) (reading Reading, ok bool, err error) {
	if !k.begun {
		if err := k.begin(ctx); err != nil {
			return Reading{}, false, err
		}
	}
	if len(k.heads) == 0 {
		return Reading{}, false, nil
	}
	// The readers stand in the order of their names, so that of equal starts
	// the first wins, or backwards the last.
	best := 0
	for i := range k.heads {
		if !k.reverse && k.heads[i].Start < k.heads[best].Start || k.reverse && k.heads[i].Start >= k.heads[best].Start {
			best = i
		}
	}
	reading = k.heads[best]
	head, ok, err := k.readers[best].next(ctx)
	if err != nil {
		return Reading{}, false, err
	}
	if ok {
		k.heads[best] = head
		return reading, true, nil
	}
	k.readers = append(k.readers[:best], k.readers[best+1:]...)
	k.heads = append(k.heads[:best], k.heads[best+1:]...)
	return reading, true, nil
}

func (k *walk) begin(ctx context.Context) error {
	k.begun = true
	open := k.readers[:0]
	for _, r := range k.readers {
		head, ok, err := r.next(ctx)
		if err != nil {
			return err
		}
		if ok {
			open = append(open, r)
			k.heads = append(k.heads, head)
		}
	}
	k.readers = open
	return nil
}
