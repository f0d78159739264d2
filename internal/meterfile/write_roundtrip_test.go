package meterfile_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// fact is one reading, as it should survive writing and reading.
type fact struct {
	meterfile.Channel
	start   int64
	minutes int
	value   domain.Decimal
	quality domain.Quality
}

func (f fact) String() string {
	return fmt.Sprintf("%v %s %d %s %s", f.Channel, time.Unix(f.start, 0).UTC().Format(time.RFC3339), f.minutes, f.value, f.quality)
}

// facts takes a block apart.
func facts(b *meterfile.Block) []fact {
	var list []fact
	for i, q := range b.Quality {
		if q != domain.Missing {
			start := b.Start.Unix() + int64(i*b.Minutes)*60
			list = append(list, fact{b.Channel, start, b.Minutes, domain.Decimal{Coefficient: b.Values[i], Scale: b.Scale}.Trim(), q})
		}
	}
	return list
}

// carrier says what one format can carry, and how what it carries comes back.
type carrier struct {
	format  meterfile.Format
	markets []string
	zones   []string
	units   []domain.Unit
	minutes []int
	places  int   // of values, at most
	most    int64 // of the unit, exclusive
	least   int64
	partial bool             // a day may be in part
	index   bool             // of a register
	quality []domain.Quality // nil: all
	back    func(fact) fact  // nil: as it was
}

var everywhere = []string{"Europe/Amsterdam", "Australia/Lord_Howe", "America/New_York", "America/St_Johns", "Pacific/Apia", "+10:00", "-03:30", "UTC"}

var (
	european = []string{"NLD_ELECTRICITY", "GBR_ELECTRICITY", "NLD_GAS"}
	units    = []domain.Unit{domain.KilowattHour, domain.WattHour, domain.CubicMetre, domain.KilovarHour, domain.VarHour}
	lengths  = []int{1, 5, 10, 15, 30, 60, meterfile.WholeDay}
)

// nowhere is a reading of a file that says offsets and names no zone.
func nowhere(f fact) fact {
	f.Zone = ""
	return f
}

var carriers = map[string]carrier{
	"NEM12": {
		format: meterfile.NEM12, markets: []string{"AUS_ELECTRICITY"}, zones: []string{"+10:00"}, minutes: []int{5, 15, 30}, places: 9, most: 10_000_000, partial: true,
		units: []domain.Unit{domain.KilowattHour, domain.WattHour, domain.KilovarHour, domain.VarHour},
	},
	"CSV": {
		format: meterfile.CSV, markets: european, zones: everywhere, units: units, minutes: lengths, places: 9, most: 10_000_000, least: -10_000_000,
		partial: true, back: nowhere,
	},
	"NDJSON": {
		format: meterfile.NDJSON, markets: european, zones: everywhere, units: units, minutes: lengths, places: 9, most: 10_000_000, least: -10_000_000,
		partial: true, index: true, back: nowhere,
	},
	"CDR": {
		format: meterfile.CDR, markets: []string{"AUS_ELECTRICITY"}, zones: []string{"+10:00"}, minutes: lengths, places: 9, most: 10_000_000, least: -10_000_000,
		units: []domain.Unit{domain.KilowattHour, domain.WattHour, domain.KilovarHour, domain.VarHour}, partial: true,
		quality: []domain.Quality{domain.Missing, domain.Actual, domain.Substituted},
	},
	"ESPI": {
		format: meterfile.ESPI, markets: []string{"NLD_ELECTRICITY", "USA_ELECTRICITY", "NLD_GAS", "USA_GAS"}, zones: everywhere, minutes: lengths,
		units: units, places: 9, most: 10_000, least: -10_000, partial: true,
		back: func(f fact) fact {
			if !slices.Contains([]string{"America/New_York", "America/St_Johns", "+10:00", "-03:30"}, f.Zone) {
				f.Zone = ""
			}
			return f
		},
	},
}

