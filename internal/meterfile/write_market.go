package meterfile

import (
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// marketDay gathers a day of market time, as NEM12 and CDR have whole days only
// and the blocks of a day may leave some of it out.
type marketDay struct {
	channel Channel
	minutes int   // of the intervals
	start   int64 // in Unix seconds
	present int   // how many readings it has; an open day has one
	values  [WholeDay]domain.Decimal
	quality [WholeDay]domain.Quality
}

// fits refuses what a format of market time would read back as something else.
func (d *marketDay) fits(f Format, b *Block) error {
	if d.channel != b.Channel {
		if err := fitsMarket(f, b); err != nil {
			return err
		}
	}
	start, step := b.Start.Unix(), int64(b.Minutes)*60
	day := marketMidnight(start)
	switch {
	case (start-day)%step != 0:
		return cannotCarry(f, b, "its intervals begin at midnight, market time; take csv or ndjson")
	case start+step*int64(len(b.Values)) > day+daySeconds:
		return cannotCarry(f, b, "a day of market time has 24 hours; take csv or ndjson")
	case d.open(b, day) && d.minutes != b.Minutes:
		return cannotCarry(f, b, "a day has intervals of one length; take csv or ndjson")
	}
	return nil
}

// fitsMarket is fits for what the blocks of a channel have in common.
func fitsMarket(f Format, b *Block) error {
	c := &b.Channel
	switch {
	case c.Market != domain.MarketAUSElectricity || !plain(c.Identifier):
		return cannotCarry(f, b, "it names supply points of %s by their NMI; take csv or ndjson", domain.MarketAUSElectricity)
	case c.Zone != marketTime.String():
		return cannotCarry(f, b, "its days are those of market time, %s, and not of %s; take csv or ndjson", marketTime, c.Zone)
	case !plain(c.Register):
		return cannotCarry(f, b, "a register is an NMI suffix such as E1; take csv or ndjson")
	case (c.Register[0]|0x20 == 'b') != (c.Direction == domain.Generation):
		return cannotCarry(f, b, "a suffix in B, and no other, is %s; take csv or ndjson", domain.Generation)
	case marketUnit(c.Unit) == "":
		return cannotCarry(f, b, "its units are kWh, Wh, kvarh and varh; take csv or ndjson")
	}
	return nil
}

// open reports whether the day of a block is the one that is gathered.
func (d *marketDay) open(b *Block, day int64) bool {
	return d.present > 0 && d.start == day && d.channel == b.Channel
}

// turn begins another day.
func (d *marketDay) turn(b *Block, day int64) {
	d.channel, d.minutes, d.start, d.present = b.Channel, b.Minutes, day, 0
	clear(d.quality[:])
}

// add puts the readings of a block into the day.
func (d *marketDay) add(b *Block) {
	first := int(b.Start.Unix()-d.start) / 60 / b.Minutes
	for i, q := range b.Quality {
		if q != domain.Missing {
			d.values[first+i] = domain.Decimal{Coefficient: b.Values[i], Scale: b.Scale}
			d.quality[first+i] = q
			d.present++
		}
	}
}

// intervals returns the qualities of the day's intervals.
func (d *marketDay) intervals() []domain.Quality { return d.quality[:WholeDay/d.minutes] }

// runOf returns the end of the run of one quality that begins at from.
func runOf(quality []domain.Quality, from int) int {
	to := from + 1
	for to < len(quality) && quality[to] == quality[from] {
		to++
	}
	return to
}

// marketMidnight returns where a day of market time begins, in Unix seconds.
func marketMidnight(t int64) int64 {
	_, offset := time.Unix(t, 0).In(marketTime).Zone()
	return t - (t+int64(offset))%daySeconds
}

// marketUnit returns a unit as MDFF appendix B writes it, or nothing.
func marketUnit(u domain.Unit) string {
	switch u {
	case domain.KilowattHour:
		return "KWH"
	case domain.WattHour:
		return "WH"
	case domain.KilovarHour:
		return "KVARH"
	case domain.VarHour:
		return "VARH"
	case domain.CubicMetre:
	}
	return ""
}
