package usage_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/usage"
)

// agreed may read what the customers of prt_a have allowed app_agreed.
var agreed = domain.Caller{
	Partner: "prt_a", Client: "app_agreed", Reach: domain.ReachConsented,
	Permissions: domain.PermissionSet(domain.CanQueryProperty, domain.CanViewDetailedUsage),
}

var (
	pointA = domain.SupplyPointRef{Market: domain.MarketNLDElectricity, Identifier: "a"}
	pointB = domain.SupplyPointRef{Market: domain.MarketNLDElectricity, Identifier: "b"}
	today  = time.Date(2024, time.April, 4, 10, 7, 0, 0, time.UTC)
)

// consent is one of app_agreed for supply point a, as measured, for all that
// there is and another year.
func consent(change func(*domain.Consent)) domain.Consent {
	c := domain.Consent{
		ID: "con_1", Application: "app_agreed", Partner: "prt_a", User: "usr_1",
		SupplyPoints: []domain.SupplyPointRef{pointA}, ValidUntil: today.AddDate(1, 0, 0), Permissions: agreed.Permissions,
	}
	if change != nil {
		change(&c)
	}
	return c
}

// village is a property with two supply points, measured in quarters of an hour
// for the last days of March 2024, when the clock is set, to 5 April.
func village(t testing.TB, consents ...domain.Consent) *memory {
	t.Helper()
	m := &memory{consents: consents}
	for _, name := range []string{"a", "b"} {
		id := m.add(electricity(name, "1", domain.Consumption, domain.KilowattHour))
		for d := date(t, "2024-03-25"); d <= date(t, "2024-04-05"); d++ {
			m.fill(t, id, d, 15, func(i int) (int64, domain.Quality) { return int64(i%7 + 1), domain.Actual })
		}
	}
	return m
}

func agreedService(m *memory) *usage.Service {
	return &usage.Service{Store: m, Now: func() time.Time { return today }}
}

func read(t testing.TB, s *usage.Service, caller domain.Caller, q usage.Query) usage.Page {
	t.Helper()
	n := usage.MaxPage
	if q.First == nil && q.Last == nil {
		q.First = &n
	}
	q.Count = true
	p, err := s.Measurements(background, caller, "prop_home", q)
	if err != nil {
		t.Fatal(err)
	}
	samePackedTo(t, s, caller, q, &p, &usage.Blocks{})
	if q.First == &n && p.Total != len(p.Readings) {
		t.Errorf("%d readings, counted as %d", len(p.Readings), p.Total)
	}
	return p
}