// TestOurOwnExportsComeBack: whatever a format can carry is read as it was
// written.
func TestOurOwnExportsComeBack(t *testing.T) {
	for name, c := range carriers {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				blocks := c.draw(t)
				var file bytes.Buffer
				compose(t, c.format, &file, blocks...)
				var want, got []fact
				for _, b := range blocks {
					for _, f := range facts(b) {
						if c.back != nil {
							f = c.back(f)
						}
						want = append(want, f)
					}
				}
				if len(want) == 0 {
					return // an empty file may be refused
				}
				loc := blocks[0].Start.Location()
				keep := func(b *meterfile.Block) error {
					if _, offset := b.Start.In(loc).Zone(); b.HasOffset && b.Offset != offset {
						t.Fatalf("got offset %d at %v, want %d", b.Offset, b.Start.In(loc), offset)
					}
					got = append(got, facts(b)...)
					return nil
				}
				if err := meterfile.Read("f", bytes.NewReader(file.Bytes()), keep); err != nil {
					t.Fatalf("read what was written: %v\n%s", err, file.Bytes())
				}
				if !slices.Equal(got, want) {
					t.Fatalf("got  %d readings\n%v\nwant %d\n%v\nfrom\n%s", len(got), got, len(want), want, file.Bytes())
				}
			})
		})
	}
}

