package usage_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/usage"
)

// street has four channels around the end of summer time, with gaps, and
// indexes.
func street(t testing.TB) *memory {
	m := &memory{}
	add := func(c domain.Channel, minutes int, gap domain.Date) {
		id := m.add(c)
		for d := 24; d <= 31; d++ { // indexes stand where intervals begin, and between them
			m.show(t, id, fmt.Sprintf("2024-10-%02dT12:00", d), int64(d), domain.Actual)
			m.show(t, id, fmt.Sprintf("2024-10-%02dT12:07:01", d), int64(d), domain.Estimate)
		}
		for d := date(t, "2024-10-24"); d <= date(t, "2024-11-02"); d++ {
			if d == gap {
				continue
			}
			m.fill(t, id, d, minutes, func(i int) (int64, domain.Quality) {
				switch {
				case i%11 == 3:
					return 0, domain.Missing
				case i%7 == 2:
					return int64(i), domain.Estimate
				case i%13 == 5:
					return int64(i), domain.Substituted
				}
				return int64(i), domain.Actual
			})
		}
	}
	add(electricity("871690000000000001", "2", domain.Consumption, domain.KilowattHour), 30, 0)
	add(electricity("871690000000000001", "1", domain.Generation, domain.KilowattHour), 15, date(t, "2024-10-28"))
	add(electricity("871690000000000001", "1", domain.Consumption, domain.KilowattHour), 30, date(t, "2024-10-27"))
	add(electricity("871690000000000000", "9", domain.Consumption, domain.WattHour), 60, date(t, "2024-10-30"))
	return m
}

func key(p *usage.Page, i int) string {
	r := p.Readings[i]
	c := r.Series.Channel
	return fmt.Sprintf("%d %s %s %s %s %v %d %s", r.Start, c.SupplyPoint.Identifier, c.Direction, c.Register, r.Series.Group, r.Series.Index, r.End, r.Value)
}

func keys(p *usage.Page) []string {
	list := []string{}
	for i := range p.Readings {
		list = append(list, key(p, i))
	}
	return list
}

func ask(t interface{ Fatalf(string, ...any) }, s *usage.Service, q usage.Query) *usage.Page {
	p, err := s.Measurements(background, partner, "prop_home", q)
	if err != nil {
		t.Fatalf("Measurements(%+v): %v", q, err)
	}
	return &p
}

func TestPagingGivesTheWholeInEveryDirection(t *testing.T) {
	s := &usage.Service{Store: street(t)}
	groups := []interval.Group{interval.Raw, interval.ThirtyMinutes, interval.Hour, interval.ByDay, interval.Week, interval.Month}
	rapid.Check(t, func(t *rapid.T) {
		var q usage.Query
		for range rapid.IntRange(0, 3).Draw(t, "filters") {
			q.Filters = append(q.Filters, usage.Filter{
				Group:        rapid.SampledFrom(groups).Draw(t, "group"),
				Quality:      rapid.SampledFrom([]usage.QualityFilter{usage.AnyQuality, usage.OnlyActual, usage.OnlyEstimate}).Draw(t, "quality"),
				PointInTime:  rapid.Bool().Draw(t, "point in time"),
				Direction:    rapid.SampledFrom([]domain.Direction{domain.Consumption, domain.Generation}).Draw(t, "direction"),
				AnyDirection: rapid.Bool().Draw(t, "any direction"),
			})
		}
		for i := range q.Filters {
			if q.Filters[i].PointInTime {
				q.Filters[i].Group = interval.Raw
			}
		}
		q.Zone = rapid.SampledFrom([]string{"", "Asia/Tokyo", "Australia/Lord_Howe"}).Draw(t, "zone")
		if rapid.Bool().Draw(t, "from") {
			m, err := interval.ParseMoment("2024-10-26T13:17:00.5")
			if err != nil {
				t.Fatalf("ParseMoment: %v", err)
			}
			q.From = &m
		}
		whole := q
		n := usage.MaxPage
		whole.First, whole.Count = &n, true
		all := ask(t, s, whole)
		if all.HasNext || all.HasPrevious || all.Total != len(all.Readings) {
			t.Fatalf("the whole: next %v, previous %v, total %d, want false, false, %d", all.HasNext, all.HasPrevious, all.Total, len(all.Readings))
		}
		walkAll(t, s, q, all, rapid.Bool().Draw(t, "backwards"), rapid.IntRange(1, 400).Draw(t, "size"))
		between(t, s, q, all)
	})
}

