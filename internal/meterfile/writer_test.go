package meterfile_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// at returns an instant in a zone.
func at(tb testing.TB, zone, moment string) time.Time {
	tb.Helper()
	loc, err := interval.Zone(zone)
	if err != nil {
		tb.Fatal(err)
	}
	when, err := time.Parse(time.RFC3339, moment)
	if err != nil {
		tb.Fatal(err)
	}
	return when.In(loc)
}

// household is a register of consumption and one of generation.
func household(market domain.Market, identifier, zone string) (e1, b1 meterfile.Channel) {
	e1 = meterfile.Channel{Market: market, Identifier: identifier, Register: "E1", Unit: domain.KilowattHour, Zone: zone}
	b1 = e1
	b1.Register, b1.Direction = "B1", domain.Generation
	return e1, b1
}

// sample returns the blocks of a household as it is exported: a day with every
// quality, and the day on which clocks are set back.
func sample(tb testing.TB, market domain.Market, identifier, zone, day, next string, minutes, hours int) []*meterfile.Block {
	e1, b1 := household(market, identifier, zone)
	first := &meterfile.Block{Channel: e1, Start: at(tb, zone, day), Minutes: minutes, Scale: 3}
	for i := range 24 * 60 / minutes {
		q := domain.Actual
		switch {
		case i < 2:
			q = domain.Missing
		case i < 5:
			q = domain.Estimate
		case i < 7:
			q = domain.Substituted
		}
		v := int64(i * 7)
		if q == domain.Missing {
			v = 0
		}
		first.Values, first.Quality = append(first.Values, v), append(first.Quality, q)
	}
	long := func(c meterfile.Channel) *meterfile.Block {
		b := &meterfile.Block{Channel: c, Start: at(tb, zone, next), Minutes: minutes, Scale: 2}
		for i := range hours * 60 / minutes {
			b.Values, b.Quality = append(b.Values, int64(i)), append(b.Quality, domain.Actual)
		}
		return b
	}
	return []*meterfile.Block{first, long(e1), long(b1)}
}

// TestExports holds a small export of each format to a file that was read by
// somebody.
func TestExports(t *testing.T) {
	dutch := sample(t, "NLD_ELECTRICITY", "871685900000000001", "Europe/Amsterdam", "2024-10-26T00:00:00+02:00", "2024-10-27T00:00:00+02:00", 60, 25)
	american := sample(t, "USA_ELECTRICITY", "6d1c1c1a-6f7e-4a53-8a0e-3a4b5c6d7e01", "America/New_York", "2024-03-09T00:00:00-05:00", "2024-03-10T00:00:00-05:00", 60, 23)
	australian := sample(t, "AUS_ELECTRICITY", "WATTGATE01", "+10:00", "2024-10-26T00:00:00+10:00", "2024-10-27T00:00:00+10:00", 30, 24)
	substituted := sample(t, "AUS_ELECTRICITY", "WATTGATE01", "+10:00", "2024-10-26T00:00:00+10:00", "2024-10-27T00:00:00+10:00", 30, 24)
	for i, q := range substituted[0].Quality {
		if q == domain.Estimate { // which CDR has no word for
			substituted[0].Quality[i] = domain.Actual
		}
	}
	for file, test := range map[string]struct {
		format meterfile.Format
		blocks []*meterfile.Block
	}{
		"export.csv": {meterfile.CSV, dutch}, "export.ndjson": {meterfile.NDJSON, dutch}, "export.json": {meterfile.JSON, dutch},
		"export.espi.xml": {meterfile.ESPI, american}, "export.nem12.csv": {meterfile.NEM12, australian}, "export.cdr.json": {meterfile.CDR, substituted},
	} {
		t.Run(file, func(t *testing.T) {
			var got bytes.Buffer
			compose(t, test.format, &got, test.blocks...)
			golden := "testdata/" + file
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("the export differs from %s; go test -update rewrites it. got:\n%s", golden, got.Bytes())
			}
		})
	}
}

