package intake

import (
	"slices"
	"sort"
)

// spans is a set of instants in Unix seconds, as half-open runs in order. A
// channel's readings come in order, as a rule, so that it is one run.
type spans []struct{ from, to int64 }

// touches reports whether an instant of [from, to) is in the set.
func (s spans) touches(from, to int64) bool {
	i := sort.Search(len(s), func(i int) bool { return s[i].to > from })
	return i < len(s) && s[i].from < to
}

// add adds [from, to).
func (s *spans) add(from, to int64) {
	runs := *s
	i := sort.Search(len(runs), func(i int) bool { return runs[i].to >= from })
	j := i
	for j < len(runs) && runs[j].from <= to {
		from, to = min(from, runs[j].from), max(to, runs[j].to)
		j++
	}
	*s = slices.Replace(runs, i, j, struct{ from, to int64 }{from, to})
}
