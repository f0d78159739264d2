package usage_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/usage"
)

// lacking is a channel of half-hours from 1 to 10 June 2024 that has no 4 and 5
// June, on 7 June nothing from half past one to half past two, and at the end of
// the 10th nothing of the last hour.
func lacking(t testing.TB) *memory {
	t.Helper()
	m := &memory{}
	id := m.add(electricity("871690000000000001", "1", domain.Consumption, domain.KilowattHour))
	for d := date(t, "2024-06-01"); d <= date(t, "2024-06-10"); d++ {
		if d == date(t, "2024-06-04") || d == date(t, "2024-06-05") {
			continue
		}
		m.fill(t, id, d, 30, func(i int) (int64, domain.Quality) {
			if d == date(t, "2024-06-07") && (i == 3 || i == 4) || d == date(t, "2024-06-10") && i >= 46 {
				return 0, domain.Missing
			}
			return 1, domain.Actual
		})
	}
	m.complete = map[domain.ChannelID]domain.Date{id: date(t, "2024-06-03")}
	return m
}

// spans writes gaps as local times, for a comparison.
func spans(list []usage.Gap) (texts []string) {
	for _, g := range list {
		texts = append(texts, g.StartAt().Format("02T15:04")+" "+g.EndAt().Format("02T15:04"))
	}
	return texts
}

func TestGaps(t *testing.T) {
	at := func(text string) *interval.Moment {
		m, err := interval.ParseMoment(text)
		if err != nil {
			t.Fatal(err)
		}
		return &m
	}
	absent, morning, tail := "04T00:00 06T00:00", "07T01:30 07T02:30", "10T23:00 11T00:00"
	for name, c := range map[string]struct {
		query usage.Query
		now   string // empty: long after
		want  []string
	}{
		"all that there is":                {usage.Query{}, "", []string{absent, morning, tail}},
		"the span cuts them":               {usage.Query{From: at("2024-06-05T06:00"), To: at("2024-06-07T02:00")}, "", []string{"05T06:00 06T00:00", "07T01:30 07T02:00"}},
		"a span inside one":                {usage.Query{From: at("2024-06-04T06:00"), To: at("2024-06-05T07:00")}, "", []string{"04T06:00 05T07:00"}},
		"a span without any":               {usage.Query{From: at("2024-06-01T00:00"), To: at("2024-06-03T00:00")}, "", nil},
		"before the first day":             {usage.Query{To: at("2024-06-01T00:00")}, "", nil},
		"after the last day":               {usage.Query{From: at("2024-06-11T00:00")}, "", nil},
		"an empty span":                    {usage.Query{From: at("2024-06-05T00:00"), To: at("2024-06-04T00:00")}, "", nil},
		"by day they are as fine":          {usage.Query{Filters: []usage.Filter{{Group: interval.ByDay}}}, "", []string{absent, morning, tail}},
		"what is ahead of the clock":       {usage.Query{}, "2024-06-10T23:30", []string{absent, morning, "10T23:00 10T23:30"}},
		"a clock that stands in a gap":     {usage.Query{}, "2024-06-04T12:00", []string{"04T00:00 04T12:00"}},
		"in another zone":                  {usage.Query{Zone: "UTC"}, "", []string{"03T22:00 05T22:00", "06T23:30 07T00:30", "10T21:00 10T22:00"}},
		"of a register that is not there":  {usage.Query{Filters: []usage.Filter{{Direction: domain.Generation}}}, "", nil},
		"known when 3 June was the newest": {usage.Query{AsOf: at("2020-01-01T00:00:03Z")}, "", nil},
		"known when 6 June was the newest": {usage.Query{AsOf: at("2020-01-01T00:00:04Z")}, "", []string{absent}},
		"then, in a span that it ends":     {usage.Query{AsOf: at("2020-01-01T00:00:04Z"), To: at("2024-06-05T12:00")}, "", []string{"04T00:00 05T12:00"}},
		"then, in a span that it begins":   {usage.Query{AsOf: at("2020-01-01T00:00:04Z"), From: at("2024-06-05T12:00")}, "", []string{"05T12:00 06T00:00"}},
		"known at no time":                 {usage.Query{AsOf: at("0001-01-01T00:00:00Z")}, "", nil},
	} {
		s := &usage.Service{Store: lacking(t)}
		if c.now != "" {
			s.Now = func() time.Time { return at(c.now).In(zone(t, "Europe/Amsterdam")) }
		}
		c.query.Gaps = true
		p := ask(t, s, c.query)
		if got := spans(p.Gaps); !slices.Equal(got, c.want) || p.MoreGaps {
			t.Errorf("%s: got %q, more %v, want %q", name, got, p.MoreGaps, c.want)
		}
	}
}

