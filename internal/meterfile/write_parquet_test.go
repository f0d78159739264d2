//go:build parquet

package meterfile_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// parquetColumns is a row as somebody else reads it: by the names and the types
// that the file gives.
type parquetColumns struct {
	SupplyPoint string `parquet:"supply_point"`
	Register    string `parquet:"register"`
	Direction   string `parquet:"direction"`
	StartLocal  int64  `parquet:"start_local"`
	StartUTC    int64  `parquet:"start_utc"`
	Minutes     int32  `parquet:"minutes"`
	Value       int64  `parquet:"value"`
	Unit        string `parquet:"unit"`
	Quality     string `parquet:"quality"`
}

func TestParquet(t *testing.T) {
	blocks := sample(t, "NLD_ELECTRICITY", "871685900000000001", "Europe/Amsterdam", "2024-10-26T00:00:00+02:00", "2024-10-27T00:00:00+02:00", 60, 25)
	var file bytes.Buffer
	compose(t, meterfile.Parquet, &file, blocks...)
	rows, err := parquet.Read[parquetColumns](bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var want []fact
	for _, b := range blocks {
		want = append(want, facts(b)...)
	}
	var got []fact
	for i, r := range rows {
		f := want[min(i, len(want)-1)]
		if r.SupplyPoint != "NLD_ELECTRICITY:871685900000000001" || r.Register != f.Register || r.Direction != f.Direction.String() || r.Unit != "kwh" {
			t.Errorf("row %d: got %+v, want one of %v", i, r, f.Channel)
		}
		shown := time.Unix(f.start, 0).In(export.From.Location()).Format("2006-01-02T15:04:05")
		if local := time.UnixMilli(r.StartLocal).UTC().Format("2006-01-02T15:04:05"); local != shown {
			t.Errorf("row %d: got local time %s, want %s", i, local, shown)
		}
		f.start, f.minutes, f.value = r.StartUTC/1000, int(r.Minutes), domain.Decimal{Coefficient: r.Value, Scale: 9}.Trim()
		f.quality = domain.Quality(slices.Index([]string{"", "ACTUAL", "ESTIMATE", "SUBSTITUTED"}, r.Quality))
		got = append(got, f)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	f, err := parquet.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if zone, ok := f.Lookup("timezone"); !ok || zone != "Europe/Amsterdam" {
		t.Errorf("got timezone %q in the metadata, want Europe/Amsterdam", zone)
	}
	const schema = `message readings {
	required binary supply_point (STRING);
	required binary register (STRING);
	required binary direction (STRING);
	required int64 start_local (TIMESTAMP(isAdjustedToUTC=false,unit=MILLIS));
	required int64 start_utc (TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS));
	required int32 minutes (INT(32,true));
	required int64 value (DECIMAL(18,9));
	required binary unit (STRING);
	required binary quality (STRING);
}`
	if got := f.Schema().String(); got != schema {
		t.Errorf("got schema\n%s\nwant\n%s", got, schema)
	}
}

// TestParquetYear: a year of half hours takes less than 3 bytes a reading.
func TestParquetYear(t *testing.T) {
	c, _ := household("NLD_ELECTRICITY", "871685900000000001", "Europe/Amsterdam")
	var file bytes.Buffer
	compose(t, meterfile.Parquet, &file, year(t, c, 30)...)
	if file.Len() > 3*17568 {
		t.Errorf("got %d bytes for a year of half hours, want at most %d", file.Len(), 3*17568)
	}
	t.Logf("%d bytes", file.Len())
}

func TestParquetRefuses(t *testing.T) {
	c, _ := household("NLD_ELECTRICITY", "871685900000000001", "Europe/Amsterdam")
	for name, test := range map[string]struct {
		value   int64
		scale   uint8
		minutes int
		want    string
	}{
		"ten places": {1, 10, 30, "parquet cannot carry register E1 of NLD_ELECTRICITY:871685900000000001: its values have 9 digits before the point and 9 after it; take csv or ndjson"},
		"ten digits": {1_000_000_000, 0, 30, "parquet cannot carry register E1 of NLD_ELECTRICITY:871685900000000001: its values have 9 digits before the point and 9 after it; take csv or ndjson"},
		"an index":   {1, 0, meterfile.Index, "parquet cannot carry register E1 of NLD_ELECTRICITY:871685900000000001: its rows are intervals, and this is the index of a register; take ndjson"},
	} {
		t.Run(name, func(t *testing.T) {
			var file bytes.Buffer
			w, err := meterfile.NewWriter(meterfile.Parquet, &file, export)
			if err != nil {
				t.Fatal(err)
			}
			good := &meterfile.Block{Channel: c, Start: amsterdam(2024, 1, 1), Minutes: 30, Values: []int64{-999_999_999}, Quality: []domain.Quality{1}}
			bad := &meterfile.Block{Channel: c, Start: amsterdam(2024, 1, 2), Minutes: test.minutes, Scale: test.scale, Values: []int64{test.value}, Quality: []domain.Quality{1}}
			if err := w.Write(good); err != nil {
				t.Fatal(err)
			}
			err = w.Write(bad)
			var d *domain.Error
			if !errors.As(err, &d) || d.Kind != domain.Invalid || d.Public != test.want {
				t.Errorf("got  error %v\nwant %s", err, test.want)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			rows, err := parquet.Read[parquetColumns](bytes.NewReader(file.Bytes()), int64(file.Len()))
			if err != nil || len(rows) != 1 || rows[0].Value != -999_999_999_000_000_000 {
				t.Errorf("got rows %v and error %v, want the good one", rows, err)
			}
		})
	}
}
