package intake_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

// nem12 makes a file of a month of half hours for so many meters.
func nem12(meters int, value string) string {
	var b strings.Builder
	b.WriteString("100,NEM12,202403010900,A,B\n")
	for m := range meters {
		fmt.Fprintf(&b, "200,NMI%07d,E1,1,E1,N1,M,kWh,30,\n", m)
		for d := range 28 {
			fmt.Fprintf(&b, "300,202402%02d", d+1)
			for i := range 48 {
				fmt.Fprintf(&b, ",%s%d", value, (i*37+d*11+m)%90+10)
			}
			b.WriteString(",A,,,20240302010000,\n")
		}
	}
	b.WriteString("900\n")
	return b.String()
}

// BenchmarkImport takes a file to the disk, durably: new, the same again, and
// with every value corrected.
func BenchmarkImport(b *testing.B) {
	const meters = 500
	first, second := nem12(meters, "0.1"), nem12(meters, "0.2")
	file := func(content string) intake.File {
		return intake.File{Name: "f.csv", Content: strings.NewReader(content), Size: int64(len(content))}
	}
	took := map[string]time.Duration{}
	runs := 0
	for b.Loop() {
		s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "b.db"), sqlite.Options{Now: func() time.Time { return noon }})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.AddPartner(b.Context(), domain.Partner{ID: "prt_a", Name: "a"}, domain.Entry{ID: "aud_1"}); err != nil {
			b.Fatal(err)
		}
		im := &intake.Importer{Store: s, Now: func() time.Time { return noon }}
		for _, step := range []struct{ name, content string }{{"new", first}, {"same", first}, {"corrected", second}} {
			from := time.Now()
			if _, err := im.Import(b.Context(), file(step.content), intake.Target{}, nil); err != nil {
				b.Fatal(err)
			}
			took[step.name] += time.Since(from)
		}
		runs++
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	for name, d := range took {
		b.ReportMetric(float64(runs*meters*28*48)/d.Seconds()/1e6, name+"-M/s")
	}
}