// fataler is a test, or one run of a property.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// compose writes blocks as a file.
func compose(tb fataler, f meterfile.Format, to *bytes.Buffer, blocks ...*meterfile.Block) {
	tb.Helper()
	w, err := meterfile.NewWriter(f, to, export)
	if err != nil {
		tb.Fatal(err)
	}
	for _, b := range blocks {
		if err := w.Write(b); err != nil {
			tb.Fatalf("write %+v: %v", b, err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
}

// draw makes the blocks of a few channels, on days around a change of clocks.
func (c carrier) draw(t *rapid.T) []*meterfile.Block {
	var blocks []*meterfile.Block
	zone := rapid.SampledFrom(c.zones).Draw(t, "zone")
	loc, err := interval.Zone(zone)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for range rapid.IntRange(1, 3).Draw(t, "channels") {
		ch := c.channel(t, zone)
		if key := ch.Identifier + ch.Register; seen[key] {
			continue
		} else {
			seen[key] = true
		}
		day := rapid.SampledFrom([]domain.Date{
			domain.NewDate(2024, 3, 30), domain.NewDate(2024, 10, 26), domain.NewDate(2024, 3, 9), domain.NewDate(2024, 11, 2),
			domain.NewDate(2024, 4, 6), domain.NewDate(2011, 12, 29), domain.NewDate(2024, 12, 30),
		}).Draw(t, "day")
		chance := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		minutes := rapid.SampledFrom(c.minutes).Draw(t, "minutes")
		for range rapid.IntRange(1, 4).Draw(t, "days") {
			if chance.IntN(4) == 0 {
				minutes = c.minutes[chance.IntN(len(c.minutes))]
			}
			start, end := interval.Span(day, loc)
			day++
			if c.index && chance.IntN(4) == 0 && end.After(start) {
				blocks = append(blocks, &meterfile.Block{
					Channel: ch, Start: start.Add(time.Duration(chance.IntN(3600)) * time.Second), Minutes: meterfile.Index,
					Scale: 3, Values: []int64{chance.Int64N(1e12)}, Quality: []domain.Quality{domain.Actual},
				})
			}
			if b := c.block(chance, ch, start, end, minutes); b != nil {
				blocks = append(blocks, split(chance, b)...)
			}
		}
	}
	return blocks
}

// split cuts some blocks in two: a day may come in parts.
func split(chance *rand.Rand, b *meterfile.Block) []*meterfile.Block {
	if len(b.Values) < 2 || chance.IntN(3) > 0 {
		return []*meterfile.Block{b}
	}
	n := 1 + chance.IntN(len(b.Values)-1)
	head, tail := *b, *b
	head.Values, head.Quality = b.Values[:n], b.Quality[:n]
	tail.Values, tail.Quality = b.Values[n:], b.Quality[n:]
	tail.Start = b.Start.Add(time.Duration(n*b.Minutes) * time.Minute)
	return []*meterfile.Block{&head, &tail}
}

// channel makes a channel.
func (c carrier) channel(t *rapid.T, zone string) meterfile.Channel {
	ch := meterfile.Channel{
		Market:     domain.Market(rapid.SampledFrom(c.markets).Draw(t, "market")),
		Identifier: rapid.StringMatching(`[A-Za-z0-9_.:-]{1,12}`).Draw(t, "identifier"),
		Register:   rapid.StringMatching(`[A-Za-z0-9_.:-]{1,6}`).Draw(t, "register"),
		Direction:  domain.Direction(rapid.IntRange(0, 1).Draw(t, "direction")),
		Unit:       rapid.SampledFrom(c.units).Draw(t, "unit"), Zone: zone,
	}
	switch gas := ch.Market.Gas(); {
	case gas && !ch.Unit.Energy():
		ch.Unit = domain.CubicMetre
	case !gas && ch.Unit == domain.CubicMetre:
		ch.Unit = domain.WattHour
	}
	if c.format == meterfile.NEM12 || c.format == meterfile.CDR {
		ch.Register = map[domain.Direction]string{domain.Consumption: "E", domain.Generation: "B"}[ch.Direction] + ch.Register[:1]
	}
	return ch
}

func (c carrier) qualities() []domain.Quality {
	if c.quality != nil {
		return c.quality
	}
	return []domain.Quality{domain.Missing, domain.Actual, domain.Estimate, domain.Substituted}
}

// block makes a day, or nil where the zone has none of that date.
func (c carrier) block(chance *rand.Rand, ch meterfile.Channel, start, end time.Time, minutes int) *meterfile.Block {
	b := &meterfile.Block{Channel: ch, Start: start, Minutes: minutes, Scale: uint8(chance.IntN(c.places + 1))}
	count := interval.Count(start, end, minutes)
	if minutes == meterfile.WholeDay && end.After(start) {
		count = 1
		if hours := end.Sub(start).Hours(); c.format == meterfile.ESPI && hours != 23 && hours != 24 && hours != 25 {
			return nil // Lord Howe's days of clocks that move by half an hour
		}
	}
	if c.partial && count > 1 && chance.IntN(3) == 0 {
		skip := chance.IntN(count)
		b.Start = b.Start.Add(time.Duration(skip*minutes) * time.Minute)
		count = 1 + chance.IntN(count-skip)
	}
	one := int64(1)
	for range b.Scale {
		one *= 10
	}
	quality := domain.Actual
	for range count {
		if chance.IntN(8) == 0 {
			quality = c.qualities()[chance.IntN(len(c.qualities()))]
		}
		v := c.least*one + chance.Int64N((c.most-c.least)*one-1) + 1
		if c.least == 0 {
			v--
		}
		switch {
		case quality == domain.Missing:
			v = 0
		case chance.IntN(2) == 0:
			v = chance.Int64N(2 * one) // as households have it
		}
		b.Values, b.Quality = append(b.Values, v), append(b.Quality, quality)
	}
	if count == 0 {
		return nil
	}
	return b
}

// export is what the files of tests are about.
var export = meterfile.Export{
	Now:  time.Date(2024, 11, 5, 8, 30, 15, 0, time.UTC),
	From: amsterdam(2024, 10, 26), To: amsterdam(2024, 10, 28),
}

func amsterdam(year int, month time.Month, day int) time.Time {
	loc, err := interval.Zone("Europe/Amsterdam")
	if err != nil {
		panic(err)
	}
	return time.Date(year, month, day, 0, 0, 0, 0, loc)
}
