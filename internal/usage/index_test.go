package usage_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/meterfile"
	"github.com/wattgate/wattgate/internal/usage"
)

// show has the register of a channel show a value at a local time, which is
// recorded a second after what was recorded before.
func (m *memory) show(t testing.TB, id domain.ChannelID, at string, value int64, q domain.Quality) {
	t.Helper()
	local, err := interval.ParseMoment(at)
	if err != nil {
		t.Fatal(err)
	}
	if m.clock.IsZero() {
		m.clock = time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	m.clock = m.clock.Add(time.Second)
	x := domain.Index{
		At: local.In(zone(t, m.channels[id-1].Zone)).UTC(), Value: domain.Decimal{Coefficient: value, Scale: 3},
		Quality: q, Revision: 1, RecordedAt: m.clock,
	}
	for _, before := range m.indices[id] {
		if before.At.Equal(x.At) {
			x.Revision++
		}
	}
	if m.indices == nil {
		m.indices = map[domain.ChannelID][]domain.Index{}
	}
	m.indices[id] = append(m.indices[id], x)
}

// cellar is two supply points, a and b. The registers of a were read at noon of
// three days around the start of summer time, and the one of b once. The second
// index of register 1 was corrected since.
func cellar(t testing.TB, consents ...domain.Consent) *memory {
	t.Helper()
	m := &memory{consents: consents}
	add := func(point int64, name, register string, d domain.Direction, u domain.Unit) domain.ChannelID {
		c := electricity(name, register, d, u)
		c.SupplyPoint.ID = point
		return m.add(c)
	}
	in := add(1, "a", "1", domain.Consumption, domain.KilowattHour)
	out := add(1, "a", "2", domain.Generation, domain.KilowattHour)
	reactive := add(1, "a", "Q", domain.Consumption, domain.KilovarHour)
	other := add(2, "b", "1", domain.Consumption, domain.KilowattHour)
	m.show(t, in, "2024-03-30T12:00", 1000, domain.Actual)
	m.show(t, in, "2024-03-31T12:00", 2000, domain.Substituted)
	m.show(t, out, "2024-03-31T12:00", 7, domain.Actual)
	m.show(t, reactive, "2024-03-31T12:00", 5, domain.Actual)
	m.show(t, other, "2024-03-31T12:00", 9, domain.Actual)
	m.show(t, in, "2024-03-31T12:00", 2500, domain.Actual)
	m.show(t, in, "2024-04-01T12:00", 3000, domain.Estimate)
	m.fill(t, in, date(t, "2024-03-31"), interval.WholeDay, steady)
	return m
}

func indexes(p usage.Page) []string {
	got := []string{}
	for _, r := range p.Readings {
		c := r.Series.Channel
		if r.Start != r.End || !r.Series.Index {
			got = append(got, "an interval")
			continue
		}
		got = append(got, fmt.Sprintf("%s/%s %s %s %s r%d", c.SupplyPoint.Identifier, c.Register, r.StartAt().Format("01-02T15:04"), r.Value, r.Quality, r.Revision))
	}
	return got
}

func TestWhatRegistersShowed(t *testing.T) {
	const (
		first  = "a/1 03-30T12:00 1.000 ACTUAL r1"
		second = "a/1 03-31T12:00 2.500 ACTUAL r2"
		third  = "a/1 04-01T12:00 3.000 ESTIMATE r1"
		out    = "a/2 03-31T12:00 0.007 ACTUAL r1"
		other  = "b/1 03-31T12:00 0.009 ACTUAL r1"
	)
	with := func(f usage.Filter) usage.Query {
		f.PointInTime = true
		return usage.Query{Filters: []usage.Filter{f}}
	}
	on := func(q usage.Query, first, last string) usage.Query {
		a, b := date(t, first), date(t, last)
		q.FirstDay, q.LastDay = &a, &b
		return q
	}
	asOf := func(at string) usage.Query {
		m, err := interval.ParseMoment(at)
		if err != nil {
			t.Fatal(err)
		}
		q := with(usage.Filter{})
		q.AsOf = &m
		return q
	}
	a, two, reactive, none := "a", "2", "Q", "X"
	for name, c := range map[string]struct {
		query usage.Query
		want  []string
	}{
		"consumption, as nothing else is said": {with(usage.Filter{}), []string{first, second, other, third}},
		"both directions":                      {with(usage.Filter{AnyDirection: true}), []string{first, second, out, other, third}},
		"generation":                           {with(usage.Filter{Direction: domain.Generation}), []string{out}},
		"one supply point":                     {with(usage.Filter{SupplyPoint: &a}), []string{first, second, third}},
		"one register":                         {with(usage.Filter{AnyDirection: true, Register: &two}), []string{out}},
		"reactive energy by its name":          {with(usage.Filter{Register: &reactive}), []string{"a/Q 03-31T12:00 0.005 ACTUAL r1"}},
		"a register that is not there":         {with(usage.Filter{Register: &none}), nil},
		"gas, of which there is none":          {with(usage.Filter{Gas: true, AnyDirection: true}), nil},
		"a device, of which there is none":     {with(usage.Filter{Device: &none}), nil},
		"measured":                             {with(usage.Filter{Quality: usage.OnlyActual}), []string{first, second, other}},
		"not measured":                         {with(usage.Filter{Quality: usage.OnlyEstimate}), []string{third}},
		"one day":                              {on(with(usage.Filter{SupplyPoint: &a}), "2024-03-31", "2024-03-31"), []string{second}},
		"days without any":                     {on(with(usage.Filter{}), "2024-05-01", "2024-05-31"), nil},
		"before the correction":                {asOf("2020-01-01T00:00:05Z"), []string{first, "a/1 03-31T12:00 2.000 ESTIMATE r1", other}},
		"before anything":                      {asOf("2019-01-01T00:00:00Z"), nil},
	} {
		c.query.Count = true
		p := ask(t, &usage.Service{Store: cellar(t)}, c.query)
		if got := indexes(*p); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
		if p.Total != len(c.want) {
			t.Errorf("%s: counted as %d, want %d", name, p.Total, len(c.want))
		}
	}
}

// Beside intervals of the same channel an index stands on its own: each has its
// cursor, and neither is taken for the other.
func TestIndexesBesideIntervals(t *testing.T) {
	m := &memory{}
	id := m.add(electricity("a", "1", domain.Consumption, domain.KilowattHour))
	m.fill(t, id, date(t, "2024-06-01"), 60, steady)
	for hour := range 24 {
		m.show(t, id, fmt.Sprintf("2024-06-01T%02d:00", hour), int64(hour), domain.Actual)
	}
	s := &usage.Service{Store: m}
	q := usage.Query{Filters: []usage.Filter{{}, {PointInTime: true}}}
	all := ask(t, s, q)
	if len(all.Readings) != 48 || all.Readings[0].Series.Index || !all.Readings[1].Series.Index {
		t.Fatalf("%d readings, %v, want 24 hours and 24 indexes in turns", len(all.Readings), keys(all))
	}
	for i := range all.Readings[:47] {
		q.After = all.Cursor(i)
		if p := ask(t, s, q); len(p.Readings) != 47-i || p.Readings[0].Series.Index != all.Readings[i+1].Series.Index {
			t.Fatalf("after reading %d: %d readings, want %d of which the first is like %s", i, len(p.Readings), 47-i, key(all, i+1))
		}
	}
}

// A register that has shown its index and has no intervals does not hide how far
// those of the others go.
func TestAvailableUntilBesideIndexes(t *testing.T) {
	m := cellar(t)
	p := ask(t, &usage.Service{Store: m}, usage.Query{Until: true})
	if got, want := interval.FormatMoment(p.Until), "2024-04-01T00:00:00+02:00"; got != want {
		t.Errorf("consumption: until %s, want %s", got, want)
	}
	p = ask(t, &usage.Service{Store: m}, usage.Query{Until: true, Filters: []usage.Filter{{Direction: domain.Generation}}})
	if !p.Until.IsZero() {
		t.Errorf("generation, which has indexes alone: until %v, want none", p.Until)
	}
}

// However many questions to the store it takes, each index comes once.
func TestManyIndexesComeOnce(t *testing.T) {
	const count = 3000
	m := &memory{indices: map[domain.ChannelID][]domain.Index{}}
	id := m.add(electricity("a", "1", domain.Consumption, domain.KilowattHour))
	start := time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)
	for i := range count {
		m.indices[id] = append(m.indices[id], domain.Index{At: start.Add(time.Duration(i) * time.Second), Revision: 1, Quality: domain.Substituted, RecordedAt: start})
	}
	most := usage.MaxPage
	for name, q := range map[string]usage.Query{"forward": {First: &most}, "backward": {Last: &most}} {
		q.Filters = []usage.Filter{{PointInTime: true}}
		p := ask(t, &usage.Service{Store: m}, q)
		for i, r := range p.Readings {
			if r.Start != start.Unix()+int64(i) {
				t.Fatalf("%s: index %d is of second %d", name, i, r.Start-start.Unix())
			}
		}
		if len(p.Readings) != count {
			t.Errorf("%s: %d indexes, want %d", name, len(p.Readings), count)
		}
	}
	// A file keeps the quality that is stored.
	e, err := (&usage.Service{Store: m}).Export(background, partner, domain.MarketNLDElectricity, "a", usage.ExportQuery{First: date(t, "2024-01-01"), Last: date(t, "2024-01-01"), PointInTime: true})
	if err != nil {
		t.Fatal(err)
	}
	streamed := 0
	if err := e.Stream(background, func(b *meterfile.Block) error {
		if streamed++; b.Quality[0] != domain.Substituted {
			t.Fatalf("index %d of the file is %s, want SUBSTITUTED", streamed, b.Quality[0])
		}
		return nil
	}); err != nil || streamed != count {
		t.Errorf("the file has %d indexes, %v, want %d", streamed, err, count)
	}
}