func TestWhatWasAgreedTo(t *testing.T) {
	const perDay = 96
	group := func(g interval.Group) []usage.Filter { return []usage.Filter{{Group: g}} }
	at := func(text string) *interval.Moment {
		m, err := interval.ParseMoment(text)
		if err != nil {
			t.Fatal(err)
		}
		return &m
	}
	finest := func(d time.Duration) domain.Consent {
		return consent(func(c *domain.Consent) { c.Finest = d })
	}
	from := func(day string) domain.Consent {
		return consent(func(c *domain.Consent) { c.HistoryFrom = date(t, day) })
	}
	b := "b"
	for name, c := range map[string]struct {
		consents []domain.Consent
		query    usage.Query
		want     int
		outside  bool
	}{
		"all as measured":                                     {[]domain.Consent{consent(nil)}, usage.Query{}, 12*perDay - 4, false},
		"a supply point that was not agreed to":               {[]domain.Consent{consent(nil)}, usage.Query{Filters: []usage.Filter{{SupplyPoint: &b}}}, 0, false},
		"finer than agreed":                                   {[]domain.Consent{finest(30 * time.Minute)}, usage.Query{}, 0, true},
		"just as fine as agreed":                              {[]domain.Consent{finest(15 * time.Minute)}, usage.Query{}, 12*perDay - 4, false},
		"half-hours that are over":                            {[]domain.Consent{finest(30 * time.Minute)}, usage.Query{Filters: group(interval.ThirtyMinutes)}, 10*48 - 2 + 24, false},
		"quarters where half-hours were agreed to":            {[]domain.Consent{finest(30 * time.Minute)}, usage.Query{Filters: group(interval.FifteenMinutes)}, 0, true},
		"days that are over":                                  {[]domain.Consent{finest(24 * time.Hour)}, usage.Query{Filters: group(interval.ByDay)}, 10, false},
		"hours where days were agreed to":                     {[]domain.Consent{finest(24 * time.Hour)}, usage.Query{Filters: group(interval.Hour)}, 0, true},
		"weeks where days were agreed to":                     {[]domain.Consent{finest(24 * time.Hour)}, usage.Query{Filters: group(interval.Week)}, 1, false},
		"months where weeks were agreed to":                   {[]domain.Consent{finest(7 * 24 * time.Hour)}, usage.Query{Filters: group(interval.Month)}, 0, true},
		"months where months were agreed to":                  {[]domain.Consent{finest(31 * 24 * time.Hour)}, usage.Query{Filters: group(interval.Month)}, 1, false},
		"weeks where months were agreed to":                   {[]domain.Consent{finest(31 * 24 * time.Hour)}, usage.Query{Filters: group(interval.Week)}, 0, true},
		"part of a day is no day":                             {[]domain.Consent{finest(24 * time.Hour)}, usage.Query{From: at("2024-03-30T12:00"), To: at("2024-03-30T12:30"), Filters: group(interval.ByDay)}, 0, true},
		"a day that begins in the span is whole":              {[]domain.Consent{finest(24 * time.Hour)}, usage.Query{From: at("2024-03-30T12:00"), To: at("2024-03-31T00:30"), Filters: group(interval.ByDay)}, 1, false},
		"days of another zone are the supply point's":         {[]domain.Consent{finest(24 * time.Hour)}, usage.Query{Zone: "Asia/Kathmandu", Filters: group(interval.ByDay)}, 10, false},
		"days as measured may be cut":                         {[]domain.Consent{consent(nil)}, usage.Query{From: at("2024-03-30T12:00"), To: at("2024-03-30T12:30"), Filters: group(interval.ByDay)}, 1, false},
		"history that is cut":                                 {[]domain.Consent{from("2024-04-03")}, usage.Query{}, 3 * perDay, false},
		"a span before the history":                           {[]domain.Consent{from("2024-04-03")}, usage.Query{To: at("2024-04-02T00:00")}, 0, true},
		"a month that began before the history":               {[]domain.Consent{from("2024-03-30")}, usage.Query{Filters: group(interval.Month)}, 1, false},
		"history that begins later":                           {[]domain.Consent{from("2024-04-05")}, usage.Query{}, 0, true},
		"two consents together":                               {[]domain.Consent{from("2024-04-05"), from("2024-04-03"), from("2024-04-04")}, usage.Query{}, 3 * perDay, false},
		"each consent with its own resolution":                {[]domain.Consent{finest(24 * time.Hour), from("2024-04-04")}, usage.Query{}, 2 * perDay, false},
		"a finer consent for the property only lends nothing": {[]domain.Consent{finest(30 * time.Minute), consent(func(c *domain.Consent) { c.Permissions = domain.PermissionSet(domain.CanQueryProperty) })}, usage.Query{}, 0, true},
		"the coarser consent of two":                          {[]domain.Consent{finest(24 * time.Hour), from("2024-04-04")}, usage.Query{Filters: group(interval.ByDay)}, 10, false},
		"what would be measured after the end":                {[]domain.Consent{consent(func(c *domain.Consent) { c.ValidUntil = today.Add(time.Hour) })}, usage.Query{From: at("2024-04-04T00:00")}, 53, false},
		"a question about no time asks nothing outside":       {[]domain.Consent{consent(nil)}, usage.Query{From: at("2024-04-02T00:00"), To: at("2024-04-01T00:00")}, 0, false},
	} {
		m := village(t, c.consents...)
		p := read(t, agreedService(m), agreed, c.query)
		if len(p.Readings) != c.want || p.OutsideConsent != c.outside {
			t.Errorf("%s: got %d readings, outside %v; want %d, %v", name, len(p.Readings), p.OutsideConsent, c.want, c.outside)
		}
	}
}