// walkAll pages through the whole and compares.
func walkAll(t *rapid.T, s *usage.Service, q usage.Query, all *usage.Page, backwards bool, size int) {
	want := keys(all)
	got := []string{}
	room := &usage.Blocks{}
	for {
		if backwards {
			q.Last = &size
		} else {
			q.First = &size
		}
		p := ask(t, s, q)
		samePacked(t, s, q, p, room)
		if backwards {
			got = append(keys(p), got...)
		} else {
			got = append(got, keys(p)...)
		}
		var next, previous bool // what must be on either side
		if backwards {
			next, previous = len(got) > len(p.Readings), len(got) < len(want)
		} else {
			next, previous = len(got) < len(want), len(got) > len(p.Readings)
		}
		if p.HasNext != next || p.HasPrevious != previous {
			t.Fatalf("after %d of %d (backwards %v): next %v, previous %v, want %v, %v", len(got), len(want), backwards, p.HasNext, p.HasPrevious, next, previous)
		}
		if len(got) >= len(want) || len(p.Readings) == 0 {
			break
		}
		if backwards {
			q.Before = p.Cursor(0)
		} else {
			q.After = p.Cursor(len(p.Readings) - 1)
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("pages of %d (backwards %v) give %d readings, want the %d of the whole in their order", size, backwards, len(got), len(want))
	}
}

// between asks for a page with all of after, before, and first or last.
func between(t *rapid.T, s *usage.Service, q usage.Query, all *usage.Page) {
	total := len(all.Readings)
	if total == 0 {
		return
	}
	lower := rapid.IntRange(-1, total-1).Draw(t, "after")
	upper := rapid.IntRange(0, total).Draw(t, "before")
	if lower >= 0 {
		q.After = all.Cursor(lower)
		if rapid.Bool().Draw(t, "old after") {
			q.After = old(lower)
		}
	}
	if upper < total {
		q.Before = all.Cursor(upper)
		if rapid.Bool().Draw(t, "old before") {
			q.Before = old(upper)
		}
	}
	n := rapid.IntRange(0, 20).Draw(t, "n")
	from := min(lower+1, total)
	to := max(from, upper)
	next, previous := to < total, from > 0
	if upper <= lower { // nothing lies between
		next, previous = upper < total, lower >= 0
	}
	if rapid.Bool().Draw(t, "take last") {
		q.Last = &n
		if to-from > n {
			from, previous = to-n, true
		}
	} else {
		q.First = &n
		if to-from > n {
			to, next = from+n, true
		}
	}
	p := ask(t, s, q)
	samePacked(t, s, q, p, &usage.Blocks{})
	if got, want := keys(p), keys(all)[from:to]; !slices.Equal(got, want) {
		t.Fatalf("after %d before %d of %d: got %v, want %v", lower, upper, total, got, want)
	}
	if p.HasNext != next || p.HasPrevious != previous {
		t.Fatalf("after %d before %d of %d, n %d, last %v: next %v, previous %v, want %v, %v",
			lower, upper, total, n, q.Last != nil, p.HasNext, p.HasPrevious, next, previous)
	}
}

func old(n int) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "arrayconnection:%d", n))
}

