package meterfile_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// usage is an EnergyUsageListResponse as the standards have it.
type usage struct {
	Data struct {
		Reads []struct {
			ServicePointID, RegisterID, RegisterSuffix, ReadStartDate, ReadEndDate, UnitOfMeasure, ReadUType string

			IntervalRead *struct {
				ReadIntervalLength int
				AggregateValue     json.Number
				IntervalReads      []*json.Number
				ReadQualities      []struct {
					StartInterval, EndInterval int
					Quality                    string
				}
			}
			BasicRead *struct {
				Quality string
				Value   json.Number
			}
		}
	}
	Links struct{ Self *string }
	Meta  struct{ TotalRecords, TotalPages int }
}

// TestCDRWriter looks at the members that the standards want and our reader passes
// over: sums, totals, the link.
func TestCDRWriter(t *testing.T) {
	e1, b1 := household("AUS_ELECTRICITY", "NMI1", "+10:00")
	half := func(c meterfile.Channel, moment string, scale uint8, values ...int64) *meterfile.Block {
		b := &meterfile.Block{Channel: c, Start: at(t, "+10:00", moment), Minutes: 30, Scale: scale, Values: values}
		for range values {
			b.Quality = append(b.Quality, domain.Actual)
		}
		return b
	}
	day := half(b1, "2024-10-29T00:00:00+10:00", 1, 125)
	day.Minutes, day.Quality[0] = meterfile.WholeDay, domain.Substituted
	var file bytes.Buffer
	e := export
	e.Self = "https://example.org/v1/measurements/AUS_ELECTRICITY:NMI1.cdr.json?a=1&b=<2>"
	w, err := meterfile.NewWriter(meterfile.CDR, &file, e)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []*meterfile.Block{
		half(e1, "2024-10-28T00:00:00+10:00", 3, 1, 20, 300), half(e1, "2024-10-28T12:00:00+10:00", 0, -7, 4000), half(e1, "2024-10-29T00:00:00+10:00", 0, 5),
		half(b1, "2024-10-28T00:00:00+10:00", 3, 1250, -250), day,
	} {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var u usage
	d := json.NewDecoder(&file)
	d.DisallowUnknownFields()
	if err := d.Decode(&u); err != nil {
		t.Fatal(err)
	}
	if u.Links.Self == nil || *u.Links.Self != e.Self || u.Meta.TotalRecords != 4 || u.Meta.TotalPages != 1 || len(u.Data.Reads) != 4 {
		t.Fatalf("got links %v, meta %+v and %d reads, want the address and four reads on one page", u.Links.Self, u.Meta, len(u.Data.Reads))
	}
	for i, want := range []string{"3993.321", "5", "-1.000"} {
		r := u.Data.Reads[i].IntervalRead
		if u.Data.Reads[i].ReadUType != "intervalRead" || r == nil || len(r.IntervalReads) != 48 || r.ReadIntervalLength != 30 || len(r.ReadQualities) != 0 {
			t.Fatalf("read %d: got %+v, want 48 intervals of 30 minutes", i, u.Data.Reads[i])
		}
		sum := new(big.Rat)
		for _, v := range r.IntervalReads {
			if v != nil {
				one, _ := new(big.Rat).SetString(v.String())
				sum.Add(sum, one)
			}
		}
		if got, ok := new(big.Rat).SetString(r.AggregateValue.String()); !ok || got.Cmp(sum) != 0 || r.AggregateValue.String() != want {
			t.Errorf("read %d: got the sum %s of values that add up to %s, want %s", i, r.AggregateValue, sum.FloatString(3), want)
		}
	}
	last := u.Data.Reads[3]
	if last.ReadUType != "basicRead" || last.BasicRead == nil || last.BasicRead.Value != "-12.5" || last.BasicRead.Quality != "SUBSTITUTE" || last.IntervalRead != nil ||
		last.RegisterSuffix != "B1" || last.RegisterID != "B1" || last.ServicePointID != "NMI1" || last.ReadStartDate != "2024-10-29" || last.UnitOfMeasure != "KWH" {
		t.Errorf("got %+v, want the day of generation as a basic read", last)
	}
}