func TestFormats(t *testing.T) {
	formats := meterfile.Formats()
	types := map[meterfile.Format]string{
		meterfile.CSV: "text/csv", meterfile.NDJSON: "application/x-ndjson", meterfile.JSON: "application/json", meterfile.ESPI: "application/atom+xml",
		meterfile.NEM12: "text/csv; profile=nem12", meterfile.CDR: "application/json", meterfile.Parquet: "application/vnd.apache.parquet",
	}
	for _, f := range formats {
		if f.MediaType() == "" || f.MediaType() != types[f] {
			t.Errorf("%s: got media type %q, want %q", f, f.MediaType(), types[f])
		}
		if w, err := meterfile.NewWriter(f, io.Discard, export); err != nil || w.Close() != nil {
			t.Errorf("%s: got error %v, want an empty file", f, err)
		}
	}
	for _, f := range []meterfile.Format{meterfile.NEM13, meterfile.DSMR, "xlsx", ""} {
		w, err := meterfile.NewWriter(f, io.Discard, export)
		var d *domain.Error
		if w != nil || !errors.As(err, &d) || d.Kind != domain.Invalid || !strings.Contains(d.Public, "want one of csv, ndjson, json, xml, nem12, cdr.json") {
			t.Errorf("%q: got writer %v and error %v, want an invalid one that names the formats", f, w, err)
		}
		if f.MediaType() != "" {
			t.Errorf("%q: got media type %s, want none", f, f.MediaType())
		}
	}
	if slices.Contains(formats, meterfile.Parquet) {
		return
	}
	w, err := meterfile.NewWriter(meterfile.Parquet, io.Discard, export)
	var d *domain.Error
	if w != nil || !errors.As(err, &d) || d.Kind != domain.Invalid || !strings.Contains(d.Public, "built without parquet") {
		t.Errorf("parquet: got writer %v and error %v, want an invalid one that says how it is built", w, err)
	}
}

