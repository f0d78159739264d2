package usage_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/usage"
)

// pointOf is the supply point of a village that has this identifier.
func pointOf(m *memory, identifier string) domain.SupplyPoint {
	for _, c := range m.channels {
		if c.SupplyPoint.Identifier == identifier {
			return c.SupplyPoint
		}
	}
	return domain.SupplyPoint{Market: domain.MarketNLDElectricity, Identifier: identifier, Property: "prop_home"}
}

// askPoint asks for all amounts of a supply point, and counts them.
func askPoint(t testing.TB, s *usage.Service, caller domain.Caller, point domain.SupplyPoint, q usage.PointQuery) usage.Amounts {
	t.Helper()
	n := usage.MaxPage
	if q.First == nil && q.Last == nil {
		q.First = &n
	}
	q.Count = true
	a, err := s.PointReadings(background, caller, point, q)
	if err != nil {
		t.Fatal(err)
	}
	if q.First == &n && a.Total != len(a.List) {
		t.Errorf("%d amounts, counted as %d", len(a.List), a.Total)
	}
	return a
}

// TestTheSameAsMeasurements asks random questions of one register, under random
// consents and periods, in both ways.
func TestTheSameAsMeasurements(t *testing.T) {
	m := village(t)
	s := agreedService(m)
	rapid.Check(t, func(t *rapid.T) {
		m.consents = rapid.SliceOfN(rapid.Custom(drawConsent), 0, 3).Draw(t, "consents")
		m.had = rapid.SampledFrom([][]domain.Occupancy{
			nil,
			{{ID: "occ_1", Partner: "prt_a", Property: "prop_home", Account: "A-1", User: "usr_1", From: time.Date(2024, 3, 27, 23, 0, 0, 0, time.UTC)}},
			{
				{ID: "occ_1", Partner: "prt_a", Property: "prop_home", Account: "A-1", User: "usr_1", Until: time.Date(2024, 3, 29, 23, 0, 0, 0, time.UTC)},
				{ID: "occ_2", Partner: "prt_a", Property: "prop_home", Account: "A-2", User: "usr_2", From: time.Date(2024, 3, 29, 23, 0, 0, 0, time.UTC)},
			},
		}).Draw(t, "had")
		customer := partner
		customer.User = "usr_1"
		both := agreed
		both.User = "usr_1"
		caller := rapid.SampledFrom([]domain.Caller{partner, customer, agreed, both}).Draw(t, "caller")
		q, group := drawQuery(t)
		q.FirstDay, q.LastDay, q.AsOf = nil, nil, nil // readings have no such argument
		name := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "point")
		n := usage.MaxPage
		q.Filters = []usage.Filter{{Group: group, SupplyPoint: &name}}
		q.First, q.Last, q.After, q.Before = &n, nil, "", ""
		want, err := s.Measurements(background, caller, "prop_home", q)
		got, err2 := s.PointReadings(background, caller, pointOf(m, name), usage.PointQuery{From: q.From, To: q.To, Zone: q.Zone, Group: group, First: &n, Parts: true})
		switch {
		case kindOf(err) == domain.NotFound || len(want.Readings) == 0 && kindOf(err2) == domain.NotFound:
			// One consent may open the property, and none the supply point.
			if kindOf(err2) != domain.NotFound {
				t.Fatalf("readings: %v, want not found", err2)
			}
			return
		case err != nil:
			t.Fatal(err)
		case want.OutsideConsent:
			if kindOf(err2) != domain.Forbidden {
				t.Fatalf("nothing was agreed to: %v, want forbidden", err2)
			}
			return
		case errors.Is(err2, usage.ErrTooFine):
			if len(want.Readings) > 0 {
				t.Fatalf("too fine, and there are %d measurements", len(want.Readings))
			}
			return
		case err2 != nil:
			t.Fatal(err2)
		}
		if len(got.List) != len(want.Readings) {
			t.Fatalf("%d readings, want %d", len(got.List), len(want.Readings))
		}
		for i := range got.List {
			a, r := &got.List[i], &want.Readings[i]
			rest, _ := a.Estimated()
			sum, _ := a.Actual.Add(rest)
			if a.Start != r.Start || a.End != r.End || !a.Value.Equal(r.Value) || a.Quality != r.Quality || a.Present != r.Present ||
				a.Expected != r.Expected || !a.StartAt().Equal(r.StartAt()) || !sum.Equal(r.Value) {
				t.Fatalf("reading %d is %+v, want %+v", i, a, r)
			}
		}
	})
}

