package usage_test

import (
	"context"
	"errors"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/usage"
)

var background = context.Background()

func TestDaysOfSummerTime(t *testing.T) {
	m := &memory{}
	id := m.add(electricity("871690000000000001", "1", domain.Consumption, domain.KilowattHour))
	for _, d := range []string{"2024-03-30", "2024-03-31", "2024-04-01", "2024-10-26", "2024-10-27", "2024-10-28"} {
		m.fill(t, id, date(t, d), 30, steady)
	}
	s := &usage.Service{Store: m}
	for name, c := range map[string]struct {
		day  string
		want int
		at   string // the end of the last
	}{
		"spring has 46 half-hours":   {"2024-03-31", 46, "2024-04-01T00:00:00+02:00"},
		"most days have 48":          {"2024-04-01", 48, "2024-04-02T00:00:00+02:00"},
		"autumn has 50":              {"2024-10-27", 50, "2024-10-28T00:00:00+01:00"},
		"the day after autumn is 48": {"2024-10-28", 48, "2024-10-29T00:00:00+01:00"},
	} {
		d := date(t, c.day)
		p := ask(t, s, usage.Query{FirstDay: &d, LastDay: &d, Count: true})
		if len(p.Readings) != c.want || p.Total != c.want {
			t.Errorf("%s: %s has %d readings, total %d, want %d", name, c.day, len(p.Readings), p.Total, c.want)
			continue
		}
		last := p.Readings[len(p.Readings)-1]
		if got := interval.FormatMoment(last.EndAt()); got != c.at {
			t.Errorf("%s: the last reading of %s ends at %s, want %s", name, c.day, got, c.at)
		}
		by := ask(t, s, usage.Query{FirstDay: &d, LastDay: &d, Filters: []usage.Filter{{Group: interval.ByDay}}})
		if len(by.Readings) != 1 {
			t.Fatalf("%s: %s has %d groups by day, want 1", name, c.day, len(by.Readings))
		}
		g := by.Readings[0]
		if want := int64(c.want) * 1800; g.End-g.Start != want || g.Present != c.want || g.Expected != c.want {
			t.Errorf("%s: the day %s lasts %d s with %d of %d intervals, want %d s with %d", name, c.day, g.End-g.Start, g.Present, g.Expected, want, c.want)
		}
		if want := int64(c.want) * int64(c.want+1) / 2; !g.Value.Equal(domain.Decimal{Coefficient: want, Scale: 3}) {
			t.Errorf("%s: the day %s sums to %s, want %d thousandths", name, c.day, g.Value, want)
		}
	}
}

func TestMonthsSumTheirHalfHours(t *testing.T) {
	m := &memory{}
	id := m.add(electricity("871690000000000001", "1", domain.Consumption, domain.KilowattHour))
	for d := date(t, "2024-01-01"); d < date(t, "2025-01-01"); d++ {
		m.fill(t, id, d, 30, func(i int) (int64, domain.Quality) { return int64(d)*7 + int64(i), domain.Actual })
	}
	s := &usage.Service{Store: m}
	for _, zone := range []string{"", "Asia/Tokyo"} {
		months := ask(t, s, usage.Query{Zone: zone, Filters: []usage.Filter{{Group: interval.Month}}})
		n := usage.MaxPage
		for _, g := range months.Readings {
			sum := domain.Decimal{}
			from, to := g.StartAt(), g.EndAt()
			span := func(q usage.Query) usage.Query {
				a, _ := interval.ParseMoment(interval.FormatMoment(from))
				b, _ := interval.ParseMoment(interval.FormatMoment(to))
				q.From, q.To = &a, &b
				return q
			}
			parts := ask(t, s, span(usage.Query{Zone: zone, First: &n}))
			for _, r := range parts.Readings {
				sum, _ = sum.Add(r.Value)
			}
			if !sum.Equal(g.Value) || g.Present != len(parts.Readings) {
				t.Errorf("zone %q: the month from %s is %s of %d, its half-hours %s of %d", zone, from, g.Value, g.Present, sum, len(parts.Readings))
			}
		}
	}
}

