package meterfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// The fields of a line of our CSV, in the order of csvHead.
const (
	csvPoint = iota
	csvRegister
	csvDirection
	csvLocal
	csvUTC
	csvMinutes
	csvValue
	csvUnit
	csvQuality
	csvFields // how many there are
)

// csvFile is the state of reading one file. Lines are read from their bytes;
// between two lines of a channel nothing is allocated.
type csvFile struct {
	*lines
	joiner
	channels
	local, utc instants
	fields     [csvFields][]byte
	reading    reading
}

func readCSV(name string, r io.Reader, to taker) error {
	c := &csvFile{lines: newLines(name, r), joiner: joiner{taker: to}}
	if err := c.head(); err != nil {
		return err
	}
	for {
		line, err := c.raw()
		switch {
		case errors.Is(err, io.EOF):
			return c.flush()
		case c.tooLong:
			err = c.pass(err)
		case err == nil && len(line) > 0:
			err = c.line(line)
		}
		if err != nil {
			return err
		}
	}
}

// head reads the first line.
func (c *csvFile) head() error {
	line, err := c.raw()
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	wrong := c.split(line)
	for i, want := range bytes.Split([]byte(csvHead), []byte(",")) {
		if wrong != nil || !bytes.Equal(c.fields[i], want) {
			return &Error{c.name, 1, "head", csvHead, quote(string(line))}
		}
	}
	return nil
}

// line reads a line after the head.
func (c *csvFile) line(line []byte) error {
	wrong := c.split(line)
	if wrong == nil {
		wrong = c.parse()
	}
	if wrong != nil {
		return c.pass(wrong.at(c.name, c.number))
	}
	return c.add(&c.reading)
}

// split cuts a line into its fields. Quoted ones (RFC 4180 §2) lose their
// quotes, in place; a quote that goes on in the next line is refused.
func (c *csvFile) split(line []byte) *mistake {
	quoted := bytes.IndexByte(line, '"') >= 0
	rest, more := line, true
	for i := range c.fields {
		if !more {
			return &mistake{"line", fmt.Sprintf("%d fields, as in the head", csvFields), strconv.Itoa(i)}
		}
		if quoted && len(rest) > 0 && rest[0] == '"' {
			var ok bool
			if c.fields[i], rest, more, ok = unquote(rest[1:]); !ok {
				return &mistake{"line", `fields in quotes to end with one, "" for a quote inside`, quote(string(line))}
			}
			continue
		}
		end := bytes.IndexByte(rest, ',')
		if more = end >= 0; more {
			c.fields[i], rest = rest[:end], rest[end+1:]
		} else {
			c.fields[i] = rest
		}
	}
	if more {
		return &mistake{"line", fmt.Sprintf("%d fields, as in the head", csvFields), "more"}
	}
	return nil
}

// unquote reads a field behind its opening quote, and the comma behind its
// closing one; more reports whether there is a comma.
func unquote(b []byte) (field, rest []byte, more, ok bool) {
	n := 0
	for i := 0; i < len(b); i++ {
		if b[i] == '"' {
			switch {
			case i+1 == len(b):
				return b[:n], nil, false, true
			case b[i+1] == ',':
				return b[:n], b[i+2:], true, true
			case b[i+1] != '"':
				return nil, nil, false, false
			}
			i++
		}
		b[n] = b[i]
		n++
	}
	return nil, nil, false, false
}

// parse reads the fields of a line.
func (c *csvFile) parse() (wrong *mistake) {
	f, r := &c.fields, &c.reading
	r.line = c.number
	if r.channel, wrong = c.find(f[csvPoint], f[csvRegister], f[csvDirection], f[csvUnit]); wrong != nil {
		return wrong
	}
	var ok bool
	if r.start, r.offset, _, ok = c.local.instant(f[csvLocal]); !ok {
		return &mistake{"start_local", wantInstant, quote(string(f[csvLocal]))}
	}
	r.hasOffset = true
	utc, offset, _, ok := c.utc.instant(f[csvUTC])
	switch {
	case !ok || offset != 0:
		return &mistake{"start_utc", "an existing date-time in UTC, such as 2024-10-27T01:15:00Z", quote(string(f[csvUTC]))}
	case utc != r.start:
		return &mistake{"start_utc", "the same instant as start_local, " + quote(string(f[csvLocal])), quote(string(f[csvUTC]))}
	}
	if r.minutes, ok = minutesOf(f[csvMinutes]); !ok {
		return &mistake{"minutes", "a number that divides 60, 1440 for a day or 0 for an index", quote(string(f[csvMinutes]))}
	}
	if r.quality, ok = qualityOf(f[csvQuality]); !ok {
		return &mistake{"quality", wantQualityName, quote(string(f[csvQuality]))}
	}
	r.value, wrong = valueOf(f[csvValue], r.minutes, r.quality, false)
	return wrong
}

// minutesOf reads the minutes of a block.
func minutesOf(b []byte) (int, bool) {
	if len(b) == 0 {
		return 0, false
	}
	n := 0
	for _, d := range b {
		if d -= '0'; d > 9 || n > WholeDay {
			return 0, false
		}
		n = n*10 + int(d)
	}
	return n, n == Index || n == WholeDay || n <= 60 && 60%n == 0
}
