// Package meterfile answers one question: which readings does this file hold?
//
// It turns foreign bytes (NEM12, NEM13, Green Button ESPI, CDR JSON, DSMR P1,
// our own CSV and NDJSON), alone or in a zip archive, into runs of interval
// readings and into the indexes of registers. It streams: however long the file
// is, a few hundred kilobytes are held, and every bound has a number. It
// decides nothing about where readings go and knows no calendar but that of
// the format; a mistake is an [Error] that names file, line and field.
//
// A reading has at most 9 decimal places, beside zeros at the end, and is
// nearer to zero than 10,000,000 of its unit. So whatever a file says, a year
// of its readings of 5 minutes and 6 places adds up in 64 bits. An index, which
// nobody adds, has at most 18 digits.
package meterfile

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/wattgate/wattgate/internal/domain"
)

// WholeDay is the Minutes of an interval that is one local day, which lasts 23,
// 24 or 25 hours.
const WholeDay = 1440

// Channel says what a run of readings measures. It is comparable.
type Channel struct {
	Market     domain.Market
	Identifier string // of the supply point: an NMI, an ESPI UsagePoint's UUID, the equipment identifier of a DSMR meter
	Register   string // letters, digits and _.:- only
	Direction  domain.Direction
	Unit       domain.Unit
	Zone       string // IANA name or a fixed offset such as +10:00; empty where the file names none
}

// Index is the Minutes of a block that is no interval but the index of a
// register at an instant, its Start; such a block has one value.
const Index = 0

// Block is a run of consecutive intervals of one channel. It is valid until
// the function that got it returns.
type Block struct {
	Channel Channel
	Line    int       // where the run begins in the file, from 1
	Start   time.Time // of the first interval
	Minutes int       // of each interval: 1 to 60, WholeDay, and then there is one interval, or Index
	Scale   uint8
	// Offset is how many seconds east of UTC the file says that local time is
	// throughout the run, where HasOffset is set. Whoever knows the zone refuses
	// another one: such a local time does not exist.
	Offset    int
	HasOffset bool
	Values    []int64 // × 10^-Scale of the unit; 0 where the quality is Missing
	Quality   []domain.Quality

	each int // lines of each interval; 0: they share the first one
}

// LineOf returns the line of the file that interval i of the run stands on, as
// far as that is known: lines of CSV and NDJSON have one each.
func (b *Block) LineOf(i int) int { return b.Line + i*b.each }

// Error is a refusal of a file. Its text is "file:line: field X: want …, got …".
type Error struct {
	File  string
	Line  int // from 1
	Field string
	Want  string
	Got   string
}

// Error returns the sentence for whoever sent the file.
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d: field %s: want %s, got %s", e.File, e.Line, e.Field, e.Want, e.Got)
}

// As makes the refusal a [domain.Error] of kind Invalid, whose public sentence
// is the refusal itself: it quotes nothing but the file.
func (e *Error) As(target any) bool {
	t, ok := target.(**domain.Error)
	if ok {
		*t = &domain.Error{Kind: domain.Invalid, Public: e.Error()}
	}
	return ok
}

// quote shows what stood in a file, shortened and safe to print.
func quote(s string) string {
	const most = 40
	if s == "" {
		return "nothing"
	}
	if len(s) > most {
		return fmt.Sprintf("%q and %d bytes more", s[:most], len(s)-most)
	}
	return fmt.Sprintf("%q", s)
}

// maxShown bounds what is shown of a file without quotes.
const maxShown = 100

// printable replaces what a terminal would not print, or would obey.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// digits reports whether s is nothing but decimal digits, at least one.
func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}
