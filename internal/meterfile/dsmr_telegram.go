package meterfile

import (
	"fmt"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// telegram is what one telegram has said so far.
type telegram struct {
	line    int // where it begins
	length  int // in lines
	sum     uint16
	version string
	country string   // a key of dsmrCountries
	at      dsmrText // its own time
	meters  [2]dsmrText
	reads   []dsmrRead
	buses   [maxBuses + 1]dsmrBus // by number; 0 is the meter itself
	pending *dsmrText             // a value that stands in the next line
	given   int                   // indexes
}

// dsmrRead is a register of electricity.
type dsmrRead struct {
	register  string
	direction domain.Direction
	value     dsmrText
}

// dsmrBus is a device behind the meter.
type dsmrBus struct {
	kind, meter, at, value dsmrText
	register               string
}

// dsmrGas are the kinds of device that are gas meters (EN 13757-3, medium 3).
var dsmrGas = map[string]bool{"3": true, "03": true, "003": true}

// object reads one object: its name, such as 1-0:1.8.1, and its values, each in
// parentheses.
func (d *dsmrFile) object(line string) error {
	name, rest, ok := strings.Cut(line, "(")
	if !ok || !strings.HasSuffix(rest, ")") {
		return d.refuse("object", "a name and values in parentheses, such as 1-0:1.8.1(000001.000*kWh)", quote(line))
	}
	rest = strings.TrimSuffix(rest, ")")
	first, more, _ := strings.Cut(rest, ")(")
	if name == "" { // the second line of an object
		if d.pending == nil {
			return d.refuse("object", "a name before the values", quote(line))
		}
		err := d.once(d.pending, first)
		d.pending = nil
		return err
	}
	d.pending = nil
	name = strings.TrimSuffix(name, "*255")
	switch medium, object, _ := strings.Cut(name, ":"); {
	case name == "1-3:0.2.8":
		d.version = first
	case name == "0-0:1.0.0":
		return d.once(&d.at, first)
	case name == "0-0:96.1.1":
		return d.once(&d.meters[0], first)
	case name == "0-0:96.1.0":
		return d.once(&d.meters[1], first)
	case dsmrCountries[name].zone != "":
		d.country = name
	case medium == "1-0" && len(object) == len("1.8.1") && (object[:4] == "1.8." || object[:4] == "2.8."):
		return d.register(object, first)
	case len(medium) == len("0-1") && medium[:2] == "0-" && medium[2] > '0' && medium[2] <= '0'+maxBuses:
		return d.bus(&d.buses[medium[2]-'0'], object, first, more)
	}
	return nil
}

// once keeps a text that an object says once.
func (d *dsmrFile) once(t *dsmrText, text string) error {
	if t.line != 0 {
		return d.refuse("object", "each object once in a telegram", quote(text)+" once more")
	}
	*t = dsmrText{text, d.number}
	return nil
}

// register keeps the index of a register of electricity.
func (d *dsmrFile) register(object, value string) error {
	for _, read := range d.reads {
		if read.register == object {
			return d.refuse(object, "each register once in a telegram", "a repeated register: "+quote(value))
		}
	}
	direction := domain.Consumption
	if object[0] == '2' {
		direction = domain.Generation
	}
	d.reads = append(d.reads, dsmrRead{object, direction, dsmrText{value, d.number}})
	return nil
}

// bus keeps what an object says about a device behind the meter.
func (d *dsmrFile) bus(b *dsmrBus, object, first, more string) error {
	switch object {
	case "24.1.0":
		return d.once(&b.kind, first)
	case "96.1.0", "96.1.1":
		return d.once(&b.meter, first)
	case "24.2.1", "24.2.3": // the second one is not converted to a temperature
		b.register = object
		if err := d.once(&b.at, first); err != nil {
			return err
		}
		return d.once(&b.value, more)
	case "24.3.0": // before version 4; the value is in the next line, its unit in this one
		b.register = "24.2.1"
		d.pending = &b.value
		if !strings.HasSuffix(more, ")(m3") {
			d.pending = new(dsmrText) // no gas
			return nil
		}
		return d.once(&b.at, first)
	}
	return nil
}

// give yields the reads of a telegram.
func (d *dsmrFile) give() error {
	country := dsmrCountries[d.country]
	zone := d.zones[country.zone]
	if zone == nil {
		var err error
		if zone, err = time.LoadLocation(country.zone); err != nil {
			return fmt.Errorf("read %s: %w", d.name, err)
		}
		d.zones[country.zone] = zone
	}
	if err := d.electricity(country, zone); err != nil {
		return err
	}
	for i := range d.buses {
		if err := d.gas(&d.buses[i], country, zone); err != nil {
			return err
		}
	}
	if d.given == 0 {
		return d.refuse("telegram", "at least one register of electricity (1.8, 2.8) or of a gas meter (24.2)", "none")
	}
	return nil
}

// electricity yields the meter's own registers.
func (d *dsmrFile) electricity(country dsmrCountry, zone *time.Location) error {
	if len(d.reads) == 0 {
		return nil
	}
	if d.at.line == 0 {
		return d.refuse("0-0:1.0.0", "the time of the telegram; those before DSMR 4 do not say when their electricity was read", "no such object")
	}
	at, err := d.instant(d.at, zone)
	if err != nil {
		return err
	}
	meter := d.meters[0]
	if meter.text == "" {
		meter = d.meters[1]
	}
	if !equipment(meter.text) {
		return d.refuse("0-0:96.1.1", wantEquipment, quote(meter.text))
	}
	for _, read := range d.reads {
		c := Channel{country.electricity, meter.text, read.register, read.direction, "", country.zone}
		if err := d.index(c, at, read.value); err != nil {
			return err
		}
	}
	return nil
}

// gas yields the index of a device that is a gas meter. One without an
// identifier is a place where none is connected.
func (d *dsmrFile) gas(b *dsmrBus, country dsmrCountry, zone *time.Location) error {
	if b.at.line == 0 || b.meter.text == "" || b.kind.line != 0 && !dsmrGas[b.kind.text] {
		return nil
	}
	if b.kind.line == 0 {
		return &Error{d.name, b.at.line, "24.1.0", "what kind of device it is, 003 for a gas meter", "no such object"}
	}
	if !equipment(b.meter.text) {
		return &Error{d.name, b.meter.line, "96.1.0", wantEquipment, quote(b.meter.text)}
	}
	at, err := d.instant(b.at, zone)
	if err != nil {
		return err
	}
	value := b.value
	switch value.line {
	case b.at.line:
	case 0:
		value.line = b.at.line // the line below is missing
	default:
		value.text += "*m3" // the line above says so
	}
	return d.index(Channel{country.gas, b.meter.text, b.register, domain.Consumption, "", country.zone}, at, value)
}

const wantEquipment = "the equipment identifier of the meter, 1 to 64 hexadecimal digits"

// equipment reports whether s may be an equipment identifier. It is kept as it
// is sent: what its digits encode is not always text.
func equipment(s string) bool {
	for i := range len(s) {
		if _, ok := hexDigit(s[i]); !ok {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// index yields an index, whose text has its unit behind an asterisk.
func (d *dsmrFile) index(c Channel, at time.Time, value dsmrText) error {
	number, uom, _ := strings.Cut(value.text, "*")
	refuse := func(want string) error { return &Error{d.name, value.line, c.Register, want, quote(value.text)} }
	v, err := domain.ParseDecimal(number)
	ok := err == nil && number[0] != '-'
	if ok {
		v, ok = acceptIndex(v)
	}
	if !ok {
		return refuse(wantIndex + " that is not negative, and a unit")
	}
	c.Unit, err = domain.ParseUnit(uom)
	switch {
	case c.Market.Gas() && (err != nil || c.Unit != domain.CubicMetre):
		return refuse("a number of m3")
	case !c.Market.Gas() && (err != nil || c.Unit != domain.KilowattHour && c.Unit != domain.WattHour):
		return refuse("a number of kWh or Wh")
	}
	b := &d.block
	b.Channel, b.Line, b.Start, b.Minutes, b.Scale = c, value.line, at, Index, v.Scale
	b.Values, b.Quality = append(b.Values[:0], v.Coefficient), append(b.Quality[:0], domain.Actual)
	d.given++
	return d.yield(b)
}