func TestFilters(t *testing.T) {
	m := &memory{}
	day := date(t, "2024-06-01")
	add := func(c domain.Channel, minutes int) {
		m.fill(t, m.add(c), day, minutes, func(i int) (int64, domain.Quality) {
			if i == 0 {
				return 1, domain.Substituted
			}
			return 1, domain.Actual
		})
	}
	gas := electricity("g", "7", domain.Consumption, domain.CubicMetre)
	gas.SupplyPoint.Market = domain.MarketNLDGas
	add(electricity("e", "E1", domain.Consumption, domain.KilowattHour), 30)
	add(electricity("e", "B1", domain.Generation, domain.KilowattHour), 30)
	add(electricity("e", "Q1", domain.Consumption, domain.KilovarHour), 30)
	add(gas, 60)
	s := &usage.Service{Store: m}
	text := func(s string) *string { return &s }
	for name, c := range map[string]struct {
		filters []usage.Filter
		want    int
	}{
		"none is consumption of electricity":        {nil, 48},
		"generation":                                {[]usage.Filter{{Direction: domain.Generation}}, 48},
		"any direction":                             {[]usage.Filter{{AnyDirection: true}}, 96},
		"reactive energy by its register's name":    {[]usage.Filter{{Register: text("Q1")}}, 48},
		"a register":                                {[]usage.Filter{{Register: text("E1")}}, 48},
		"a register of the other direction":         {[]usage.Filter{{Register: text("B1")}}, 0},
		"an unknown register":                       {[]usage.Filter{{Register: text("X")}}, 0},
		"an unknown device":                         {[]usage.Filter{{Device: text("X")}}, 0},
		"a supply point":                            {[]usage.Filter{{SupplyPoint: text("e")}}, 48},
		"another supply point":                      {[]usage.Filter{{SupplyPoint: text("f")}}, 0},
		"gas":                                       {[]usage.Filter{{Gas: true}}, 24},
		"gas and electricity":                       {[]usage.Filter{{Gas: true}, {}}, 72},
		"the same twice":                            {[]usage.Filter{{}, {}}, 48},
		"two frequencies":                           {[]usage.Filter{{}, {Group: interval.ByDay}}, 49},
		"what was measured":                         {[]usage.Filter{{Quality: usage.OnlyActual}}, 47},
		"what was not":                              {[]usage.Filter{{Quality: usage.OnlyEstimate}}, 1},
		"what was and what was not":                 {[]usage.Filter{{Quality: usage.OnlyEstimate}, {Quality: usage.OnlyActual}}, 48},
		"hours with an estimate in them":            {[]usage.Filter{{Group: interval.Hour, Quality: usage.OnlyEstimate}}, 1},
		"a frequency finer than what is stored":     {[]usage.Filter{{Group: interval.FifteenMinutes}}, 0},
		"the frequency that is stored":              {[]usage.Filter{{Group: interval.ThirtyMinutes}}, 48},
		"hours of gas, which is stored so":          {[]usage.Filter{{Gas: true, Group: interval.Hour}}, 24},
		"half-hours of gas, which is stored coarse": {[]usage.Filter{{Gas: true, Group: interval.ThirtyMinutes}}, 0},
		"indexes at a moment":                       {[]usage.Filter{{PointInTime: true}}, 0},
	} {
		p := ask(t, s, usage.Query{Filters: c.filters, Count: true})
		if len(p.Readings) != c.want || p.Total != c.want {
			t.Errorf("%s: %d readings, total %d, want %d", name, len(p.Readings), p.Total, c.want)
		}
	}
}

