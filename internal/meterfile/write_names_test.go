package meterfile_test

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// FuzzNames: whatever a supply point and a register are called, a file holds
// its readings and nothing else, and names them so.
func FuzzNames(f *testing.F) {
	f.Add("871685900000000001", "1")
	f.Add(`a,"b"`, "\n")
	f.Add(`</title><entry>&amp;]]>`, `\"},{"`)
	f.Add("\xff\xfe\x00", "\r\n")
	f.Add("100,NEM12", "E1\n900")
	f.Add("\u2028ü\U0001F600\ufffe", "../..")
	f.Fuzz(func(t *testing.T, identifier, register string) {
		c := meterfile.Channel{Market: "AUS_ELECTRICITY", Identifier: identifier, Register: register, Unit: domain.KilowattHour, Zone: "+10:00"}
		b := &meterfile.Block{
			Channel: c, Start: at(t, "+10:00", "2024-10-28T00:00:00+10:00"), Minutes: 30, Scale: 3,
			Values: []int64{1, 2, 3}, Quality: []domain.Quality{domain.Actual, domain.Missing, domain.Substituted},
		}
		point := "AUS_ELECTRICITY:" + identifier
		read := map[meterfile.Format]func(*testing.T, []byte) (points, registers []string){
			meterfile.CSV: namesOfCSV, meterfile.NDJSON: namesOfNDJSON,
		}
		for format, names := range read {
			var file bytes.Buffer
			compose(t, format, &file, b)
			points, registers := names(t, file.Bytes())
			if len(points) != 2 {
				t.Fatalf("%s: got %d readings in %q, want 2", format, len(points), &file)
			}
			for i := range points {
				if points[i] != as(format, point) || registers[i] != as(format, register) {
					t.Fatalf("%s: got %q and %q, want %q and %q", format, points[i], registers[i], as(format, point), as(format, register))
				}
			}
		}
		for _, format := range []meterfile.Format{meterfile.ESPI, meterfile.NEM12, meterfile.CDR} {
			var file bytes.Buffer
			w, err := meterfile.NewWriter(format, &file, export)
			if err != nil {
				t.Fatal(err)
			}
			err = w.Write(b)
			var d *domain.Error
			switch {
			case errors.As(err, &d) && d.Kind == domain.Invalid:
				continue // it says so
			case err != nil:
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			got := 0
			err = meterfile.Read("f", bytes.NewReader(file.Bytes()), func(b *meterfile.Block) error {
				for _, one := range facts(b) {
					got++
					if one.Register != register || format != meterfile.ESPI && one.Identifier != identifier {
						t.Errorf("%s: got %v, want register %q of %q", format, one, register, identifier)
					}
				}
				return nil
			})
			if err != nil || got != 2 {
				t.Fatalf("%s: got %d readings and error %v from %q, want 2", format, got, err, &file)
			}
			if format == meterfile.ESPI && !bytes.Contains(file.Bytes(), []byte("<title>"+escaped(t, point)+"</title>")) {
				t.Errorf("got a feed without the name %q: %s", point, &file)
			}
		}
	})
}

// as returns a text as a format can hold it: JSON has UTF-8 only, and a reader
// of CSV makes one kind of line ends.
func as(format meterfile.Format, text string) string {
	if format == meterfile.CSV {
		return strings.ReplaceAll(text, "\r\n", "\n")
	}
	if !utf8.ValidString(text) {
		return string([]rune(text))
	}
	return text
}

func namesOfCSV(t *testing.T, file []byte) (points, registers []string) {
	r := csv.NewReader(bytes.NewReader(file))
	if head, err := r.Read(); err != nil || head[0] != "supply_point" {
		t.Fatalf("got head %v and error %v", head, err)
	}
	for {
		line, err := r.Read()
		if errors.Is(err, io.EOF) {
			return points, registers
		}
		if err != nil {
			t.Fatalf("%v in %q", err, file)
		}
		points, registers = append(points, line[0]), append(registers, line[1])
	}
}

func namesOfNDJSON(t *testing.T, file []byte) (points, registers []string) {
	for line := range bytes.Lines(file) {
		for _, o := range decode(t, line) {
			points, registers = append(points, o.SupplyPoint), append(registers, o.RegisterID)
		}
	}
	return points, registers
}

func escaped(t *testing.T, text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
