package meterfile

import (
	"strconv"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
)

// The codes that ESPI has for our words; those of the reader, turned round.

// espiActual is the code of QualityOfReading for valid data.
const espiActual = "0"

// espiQuality begins a reading. One that is as its ReadingType says has no
// quality of its own.
func espiQuality(q domain.Quality) string {
	switch q {
	case domain.Estimate:
		return "<IntervalReading><ReadingQuality><quality>8</quality></ReadingQuality>"
	case domain.Substituted:
		return "<IntervalReading><ReadingQuality><quality>7</quality></ReadingQuality>"
	case domain.Missing, domain.Actual:
	}
	return "<IntervalReading>"
}

// espiUnit returns the code of UnitSymbolKind for a unit, or nothing.
func espiUnit(u domain.Unit) string {
	switch u {
	case domain.KilowattHour, domain.WattHour:
		return "72"
	case domain.KilovarHour, domain.VarHour:
		return "73"
	case domain.CubicMetre:
		return "42"
	}
	return ""
}

// espiPlaces returns how many decimal places of a unit are none in ESPI's, which
// has no kilo.
func espiPlaces(u domain.Unit) int {
	if u == domain.KilowattHour || u == domain.KilovarHour {
		return 3
	}
	return 0
}

// espiZone returns the elements of LocalTimeParameters for a zone. It is empty
// for a zone that would be read back as another one: whoever reads a feed
// without them takes the zone of where its readings go.
func espiZone(name string) string {
	// Second Sunday of March and first of November, at two. A feed without
	// summer time has no rule to apply, which all ones say.
	offset, dst, start, end := 0, "3600", "360E2000", "B40E2000"
	for seconds, zone := range zones {
		if zone == name {
			offset = seconds
		}
	}
	if offset == 0 {
		var ok bool
		if offset, ok = fixedOffset(name); !ok {
			return ""
		}
		dst, start, end = "0", "FFFFFFFF", "FFFFFFFF"
	}
	return "<dstEndRule>" + end + "</dstEndRule>\n<dstOffset>" + dst + "</dstOffset>\n<dstStartRule>" + start +
		"</dstStartRule>\n<tzOffset>" + strconv.Itoa(offset) + "</tzOffset>\n"
}

// fixedOffset reads a fixed offset such as +10:00, as the reader writes it.
func fixedOffset(name string) (seconds int, ok bool) {
	h, m, ok := strings.Cut(name, ":")
	if !ok || len(h) != 3 || len(m) != 2 || !digits(h[1:]) || !digits(m) || name == "-00:00" {
		return 0, false
	}
	hours, _ := strconv.Atoi(h[1:])
	minutes, _ := strconv.Atoi(m)
	seconds = hours*3600 + minutes*60
	if seconds > 14*3600 || minutes > 59 {
		return 0, false
	}
	switch h[0] {
	case '+':
		return seconds, true
	case '-':
		return -seconds, true
	}
	return 0, false
}
