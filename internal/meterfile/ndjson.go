package meterfile

import (
	"errors"
	"io"
	"strings"
)

// The members of a line of NDJSON, which have the names of the API's fields.
const (
	ndjsonPoint = iota
	ndjsonRegister
	ndjsonDirection
	ndjsonUnit
	ndjsonQuality
	ndjsonStart
	ndjsonEnd
	ndjsonRead
	ndjsonValue
	ndjsonMembers // how many there are
)

var ndjsonNames = [ndjsonMembers]string{
	"supplyPoint", "registerId", "direction", "unit", "quality", "startAt", "endAt", "readAt", "value",
}

// ndjsonFile is the state of reading one file. As with CSV, nothing is
// allocated between two lines of a channel.
type ndjsonFile struct {
	*lines
	joiner
	channels
	start, end instants
	members    [ndjsonMembers][]byte // nil: not in the line, or null
	reading    reading
}

func readNDJSON(name string, r io.Reader, to taker) error {
	n := &ndjsonFile{lines: newLines(name, r), joiner: joiner{taker: to}}
	for {
		line, err := n.raw()
		switch {
		case errors.Is(err, io.EOF):
			return n.flush()
		case n.tooLong:
			err = n.pass(err)
		case err == nil && len(jsonSpace(line)) > 0:
			err = n.line(line)
		}
		if err != nil {
			return err
		}
	}
}

// line reads one object.
func (n *ndjsonFile) line(line []byte) error {
	wrong := n.split(line)
	if wrong == nil {
		wrong = n.parse()
	}
	if wrong != nil {
		return n.pass(wrong.at(n.name, n.number))
	}
	return n.add(&n.reading)
}

// split finds the members of a line's object. Texts are decoded in place.
func (n *ndjsonFile) split(line []byte) *mistake {
	refuse := func(want string, rest []byte) *mistake {
		return &mistake{"line", want + ", as one object of JSON has it", quote(string(rest))}
	}
	clear(n.members[:])
	seen := 0
	rest := jsonSpace(line)
	if len(rest) == 0 || rest[0] != '{' {
		return refuse("{", rest)
	}
	for first := true; ; first = false {
		rest = jsonSpace(rest[1:])
		if first && len(rest) > 0 && rest[0] == '}' {
			break
		}
		if len(rest) == 0 || rest[0] != '"' {
			return refuse("a name in quotes", rest)
		}
		name, behind, ok := jsonText(rest[1:])
		if behind = jsonSpace(behind); !ok || len(behind) == 0 || behind[0] != ':' {
			return refuse("a name, a colon and a value", rest)
		}
		i := ndjsonMember(name)
		switch {
		case i < 0:
			return &mistake{"line", "the members " + strings.Join(ndjsonNames[:], ", ") + " only", quote(string(name))}
		case seen&(1<<i) != 0:
			return &mistake{ndjsonNames[i], "one", "a second one"}
		}
		seen |= 1 << i
		rest = jsonSpace(behind[1:])
		if n.members[i], behind, ok = jsonValue(rest, i == ndjsonValue); !ok {
			want := "a text"
			if i == ndjsonValue {
				want = "a text or a number"
			}
			return &mistake{ndjsonNames[i], want, quote(string(rest))}
		}
		if rest = jsonSpace(behind); len(rest) == 0 || rest[0] != ',' && rest[0] != '}' {
			return refuse("a comma or }", rest)
		}
		if rest[0] == '}' {
			break
		}
	}
	if rest = jsonSpace(rest[1:]); len(rest) > 0 {
		return refuse("nothing behind }", rest)
	}
	return nil
}

// ndjsonMember returns the number of a member, or -1.
func ndjsonMember(name []byte) int {
	for i, known := range &ndjsonNames {
		if string(name) == known {
			return i
		}
	}
	return -1
}

// jsonValue reads a text, or a number or null where that may stand.
func jsonValue(b []byte, number bool) (value, rest []byte, ok bool) {
	const null = "null"
	switch {
	case len(b) > 0 && b[0] == '"':
		return jsonText(b[1:])
	case !number:
		return nil, nil, false
	case len(b) >= len(null) && string(b[:len(null)]) == null:
		return nil, b[len(null):], true
	}
	return jsonNumber(b)
}

// parse reads the members of a line.
func (n *ndjsonFile) parse() (wrong *mistake) {
	m, r := &n.members, &n.reading
	for i := range ndjsonStart {
		if m[i] == nil {
			return &mistake{ndjsonNames[i], "a text", "no such member"}
		}
	}
	r.line = n.number
	if r.channel, wrong = n.find(m[ndjsonPoint], m[ndjsonRegister], m[ndjsonDirection], m[ndjsonUnit]); wrong != nil {
		return n.renamed(wrong)
	}
	if wrong = n.when(); wrong != nil {
		return wrong
	}
	var ok bool
	if r.quality, ok = qualityOf(m[ndjsonQuality]); !ok {
		return &mistake{"quality", wantQualityName, quote(string(m[ndjsonQuality]))}
	}
	r.value, wrong = valueOf(m[ndjsonValue], r.minutes, r.quality, true)
	return wrong
}

// renamed says a mistake in the names of NDJSON.
func (n *ndjsonFile) renamed(wrong *mistake) *mistake {
	switch wrong.field {
	case "supply_point":
		wrong.field = ndjsonNames[ndjsonPoint]
	case "register":
		wrong.field = ndjsonNames[ndjsonRegister]
	}
	return wrong
}

// when reads the times of a line: those of an interval, or of an index.
func (n *ndjsonFile) when() *mistake {
	m, r := &n.members, &n.reading
	start, field := m[ndjsonStart], ndjsonStart
	if m[ndjsonRead] != nil {
		if start != nil || m[ndjsonEnd] != nil {
			return &mistake{"readAt", "startAt and endAt of an interval, or readAt of an index", "both"}
		}
		start, field = m[ndjsonRead], ndjsonRead
	}
	var ok bool
	if r.start, r.offset, _, ok = n.start.instant(start); !ok {
		return &mistake{ndjsonNames[field], wantInstant, quote(string(start))}
	}
	r.hasOffset = r.offset != 0 // an instant in UTC says nothing about local time
	if r.minutes = Index; field == ndjsonRead {
		return nil
	}
	end, offset, _, ok := n.end.instant(m[ndjsonEnd])
	if !ok {
		return &mistake{"endAt", wantInstant, quote(string(m[ndjsonEnd]))}
	}
	if r.minutes = minutes(end - r.start); r.minutes == 0 && wholeDay(r.start, end, offset-r.offset) {
		r.minutes = WholeDay
	}
	if r.minutes == 0 {
		return &mistake{"endAt", "an end after minutes that divide an hour, or after one day", quote(string(m[ndjsonEnd]))}
	}
	return nil
}

// wholeDay reports whether the clock on the wall goes on by 24 hours from start
// to end, while it is set by so many seconds, at most three hours.
func wholeDay(start, end int64, set int) bool {
	return end-start+int64(set) == 24*3600 && set >= -3*3600 && set <= 3*3600
}
