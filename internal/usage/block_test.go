package usage_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/usage"
)

// samePacked asks for a page again, with room for blocks, and compares it with
// the one whose readings came one by one.
func samePacked(t interface{ Fatalf(string, ...any) }, s *usage.Service, q usage.Query, want *usage.Page, room *usage.Blocks) {
	samePackedTo(t, s, partner, q, want, room)
}

func samePackedTo(t interface{ Fatalf(string, ...any) }, s *usage.Service, caller domain.Caller, q usage.Query, want *usage.Page, room *usage.Blocks) {
	q.Room = room
	p, err := s.Measurements(background, caller, "prop_home", q)
	if err != nil {
		t.Fatalf("Measurements(%+v): %v", q, err)
	}
	got := &p
	if got.Blocks == nil {
		got.Blocks = &usage.Blocks{}
		if !slices.Equal(keys(got), keys(want)) {
			t.Fatalf("%+v: got %d readings, want %d", q, len(got.Readings), len(want.Readings))
		}
		return
	}
	if got.Len() != len(want.Readings) || got.HasNext != want.HasNext || got.HasPrevious != want.HasPrevious || len(got.Readings) != 0 {
		t.Fatalf("%+v: %d packed, next %v, previous %v, want %d, %v, %v",
			q, got.Len(), got.HasNext, got.HasPrevious, len(want.Readings), want.HasNext, want.HasPrevious)
	}
	n, sealer := 0, got.Sealer()
	for _, b := range got.Blocks.List {
		for i, quality := range b.Quality {
			if quality == domain.Missing {
				continue
			}
			r := &want.Readings[n]
			end := b.At(i + 1)
			if i == len(b.Values)-1 {
				end = b.End
			}
			value := domain.Decimal{Coefficient: b.Values[i], Scale: b.Scale}
			text := func(series *usage.Series, start, end int64, actual bool, revision int32, recorded int64, cursor string) string {
				return fmt.Sprint(series.Channel.ID, start, end, actual, revision, recorded, cursor)
			}
			a := text(b.Series, b.At(i), end, quality == domain.Actual, b.Revision, b.Recorded, string(sealer.Append(nil, b.Series, b.At(i))))
			z := text(r.Series, r.Start, r.End, r.Quality == domain.Actual, r.Revision, r.RecordedAt(), want.Cursor(n))
			if a != z || value != r.Value {
				t.Fatalf("%+v, reading %d: got %s %v, want %s %v", q, n, a, value, z, r.Value)
			}
			n++
		}
	}
	if n != len(want.Readings) {
		t.Fatalf("%+v: the blocks hold %d readings, want %d", q, n, len(want.Readings))
	}
	if n > 0 {
		end := func(last bool) string {
			of, start := got.End(last)
			return string(sealer.Append(nil, of, start))
		}
		if first, last := end(false), end(true); first != want.Cursor(0) || last != want.Cursor(n-1) {
			t.Fatalf("%+v: the ends are %s and %s, want %s and %s", q, first, last, want.Cursor(0), want.Cursor(n-1))
		}
	}
}

// A day that is one interval has its own end, and what is not asked for is left
// out of the middle.
func TestBlocksAreWhatReadingsAre(t *testing.T) {
	m := street(t)
	id := m.add(electricity("871690000000000007", "3", domain.Consumption, domain.KilowattHour))
	for d := date(t, "2024-10-24"); d <= date(t, "2024-11-02"); d++ {
		m.fill(t, id, d, 1440, steady)
	}
	s := &usage.Service{Store: m}
	room := &usage.Blocks{}
	for name, q := range map[string]usage.Query{
		"days":                  {Filters: []usage.Filter{{Register: new("3")}}},
		"estimates":             {Filters: []usage.Filter{{Register: new("2"), Quality: usage.OnlyEstimate}}},
		"actual values":         {Filters: []usage.Filter{{Register: new("2"), Quality: usage.OnlyActual}}},
		"the last ones":         {Filters: []usage.Filter{{Register: new("2")}}, Last: new(61)},
		"none":                  {Filters: []usage.Filter{{Register: new("2")}}, First: new(0)},
		"none from the end":     {Filters: []usage.Filter{{Register: new("2")}}, Last: new(0)},
		"all":                   {Filters: []usage.Filter{{Register: new("2")}}, First: new(10_000)},
		"as another zone shows": {Filters: []usage.Filter{{Register: new("2")}}, Zone: "Asia/Tokyo"},
	} {
		want := ask(t, s, q)
		if len(want.Readings) == 0 && name[:4] != "none" {
			t.Fatalf("%s: no readings", name)
		}
		samePacked(t, s, q, want, room)
		if q.Room = room; ask(t, s, q).Blocks == nil {
			t.Errorf("%s: no blocks", name)
		}
	}
}

func TestAllocationsDoNotGrowWithBlocks(t *testing.T) {
	m := &memory{}
	id := m.add(electricity("871690000000000001", "1", domain.Consumption, domain.KilowattHour))
	for d := date(t, "2023-01-01"); d < date(t, "2024-01-01"); d++ {
		m.fill(t, id, d, 30, steady)
	}
	s := &usage.Service{Store: m}
	room := &usage.Blocks{}
	measure := func(n int) float64 {
		return testing.AllocsPerRun(20, func() { ask(t, s, usage.Query{First: &n, Room: room}) })
	}
	few, many := measure(480), measure(9600)
	// What more there is are the few growths of the reader's own room.
	if perNode := (many - few) / (9600 - 480); perNode > 0.01 {
		t.Errorf("%v allocations for 480 readings and %v for 9,600: %v each, want none", few, many, perNode)
	}
	page := ask(t, s, usage.Query{First: new(480), Room: room})
	sealer, text := page.Sealer(), make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() {
		sealer.Append(text, page.Blocks.List[0].Series, page.Blocks.List[0].Start)
	}); n > 0 {
		t.Errorf("a cursor: %v allocations, want none", n)
	}
}
