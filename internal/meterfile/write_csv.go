package meterfile

import (
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// csvHead is the first line of our CSV.
const csvHead = "supply_point,register,direction,start_local,start_utc,minutes,value,unit,quality"

// csvWriter writes a line for each reading (RFC 4180, but for the ends of the
// lines, which are those of Unix). What is missing has no line. A whole day has
// 1440 minutes in spring and autumn too; the index of a register has 0.
type csvWriter struct {
	page
	channel Channel
	front   []byte // of a line: supply point, register, direction
	local   clock
	utc     clock
}

func newCSVWriter(w io.Writer) *csvWriter {
	c := &csvWriter{page: page{to: w}}
	c.utc.in(time.UTC)
	c.buf = append(append(c.buf, csvHead...), '\n')
	return c
}

func (c *csvWriter) Write(b *Block) error {
	if err := c.begin(b); err != nil {
		return err
	}
	if c.channel != b.Channel || len(c.front) == 0 {
		c.turn(b)
	}
	var room [32]byte
	middle := append(strconv.AppendInt(append(room[:0], ','), int64(b.Minutes), 10), ',')
	t, step := b.Start.Unix(), int64(b.Minutes)*60
	for i, q := range b.Quality {
		if q != domain.Missing {
			line := append(c.buf, c.front...)
			line = append(c.local.append(line, t), ',')
			line = append(c.utc.append(line, t), middle...)
			line = domain.Decimal{Coefficient: b.Values[i], Scale: b.Scale}.Append(line, b.Scale)
			line = append(append(append(line, ','), b.Channel.Unit...), ',')
			c.buf = append(append(line, q.String()...), '\n')
		}
		t += step
	}
	return c.spill()
}

// turn begins a channel.
func (c *csvWriter) turn(b *Block) {
	c.channel = b.Channel
	c.local.in(b.Start.Location())
	c.front = c.front[:0]
	for _, field := range []string{b.Channel.supplyPoint(), b.Channel.Register, b.Channel.Direction.String()} {
		c.front = append(appendField(c.front, field), ',')
	}
}

// appendField appends a field of CSV, in quotes where it needs them (RFC 4180
// §2.6 and 2.7).
func appendField(dst []byte, field string) []byte {
	if !strings.ContainsAny(field, ",\"\r\n") {
		return append(dst, field...)
	}
	dst = append(dst, '"')
	for i := range len(field) {
		if field[i] == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, field[i])
	}
	return append(dst, '"')
}

func (c *csvWriter) Close() error { return c.flush() }