// mixed is a supply point with a register in half-hours of kWh and one in quarters
// of Wh, of which some are estimated and some missing, a third that generates, and
// one of reactive energy.
func mixed(t testing.TB) *memory {
	t.Helper()
	m := &memory{}
	ids := []domain.ChannelID{
		m.add(electricity("a", "1", domain.Consumption, domain.KilowattHour)), m.add(electricity("a", "2", domain.Consumption, domain.WattHour)),
		m.add(electricity("a", "3", domain.Generation, domain.KilowattHour)), m.add(electricity("a", "Q", domain.Consumption, domain.KilovarHour)),
	}
	for d := date(t, "2024-03-30"); d <= date(t, "2024-04-01"); d++ {
		m.fill(t, ids[0], d, 30, steady)
		m.fill(t, ids[1], d, 15, func(i int) (int64, domain.Quality) {
			return int64(1000 * (i + 1)), []domain.Quality{domain.Actual, domain.Estimate, domain.Missing, domain.Actual, domain.Substituted}[i%5]
		})
		m.fill(t, ids[2], d, 30, steady)
		m.fill(t, ids[3], d, 30, steady)
	}
	return m
}

func TestRegistersAreAddedUp(t *testing.T) {
	m := mixed(t)
	s, point := &usage.Service{Store: m}, pointOf(m, "a")
	hour := askPoint(t, s, partner, point, usage.PointQuery{Group: interval.Hour, Parts: true}).List[0]
	// 1 and 2 thousandths of a kWh; and 1, 2 and 4 Wh, of which the second is estimated and the third quarter missing.
	rest, count := hour.Estimated()
	got := fmt.Sprintln(hour.Value.Trim(), hour.Measure, hour.Quality, hour.Present, hour.Expected, hour.Actual.Trim(), hour.ActualCount, rest.Trim(), count)
	if want := fmt.Sprintln("0.01", usage.KilowattHours, domain.Estimate, 5, 6, "0.008", 4, "0.002", 1); got != want {
		t.Errorf("the first hour is %s, want %s", got, want)
	}
	raw := askPoint(t, s, partner, point, usage.PointQuery{})
	if a, b := raw.List[0], raw.List[1]; a.Start != b.Start || a.End-a.Start != 900 || b.End-b.Start != 1800 {
		t.Errorf("as they are stored, the first two are %+v and %+v; want a quarter and a half-hour that start together", a, b)
	}
	for name, c := range map[string]struct {
		query usage.PointQuery
		value string // of the first
		of    int
	}{
		"what generates":             {usage.PointQuery{Group: interval.ByDay, Direction: domain.Generation}, "1.176", 3},
		"one register":               {usage.PointQuery{Group: interval.ByDay, Register: ptr("1")}, "1.176", 3},
		"in watt-hours":              {usage.PointQuery{Group: interval.ByDay, Register: ptr("1"), Measures: []usage.Measure{usage.WattHours}}, "1176", 3},
		"in megawatt-hours":          {usage.PointQuery{Group: interval.ByDay, Register: ptr("1"), Measures: []usage.Measure{usage.Litres, usage.MegawattHours}}, "0.001176", 3},
		"a register that is none":    {usage.PointQuery{Register: ptr("9")}, "", 0},
		"a register of the other":    {usage.PointQuery{Register: ptr("3")}, "", 0},
		"a register that is not one": {usage.PointQuery{Register: ptr("Q")}, "", 0},
		"of nothing, in litres":      {usage.PointQuery{Register: ptr("Q"), Measures: []usage.Measure{usage.Litres}}, "", 0},
	} {
		a := askPoint(t, s, partner, point, c.query)
		if len(a.List) != c.of || c.of > 0 && a.List[0].Value.Trim().String() != c.value {
			t.Errorf("%s: %d amounts, the first %+v; want %d, %s", name, len(a.List), a.List[:min(1, len(a.List))], c.of, c.value)
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestPointReadingsRefused(t *testing.T) {
	m := mixed(t)
	s, point, other := &usage.Service{Store: m}, pointOf(m, "a"), pointOf(m, "b")
	empty := &memory{points: []domain.SupplyPoint{point}}
	stranger := partner
	stranger.Partner = "prt_b"
	for name, c := range map[string]struct {
		caller domain.Caller
		point  domain.SupplyPoint
		query  usage.PointQuery
		kind   domain.Kind
		cause  error
	}{
		"finer than it is stored":        {partner, point, usage.PointQuery{Group: interval.FiveMinutes}, domain.Invalid, usage.ErrTooFine},
		"partly finer than it is stored": {partner, point, usage.PointQuery{Group: interval.FifteenMinutes}, domain.Invalid, usage.ErrTooFine},
		"in cubic metres":                {partner, point, usage.PointQuery{Measures: []usage.Measure{usage.CubicMetres}}, domain.Invalid, usage.Argument("units")},
		"both ends":                      {partner, point, usage.PointQuery{First: ptr(1), Last: ptr(1)}, domain.Invalid, usage.Argument("last")},
		"too many":                       {partner, point, usage.PointQuery{First: ptr(usage.MaxPage + 1)}, domain.Invalid, usage.ErrTooMany},
		"a cursor that is none":          {partner, point, usage.PointQuery{After: "AQ"}, domain.Invalid, usage.Argument("after")},
		"a zone that is none":            {partner, point, usage.PointQuery{Zone: "Mars/Olympus"}, domain.Invalid, usage.Argument("timezone")},
		"another partner's":              {stranger, point, usage.PointQuery{}, domain.NotFound, nil},
		"one that nobody has":            {partner, other, usage.PointQuery{}, domain.NotFound, nil},
		"without the permission":         {domain.Caller{Partner: "prt_a", Reach: domain.ReachPartner}, point, usage.PointQuery{}, domain.Forbidden, nil},
	} {
		a, err := s.PointReadings(background, c.caller, c.point, c.query)
		if kindOf(err) != c.kind || c.cause != nil && !errors.Is(err, c.cause) || len(a.List) > 0 {
			t.Errorf("%s: %d amounts and %v, want %v with %v", name, len(a.List), err, c.kind, c.cause)
		}
	}
	bare := &usage.Service{Store: empty}
	if _, err := bare.PointReadings(background, partner, point, usage.PointQuery{}); !errors.Is(err, usage.ErrNoReadings) {
		t.Errorf("a supply point without registers: %v, want %v", err, usage.ErrNoReadings)
	}
}

// TestPagesOfAmounts goes through in both directions by pages of every size.
func TestPagesOfAmounts(t *testing.T) {
	m := mixed(t)
	s, point := &usage.Service{Store: m, CursorKey: [32]byte{1}}, pointOf(m, "a")
	at := func(a *usage.Amount) string { return fmt.Sprint(a.Start, a.End, a.Value) }
	for name, q := range map[string]usage.PointQuery{
		"as they are stored": {}, "hours": {Group: interval.Hour}, "days elsewhere": {Group: interval.ByDay, Zone: "Asia/Kathmandu"},
	} {
		all := askPoint(t, s, partner, point, q)
		want := []string{}
		for i := range all.List {
			want = append(want, at(&all.List[i]))
		}
		for _, size := range []int{1, 2, 7, 100} {
			if size == 1 && len(want) > 100 {
				continue
			}
			for _, backwards := range []bool{false, true} {
				got, q := []string{}, q
				for {
					q.First, q.Last = &size, nil
					if backwards {
						q.First, q.Last = nil, &size
					}
					a, err := s.PointReadings(background, partner, point, q)
					if err != nil {
						t.Fatal(err)
					}
					page := []string{}
					for i := range a.List {
						page = append(page, at(&a.List[i]))
					}
					n := len(got)
					if backwards {
						got = append(page, got...)
					} else {
						got = append(got, page...)
					}
					before, after := n > 0, len(got) < len(want)
					if backwards {
						before, after = len(got) < len(want), n > 0
					}
					if a.HasPrevious != before || a.HasNext != after {
						t.Fatalf("%s by %d, backwards %v, at %d: previous %v, next %v; want %v, %v", name, size, backwards, n, a.HasPrevious, a.HasNext, before, after)
					}
					if len(page) < size || len(got) >= len(want) {
						break
					}
					if backwards {
						q.Before = a.Cursor(0)
					} else {
						q.After = a.Cursor(len(a.List) - 1)
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s by %d, backwards %v: got %d, want %d in their order", name, size, backwards, len(got), len(want))
				}
			}
		}
		three := 3
		q.First, q.After = &three, old(1)
		a, err := s.PointReadings(background, partner, point, q)
		if err != nil || len(a.List) == 0 || at(&a.List[0]) != want[2] {
			t.Errorf("%s: after an old cursor: %+v, %v; want %s", name, a.List, err, want[2])
		}
	}
	hours := askPoint(t, s, partner, point, usage.PointQuery{Group: interval.Hour})
	cursor := hours.Cursor(0)
	for name, q := range map[string]usage.PointQuery{
		"of other groups": {Group: interval.ByDay}, "of the other direction": {Group: interval.Hour, Direction: domain.Generation},
		"of one register": {Group: interval.Hour, Register: ptr("1")},
	} {
		q.After = cursor
		if _, err := s.PointReadings(background, partner, point, q); !errors.Is(err, usage.Argument("after")) {
			t.Errorf("a cursor for another question, %s: %v, want it refused", name, err)
		}
	}
}

func FuzzAmountCursor(f *testing.F) {
	m := mixed(f)
	s, point := &usage.Service{Store: m, CursorKey: [32]byte{1}}, pointOf(m, "a")
	q := usage.PointQuery{Group: interval.Hour}
	all := askPoint(f, s, partner, point, q)
	given := map[string]int{"": 0} // and how many amounts stand before
	for i := range all.List {
		given[all.Cursor(i)] = i + 1
		f.Add(all.Cursor(i))
	}
	f.Add(old(3))
	f.Add("AQ")
	f.Add(all.Cursor(0)[:9] + "\n" + all.Cursor(0)[9:])
	f.Fuzz(func(t *testing.T, cursor string) {
		n := usage.MaxPage
		a, err := s.PointReadings(background, partner, point, usage.PointQuery{Group: interval.Hour, After: cursor, First: &n})
		if before, ours := given[cursor]; ours && (err != nil || len(a.List) != len(all.List)-before) {
			t.Fatalf("our cursor %q: %d amounts and %v, want %d", cursor, len(a.List), err, len(all.List)-before)
		}
		if err != nil && (kindOf(err) != domain.Invalid || len(a.List) > 0) {
			t.Fatalf("cursor %q: %d amounts beside the error %v", cursor, len(a.List), err)
		}
	})
}

// TestViewersAndReaders is about who is told whose name, and who may read.
func TestViewersAndReaders(t *testing.T) {
	m := village(t, consent(func(c *domain.Consent) { c.Permissions = domain.PermissionSet(domain.CanQueryProperty) }))
	s := agreedService(m)
	may := func(list ...domain.Permission) func(*domain.Caller) {
		return func(c *domain.Caller) { c.Permissions = domain.PermissionSet(list...) }
	}
	of := func(base domain.Caller, changes ...func(*domain.Caller)) domain.Caller {
		base.User = "usr_1"
		for _, change := range changes {
			change(&base)
		}
		return base
	}
	for name, c := range map[string]struct {
		caller domain.Caller
		kind   domain.Kind
		named  bool
	}{
		"the customer":                                {of(partner, may(domain.CanQueryProperty, domain.CanViewPersonalData)), domain.Internal, true},
		"the customer, without personal data":         {of(partner), domain.Internal, false},
		"an application by a consent without it":      {of(agreed, may(domain.CanQueryProperty, domain.CanViewPersonalData)), domain.Internal, false},
		"a partner's application":                     {partner, domain.Forbidden, false},
		"without any permission":                      {of(partner, may()), domain.Forbidden, false},
		"an application that nobody allowed anything": {of(agreed, func(c *domain.Caller) { c.Client = "app_other" }), domain.NotFound, false},
	} {
		u, err := s.Viewer(background, c.caller)
		if kindOf(err) != c.kind || (u.FirstName != "") != c.named || (u.ID == "usr_1") != (c.kind == domain.Internal) {
			t.Errorf("%s: %+v, %v; want %v, named %v", name, u, err, c.kind, c.named)
		}
	}
	for name, c := range map[string]struct {
		caller domain.Caller
		number domain.AccountNumber
		only   domain.ClientID
		kind   domain.Kind
		want   int
	}{
		"the customer's":                {of(partner), "", "", domain.Internal, 1},
		"the account's":                 {partner, "A-1", "", domain.Internal, 1},
		"only another application":      {of(partner), "", "app_other", domain.Internal, 0},
		"nobody's":                      {partner, "", "", domain.Forbidden, 0},
		"another account's":             {of(partner), "A-2", "", domain.NotFound, 0},
		"the account's, without rights": {of(partner, may()), "A-1", "", domain.Forbidden, 0},
	} {
		list, err := s.Readers(background, c.caller, c.number, c.only)
		if kindOf(err) != c.kind || len(list) != c.want {
			t.Errorf("%s: %+v, %v; want %d, %v", name, list, err, c.want, c.kind)
		}
	}
}

// TestRegistersOfBefore is about a register that came with the next occupant, and
// one that was there before.
func TestRegistersOfBefore(t *testing.T) {
	m := &memory{}
	before := m.add(electricity("a", "1", domain.Consumption, domain.KilowattHour))
	after := m.add(electricity("a", "2", domain.Consumption, domain.KilowattHour))
	shown := m.add(electricity("a", "3", domain.Consumption, domain.KilowattHour))
	m.fill(t, before, date(t, "2024-03-25"), 30, steady)
	m.fill(t, after, date(t, "2024-04-01"), 30, steady)
	m.indices = map[domain.ChannelID][]domain.Index{shown: {{At: time.Date(2024, 3, 25, 12, 0, 0, 0, time.UTC), Value: domain.Decimal{Coefficient: 1}, Quality: domain.Actual, Revision: 1}}}
	m.had = []domain.Occupancy{stay(t, "usr_1", "", "2024-03-30"), stay(t, "usr_2", "2024-03-30", "")}
	s, point := agreedService(m), pointOf(m, "a")
	of := func(user domain.UserID) domain.Caller {
		c := partner
		c.User = user
		return c
	}
	for name, c := range map[string]struct {
		caller domain.Caller
		want   []string
	}{
		"the partner":       {partner, []string{"1", "2", "3"}},
		"who has it now":    {of("usr_2"), []string{"1", "2", "3"}},
		"who had it before": {of("usr_1"), []string{"1", "3"}},
		"who never had it":  {of("usr_3"), nil},
		"by nobody's leave": {agreed, nil},
		"another partner's": {func() domain.Caller { c := partner; c.Partner = "prt_b"; return c }(), nil},
	} {
		list, err := s.Registers(background, c.caller, point)
		got := []string{}
		for _, c := range list {
			got = append(got, c.Register)
		}
		if err != nil || !slices.Equal(got, append([]string{}, c.want...)) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
}
