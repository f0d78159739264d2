package interval

import (
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Sum adds up the intervals of a group exactly and remembers how much of the
// group it has seen. The zero Sum is ready to use and is 0 of nothing.
type Sum struct {
	// Total is the exact sum, with the finest scale of what was added.
	Total domain.Decimal
	// Quality is that of the whole: Missing while nothing is there, the common
	// one where all agree, and Estimate where they do not.
	Quality domain.Quality
	// Present counts the intervals that have a value.
	Present int
	// Minutes is the length of those intervals together.
	Minutes int
}

// Add adds an interval of so many minutes; one that is Missing adds nothing.
// A total that does not fit is [domain.Invalid] and leaves the sum as it was.
func (s *Sum) Add(v domain.Decimal, q domain.Quality, minutes int) error {
	if q == domain.Missing {
		return nil
	}
	total, ok := s.plus(v)
	if !ok {
		return &domain.Error{Kind: domain.Invalid, Public: "the sum of these readings has too many digits"}
	}
	switch s.Quality {
	case domain.Missing:
		s.Quality = q
	case q:
	default:
		s.Quality = domain.Estimate
	}
	s.Total = total
	s.Present++
	s.Minutes += minutes
	return nil
}

// plus is [domain.Decimal.Add] with a short way for equal scales, which is all
// but the first addition.
func (s *Sum) plus(v domain.Decimal) (domain.Decimal, bool) {
	a, b := s.Total.Coefficient, v.Coefficient
	if s.Total.Scale != v.Scale {
		return s.Total.Add(v)
	}
	c := a + b
	return domain.Decimal{Coefficient: c, Scale: v.Scale}, (a^c)&(b^c) >= 0
}

// Complete reports whether the intervals added fill [start, end).
func (s *Sum) Complete(start, end time.Time) bool {
	return s.Present > 0 && int64(s.Minutes)*60 == end.Unix()-start.Unix()
}