func TestWithoutConsent(t *testing.T) {
	revoked := consent(func(c *domain.Consent) { c.RevokedAt = today.Add(-time.Second) })
	ended := consent(func(c *domain.Consent) { c.ValidUntil = today })
	others := consent(func(c *domain.Consent) { c.Application = "app_other" })
	of := func(change func(*domain.Caller)) domain.Caller {
		c := agreed
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		consents []domain.Consent
		caller   domain.Caller
		want     domain.Kind // Internal: none
	}{
		"none":                            {nil, agreed, domain.NotFound},
		"a revoked one":                   {[]domain.Consent{revoked}, agreed, domain.NotFound},
		"an expired one":                  {[]domain.Consent{ended}, agreed, domain.NotFound},
		"another application's":           {[]domain.Consent{others}, agreed, domain.NotFound},
		"another partner's application":   {[]domain.Consent{consent(nil)}, of(func(c *domain.Caller) { c.Partner = "prt_b" }), domain.NotFound},
		"another customer's token":        {[]domain.Consent{consent(nil)}, of(func(c *domain.Caller) { c.User = "usr_2" }), domain.NotFound},
		"no permission":                   {[]domain.Consent{consent(nil)}, of(func(c *domain.Caller) { c.Permissions = 0 }), domain.Forbidden},
		"one that is active":              {[]domain.Consent{revoked, consent(nil)}, agreed, domain.Internal},
		"one, and its own customer token": {[]domain.Consent{consent(nil)}, of(func(c *domain.Caller) { c.User = "usr_1" }), domain.Internal},
	} {
		s := agreedService(village(t, c.consents...))
		_, err := s.Property(background, c.caller, "prop_home")
		_, err2 := s.Measurements(background, c.caller, "prop_home", usage.Query{})
		if got, got2 := kindOf(err), kindOf(err2); got != c.want || got2 != c.want {
			t.Errorf("%s: the property is %v, its measurements are %v; want %v", name, got, got2, c.want)
		}
	}
	forHome := agreedService(village(t, consent(func(c *domain.Consent) { c.Permissions = domain.PermissionSet(domain.CanQueryProperty) })))
	if _, err := forHome.Measurements(background, agreed, "prop_home", usage.Query{}); kindOf(err) != domain.NotFound {
		t.Errorf("one for the property only: its measurements are %v, want not found", err)
	}
	timeless := &usage.Service{Store: village(t, consent(nil))}
	if _, err := timeless.Property(background, agreed, "prop_home"); kindOf(err) != domain.NotFound {
		t.Errorf("without a clock: got %v, want not found", err)
	}
}

// TestAtOnceWhenRevoked ends a consent between two questions.
func TestAtOnceWhenRevoked(t *testing.T) {
	m := village(t, consent(nil))
	s := agreedService(m)
	if p := read(t, s, agreed, usage.Query{}); len(p.Readings) == 0 {
		t.Fatal("nothing to read before")
	}
	m.consents[0].RevokedAt = today
	if _, err := s.Measurements(background, agreed, "prop_home", usage.Query{}); kindOf(err) != domain.NotFound {
		t.Errorf("after the revocation: got %v, want not found", err)
	}
}

