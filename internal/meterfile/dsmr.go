package meterfile

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones must be there on a machine without zone data

	"github.com/wattgate/wattgate/internal/domain"
)

// The DSMR reader obeys the P1 companion standard of the Dutch grid operators
// (DSMR P1 5.0.2), whose telegrams Belgium and Hungary took over. A telegram
// begins with / and ends with ! and a checksum. Each register of electricity,
// and each gas meter behind, gives the index that it showed.
//
// Versions before 4 have neither a checksum nor a time of their own; only their
// gas meter says when it was read. So the electricity of such a telegram cannot
// be placed, and the telegram is refused rather than halved.

// The bounds on one telegram. The standard sends at most a few hundred lines.
const (
	maxTelegramLines = 1000
	maxBuses         = 9 // devices behind the meter; the standard has 4
)

// dsmrCountry says where a telegram's meter stands.
type dsmrCountry struct {
	electricity, gas domain.Market
	zone             string
}

// dsmrCountries, by an object that only its telegrams have.
var dsmrCountries = map[string]dsmrCountry{
	"":           {domain.MarketNLDElectricity, domain.MarketNLDGas, "Europe/Amsterdam"},
	"0-0:96.1.4": {"BEL_ELECTRICITY", "BEL_GAS", "Europe/Brussels"},
	"0-0:42.0.0": {"HUN_ELECTRICITY", "HUN_GAS", "Europe/Budapest"},
}

// dsmrFile is the state of reading one file.
type dsmrFile struct {
	*lines
	yield func(*Block) error
	open  bool // a telegram
	telegram
	count int // of telegrams
	zones map[string]*time.Location
	block Block
}

func readDSMR(name string, r io.Reader, yield func(*Block) error) error {
	d := &dsmrFile{lines: newLines(name, r), yield: yield, zones: map[string]*time.Location{}}
	for {
		line, err := d.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = d.line(line)
		}
		if err != nil {
			return err
		}
	}
	d.number++
	switch {
	case d.open:
		return d.refuse("telegram", "! and the checksum, which end a telegram", "the end of the file; it may have been cut off")
	case d.count == 0:
		return d.refuse("telegram", "/ and the meter's type, which begin a telegram", "the end of the file")
	}
	return nil
}

func (d *dsmrFile) refuse(field, want, got string) error {
	return &Error{d.name, d.number, field, want, got}
}

// line reads one line. What lies between telegrams is empty.
func (d *dsmrFile) line(line string) error {
	switch {
	case !d.open && line == "":
		return nil
	case !d.open:
		if !strings.HasPrefix(line, "/") {
			return d.refuse("telegram", "/ and the meter's type, which begin a telegram", quote(line))
		}
		d.telegram = telegram{line: d.number, reads: d.reads[:0]}
		d.open = true
	case strings.HasPrefix(line, "!"):
		d.open = false
		d.count++
		return d.end(line[1:])
	}
	if d.length++; d.length > maxTelegramLines {
		return d.refuse("telegram", fmt.Sprintf("at most %d lines", maxTelegramLines), "more")
	}
	d.sum = crc16(crc16(d.sum, line), "\r\n")
	if d.length == 1 || line == "" {
		return nil
	}
	return d.object(line)
}

// end reads the line that ends a telegram, and yields what the telegram said.
func (d *dsmrFile) end(sum string) error {
	d.sum = crc16(d.sum, "!")
	switch {
	case sum == "" && d.at.text == "" && d.version == "":
	case sum == "":
		return d.refuse("checksum", "four hexadecimal digits, which telegrams since DSMR 4 have", "nothing")
	default:
		n, err := strconv.ParseUint(sum, 16, 16)
		if err != nil || len(sum) > 4 {
			return d.refuse("checksum", "four hexadecimal digits", quote(sum))
		}
		if uint16(n) != d.sum {
			return d.refuse("checksum", fmt.Sprintf("%04X, as the telegram adds up", d.sum), quote(sum))
		}
	}
	return d.give()
}

// crc16 goes on with a checksum: CRC-16 with the polynomial x^16+x^15+x^2+1, the
// lowest bit first, from zero. The ends of lines count as a meter sends them, also
// where something between has made them those of Unix.
func crc16(sum uint16, s string) uint16 {
	for i := range len(s) {
		sum ^= uint16(s[i])
		for range 8 {
			low := sum & 1
			sum >>= 1
			if low == 1 {
				sum ^= 0xA001
			}
		}
	}
	return sum
}

// dsmrText is the text of an object, and where it stands.
type dsmrText struct {
	text string
	line int
}

// instant reads YYMMDDhhmmss and the letter that says whether that is summer
// time, S, or winter time, W. A time that the letter makes one
// that does not exist is refused. Before version 4 there was no letter; then
// the time must be clear by itself.
func (d *dsmrFile) instant(t dsmrText, zone *time.Location) (time.Time, error) {
	const digits = len("060102150405")
	refuse := func(want string) (time.Time, error) {
		return time.Time{}, &Error{d.name, t.line, "time", want, quote(t.text)}
	}
	const want = "an existing time as YYMMDDhhmmss and W or S"
	if len(t.text) != digits && len(t.text) != digits+1 {
		return refuse(want)
	}
	wall, err := time.Parse("20060102150405", "20"+t.text[:digits])
	if err != nil {
		return refuse(want)
	}
	var found []time.Time
	for letter, offset := range map[string]time.Duration{"W": time.Hour, "S": 2 * time.Hour} {
		if letter != t.text[digits:] && t.text[digits:] != "" {
			continue
		}
		at := wall.Add(-offset).In(zone)
		if at.Format("060102150405") == t.text[:digits] {
			found = append(found, at)
		}
	}
	switch {
	case len(found) == 1:
		return found[0].UTC(), nil
	case len(found) == 2:
		return refuse("a time that comes once, as no W or S says which of two it is")
	case t.text[digits:] == "W" || t.text[digits:] == "S":
		return refuse("a time that exists in " + zone.String())
	}
	return refuse(want)
}
