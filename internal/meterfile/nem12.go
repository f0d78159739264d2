package meterfile

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// The NEM12 reader obeys AEMO's Meter Data File Format specification (MDFF):
// records 100 header, 200 register, 300 day, 400 quality of a range, 500
// service order, 900 end. It departs from it in these points, because real
// files do: units in any case, NMIs of any length up to 64, absent update
// times, lines padded with commas. A file without its 900 record is refused
// even if all its days are whole: nothing else tells that it was cut off.

// marketTime is the zone of every NEM12 file: Eastern Standard Time without
// summer time (MDFF §3.1).
var marketTime = time.FixedZone("+10:00", 10*60*60)

// The bounds on what a file makes the reader remember.
const (
	maxRegisters = 100_000   // registers in one file
	maxWords     = 1_000_000 // of 64 days, of all registers
)

// nem12 is the state of reading one file.
type nem12 struct {
	*lines
	taker
	register *nem12Register // of the 200 record above; nil before the first one
	refused  bool           // the 200 record above was rejected, and so is what is below it
	known    map[string]*nem12Register
	words    int // of the days of all registers
	day      nem12Day
	records  int // of 300
	ended    bool
}

// nem12Register is a register of a file and the days it has had.
type nem12Register struct {
	channel Channel
	minutes int
	seen    days
}

func readNEM12(name string, r io.Reader, to taker) error {
	n := &nem12{lines: newLines(name, r), taker: to, known: map[string]*nem12Register{}}
	if err := n.header(); err != nil {
		return err
	}
	for {
		line, err := n.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = n.record(newRecord(line))
		}
		if err != nil {
			return err
		}
	}
	if !n.ended {
		n.number++
		return n.refuse("RecordIndicator", "900, the record that ends a NEM12 file", "the end of the file; it may have been cut off")
	}
	return nil
}

func (n *nem12) refuse(field, want, got string) error {
	return &Error{n.name, n.number, field, want, got}
}

// header reads the 100 record, which must be the first one.
func (n *nem12) header() error { return n.lines.header("NEM12") }

// header reads the 100 record (MDFF §4.2, §5.2) of a file of the given version.
func (l *lines) header(version string) error {
	refuse := func(field, want, got string) error { return &Error{l.name, l.number, field, want, got} }
	want := "100, the header of a " + version + " file"
	var r record
	for r.blank() {
		line, err := l.next()
		if errors.Is(err, io.EOF) {
			l.number++
			return refuse("RecordIndicator", want, "the end of the file")
		}
		if err != nil {
			return err
		}
		r = newRecord(line)
	}
	if f := r.field(); f != "100" {
		return refuse("RecordIndicator", want, quote(f))
	}
	if f := r.field(); f != version {
		return refuse("VersionHeader", version, quote(f))
	}
	if f := r.field(); !stamp(f) {
		return refuse("DateTime", "YYYYMMDDhhmm", quote(f))
	}
	return nil
}

// stamp reports whether s looks like a date and time of MDFF, with or without seconds.
func stamp(s string) bool { return (len(s) == 12 || len(s) == 14) && digits(s) }

// record reads one line after the header.
func (n *nem12) record(r record) error {
	if r.blank() {
		return nil
	}
	indicator := r.field()
	if n.ended {
		return n.refuse("RecordIndicator", "nothing after the 900 record", quote(indicator))
	}
	switch indicator {
	case "200", "300", "900":
		if err := n.finishDay(); err != nil {
			return err
		}
		n.day.refused = false
	case "400", "500":
	default:
		return n.refuse("RecordIndicator", "200, 300, 400, 500 or 900", quote(indicator))
	}
	var err error
	switch indicator {
	case "200":
		err = n.startRegister(r)
		n.refused = err != nil
	case "300":
		if n.records++; n.refused {
			return nil
		}
		err = n.startDay(r)
		n.day.refused = err != nil
	case "400":
		if n.refused || n.day.refused {
			return nil
		}
		if err = n.qualityRange(r); err != nil {
			n.day.open, n.day.refused = false, true
		}
	case "500":
		if n.register == nil && !n.refused {
			return n.refuse("RecordIndicator", "200 before the first 500", quote(indicator))
		}
		return nil // a service order says nothing about readings
	case "900":
		return n.end(r)
	}
	return n.pass(err)
}

// startRegister reads a 200 record (MDFF §4.3): it says what the days below measure.
func (n *nem12) startRegister(r record) error {
	nmi := r.field()
	_, _ = r.field(), r.field() // NMIConfiguration and RegisterID name nothing of their own
	suffix := r.field()
	_, _ = r.field(), r.field() // MDMDataStreamIdentifier, MeterSerialNumber
	uom, length := r.field(), r.field()
	if !plain(nmi) {
		return n.refuse("NMI", "1 to 64 letters and digits", quote(nmi))
	}
	if len(suffix) != 2 || !plain(suffix) {
		return n.refuse("NMISuffix", "two letters or digits, such as E1", quote(suffix))
	}
	unit, err := domain.ParseUnit(uom)
	if err != nil || unit == domain.CubicMetre {
		return n.refuse("UOM", "kWh, Wh, kvarh or varh", quote(uom))
	}
	minutes, err := strconv.Atoi(length)
	if err != nil || minutes != 5 && minutes != 15 && minutes != 30 {
		return n.refuse("IntervalLength", "5, 15 or 30 minutes", quote(length))
	}
	if _ = r.field(); !r.blank() { // NextScheduledReadDate is the last one
		return n.refuse("200", "nothing after NextScheduledReadDate", quote(r.rest))
	}
	key := nmi + ":" + suffix
	if n.register = n.known[key]; n.register == nil {
		if len(n.known) == maxRegisters {
			return n.refuse("NMI", fmt.Sprintf("at most %d registers in one file", maxRegisters), "one more")
		}
		n.register = &nem12Register{seen: days{}}
		n.known[key] = n.register
	}
	direction := domain.Consumption
	if suffix[0] == 'B' || suffix[0] == 'b' {
		direction = domain.Generation // what the customer sends into the grid
	}
	n.register.channel = Channel{domain.MarketAUSElectricity, nmi, suffix, direction, unit, marketTime.String()}
	n.register.minutes = minutes
	return nil
}

// plain reports whether s may name a supply point or a register.
func plain(s string) bool {
	for _, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '_' && c != '-' && c != '.' && c != ':' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// end reads the 900 record.
func (n *nem12) end(r record) error {
	if !r.blank() {
		return n.refuse("900", "an empty end record", quote(r.rest))
	}
	if n.records == 0 {
		return n.refuse("RecordIndicator", "at least one 300 record before the end", `"900"`)
	}
	n.ended = true
	return nil
}
