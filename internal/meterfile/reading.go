package meterfile

import (
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// mistake is what is wrong with a part of a line; the line's number is added
// where it is known.
type mistake struct{ field, want, got string }

func (m *mistake) at(name string, line int) error {
	return &Error{name, line, m.field, m.want, m.got}
}

// reading is one line of CSV or NDJSON.
type reading struct {
	channel   *Channel
	line      int
	start     int64 // in Unix seconds; of an index, when it was read
	offset    int   // seconds east of UTC
	hasOffset bool
	minutes   int // as in a block
	value     domain.Decimal
	quality   domain.Quality
}

// maxJoined bounds a run of lines: the 5 minutes of a day of 25 hours.
const maxJoined = 300

// joiner makes runs of readings that follow each other.
type joiner struct {
	taker
	run Block
	of  *Channel // the run's
	end int64    // of the run, in Unix seconds
}

// add puts a reading at the end of the run, or begins a new one. A missing
// reading is a gap.
func (j *joiner) add(r *reading) error {
	if r.quality == domain.Missing {
		return nil
	}
	b := &j.run
	n := len(b.Values)
	if n > 0 && (r.start != j.end || r.channel != j.of || r.minutes != b.Minutes || r.offset != b.Offset || r.hasOffset != b.HasOffset ||
		r.line != b.LineOf(n) || n == maxJoined || r.minutes == WholeDay || r.minutes == Index) {
		if err := j.flush(); err != nil {
			return err
		}
		n = 0
	}
	if n == 0 {
		j.of = r.channel
		b.Channel, b.Line, b.Start, b.Minutes, b.Scale = *r.channel, r.line, time.Unix(r.start, 0).UTC(), r.minutes, r.value.Scale
		b.Offset, b.HasOffset, b.each = r.offset, r.hasOffset, 1
	}
	v := r.value
	switch {
	case v.Scale > b.Scale:
		up := powers[v.Scale-b.Scale]
		for i := range b.Values {
			b.Values[i] *= up // what was accepted fits at every scale of others
		}
		b.Scale = v.Scale
	case v.Scale < b.Scale:
		v.Coefficient *= powers[b.Scale-v.Scale]
	}
	b.Values, b.Quality = append(b.Values, v.Coefficient), append(b.Quality, r.quality)
	j.end = r.start + int64(r.minutes)*60
	if j.partial() {
		return j.flush() // so that one that is refused takes no neighbour along
	}
	return nil
}

// flush yields the run.
func (j *joiner) flush() error {
	b := &j.run
	if len(b.Values) == 0 {
		return nil
	}
	err := j.pass(j.yield(b))
	b.Values, b.Quality = b.Values[:0], b.Quality[:0]
	return err
}

// powers are those of ten, as far as values need them.
var powers = [maxPlaces + 1]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// maxChannels bounds how many channels are remembered; of more, the line says
// it all again.
const maxChannels = 4096

// channels knows the channels that lines have named.
type channels struct {
	key   []byte
	last  *Channel // what the key names
	known map[string]*Channel
}

// find returns the channel that a line names.
func (c *channels) find(point, register, direction, unit []byte) (*Channel, *mistake) {
	before := len(c.key)
	c.key = appendKey(c.key, point, register, direction, unit)
	if c.last != nil && string(c.key[:before]) == string(c.key[before:]) {
		c.key = c.key[:before]
		return c.last, nil
	}
	c.key = c.key[:copy(c.key, c.key[before:])]
	if c.last = c.known[string(c.key)]; c.last != nil {
		return c.last, nil
	}
	found, wrong := channelOf(string(point), string(register), string(direction), string(unit))
	if wrong != nil {
		return nil, wrong
	}
	if c.known == nil || len(c.known) == maxChannels {
		c.known = map[string]*Channel{}
	}
	c.last = &found
	c.known[string(c.key)] = c.last
	return c.last, nil
}

// appendKey appends the names, between bytes that stand in none.
func appendKey(key []byte, names ...[]byte) []byte {
	for _, n := range names {
		key = append(append(key, n...), 0)
	}
	return key
}

// channelOf reads the names of a channel. Its zone is the supply point's.
func channelOf(point, register, direction, unit string) (c Channel, wrong *mistake) {
	c.Register = register
	var ok bool
	if c.Market, c.Identifier, ok = splitPoint(point); !ok {
		return c, &mistake{"supply_point", "MARKET:identifier, such as NLD_ELECTRICITY:871685900000000000", quote(point)}
	}
	if !plain(register) {
		return c, &mistake{"register", "1 to 64 letters, digits or _.:-", quote(register)}
	}
	switch direction {
	case domain.Consumption.String():
	case domain.Generation.String():
		c.Direction = domain.Generation
	default:
		return c, &mistake{"direction", "CONSUMPTION or GENERATION", quote(direction)}
	}
	var err error
	if c.Unit, err = domain.ParseUnit(unit); err != nil {
		return c, &mistake{"unit", "kwh, wh, m3, kvarh or varh", quote(unit)}
	}
	gas, reactive := c.Market.Gas(), !c.Unit.Energy()
	if gas && reactive || !gas && c.Unit == domain.CubicMetre {
		return c, &mistake{"unit", fmt.Sprintf("one of %s", c.Market), quote(unit)}
	}
	return c, nil
}

// splitPoint reads MARKET:identifier. A market is a country and a utility.
func splitPoint(s string) (m domain.Market, identifier string, ok bool) {
	const country = len("NLD")
	if len(s) < country {
		return "", "", false
	}
	for _, c := range []byte(s[:country]) {
		if c < 'A' || c > 'Z' {
			return "", "", false
		}
	}
	for _, utility := range []string{"_ELECTRICITY", "_GAS"} {
		rest := s[country:]
		if len(rest) > len(utility) && rest[:len(utility)] == utility && rest[len(utility)] == ':' {
			identifier = rest[len(utility)+1:]
			return domain.Market(s[:country+len(utility)]), identifier, plain(identifier)
		}
	}
	return "", "", false
}

// qualityOf reads a quality's name.
func qualityOf(b []byte) (q domain.Quality, ok bool) {
	switch string(b) {
	case "ACTUAL":
		return domain.Actual, true
	case "ESTIMATE":
		return domain.Estimate, true
	case "SUBSTITUTED":
		return domain.Substituted, true
	case "MISSING":
		return domain.Missing, true
	}
	return 0, false
}

const wantQualityName = "ACTUAL, ESTIMATE, SUBSTITUTED or MISSING"

// valueOf reads the value of an interval or an index, which may have an exponent
// where exponents is set; a missing one has none.
func valueOf(b []byte, minutes int, q domain.Quality, exponents bool) (v domain.Decimal, wrong *mistake) {
	if q == domain.Missing {
		if len(b) > 0 {
			return v, &mistake{"value", "nothing, as the quality is MISSING", quote(string(b))}
		}
		return v, nil
	}
	accept, want := accept, wantValue
	if minutes == Index {
		accept, want = acceptIndex, wantIndex
	}
	v, err := domain.ParseDecimal(string(b))
	ok := err == nil
	if !ok && exponents {
		v, ok = scientific(b)
	}
	if ok {
		v, ok = accept(v)
	}
	if !ok {
		return v, &mistake{"value", want, quote(string(b))}
	}
	return v, nil
}