// TestWritersRefuse: what a format has no room for is refused before anything
// of the block is written, and the file goes on as if nobody had asked.
func TestWritersRefuse(t *testing.T) {
	block := func(change func(b *meterfile.Block)) *meterfile.Block {
		c, _ := household("AUS_ELECTRICITY", "NMI1", "+10:00")
		b := &meterfile.Block{Channel: c, Start: at(t, "+10:00", "2024-10-28T00:00:00+10:00"), Minutes: 30, Scale: 3, Values: []int64{1, 2}, Quality: []domain.Quality{1, 1}}
		change(b)
		return b
	}
	single := func(minutes int) func(*meterfile.Block) {
		return func(b *meterfile.Block) { b.Minutes, b.Values, b.Quality = minutes, b.Values[:1], b.Quality[:1] }
	}
	const csv = "; take csv or ndjson"
	tests := map[string]struct {
		format meterfile.Format
		change func(b *meterfile.Block)
		want   string
	}{
		"an index in ESPI":        {meterfile.ESPI, single(meterfile.Index), "its intervals are minutes that divide an hour, or one day, and not 0 minutes" + csv},
		"a month in ESPI":         {meterfile.ESPI, single(44640), "and not 44640 minutes" + csv},
		"seven minutes in ESPI":   {meterfile.ESPI, func(b *meterfile.Block) { b.Minutes = 7 }, "and not 7 minutes" + csv},
		"volumes of electricity":  {meterfile.ESPI, func(b *meterfile.Block) { b.Channel.Unit = domain.CubicMetre }, "m3 does not fit the market" + csv},
		"reactive gas":            {meterfile.ESPI, func(b *meterfile.Block) { b.Channel.Market, b.Channel.Unit = "NLD_GAS", domain.VarHour }, "varh does not fit the market" + csv},
		"an unknown unit":         {meterfile.ESPI, func(b *meterfile.Block) { b.Channel.Unit = "therm" }, "its units are Wh, varh and m3" + csv},
		"a register of two words": {meterfile.ESPI, func(b *meterfile.Block) { b.Channel.Register = "E 1" }, "a register has 1 to 64 letters and digits" + csv},
		"kilo and none":           {meterfile.ESPI, func(b *meterfile.Block) { b.Channel.Unit = domain.WattHour }, "a register has one unit of energy, and comes once" + csv},
		"an estimate in CDR":      {meterfile.CDR, func(b *meterfile.Block) { b.Quality[1] = domain.Estimate }, "it has no word for the quality ESTIMATE; take nem12, csv or ndjson"},
		"an index in CDR":         {meterfile.CDR, single(meterfile.Index), "its intervals are minutes that divide an hour, or one day, and not 0 minutes" + csv},
		"a month in CDR":          {meterfile.CDR, single(44640), "and not 44640 minutes" + csv},
		"25 hours in CDR":         {meterfile.CDR, single(1500), "and not 1500 minutes" + csv},
		"a sum of 20 digits":      {meterfile.CDR, func(b *meterfile.Block) { b.Values[0], b.Values[1] = 1<<62, 1<<62 }, "the sum of its day has too many digits" + csv},
		"the last number": {meterfile.CDR, func(b *meterfile.Block) {
			b.Channel.Register, b.Channel.Direction, b.Values[0] = "B1", domain.Generation, -1<<63
		}, "the sum of its day has too many digits" + csv},
		"an odd register in CDR": {meterfile.CDR, func(b *meterfile.Block) { b.Channel.Register = "E 1" }, "a register is an NMI suffix such as E1" + csv},
		"a Dutch point in CDR":   {meterfile.CDR, func(b *meterfile.Block) { b.Channel.Market = "NLD_ELECTRICITY" }, "it names supply points of AUS_ELECTRICITY by their NMI" + csv},
		"a second zone": {meterfile.ESPI, func(b *meterfile.Block) {
			b.Channel.Zone, b.Start = "America/New_York", b.Start.In(at(t, "America/New_York", "2024-10-28T00:00:00Z").Location())
		}, "a feed has one zone, and this one has +10:00 and America/New_York" + csv},
		"a value of 49 bits":            {meterfile.ESPI, func(b *meterfile.Block) { b.Values[1] = 1 << 47 }, "its values have 48 bits, and one of these is longer" + csv},
		"a Dutch supply point in NEM12": {meterfile.NEM12, func(b *meterfile.Block) { b.Channel.Market = "NLD_ELECTRICITY" }, "it names supply points of AUS_ELECTRICITY by their NMI" + csv},
		"an NMI with a space":           {meterfile.NEM12, func(b *meterfile.Block) { b.Channel.Identifier = "NMI 1" }, "it names supply points of AUS_ELECTRICITY by their NMI" + csv},
		"summer time in NEM12": {meterfile.NEM12, func(b *meterfile.Block) {
			b.Channel.Zone, b.Start = "Europe/Amsterdam", b.Start.In(export.From.Location())
		}, "its days are those of market time, +10:00, and not of Europe/Amsterdam" + csv},
		"a register that is no suffix":       {meterfile.NEM12, func(b *meterfile.Block) { b.Channel.Register = "1.8.0" }, "a register is an NMI suffix of two letters or digits, such as E1" + csv},
		"generation under E":                 {meterfile.NEM12, func(b *meterfile.Block) { b.Channel.Direction = domain.Generation }, "a suffix in B, and no other, is GENERATION" + csv},
		"consumption under b":                {meterfile.NEM12, func(b *meterfile.Block) { b.Channel.Register = "b1" }, "a suffix in B, and no other, is GENERATION" + csv},
		"gas in NEM12":                       {meterfile.NEM12, func(b *meterfile.Block) { b.Channel.Register, b.Channel.Unit = "E2", domain.CubicMetre }, "its units are kWh, Wh, kvarh and varh" + csv},
		"a second unit of a register":        {meterfile.NEM12, func(b *meterfile.Block) { b.Channel.Unit = domain.WattHour }, "a register has one unit, and comes once" + csv},
		"hours in NEM12":                     {meterfile.NEM12, func(b *meterfile.Block) { b.Minutes = 60 }, "its intervals are 5, 15 or 30 minutes" + csv},
		"a day in NEM12":                     {meterfile.NEM12, single(meterfile.WholeDay), "its intervals are 5, 15 or 30 minutes" + csv},
		"half hours from ten past":           {meterfile.NEM12, func(b *meterfile.Block) { b.Start = b.Start.Add(10 * time.Minute) }, "its intervals begin at midnight, market time" + csv},
		"half hours beyond midnight":         {meterfile.NEM12, func(b *meterfile.Block) { b.Start = b.Start.Add(23*time.Hour + 30*time.Minute) }, "a day of market time has 24 hours" + csv},
		"two lengths on one day":             {meterfile.NEM12, func(b *meterfile.Block) { b.Start, b.Minutes = b.Start.AddDate(0, 0, -1).Add(12*time.Hour), 15 }, "a day has intervals of one length" + csv},
		"a negative value in NEM12":          {meterfile.NEM12, func(b *meterfile.Block) { b.Values[1] = -1 }, "its values are not negative" + csv},
		"a negative value after another one": {meterfile.NEM12, func(b *meterfile.Block) { b.Quality[0], b.Values[1] = domain.Missing, -1 }, "its values are not negative" + csv},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c, _ := household("AUS_ELECTRICITY", "NMI1", "+10:00")
			before := &meterfile.Block{Channel: c, Start: at(t, "+10:00", "2024-10-27T00:00:00+10:00"), Minutes: 30, Scale: 3, Values: []int64{5}, Quality: []domain.Quality{1}}
			after := *before
			after.Start = before.Start.AddDate(0, 0, 2)
			var got, want bytes.Buffer
			compose(t, test.format, &want, before, &after)
			w, err := meterfile.NewWriter(test.format, &got, export)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write(before); err != nil {
				t.Fatal(err)
			}
			err = w.Write(block(test.change))
			var d *domain.Error
			if !errors.As(err, &d) || d.Kind != domain.Invalid || !strings.HasSuffix(d.Public, test.want) {
				t.Errorf("got  error %v\nwant one that ends in %s", err, test.want)
			}
			if err := errors.Join(w.Write(&after), w.Close()); err != nil {
				t.Errorf("after the refusal: %v", err)
			}
			if got.String() != want.String() {
				t.Errorf("got\n%s\nwant the file without the block\n%s", &got, &want)
			}
		})
	}
}

