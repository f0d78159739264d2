package intake

import (
	"cmp"
	"slices"
	"sort"

	"github.com/wattgate/wattgate/internal/domain"
)

// memory is what a file has said so far: it must not say two things of an
// interval, and it makes one revision of a day, however many pieces the day
// comes in.
type memory struct {
	chapters map[chapterKey]*chapter
	runs     int // of all chapters
}

// chapter is what the file has said of 64 days of a channel. A run of spans is
// as long as a chapter at most, so that a file that goes backwards and leaves
// gaps moves little with each of them.
type chapter struct {
	said    spans
	written uint64 // has the bit of each day that this import has written
}

type chapterKey struct {
	channel domain.ChannelID
	number  domain.Date // of the first day, divided by 64
}

// of returns the chapter of a day. Two channels of a file may be one of ours,
// where one of them does not tell its zone.
func (m *memory) of(channel domain.ChannelID, date domain.Date) *chapter {
	key := chapterKey{channel, date >> 6}
	c := m.chapters[key]
	if c == nil {
		if m.chapters == nil {
			m.chapters = map[chapterKey]*chapter{}
		}
		c = &chapter{}
		m.chapters[key] = c
	}
	return c
}

// bit is that of a day in written.
func bit(date domain.Date) uint64 { return 1 << (date & 63) }

// spans is a set of instants in Unix seconds, as half-open runs in order. A
// channel's readings come in order, as a rule, so that it is one run.
type spans []span

type span struct{ from, to int64 }

// touches reports whether an instant of [from, to) is in the set.
func (s spans) touches(from, to int64) bool {
	i := sort.Search(len(s), func(i int) bool { return s[i].to > from })
	return i < len(s) && s[i].from < to
}

// add adds runs, at least one, which are in order themselves. What is behind
// them in the set moves once for all of them.
func (s *spans) add(more ...span) {
	runs, first, last := *s, more[0].from, more[len(more)-1].to
	i := sort.Search(len(runs), func(i int) bool { return runs[i].to >= first })
	j := i + sort.Search(len(runs)-i, func(k int) bool { return runs[i+k].from > last })
	all := slices.Concat(runs[i:j], more)
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	joined := all[:1]
	for _, r := range all[1:] {
		if end := &joined[len(joined)-1].to; r.from <= *end {
			*end = max(*end, r.to)
		} else {
			joined = append(joined, r)
		}
	}
	*s = slices.Replace(runs, i, j, joined...)
}