// TestNothingOutsideConsents asks random questions under random consents. The
// model says of each reading whether some consent allows it.
func TestNothingOutsideConsents(t *testing.T) {
	m := village(t)
	s := agreedService(m)
	loc := zone(t, "Europe/Amsterdam")
	rapid.Check(t, func(t *rapid.T) {
		m.consents = rapid.SliceOfN(rapid.Custom(drawConsent), 0, 4).Draw(t, "consents")
		q, group := drawQuery(t)
		p, err := s.Measurements(background, agreed, "prop_home", q)
		if m.active(domain.Scope{Partner: "prt_a", Application: "app_agreed", At: today, Need: domain.CanViewDetailedUsage}) == nil {
			if kindOf(err) != domain.NotFound {
				t.Fatalf("nothing is agreed to: got %v, want not found", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		samePackedTo(t, s, agreed, q, &p, &usage.Blocks{})
		for i := range p.Readings {
			if why := m.forbids(&p.Readings[i], group, loc); why != "" {
				t.Fatalf("reading %s at %s to %s: %s", p.Readings[i].Series.Channel.SupplyPoint.Identifier, p.Readings[i].StartAt(), p.Readings[i].EndAt(), why)
			}
		}
		if p.OutsideConsent && len(p.Readings) > 0 {
			t.Fatal("outside the consent, and there are readings")
		}
	})
}

// TestNothingMissingWithinConsents reads, as it is stored, all that one consent
// allows: exactly that, which the partner's own application sees too.
func TestNothingMissingWithinConsents(t *testing.T) {
	m := village(t)
	s := agreedService(m)
	all := read(t, s, partner, usage.Query{})
	loc := zone(t, "Europe/Amsterdam")
	rapid.Check(t, func(t *rapid.T) {
		m.consents = []domain.Consent{consent(nil), drawConsent(t)}
		m.consents[0].HistoryFrom = domain.NewDate(2024, 4, 5) // opens nothing yet, but that the property is there
		n := usage.MaxPage
		p, err := s.Measurements(background, agreed, "prop_home", usage.Query{First: &n})
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for i := range all.Readings {
			if m.forbids(&all.Readings[i], interval.Raw, loc) == "" {
				want++
			}
		}
		if len(p.Readings) != want {
			t.Fatalf("%+v: got %d readings, want %d", m.consents, len(p.Readings), want)
		}
	})
}

// forbids says why no consent allows a reading, or nothing. It is written from
// the reading's side, without a look at how the service cuts spans.
func (m *memory) forbids(r *usage.Reading, group interval.Group, loc *time.Location) string {
	why := "no consent for the supply point"
	for _, c := range m.consents {
		first, _ := interval.Span(c.HistoryFrom, loc)
		length := r.EndAt().Sub(r.StartAt())
		if group == interval.ByDay || group == interval.Week || group == interval.Month {
			length += time.Hour // of the day when the clock is set
		}
		switch {
		case c.Application != "app_agreed" || c.Status(today) != domain.ConsentActive || !covers(c, r):
		case first.After(today) || r.StartAt().Before(first):
			why = fmt.Sprintf("before %s", c.HistoryFrom)
		case !r.StartAt().Before(c.ValidUntil):
			why = "after the consent"
		case length < c.Finest:
			why = fmt.Sprintf("finer than %s", c.Finest)
		case group != interval.Raw && c.Finest > 0 && r.EndAt().After(today):
			why = "not over"
		case group != interval.Raw && c.Finest > 0 && r.Present != r.Expected && group < interval.Week:
			why = "not whole"
		case group != interval.Raw && c.Finest > 0 && !aligned(r.StartAt().In(loc), group):
			why = "not in the supply point's zone"
		default:
			return ""
		}
	}
	return why
}

// aligned reports whether a group of this kind begins then.
func aligned(t time.Time, group interval.Group) bool {
	start, _ := group.Bounds(t, t.Location())
	return start.Equal(t)
}

func drawConsent(t *rapid.T) domain.Consent {
	points := [][]domain.SupplyPointRef{{pointA}, {pointB}, {pointA, pointB}}
	c := domain.Consent{
		ID: "con_1", Application: rapid.SampledFrom([]domain.ClientID{"app_agreed", "app_agreed", "app_other"}).Draw(t, "application"),
		Partner: "prt_a", User: "usr_1", SupplyPoints: rapid.SampledFrom(points).Draw(t, "points"),
		Permissions: rapid.SampledFrom([]domain.Permissions{
			agreed.Permissions, agreed.Permissions, domain.PermissionSet(domain.CanViewDetailedUsage), domain.PermissionSet(domain.CanQueryProperty), 0,
		}).Draw(t, "permissions"),
		Finest: rapid.SampledFrom([]time.Duration{
			0, 15 * time.Minute, 30 * time.Minute, time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 31 * 24 * time.Hour,
		}).Draw(t, "finest"),
		HistoryFrom: domain.NewDate(2024, 3, rapid.IntRange(20, 38).Draw(t, "history from")),
		ValidUntil:  today.Add(time.Duration(rapid.IntRange(-30, 90).Draw(t, "valid for")) * time.Hour / 3),
	}
	if rapid.IntRange(0, 4).Draw(t, "revoked") == 0 {
		c.RevokedAt = today.Add(-time.Hour)
	}
	return c
}

func drawQuery(t *rapid.T) (usage.Query, interval.Group) {
	n := usage.MaxPage
	group := rapid.SampledFrom([]interval.Group{
		interval.Raw, interval.FifteenMinutes, interval.ThirtyMinutes, interval.Hour, interval.ByDay, interval.Week, interval.Month,
	}).Draw(t, "group")
	q := usage.Query{
		First: &n, Filters: []usage.Filter{{Group: group}},
		Zone: rapid.SampledFrom([]string{"", "Asia/Kathmandu", "America/St_Johns", "UTC"}).Draw(t, "zone"),
	}
	bound := func(label string) *interval.Moment {
		if rapid.Bool().Draw(t, label+" bounded") {
			return nil
		}
		quarters := time.Duration(rapid.IntRange(-14*96, 3*96).Draw(t, label))
		m, err := interval.ParseMoment(interval.FormatMoment(today.Add(quarters * 15 * time.Minute)))
		if err != nil {
			t.Fatal(err)
		}
		return &m
	}
	q.From, q.To = bound("from"), bound("to")
	return q, group
}

// kindOf returns the kind of an error; Internal also for none.
func kindOf(err error) domain.Kind {
	e, _ := errors.AsType[*domain.Error](err)
	if e == nil {
		return domain.Internal
	}
	return e.Kind
}

func covers(c domain.Consent, r *usage.Reading) bool {
	for _, p := range c.SupplyPoints {
		if c.Permissions.Has(domain.CanViewDetailedUsage) && p.Identifier == r.Series.Channel.SupplyPoint.Identifier {
			return true
		}
	}
	return false
}

// TestWhereItIs reads the address with consents that allow it and that do not,
// whatever the application may do by its role.
func TestWhereItIs(t *testing.T) {
	caller := agreed
	caller.Permissions = domain.CustomerPermissions
	for name, c := range map[string]struct {
		has   domain.Permissions
		kind  domain.Kind // of the property
		shown bool
	}{
		"the property and who lives there": {domain.PermissionSet(domain.CanQueryProperty, domain.CanViewPersonalData), domain.Internal, true},
		"the property":                     {domain.PermissionSet(domain.CanQueryProperty), domain.Internal, false},
		"who lives there":                  {domain.PermissionSet(domain.CanViewPersonalData), domain.NotFound, false},
		"how much they use":                {domain.PermissionSet(domain.CanViewDetailedUsage), domain.NotFound, false},
	} {
		s := agreedService(village(t, consent(func(agreed *domain.Consent) { agreed.Permissions = c.has })))
		p, err := s.Property(background, caller, "prop_home")
		if shown := p.Postcode != "" && p.Address != nil; kindOf(err) != c.kind || shown != c.shown {
			t.Errorf("a consent for %s: got %+v, %v; want the address: %t", name, p, err, c.shown)
		}
		list, err := s.Properties(background, caller, "A-1")
		if shown := len(list) == 1 && list[0].Postcode != "" && list[0].Address != nil; kindOf(err) != c.kind || shown != c.shown {
			t.Errorf("a consent for %s: got the list %+v, %v; want the address: %t", name, list, err, c.shown)
		}
		me := caller
		me.User = "usr_1"
		if _, err := s.Me(background, me, true); (err == nil) != c.has.Has(domain.CanViewPersonalData) {
			t.Errorf("a consent for %s: Me: got %v", name, err)
		}
	}
}
