package postgres

import "context"

// MakeYear makes the partitions of a year, as whoever stores its first day does.
func (s *Store) MakeYear(ctx context.Context, year int) error {
	var list []period
	for month := range period(12) {
		list = append(list, period((year-1970)*12)+month)
	}
	return s.makePeriods(ctx, list)
}