func TestGapsOfSeveralChannelsAreMerged(t *testing.T) {
	m := lacking(t)
	id := m.add(electricity("871690000000000002", "1", domain.Consumption, domain.KilowattHour))
	for _, d := range []string{"2024-06-03", "2024-06-04", "2024-06-07"} {
		m.fill(t, id, date(t, d), 60, steady)
	}
	p := ask(t, &usage.Service{Store: m}, usage.Query{Gaps: true})
	want := []string{"04T00:00 07T00:00", "07T01:30 07T02:30", "10T23:00 11T00:00"}
	if got := spans(p.Gaps); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Whoever goes on behind the last gap gets all of them, each once.
func TestMoreGapsThanAnAnswerLists(t *testing.T) {
	m := &memory{}
	id := m.add(electricity("871690000000000001", "1", domain.Consumption, domain.KilowattHour))
	want := 0
	for d := date(t, "2024-01-01"); d <= date(t, "2024-04-10"); d++ {
		m.fill(t, id, d, 30, func(i int) (int64, domain.Quality) {
			if i%4 == 1 {
				want++
				return 0, domain.Missing
			}
			return 1, domain.Actual
		})
	}
	s, got, after := &usage.Service{Store: m}, 0, int64(0)
	for q := (usage.Query{Gaps: true}); ; {
		p := ask(t, s, q)
		for _, g := range p.Gaps {
			if g.Start < after || g.End-g.Start != 1800 {
				t.Fatalf("gap %d is %s to %s, the one before ends at %d", got, g.StartAt(), g.EndAt(), after)
			}
			after = g.End
		}
		got += len(p.Gaps)
		if !p.MoreGaps {
			break
		}
		if len(p.Gaps) != usage.MaxGaps {
			t.Fatalf("a page that is cut off has %d gaps, want %d", len(p.Gaps), usage.MaxGaps)
		}
		from, err := interval.ParseMoment(interval.FormatMoment(p.Gaps[len(p.Gaps)-1].EndAt()))
		if err != nil {
			t.Fatal(err)
		}
		q.From = &from
	}
	if got != want {
		t.Errorf("%d gaps in all, want %d", got, want)
	}
}

func TestNothingIsReadUnasked(t *testing.T) {
	m := lacking(t)
	s, n := &usage.Service{Store: m}, 0
	ask(t, s, usage.Query{First: &n})
	before := m.handed
	m.handed = 0
	ask(t, s, usage.Query{First: &n, Until: true, Why: true})
	if m.handed != before {
		t.Errorf("%d days are read to say how far readings are complete, %d without", m.handed, before)
	}
}

func TestAvailableUntil(t *testing.T) {
	m := lacking(t)
	s := &usage.Service{Store: m}
	until := func(q usage.Query) string {
		q.Until = true
		p := ask(t, s, q)
		if p.Until.IsZero() {
			return ""
		}
		return interval.FormatMoment(p.Until)
	}
	if got, want := until(usage.Query{}), "2024-06-04T00:00:00+02:00"; got != want {
		t.Errorf("got %q, want %q: the end of the last complete day", got, want)
	}
	id := m.add(electricity("871690000000000002", "1", domain.Consumption, domain.KilowattHour))
	if got := until(usage.Query{}); got != "" {
		t.Errorf("got %q beside a channel without readings, want none", got)
	}
	m.fill(t, id, date(t, "2024-06-01"), 30, steady)
	if got, want := until(usage.Query{}), "2024-06-02T00:00:00+02:00"; got != want {
		t.Errorf("got %q, want %q: the earlier one of two channels", got, want)
	}
	if got, want := until(usage.Query{Zone: "UTC"}), "2024-06-01T22:00:00+00:00"; got != want {
		t.Errorf("got %q, want %q: the same instant in the zone of the question", got, want)
	}
	if got := until(usage.Query{Filters: []usage.Filter{{Direction: domain.Generation}}}); got != "" {
		t.Errorf("got %q for no channel, want none", got)
	}
}

func TestWhyThereIsNothing(t *testing.T) {
	days := func(first, last string) usage.Query {
		a, b := date(t, first), date(t, last)
		return usage.Query{FirstDay: &a, LastDay: &b}
	}
	filtered := func(f usage.Filter) usage.Query { return usage.Query{Filters: []usage.Filter{f}} }
	for name, c := range map[string]struct {
		query usage.Query
		want  usage.EmptyReason
	}{
		"there is something":             {usage.Query{}, usage.NotEmpty},
		"before the first reading":       {days("2020-01-01", "2024-05-31"), usage.OutsideSupplyPeriod},
		"after the last reading":         {days("2024-06-12", "2024-06-30"), usage.NoReadingsYet},
		"in a gap":                       {days("2024-06-04", "2024-06-05"), usage.NoReadingsYet},
		"finer than what is stored":      {filtered(usage.Filter{Group: interval.FiveMinutes}), usage.UnsupportedFrequency},
		"an index, which nobody read":    {filtered(usage.Filter{PointInTime: true}), usage.NoReadingsYet},
		"a channel that is not there":    {filtered(usage.Filter{Direction: domain.Generation}), usage.NoReadingsYet},
		"an empty page of a full answer": {usage.Query{First: new(int)}, usage.NotEmpty},
	} {
		c.query.Why = true
		if p := ask(t, &usage.Service{Store: lacking(t)}, c.query); p.Empty != c.want {
			t.Errorf("%s: got reason %d, want %d", name, p.Empty, c.want)
		}
	}
	m := village(t, consent(func(c *domain.Consent) { c.Finest = time.Hour }))
	p := read(t, agreedService(m), agreed, usage.Query{Why: true, Gaps: true, Until: true})
	if p.Empty != usage.OutsideConsent || len(p.Gaps) != 0 {
		t.Errorf("finer than agreed: got reason %d and %d gaps, want %d and none", p.Empty, len(p.Gaps), usage.OutsideConsent)
	}
}

// What a consent does not open is not told by gaps either: neither their place
// within an agreed day, nor those before the agreed history.
func TestGapsWithinWhatWasAgreedTo(t *testing.T) {
	m := &memory{consents: []domain.Consent{consent(func(c *domain.Consent) { c.Finest, c.HistoryFrom = 24*time.Hour, date(t, "2024-03-29") })}}
	id := m.add(electricity("a", "1", domain.Consumption, domain.KilowattHour))
	for d := date(t, "2024-03-25"); d <= date(t, "2024-04-02"); d++ {
		m.fill(t, id, d, 15, func(i int) (int64, domain.Quality) {
			if d != date(t, "2024-03-30") && i >= 40 && i < 44 {
				return 0, domain.Missing
			}
			return 1, domain.Actual
		})
	}
	s := agreedService(m)
	p := read(t, s, agreed, usage.Query{Gaps: true, Filters: []usage.Filter{{Group: interval.ByDay}}})
	want := []string{"29T00:00 30T00:00", "31T00:00 03T00:00"}
	if got := spans(p.Gaps); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q: whole days, from the agreed one on", got, want)
	}
	before, last := date(t, "2024-03-25"), date(t, "2024-03-28")
	p = read(t, s, agreed, usage.Query{Gaps: true, Until: true, FirstDay: &before, LastDay: &last, Filters: []usage.Filter{{Group: interval.ByDay}}})
	if len(p.Gaps) != 0 || !p.Until.IsZero() {
		t.Errorf("outside the agreed span: %q and until %v, want nothing", spans(p.Gaps), p.Until)
	}
}

