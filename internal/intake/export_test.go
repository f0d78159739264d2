package intake

// Spans is a set of instants, for tests.
type Spans struct{ spans }

// Touches is spans.touches.
func (s *Spans) Touches(from, to int64) bool { return s.touches(from, to) }

// Add is spans.add, of runs that are given by their ends.
func (s *Spans) Add(ends ...int64) {
	var more []span
	for i := 0; i < len(ends); i += 2 {
		more = append(more, span{ends[i], ends[i+1]})
	}
	s.add(more...)
}

// Runs is how many runs the set keeps.
func (s *Spans) Runs() int { return len(s.spans) }
