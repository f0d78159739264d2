package meterfile

import (
	"io"
	"strconv"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// What NEM12 files of ours say that readings do not tell. How a value was
// substituted is not kept, so the reason is free text (MDFF appendix E, code 0)
// and the method the one that says least: as agreed.
const (
	nem12From       = "WATTGATE"
	nem12To         = "CUSTOMER"
	nem12Estimate   = "E55,0,method not recorded"
	nem12Substitute = "S16,0,method not recorded"
)

// nem12Writer writes a 300 record for each day that has a reading, with 400
// records below it where the day's qualities differ (MDFF §4). What is not there
// is null data, quality N. Reading it back gives the same channel, or it refuses
// to write it.
type nem12Writer struct {
	page
	marketDay
	made   []byte          // when the file is made, with seconds
	known  map[string]bool // the registers that the file has
	record bool            // the 200 record above is that of the open day
}

func newNEM12Writer(w io.Writer, e Export) *nem12Writer {
	n := &nem12Writer{page: page{to: w}, known: map[string]bool{}}
	n.made = e.Now.In(marketTime).AppendFormat(nil, "20060102150405")
	n.buf = append(n.buf, "100,NEM12,"...)
	n.buf = append(n.buf, n.made[:len("200601021504")]...)
	n.buf = append(n.buf, ","+nem12From+","+nem12To+"\n"...)
	return n
}

func (n *nem12Writer) Write(b *Block) error {
	if err := n.begin(b); err != nil {
		return err
	}
	if b.Minutes != 5 && b.Minutes != 15 && b.Minutes != 30 {
		return cannotCarry(NEM12, b, "its intervals are 5, 15 or 30 minutes; take csv or ndjson")
	}
	if err := n.fits(NEM12, b); err != nil {
		return err
	}
	if n.channel != b.Channel {
		if len(b.Channel.Register) != 2 {
			return cannotCarry(NEM12, b, "a register is an NMI suffix of two letters or digits, such as E1; take csv or ndjson")
		}
		if n.known[b.Channel.Identifier+":"+b.Channel.Register] {
			return cannotCarry(NEM12, b, "a register has one unit, and comes once; take csv or ndjson")
		}
	}
	for i, v := range b.Values {
		if v < 0 && b.Quality[i] != domain.Missing {
			return cannotCarry(NEM12, b, "its values are not negative; take csv or ndjson")
		}
	}
	if day := marketMidnight(b.Start.Unix()); !n.open(b, day) {
		n.finishDay()
		n.record = n.record && n.channel == b.Channel && n.minutes == b.Minutes
		if n.channel != b.Channel {
			n.known[b.Channel.Identifier+":"+b.Channel.Register] = true
		}
		n.turn(b, day)
	}
	n.add(b)
	return n.spill()
}

// finishDay appends the open day, if it has a reading.
func (n *nem12Writer) finishDay() {
	if n.present == 0 {
		return
	}
	n.present = 0
	if !n.record {
		n.record = true
		c := &n.channel
		for _, field := range []string{"200,", c.Identifier, ",", c.Register, ",", c.Register, ",", c.Register, ",,,", marketUnit(c.Unit), ","} {
			n.buf = append(n.buf, field...)
		}
		n.buf = append(strconv.AppendInt(n.buf, int64(n.minutes), 10), ",\n"...)
	}
	n.buf = append(n.buf, "300,"...)
	n.buf = time.Unix(n.start, 0).In(marketTime).AppendFormat(n.buf, "20060102")
	quality := n.intervals()
	mixed := false
	for i, q := range quality {
		n.buf = append(n.buf, ',')
		if q == domain.Missing {
			n.buf = append(n.buf, '0')
		} else {
			n.buf = n.values[i].Append(n.buf, n.values[i].Scale)
		}
		mixed = mixed || q != quality[0]
	}
	method := "V,,"
	if !mixed {
		method = nem12Method(quality[0])
	}
	n.buf = append(append(n.buf, ','), method...)
	n.buf = append(append(append(n.buf, ','), n.made...), ",\n"...)
	if mixed {
		n.ranges(quality)
	}
}

// ranges appends the 400 records of a day.
func (n *nem12Writer) ranges(quality []domain.Quality) {
	for from := 0; from < len(quality); {
		to := runOf(quality, from)
		n.buf = strconv.AppendInt(append(n.buf, "400,"...), int64(from+1), 10)
		n.buf = strconv.AppendInt(append(n.buf, ','), int64(to), 10)
		n.buf = append(append(n.buf, ','), nem12Method(quality[from])...)
		n.buf = append(n.buf, '\n')
		from = to
	}
}

// nem12Method returns a quality as QualityMethod, ReasonCode and
// ReasonDescription.
func nem12Method(q domain.Quality) string {
	switch q {
	case domain.Actual:
		return "A,,"
	case domain.Estimate:
		return nem12Estimate
	case domain.Substituted:
		return nem12Substitute
	case domain.Missing:
	}
	return "N,,"
}

func (n *nem12Writer) Close() error {
	n.finishDay()
	n.buf = append(n.buf, "900\n"...)
	return n.flush()
}
