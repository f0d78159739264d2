package customer_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
	"github.com/wattgate/wattgate/internal/usage"
)

// BenchmarkMeasurements measures the hot list, from the document to the bytes
// of the answer: a day and a month of half-hours, with what most clients select.
func BenchmarkMeasurements(b *testing.B) {
	w := newWorld(b)
	for _, c := range []struct {
		name string
		last int
	}{{"day", 48}, {"month", 1440}} {
		b.Run(c.name, func(b *testing.B) {
			query := fmt.Sprintf(`{property(id:"prop_ada"){measurements(first:%d,startOn:"2024-06-01"){pageInfo{hasNextPage endCursor}`+
				`edges{node{value unit readAt ... on IntervalMeasurementType{startAt endAt durationInSeconds} metaData{utilityFilters{... on ElectricityFiltersOutput{readingQuality}}}}}}}}`, c.last)
			b.ReportAllocs()
			for b.Loop() {
				if out := w.post("third-party", query, nil); out.Code != http.StatusOK || strings.Count(out.Body.String(), `"startAt"`) != c.last {
					b.Fatalf("got %d: %.300s", out.Code, out.Body)
				}
			}
		})
	}
}

// BenchmarkExport measures a year of four channels, from the store to nowhere.
func BenchmarkExport(b *testing.B) {
	w := newWorld(b)
	query := usage.ExportQuery{First: domain.NewDate(2024, 1, 1), Last: domain.NewDate(2024, 12, 31)}
	for _, format := range []meterfile.Format{meterfile.CSV, meterfile.NDJSON, meterfile.ESPI} {
		b.Run(string(format), func(b *testing.B) {
			b.ReportAllocs()
			readings := 0
			for b.Loop() {
				e, err := w.usage.Export(b.Context(), callers["partner"], domain.MarketNLDElectricity, "871690000000000000", query)
				if err != nil {
					b.Fatal(err)
				}
				out, err := meterfile.NewWriter(format, io.Discard, meterfile.Export{From: e.From, To: e.To})
				if err != nil {
					b.Fatal(err)
				}
				err = e.Stream(b.Context(), func(block *meterfile.Block) error {
					readings += len(block.Values)
					return out.Write(block)
				})
				if err != nil || out.Close() != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(readings)/b.Elapsed().Seconds(), "readings/s")
		})
	}
}
