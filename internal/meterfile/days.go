package meterfile

import "github.com/wattgate/wattgate/internal/domain"

// days is a set of days, with 64 in a word, so that the order in which a file
// has them costs nothing.
type days map[domain.Date]uint64

// add adds a day and reports whether it was not there yet.
func (d days) add(day domain.Date) bool {
	word, bit := day>>6, uint64(1)<<(day&63)
	was := d[word]
	d[word] = was | bit
	return was&bit == 0
}