func TestSpans(t *testing.T) {
	m := &memory{}
	id := m.add(electricity("e", "1", domain.Consumption, domain.KilowattHour))
	for d := date(t, "2024-06-01"); d <= date(t, "2024-06-10"); d++ {
		m.fill(t, id, d, 30, steady)
	}
	s := &usage.Service{Store: m}
	n := usage.MaxPage
	for name, c := range map[string]struct {
		from, to, first, last, zone string
		group                       interval.Group
		want                        int
	}{
		"everything":                                 {want: 480},
		"one reading":                                {from: "2024-06-02T00:00:00+02:00", to: "2024-06-02T00:30:00+02:00", want: 1},
		"the start decides, not the end":             {from: "2024-06-02T00:00:01+02:00", to: "2024-06-02T00:30:01+02:00", want: 1},
		"a fraction of a second":                     {from: "2024-06-02T00:00:00.1+02:00", to: "2024-06-02T00:30:00.1+02:00", want: 1},
		"without an offset: the supply point's zone": {from: "2024-06-10T23:00:00", want: 2},
		"without an offset: the zone asked for":      {from: "2024-06-10T21:00:00", zone: "UTC", want: 2},
		"days include the last":                      {first: "2024-06-03", last: "2024-06-04", want: 96},
		"days of the zone asked for":                 {last: "2024-06-01", zone: "Asia/Tokyo", want: 34},
		"both ways narrow each other":                {first: "2024-06-03", last: "2024-06-04", from: "2024-06-04T12:00:00", want: 24},
		"nothing between":                            {first: "2024-06-04", last: "2024-06-03", want: 0},
		"groups by day hold what lies in the span":   {from: "2024-06-03T12:00:00", to: "2024-06-05T12:00:00", group: interval.ByDay, want: 3},
		"the default of startAt":                     {from: "0001-01-03T00:00:00-00:01:15", to: "9999-12-29T23:59:59.999999+00:00", want: 480},
	} {
		q := usage.Query{Zone: c.zone, First: &n, Filters: []usage.Filter{{Group: c.group}}, Count: true}
		moment := func(s string) *interval.Moment {
			if s == "" {
				return nil
			}
			at, err := interval.ParseMoment(s)
			if err != nil {
				t.Fatal(err)
			}
			return &at
		}
		q.From, q.To = moment(c.from), moment(c.to)
		if c.first != "" {
			d := date(t, c.first)
			q.FirstDay = &d
		}
		if c.last != "" {
			d := date(t, c.last)
			q.LastDay = &d
		}
		if p := ask(t, s, q); len(p.Readings) != c.want || p.Total != c.want {
			t.Errorf("%s: %d readings, total %d, want %d", name, len(p.Readings), p.Total, c.want)
		}
	}
}

func TestAGroupAtTheBorderSaysThatItIsNotWhole(t *testing.T) {
	m := &memory{}
	id := m.add(electricity("e", "1", domain.Consumption, domain.KilowattHour))
	m.fill(t, id, date(t, "2024-06-01"), 30, steady)
	at, _ := interval.ParseMoment("2024-06-01T12:00:00")
	p := ask(t, &usage.Service{Store: m}, usage.Query{From: &at, Filters: []usage.Filter{{Group: interval.ByDay}}})
	if len(p.Readings) != 1 {
		t.Fatalf("%d readings, want 1", len(p.Readings))
	}
	r := p.Readings[0]
	if got := interval.FormatMoment(r.StartAt()); got != "2024-06-01T00:00:00+02:00" || r.Present != 24 || r.Expected != 48 {
		t.Errorf("the group starts at %s with %d of %d, want midnight with 24 of 48", got, r.Present, r.Expected)
	}
}

func TestBadQueries(t *testing.T) {
	s := &usage.Service{Store: street(t)}
	n := func(n int) *int { return &n }
	for name, c := range map[string]struct {
		query usage.Query
		cause error
	}{
		"first and last":        {usage.Query{First: n(1), Last: n(1)}, usage.Argument("last")},
		"a negative first":      {usage.Query{First: n(-1)}, usage.Argument("first")},
		"a negative last":       {usage.Query{Last: n(-1)}, usage.Argument("last")},
		"first above the limit": {usage.Query{First: n(10_001)}, usage.ErrTooMany},
		"last above the limit":  {usage.Query{Last: n(10_001)}, usage.ErrTooMany},
		"a zone that is none":   {usage.Query{Zone: "Mars/Olympus"}, usage.Argument("timezone")},
		"a cursor that is none": {usage.Query{After: "x"}, usage.Argument("after")},
	} {
		p, err := s.Measurements(background, partner, "prop_home", c.query)
		e, ok := errors.AsType[*domain.Error](err)
		if !ok || e.Kind != domain.Invalid || e.Public == "" || !errors.Is(err, c.cause) {
			t.Errorf("%s: %v, want invalid because of %v", name, err, c.cause)
		}
		if len(p.Readings) > 0 {
			t.Errorf("%s: %d readings beside the error", name, len(p.Readings))
		}
	}
}