// Ten years of indexes are not read for one page of them.
func TestAPageOfIndexesReadsAFew(t *testing.T) {
	m := &memory{}
	id := m.add(electricity("a", "1", domain.Consumption, domain.KilowattHour))
	start := time.Date(2014, time.January, 1, 0, 0, 0, 0, time.UTC)
	m.indices = map[domain.ChannelID][]domain.Index{}
	for hour := range 24 * 3652 {
		m.indices[id] = append(m.indices[id], domain.Index{At: start.Add(time.Duration(hour) * time.Hour), Revision: 1, Quality: domain.Actual, RecordedAt: start})
	}
	s, ten := &usage.Service{Store: m}, 10
	for name, q := range map[string]usage.Query{"the first": {First: &ten}, "the last": {Last: &ten}} {
		m.handed = 0
		q.Filters = []usage.Filter{{PointInTime: true}}
		if p := ask(t, s, q); len(p.Readings) != ten || m.handed > 64 {
			t.Errorf("%s: %d indexes on the page, %d read, want %d of at most 64", name, len(p.Readings), m.handed, ten)
		}
	}
}

// Two indexes tell what flowed between them. Who may read only sums of days, or
// of quarters of an hour, must not learn it from them.
func TestIndexesThatWereAgreedTo(t *testing.T) {
	finest := func(d time.Duration) domain.Consent {
		return consent(func(c *domain.Consent) { c.Finest = d })
	}
	from := func(day string, d time.Duration) domain.Consent {
		return consent(func(c *domain.Consent) { c.HistoryFrom, c.Finest = date(t, day), d })
	}
	b, last := "b", date(t, "2024-03-29")
	for name, c := range map[string]struct {
		consents []domain.Consent
		query    usage.Query
		filter   usage.Filter
		want     int
		outside  bool
	}{
		"as measured":                    {[]domain.Consent{consent(nil)}, usage.Query{}, usage.Filter{}, 3, false},
		"days":                           {[]domain.Consent{finest(24 * time.Hour)}, usage.Query{}, usage.Filter{}, 0, true},
		"the shortest there is":          {[]domain.Consent{finest(time.Minute)}, usage.Query{}, usage.Filter{}, 0, true},
		"history from the second day":    {[]domain.Consent{from("2024-03-31", 0)}, usage.Query{}, usage.Filter{}, 2, false},
		"days, and two days as measured": {[]domain.Consent{finest(24 * time.Hour), from("2024-03-31", 0)}, usage.Query{}, usage.Filter{}, 2, false},
		"before the history":             {[]domain.Consent{from("2024-03-30", 0)}, usage.Query{LastDay: &last}, usage.Filter{}, 0, true},
		"another supply point":           {[]domain.Consent{consent(nil)}, usage.Query{}, usage.Filter{SupplyPoint: &b}, 0, false},
	} {
		s := agreedService(cellar(t, c.consents...))
		c.filter.PointInTime = true
		c.query.Filters, c.query.Why, c.query.Gaps, c.query.Until = []usage.Filter{c.filter}, true, true, true
		p := read(t, s, agreed, c.query)
		if len(p.Readings) != c.want || p.OutsideConsent != c.outside || (p.Empty == usage.OutsideConsent) != c.outside {
			t.Errorf("%s: %q, outside %v, reason %d, want %d and outside %v", name, indexes(p), p.OutsideConsent, p.Empty, c.want, c.outside)
		}
		if len(p.Gaps) != 0 || !p.Until.IsZero() {
			t.Errorf("%s: gaps %q and until %v, want none of indexes", name, spans(p.Gaps), p.Until)
		}
		d := date(t, "2024-03-29")
		in := domain.Consumption
		_, err := s.Export(background, agreed, domain.MarketNLDElectricity, "a", usage.ExportQuery{First: d, Last: d + 3, PointInTime: true, Direction: &in})
		if want := map[bool]domain.Kind{true: domain.Forbidden, false: ok}[c.outside && c.query.LastDay == nil]; kind(err) != want {
			t.Errorf("%s: the export is %v, want kind %v", name, err, want)
		}
		if _, err := s.Export(background, agreed, domain.MarketNLDElectricity, "b", usage.ExportQuery{First: d, Last: d + 3, PointInTime: true}); kind(err) != domain.NotFound {
			t.Errorf("%s: the export of another supply point is %v, want not found", name, err)
		}
	}
	m := cellar(t)
	if _, err := agreedService(m).Measurements(background, agreed, "prop_home", usage.Query{Filters: []usage.Filter{{PointInTime: true}}}); kind(err) != domain.NotFound {
		t.Errorf("without a consent: %v, want not found", err)
	}
}