// TestWritersRefuseWhatIsNoBlock: mistakes of ours are no refusals.
func TestWritersRefuseWhatIsNoBlock(t *testing.T) {
	for name, change := range map[string]func(*meterfile.Block){
		"shown in another zone":    func(b *meterfile.Block) { b.Start = b.Start.UTC() },
		"a value without quality":  func(b *meterfile.Block) { b.Quality = b.Quality[:1] },
		"nothing":                  func(b *meterfile.Block) { b.Values, b.Quality = nil, nil },
		"two days in one":          func(b *meterfile.Block) { b.Minutes = meterfile.WholeDay },
		"an index with two values": func(b *meterfile.Block) { b.Minutes = meterfile.Index },
		"negative minutes":         func(b *meterfile.Block) { b.Minutes = -30 },
		"too many places":          func(b *meterfile.Block) { b.Scale = domain.MaxScale + 1 },
	} {
		for _, f := range meterfile.Formats() {
			c, _ := household("AUS_ELECTRICITY", "NMI1", "+10:00")
			b := &meterfile.Block{Channel: c, Start: at(t, "+10:00", "2024-10-28T00:00:00+10:00"), Minutes: 30, Values: []int64{1, 2}, Quality: []domain.Quality{1, 1}}
			change(b)
			w, err := meterfile.NewWriter(f, io.Discard, export)
			if err != nil {
				t.Fatal(err)
			}
			var d *domain.Error
			if err := w.Write(b); err == nil || errors.As(err, &d) {
				t.Errorf("%s, %s: got error %v, want an internal one", f, name, err)
			}
		}
	}
}

// full is a disk that takes so many bytes.
type full struct{ left int }

