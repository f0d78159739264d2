package usage

import (
	"cmp"
	"math"
	"slices"
)

// span is [from, to) in Unix seconds.
type span struct{ from, to int64 }

// spans are parts of time, in order and apart: none touches the next.
type spans []span

// whole reports whether the spans leave nothing out.
func (l spans) whole() bool {
	return len(l) == 1 && l[0].from == math.MinInt64 && l[0].to == math.MaxInt64
}

// has reports whether the instant t is in a span.
func (l spans) has(t int64) bool {
	i, found := slices.BinarySearchFunc(l, t, func(s span, t int64) int { return cmp.Compare(s.from, t) })
	return found || i > 0 && t < l[i-1].to
}

// meets reports whether a span has anything of [from, to).
func (l spans) meets(from, to int64) bool {
	return slices.ContainsFunc(l, func(s span) bool { return s.from < to && from < s.to })
}

// holds reports whether one span has all of [from, to).
func (l spans) holds(from, to int64) bool {
	return slices.ContainsFunc(l, func(s span) bool { return s.from <= from && to <= s.to })
}

// clip returns what lies in [from, to).
func (l spans) clip(from, to int64) spans {
	var cut spans
	for _, s := range l {
		if s.from, s.to = max(s.from, from), min(s.to, to); s.from < s.to {
			cut = append(cut, s)
		}
	}
	return cut
}

// join returns what is in any of the spans, whatever order they are in.
func join(list spans) spans {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var joined spans
	for _, s := range list {
		if last := len(joined) - 1; last >= 0 && s.from <= joined[last].to {
			joined[last].to = max(joined[last].to, s.to)
		} else if s.from < s.to {
			joined = append(joined, s)
		}
	}
	return joined
}

// bounds returns the span from the first to the end of the last, or an empty one.
func (l spans) bounds() (from, to int64) {
	if len(l) == 0 {
		return 0, 0
	}
	return l[0].from, l[len(l)-1].to
}

// size returns how many seconds there are in all.
func (l spans) size() (sum int64) {
	for _, s := range l {
		sum += s.to - s.from
	}
	return sum
}