func TestWhoMayAsk(t *testing.T) {
	m := street(t)
	s, first := &usage.Service{Store: m}, m.channels[0].SupplyPoint
	user := domain.Caller{Partner: "prt_a", User: "usr_1", Permissions: domain.CustomerPermissions}
	stranger := user
	stranger.User = "usr_2"
	other := partner
	other.Partner = "prt_b"
	agreed := partner
	agreed.Reach = domain.ReachConsented
	noUsage := partner
	noUsage.Permissions = domain.PermissionSet(domain.CanQueryProperty)
	for name, c := range map[string]struct {
		caller                 domain.Caller
		me, property, measured domain.Kind
	}{
		"the customer":                          {user, ok, ok, ok},
		"the partner":                           {partner, domain.Forbidden, ok, ok},
		"another customer":                      {stranger, domain.NotFound, domain.NotFound, domain.NotFound},
		"another partner":                       {other, domain.Forbidden, domain.NotFound, domain.NotFound},
		"who needs consent and has none":        {agreed, domain.Forbidden, domain.NotFound, domain.NotFound},
		"who may not see usage":                 {noUsage, domain.Forbidden, ok, domain.Forbidden},
		"nobody":                                {domain.Caller{}, domain.Forbidden, domain.Forbidden, domain.Forbidden},
		"a partner that holds every permission": {domain.Caller{Permissions: domain.AllPermissions()}, domain.Forbidden, domain.Forbidden, domain.Forbidden},
	} {
		_, err := s.Me(background, c.caller, true)
		if got := kind(err); got != c.me {
			t.Errorf("%s: Me: %v, want kind %v", name, err, c.me)
		}
		_, err = s.Property(background, c.caller, "prop_home")
		if got := kind(err); got != c.property {
			t.Errorf("%s: Property: %v, want kind %v", name, err, c.property)
		}
		_, err = s.Properties(background, c.caller, "A-1")
		if got := kind(err); got != c.property {
			t.Errorf("%s: Properties: %v, want kind %v", name, err, c.property)
		}
		_, err = s.Measurements(background, c.caller, "prop_home", usage.Query{})
		if got := kind(err); got != c.measured {
			t.Errorf("%s: Measurements: %v, want kind %v", name, err, c.measured)
		}
		_, err = s.Changes(background, c.caller, "prop_home", usage.ChangesQuery{})
		if got := kind(err); got != c.measured {
			t.Errorf("%s: Changes: %v, want kind %v", name, err, c.measured)
		}
		_, err = s.Export(background, c.caller, first.Market, first.Identifier, usage.ExportQuery{})
		if got := kind(err); got != c.measured {
			t.Errorf("%s: Export: %v, want kind %v", name, err, c.measured)
		}
	}
}

func TestAddressesArePersonal(t *testing.T) {
	s := &usage.Service{Store: street(t)}
	p, err := s.Property(background, partner, "prop_home")
	if err != nil || p.Postcode != "" || p.Address != nil {
		t.Errorf("without %s: %+v, %v, want no address", domain.CanViewPersonalData, p, err)
	}
	caller := partner
	caller.Permissions = domain.CustomerPermissions
	p, err = s.Property(background, caller, "prop_home")
	if err != nil || p.Postcode == "" || p.Address == nil {
		t.Errorf("with %s: %+v, %v, want an address", domain.CanViewPersonalData, p, err)
	}
}

const ok = domain.Kind(255) // no error

func kind(err error) domain.Kind {
	if err == nil {
		return ok
	}
	if e, is := errors.AsType[*domain.Error](err); is {
		return e.Kind
	}
	return domain.Internal
}
