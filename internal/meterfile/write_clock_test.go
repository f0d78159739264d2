package meterfile_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// told is an object of NDJSON as somebody else reads it.
type told struct{ SupplyPoint, RegisterID, StartAt, EndAt, ReadAt string }

// tell writes blocks as NDJSON and reads them by other means.
func tell(t fataler, blocks ...*meterfile.Block) []told {
	t.Helper()
	var file bytes.Buffer
	compose(t, meterfile.NDJSON, &file, blocks...)
	return decode(t, file.Bytes())
}

func decode(t fataler, file []byte) (list []told) {
	t.Helper()
	for d := json.NewDecoder(bytes.NewReader(file)); d.More(); {
		var o told
		if err := d.Decode(&o); err != nil {
			t.Fatal(err)
		}
		list = append(list, o)
	}
	return list
}

// TestInstants: instants of any order, in any zone, are shown as package time
// shows them.
func TestInstants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(append([]string{"Africa/Monrovia", "Asia/Kathmandu", "-00:30"}, everywhere...)).Draw(t, "zone")
		loc, err := interval.Zone(name)
		if err != nil {
			t.Fatal(err)
		}
		var blocks []*meterfile.Block
		var want []string
		base := rapid.Int64Range(0, 7_258_118_400).Draw(t, "base")
		for _, after := range rapid.SliceOfN(rapid.Int64Range(-100_000, 100_000), 1, 20).Draw(t, "after") {
			at := time.Unix(base+after, 0).In(loc)
			c := meterfile.Channel{Market: "NLD_GAS", Identifier: "1", Register: "1", Unit: domain.CubicMetre, Zone: name}
			blocks = append(blocks, &meterfile.Block{Channel: c, Start: at, Minutes: meterfile.Index, Values: []int64{1}, Quality: []domain.Quality{domain.Actual}})
			layout := "2006-01-02T15:04:05-07:00"
			if loc == time.UTC {
				layout = time.RFC3339
			}
			if _, offset := at.Zone(); offset%60 != 0 { // no offset of RFC 3339
				at = at.In(time.FixedZone("", offset/60*60))
			}
			want = append(want, at.Format(layout))
		}
		for i, got := range tell(t, blocks...) {
			if got.ReadAt != want[i] || got.StartAt != "" || got.EndAt != "" {
				t.Fatalf("instant %d in %s: got %+v, want readAt %s", i, name, got, want[i])
			}
		}
	})
}

// TestWholeDaysEndWhereTheNextBegins: also where clocks skip a midnight, show
// one twice, or leave out a date.
func TestWholeDaysEndWhereTheNextBegins(t *testing.T) {
	for _, name := range append([]string{"America/Sao_Paulo", "America/Havana", "Asia/Beirut", "Atlantic/Azores", "America/Scoresbysund"}, everywhere...) {
		loc, err := interval.Zone(name)
		if err != nil {
			t.Fatal(err)
		}
		c := meterfile.Channel{Market: "NLD_GAS", Identifier: "1", Register: "1", Unit: domain.CubicMetre, Zone: name}
		for _, year := range []int{2007, 2011, 2018, 2024, 2048} {
			var blocks []*meterfile.Block
			var want []int64
			for day := domain.NewDate(year, 1, 1); day < domain.NewDate(year+1, 1, 2); day++ {
				start, end := interval.Span(day, loc)
				if !end.After(start) {
					continue
				}
				blocks = append(blocks, &meterfile.Block{Channel: c, Start: start, Minutes: meterfile.WholeDay, Values: []int64{1}, Quality: []domain.Quality{domain.Actual}})
				want = append(want, end.Unix())
			}
			for i, got := range tell(t, blocks...) {
				if end, err := time.Parse(time.RFC3339, got.EndAt); err != nil || end.Unix() != want[i] {
					t.Errorf("%s: the day from %s: got end %s, want %s", name, got.StartAt, got.EndAt, time.Unix(want[i], 0).In(loc).Format(time.RFC3339))
				}
			}
		}
	}
}

// TestJSONIsOneDocument, also without a reading and without a span.
func TestJSONIsOneDocument(t *testing.T) {
	blocks := sample(t, "NLD_ELECTRICITY", "871685900000000001", "Europe/Amsterdam", "2024-10-26T00:00:00+02:00", "2024-10-27T00:00:00+02:00", 60, 25)
	type document struct {
		Timezone, StartAt, EndAt string
		Readings                 []told
	}
	open := func(e meterfile.Export, blocks ...*meterfile.Block) (d document) {
		t.Helper()
		var file bytes.Buffer
		w, err := meterfile.NewWriter(meterfile.JSON, &file, e)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks {
			if err := w.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(file.Bytes(), &d); err != nil {
			t.Fatalf("%v in %s", err, &file)
		}
		return d
	}
	d := open(export, blocks...)
	if d.Timezone != "Europe/Amsterdam" || d.StartAt != "2024-10-26T00:00:00+02:00" || d.EndAt != "2024-10-28T00:00:00+01:00" {
		t.Errorf("got %s from %s to %s, want the zone and the span of the export", d.Timezone, d.StartAt, d.EndAt)
	}
	if len(d.Readings) != 22+25+25 || d.Readings[0] != tell(t, blocks...)[0] {
		t.Errorf("got %d readings, the first %+v, want those of NDJSON", len(d.Readings), d.Readings[0])
	}
	if d := open(export); d.Readings == nil || len(d.Readings) != 0 {
		t.Errorf("got readings %v, want an empty list", d.Readings)
	}
	if d := open(meterfile.Export{}); d.Timezone != "" || d.StartAt != "" || d.Readings == nil {
		t.Errorf("got %+v, want an empty list only", d)
	}
}
