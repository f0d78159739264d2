package assertion

import (
	"errors"
	"math"
	"strconv"
	"time"
)

// date is a NumericDate (RFC 7519 §2): seconds since 1970-01-01 UTC, as a number
// that may have a fraction. It is kept to the microsecond.
type date struct {
	time.Time
	said bool
}

// maxDate is the year 5138 in seconds: what is beyond is no date.
const maxDate = 99_999_999_999

// UnmarshalJSON reads a JSON number. A date as a text is none.
func (d *date) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	if len(text) == 0 || text[0] == '"' {
		return errors.New("a date is a number")
	}
	seconds, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.Abs(seconds) > maxDate { // what is no number is none of JSON's either
		return errors.New("a date is a number of seconds")
	}
	d.Time, d.said = time.UnixMicro(int64(math.Round(seconds*1e6))).UTC(), true
	return nil
}