var errFull = errors.New("no space left")

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// TestWritersSayThatTheDiskIsFull, and write nothing after that.
func TestWritersSayThatTheDiskIsFull(t *testing.T) {
	c, _ := household("AUS_ELECTRICITY", "NMI1", "+10:00")
	blocks := year(t, c, 30)
	for _, f := range meterfile.Formats() {
		var whole bytes.Buffer
		compose(t, f, &whole, blocks...)
		for _, room := range []int{0, whole.Len() / 2} {
			disk := &full{room}
			w, err := meterfile.NewWriter(f, disk, export)
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range blocks {
				if err = w.Write(b); err != nil {
					break
				}
			}
			if err == nil {
				err = w.Close()
			}
			if !errors.Is(err, errFull) {
				t.Errorf("%s after %d bytes: got error %v, want the disk's", f, room, err)
				continue
			}
			disk.left = 1 << 30
			if err := w.Close(); !errors.Is(err, errFull) || disk.left != 1<<30 {
				t.Errorf("%s: Close after the error: got error %v and %d bytes written, want the same one and none", f, err, 1<<30-disk.left)
			}
		}
	}
}

// chunks keeps the sizes of what is written.
type chunks []int

func (c *chunks) Write(p []byte) (int, error) {
	*c = append(*c, len(p))
	return len(p), nil
}

// TestWritersStream: what is gathered is passed on long before the end.
func TestWritersStream(t *testing.T) {
	c, _ := household("AUS_ELECTRICITY", "NMI1", "+10:00")
	blocks := year(t, c, 5)
	for _, f := range meterfile.Formats() {
		var sizes chunks
		w, err := meterfile.NewWriter(f, &sizes, export)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks {
			if err := w.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		before := len(sizes)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if most := slices.Max(sizes); before < 2 || most > 256<<10 {
			t.Errorf("%s: got %d writes before the end and %d bytes at once, want several and at most 256 KiB", f, before, most)
		}
	}
}

// year returns the 366 days of 2024.
func year(tb testing.TB, c meterfile.Channel, minutes int) []*meterfile.Block {
	tb.Helper()
	loc, err := interval.Zone(c.Zone)
	if err != nil {
		tb.Fatal(err)
	}
	var blocks []*meterfile.Block
	for day := domain.NewDate(2024, 1, 1); day < domain.NewDate(2025, 1, 1); day++ {
		start, end := interval.Span(day, loc)
		b := &meterfile.Block{Channel: c, Start: start, Minutes: minutes, Scale: 3}
		for i := range interval.Count(start, end, minutes) {
			b.Values, b.Quality = append(b.Values, int64(100+(i*i*7919+int(day)*31)%900)), append(b.Quality, domain.Actual)
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// TestWritersAllocateNothing: once a channel has begun.
func TestWritersAllocateNothing(t *testing.T) {
	c, _ := household("AUS_ELECTRICITY", "NMI1", "+10:00")
	blocks := year(t, c, 30)
	for _, f := range meterfile.Formats() {
		if f == meterfile.Parquet {
			continue // its library allocates pages
		}
		w, err := meterfile.NewWriter(f, io.Discard, export)
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		next := func() {
			if err := w.Write(blocks[i]); err != nil {
				t.Fatal(err)
			}
			i++
		}
		for range 100 {
			next()
		}
		if n := testing.AllocsPerRun(200, next); n > 0 {
			t.Errorf("%s: got %v allocations a block, want 0", f, n)
		}
	}
}

// BenchmarkWriters writes a year of half hours, 17,568 readings.
func BenchmarkWriters(b *testing.B) {
	c, _ := household("AUS_ELECTRICITY", "NMI1", "+10:00")
	blocks := year(b, c, 30)
	for _, f := range meterfile.Formats() {
		b.Run(string(f), func(b *testing.B) {
			b.ReportAllocs()
			size := &full{1 << 62}
			for b.Loop() {
				w, err := meterfile.NewWriter(f, size, export)
				if err != nil {
					b.Fatal(err)
				}
				for _, block := range blocks {
					if err := w.Write(block); err != nil {
						b.Fatal(err)
					}
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(17568*b.N)/b.Elapsed().Seconds()/1e6, "Mreadings/s")
			b.ReportMetric(float64(1<<62-size.left)/float64(b.N)/17568, "B/reading")
		})
	}
}