func TestExportOfIndexes(t *testing.T) {
	m := cellar(t)
	s := &usage.Service{Store: m}
	q := usage.ExportQuery{First: date(t, "2024-03-30"), Last: date(t, "2024-03-31"), PointInTime: true}
	opened, got := exported(t, s, partner, q)
	if want := []string{"1 2024-03-30T12:00 1×0 1000", "1 2024-03-31T12:00 1×0 2500", "2 2024-03-31T12:00 1×0 7"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if none, got := exported(t, s, partner, usage.ExportQuery{First: q.Last + 30, Last: q.Last + 31, PointInTime: true}); len(got) != 0 || none.Present != 0 || opened.Present != 1 {
		t.Errorf("days without an index: %q, present %v and %v, want none, 0 and 1", got, none.Present, opened.Present)
	}
	if intervals, _ := exported(t, s, partner, usage.ExportQuery{First: q.First, Last: q.Last}); intervals.Version == opened.Version {
		t.Errorf("intervals and indexes are both version %s", opened.Version)
	}
	if again, _ := exported(t, s, partner, q); again.Version != opened.Version {
		t.Errorf("version %s, and %s of the same", opened.Version, again.Version)
	}
	m.show(t, 1, "2024-03-30T12:00", 1500, domain.Substituted)
	if err := opened.Stream(background, func(b *meterfile.Block) error {
		if b.Values[0] == 1500 {
			t.Error("what was recorded after the opening is in the file")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	corrected, got := exported(t, s, partner, q)
	if corrected.Version == opened.Version || got[0] != "1 2024-03-30T12:00 1×0 1500" {
		t.Errorf("after a correction: %q in version %s, want 1500 and another version", got, corrected.Version)
	}
}