func TestAsOf(t *testing.T) {
	m := &memory{}
	id := m.add(electricity("871690000000000001", "1", domain.Consumption, domain.KilowattHour))
	day := date(t, "2024-06-01")
	for version := range int64(3) { // recorded at 1, 2 and 3 seconds past 2020
		m.fill(t, id, day, 60, func(int) (int64, domain.Quality) { return version + 1, domain.Actual })
	}
	m.fill(t, id, day+1, 60, steady)
	s := &usage.Service{Store: m, CursorKey: [32]byte{1}}
	for _, c := range []struct {
		asOf        string
		days, value int64
		revision    int32
	}{
		{"", 2, 3, 1},
		{"2020-01-01T00:00:00Z", 0, 0, 0},
		{"2020-01-01T00:00:01Z", 1, 1, 1},
		{"2020-01-01T00:00:02Z", 1, 2, 2},
		{"2020-01-01T00:00:03.5Z", 1, 3, 3},
		{"2020-01-01T00:00:04Z", 2, 3, 3},
		{"2020-01-01T02:00:02+02:00", 1, 2, 2},
		{"2020-01-01T01:00:02", 1, 2, 2}, // the zone of the supply point
		{"9999-12-31", 2, 3, 3},
	} {
		q := usage.Query{Count: true, Filters: []usage.Filter{{Group: interval.ByDay}}}
		if c.asOf != "" {
			at, err := interval.ParseMoment(c.asOf)
			if err != nil {
				t.Fatal(err)
			}
			q.AsOf = &at
		}
		p := ask(t, s, q)
		if len(p.Readings) != int(c.days) || p.Total != int(c.days) {
			t.Errorf("as of %q: %d days, total %d, want %d", c.asOf, len(p.Readings), p.Total, c.days)
			continue
		}
		if c.days == 0 {
			continue
		}
		r := p.Readings[0]
		if want := (domain.Decimal{Coefficient: 24 * c.value, Scale: 3}); !r.Value.Equal(want) || c.asOf != "" && r.Revision != c.revision {
			t.Errorf("as of %q: %s in revision %d, want %s in %d", c.asOf, r.Value, r.Revision, want, c.revision)
		}
	}
}

