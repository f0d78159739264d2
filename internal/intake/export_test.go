package intake

// Spans is a set of instants, for tests.
type Spans struct{ spans }

// Touches is spans.touches.
func (s *Spans) Touches(from, to int64) bool { return s.touches(from, to) }

// Add is spans.add.
func (s *Spans) Add(from, to int64) { s.add(from, to) }

// Runs is how many runs the set keeps.
func (s *Spans) Runs() int { return len(s.spans) }