func TestOrder(t *testing.T) {
	s := &usage.Service{Store: street(t)}
	n := usage.MaxPage
	p := ask(t, s, usage.Query{First: &n, Filters: []usage.Filter{{AnyDirection: true}}})
	for i := 1; i < len(p.Readings); i++ {
		a, b := p.Readings[i-1], p.Readings[i]
		if a.Start > b.Start {
			t.Fatalf("reading %d starts at %d, before reading %d at %d", i, b.Start, i-1, a.Start)
		}
		if a.Start < b.Start {
			continue
		}
		x, y := a.Series.Channel, b.Series.Channel
		if !(x.SupplyPoint.Identifier < y.SupplyPoint.Identifier ||
			x.SupplyPoint.Identifier == y.SupplyPoint.Identifier && (x.Direction < y.Direction ||
				x.Direction == y.Direction && x.Register < y.Register)) {
			t.Fatalf("readings %d and %d start together in the order %+v, %+v", i-1, i, x, y)
		}
	}
}

func TestAPageOutOfTenYearsDecodesAFewDays(t *testing.T) {
	m := &memory{}
	id := m.add(electricity("871690000000000001", "1", domain.Consumption, domain.KilowattHour))
	for d := date(t, "2014-01-01"); d < date(t, "2024-01-01"); d++ {
		m.fill(t, id, d, 30, steady)
	}
	s := &usage.Service{Store: m}
	hundred := 100
	first := ask(t, s, usage.Query{First: &hundred})
	old := old(90_000)
	deep := ask(t, s, usage.Query{First: &hundred, After: old})
	cases := map[string]usage.Query{
		"the first page":               {First: &hundred},
		"the last page":                {Last: &hundred},
		"a page after a cursor":        {First: &hundred, After: deep.Cursor(99)},
		"a page before a cursor":       {Last: &hundred, Before: deep.Cursor(0)},
		"the page after the first one": {First: &hundred, After: first.Cursor(99)},
	}
	for name, q := range cases {
		m.handed = 0
		if p := ask(t, s, q); len(p.Readings) != 100 {
			t.Errorf("%s: %d readings, want 100", name, len(p.Readings))
		}
		if m.handed > 16 {
			t.Errorf("%s: the store handed out %d days, want at most 16 of 3,652", name, m.handed)
		}
	}
}

func TestCursorsHoldForTheirPropertyAlone(t *testing.T) {
	m := street(t)
	s := &usage.Service{Store: m}
	p := ask(t, s, usage.Query{})
	good := p.Cursor(3)
	ask(t, s, usage.Query{After: good})

	other := &usage.Service{Store: m, CursorKey: [32]byte{1}}
	foreign := ask(t, other, usage.Query{}).Cursor(3)
	forged := []byte(good)
	forged[7] ^= 1
	for name, cursor := range map[string]string{
		"of another installation": foreign, "forged": string(forged), "cut off": good[:len(good)-4],
		"no base64": "%%%", "nothing of ours": "aGVsbG8", "a negative index": base64.StdEncoding.EncodeToString([]byte("arrayconnection:-1")),
	} {
		_, err := s.Measurements(background, partner, "prop_home", usage.Query{Before: cursor})
		e, ok := errors.AsType[*domain.Error](err)
		if !ok || e.Kind != domain.Invalid || !errors.Is(err, usage.Argument("before")) {
			t.Errorf("a cursor that is %s (%s): %v, want an invalid argument before", name, cursor, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	s := &usage.Service{Store: street(f)}
	p := ask(f, s, usage.Query{})
	f.Add(p.Cursor(0))
	f.Add(ask(f, s, usage.Query{Filters: []usage.Filter{{PointInTime: true}}}).Cursor(3))
	f.Add(old(7))
	f.Add("")
	f.Fuzz(func(t *testing.T, cursor string) {
		q, err := s.Measurements(background, partner, "prop_home", usage.Query{After: cursor})
		if err != nil && len(q.Readings) > 0 {
			t.Fatalf("cursor %q: %d readings beside the error %v", cursor, len(q.Readings), err)
		}
	})
}