func TestRevisions(t *testing.T) {
	m := &memory{}
	id := m.add(electricity("871690000000000001", "1", domain.Consumption, domain.KilowattHour))
	for _, d := range []string{"2024-06-01", "2024-06-02", "2024-06-01", "2024-06-01", "2024-06-03"} {
		m.fill(t, id, date(t, d), 60, steady)
	}
	n := 100
	for group, want := range map[interval.Group][]string{
		interval.ByDay: {"3 at 5", "1 at 3", "1 at 6"},
		interval.Month: {"3 at 6"},
		interval.Raw:   slices.Concat(slices.Repeat([]string{"3 at 5"}, 24), slices.Repeat([]string{"1 at 3"}, 24), slices.Repeat([]string{"1 at 6"}, 24)),
	} {
		for _, backwards := range []bool{false, true} {
			q := usage.Query{First: &n, Filters: []usage.Filter{{Group: group}}}
			if backwards {
				q.First, q.Last = nil, &n
			}
			var got []string
			for _, r := range ask(t, &usage.Service{Store: m}, q).Readings {
				got = append(got, fmt.Sprintf("%d at %d", r.Revision, r.UpdatedAt().Unix()-1577836799))
			}
			if !slices.Equal(got, want) {
				t.Errorf("by %s, backwards %v: got %q, want %q", group, backwards, got, want)
			}
		}
	}
}
