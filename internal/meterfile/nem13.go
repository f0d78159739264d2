package meterfile

import (
	"errors"
	"io"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// The NEM13 reader obeys the same specification as that of NEM12 (MDFF §5):
// records 100 header, 250 two index reads of a register, 550 service orders, 900
// end. The two reads are what is taken: the consumption between them is their
// difference. The record's own Quantity is a number, if it is there, and not compared. Of
// the 123 records of the market's test files it is the difference in 105; in 9
// the register has gone past its last digit, in 4 its sign says the direction,
// and in 5 the meter's constant is not 1, or one of the two is wrong. To refuse
// them would lose reads that are right.

// nem13 is the state of reading one file.
type nem13 struct {
	*lines
	taker
	records int // of 250
	ended   bool
	block   Block
}

func readNEM13(name string, r io.Reader, to taker) error {
	n := &nem13{lines: newLines(name, r), taker: to}
	if err := n.header("NEM13"); err != nil {
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
		return n.refuse("RecordIndicator", "900, the record that ends a NEM13 file", "the end of the file; it may have been cut off")
	}
	return nil
}

func (n *nem13) refuse(field, want, got string) error {
	return &Error{n.name, n.number, field, want, got}
}

// record reads one line after the header.
func (n *nem13) record(r record) error {
	if r.blank() {
		return nil
	}
	indicator := r.field()
	if n.ended {
		return n.refuse("RecordIndicator", "nothing after the 900 record", quote(indicator))
	}
	switch indicator {
	case "250":
		n.records++
		return n.pass(n.reads(r))
	case "550":
		if n.records == 0 {
			return n.refuse("RecordIndicator", "250 before the first 550", quote(indicator))
		}
		return nil // a service order says nothing about readings
	case "900":
		switch {
		case !r.blank():
			return n.refuse("900", "an empty end record", quote(r.rest))
		case n.records == 0:
			return n.refuse("RecordIndicator", "at least one 250 record before the end", `"900"`)
		}
		n.ended = true
		return nil
	}
	return n.refuse("RecordIndicator", "250, 550 or 900", quote(indicator))
}

// nem13Read is one of the two reads of a 250 record.
type nem13Read struct {
	at      time.Time
	value   domain.Decimal
	quality domain.Quality
}

// reads reads a 250 record (MDFF §5.3).
func (n *nem13) reads(r record) error {
	nmi := r.field()
	_, _ = r.field(), r.field() // NMIConfiguration and RegisterID name nothing of their own
	suffix := r.field()
	_, _ = r.field(), r.field() // MDMDataStreamIdentifier, MeterSerialNumber
	way := r.field()
	if !plain(nmi) {
		return n.refuse("NMI", "1 to 64 letters and digits", quote(nmi))
	}
	if len(suffix) != 2 || !plain(suffix) {
		return n.refuse("NMISuffix", "two letters or digits, such as 11", quote(suffix))
	}
	direction := domain.Consumption
	switch way {
	case "E": // out of the grid, as the specification sees it
	case "I":
		direction = domain.Generation
	default:
		return n.refuse("DirectionIndicator", "E (to the customer) or I (into the grid)", quote(way))
	}
	var both [2]nem13Read
	for i, which := range []string{"Previous", "Current"} {
		if err := n.read(&r, which, &both[i]); err != nil {
			return err
		}
	}
	if !both[0].at.Before(both[1].at) {
		return n.refuse("CurrentRegisterReadDateTime", "a later one than that of the previous read, "+both[0].at.Format(nem13Time), quote(both[1].at.Format(nem13Time)))
	}
	quantity, uom := r.field(), r.field()
	if _, err := domain.ParseDecimal(quantity); err != nil && quantity != "" {
		return n.refuse("Quantity", "a number", quote(quantity))
	}
	unit, err := domain.ParseUnit(uom)
	if err != nil || unit == domain.CubicMetre {
		return n.refuse("UOM", "kWh, Wh, kvarh or varh", quote(uom))
	}
	_, _, _ = r.field(), r.field(), r.field() // NextScheduledReadDate, UpdateDateTime, MSATSLoadDateTime
	if !r.blank() {
		return n.refuse("250", "nothing after MSATSLoadDateTime", quote(r.rest))
	}
	return n.give(Channel{domain.MarketAUSElectricity, nmi, suffix, direction, unit, marketTime.String()}, both[:])
}

const nem13Time = "20060102150405"

// read reads one register read: its value, its time and its quality.
func (n *nem13) read(r *record, which string, read *nem13Read) error {
	value, at, quality, reason := r.field(), r.field(), r.field(), r.field()
	_ = r.field() // ReasonDescription
	v, err := domain.ParseDecimal(value)
	ok := err == nil && value[0] != '-'
	if ok {
		v, ok = acceptIndex(v)
	}
	if !ok {
		return n.refuse(which+"RegisterRead", wantIndex+" that is not negative", quote(value))
	}
	read.value = v
	read.at, err = time.ParseInLocation(nem13Time, at, marketTime)
	if err != nil || len(at) != len(nem13Time) || read.at.Year() < 1970 || read.at.Year() > 2199 {
		return n.refuse(which+"RegisterReadDateTime", "an existing time as YYYYMMDDhhmmss", quote(at))
	}
	read.quality, ok = method(quality)
	switch {
	case !ok || read.quality == variable:
		return n.refuse(which+"QualityMethod", "A, E, F, N or S", quote(quality))
	case read.quality == domain.Substituted && !digits(reason):
		return n.refuse(which+"ReasonCode", "a number, as the quality is "+quality[:1], quote(reason))
	}
	return nil
}

// give yields the reads that have a value.
func (n *nem13) give(c Channel, reads []nem13Read) error {
	b := &n.block
	for _, read := range reads {
		if read.quality == domain.Missing {
			continue
		}
		b.Channel, b.Line, b.Start, b.Minutes, b.Scale = c, n.number, read.at, Index, read.value.Scale
		b.Values, b.Quality = append(b.Values[:0], read.value.Coefficient), append(b.Quality[:0], read.quality)
		if err := n.yield(b); err != nil {
			return err
		}
	}
	return nil
}
