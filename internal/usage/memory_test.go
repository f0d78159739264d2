package usage_test

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// memory is a store of one property, prop_home, whose owner is usr_1 at prt_a.
// It counts the days that it hands out.
type memory struct {
	channels []domain.Channel
	days     map[domain.ChannelID]map[domain.Date][]domain.Day // the versions, oldest first
	indices  map[domain.ChannelID][]domain.Index               // in the order of their recording
	consents []domain.Consent
	points   []domain.SupplyPoint             // without channels
	had      []domain.Occupancy               // nil: usr_1 has had it ever since
	complete map[domain.ChannelID]domain.Date // the watermarks; absent: the last day
	clock    time.Time                        // when the last day was recorded
	handed   int
}

var errAbsent = &domain.Error{Kind: domain.NotFound, Public: "not found"}

func (m *memory) sees(scope domain.Scope) bool {
	return scope.Partner == "prt_a" && (scope.User == "" || scope.User == "usr_1" || slices.ContainsFunc(m.had, func(o domain.Occupancy) bool { return o.User == scope.User })) &&
		(scope.Application == "" || m.active(scope) != nil)
}

// active lists the consents that count in the scope, each once for every one of
// its supply points.
func (m *memory) active(scope domain.Scope) []domain.Consent {
	var list []domain.Consent
	for _, c := range m.consents {
		if c.Application != scope.Application || c.Status(scope.At) != domain.ConsentActive || !c.Permissions.Has(scope.Need) {
			continue
		}
		for _, p := range c.SupplyPoints {
			one := c
			one.SupplyPoints = []domain.SupplyPointRef{p}
			list = append(list, one)
		}
	}
	return list
}

func (m *memory) ActiveConsents(_ context.Context, scope domain.Scope, id domain.PropertyID) ([]domain.Consent, error) {
	if !m.sees(scope) || id != "prop_home" {
		return nil, nil
	}
	return m.active(scope), nil
}

func (m *memory) Occupancies(_ context.Context, scope domain.Scope, f domain.OccupancyFilter) ([]domain.Occupancy, error) {
	had := m.had
	if had == nil {
		had = []domain.Occupancy{{ID: "occ_1", Partner: "prt_a", Property: "prop_home", Account: "A-1", User: "usr_1"}}
	}
	return slices.DeleteFunc(slices.Clone(had), func(o domain.Occupancy) bool {
		agreed := slices.ContainsFunc(m.active(scope), func(c domain.Consent) bool { return c.User == o.User })
		return scope.Application != "" && !agreed || scope.Partner != o.Partner || scope.User != "" && scope.User != o.User ||
			f.Property != "" && f.Property != o.Property || f.Account != "" && f.Account != o.Account || f.User != "" && f.User != o.User
	}), nil
}

func (m *memory) User(_ context.Context, scope domain.Scope, id domain.UserID) (domain.User, error) {
	if !m.sees(scope) || id != "usr_1" {
		return domain.User{}, errAbsent
	}
	return domain.User{ID: id, Partner: "prt_a", FirstName: "Ada"}, nil
}

func (m *memory) Partner(_ context.Context, scope domain.Scope) (domain.Partner, error) {
	return domain.Partner{ID: scope.Partner, Name: "Stroom"}, nil
}

func (m *memory) Account(_ context.Context, scope domain.Scope, number domain.AccountNumber) (domain.Account, error) {
	if !m.sees(scope) || number != "A-1" {
		return domain.Account{}, errAbsent
	}
	return domain.Account{Number: number, Partner: "prt_a", User: "usr_1"}, nil
}

func (m *memory) Accounts(ctx context.Context, scope domain.Scope, _ domain.UserID) ([]domain.Account, error) {
	a, err := m.Account(ctx, scope, "A-1")
	return []domain.Account{a}, err
}

func (m *memory) Property(_ context.Context, scope domain.Scope, id domain.PropertyID) (domain.Property, error) {
	if !m.sees(scope) || id != "prop_home" {
		return domain.Property{}, errAbsent
	}
	return domain.Property{ID: id, Partner: "prt_a", Account: "A-1", Postcode: "1012 AB", Address: []string{"Dam 1"}}, nil
}

func (m *memory) Properties(ctx context.Context, scope domain.Scope, _ domain.AccountNumber) ([]domain.Property, error) {
	p, err := m.Property(ctx, scope, "prop_home")
	return []domain.Property{p}, err
}

func (m *memory) Channels(_ context.Context, scope domain.Scope, id domain.PropertyID) ([]domain.Channel, error) {
	if !m.sees(scope) || id != "prop_home" {
		return nil, nil
	}
	if scope.Application == "" {
		return slices.Clone(m.channels), nil
	}
	return slices.DeleteFunc(slices.Clone(m.channels), func(c domain.Channel) bool {
		return !slices.ContainsFunc(m.active(scope), func(agreed domain.Consent) bool {
			return agreed.SupplyPoints[0].Identifier == c.SupplyPoint.Identifier
		})
	}), nil
}

func (m *memory) SupplyPoints(ctx context.Context, scope domain.Scope, id domain.PropertyID) ([]domain.SupplyPoint, error) {
	if _, err := m.Property(ctx, scope, id); err != nil {
		return nil, err
	}
	channels, err := m.Channels(ctx, scope, id)
	list := []domain.SupplyPoint{}
	for _, c := range channels {
		if !slices.Contains(list, c.SupplyPoint) {
			list = append(list, c.SupplyPoint)
		}
	}
	slices.SortFunc(list, func(a, b domain.SupplyPoint) int {
		return cmp.Or(cmp.Compare(a.Market, b.Market), cmp.Compare(a.Identifier, b.Identifier))
	})
	return list, err
}

func (m *memory) Readers(_ context.Context, f domain.ReaderFilter, at time.Time) ([]domain.Reader, error) {
	list := []domain.Reader{}
	for _, c := range m.consents {
		if f.Partner == "prt_a" && f.User == "usr_1" && c.Status(at) == domain.ConsentActive && (f.Application == "" || f.Application == c.Application) {
			list = append(list, domain.Reader{Application: c.Application, Name: string(c.Application)})
		}
	}
	return list, nil
}

func (m *memory) SupplyPoint(ctx context.Context, scope domain.Scope, market domain.Market, identifier string) (domain.SupplyPoint, error) {
	channels, err := m.Channels(ctx, scope, "prop_home")
	for _, c := range channels {
		if c.SupplyPoint.Market == market && c.SupplyPoint.Identifier == identifier {
			return c.SupplyPoint, err
		}
	}
	for _, p := range m.points {
		if m.sees(scope) && p.Market == market && p.Identifier == identifier {
			return p, err
		}
	}
	return domain.SupplyPoint{}, errAbsent
}

func (m *memory) Extent(_ context.Context, id domain.ChannelID) (e domain.Extent, err error) {
	for date, versions := range m.days[id] {
		if e.RecordedAt.IsZero() {
			e.First, e.Last = date, date
		}
		e.First, e.Last = min(e.First, date), max(e.Last, date)
		if last := versions[len(versions)-1].RecordedAt; last.After(e.RecordedAt) {
			e.RecordedAt = last
		}
	}
	e.Complete = e.Last
	if c, ok := m.complete[id]; ok {
		e.Complete = c
	}
	return e, nil
}

func (m *memory) Changes(_ context.Context, id domain.ChannelID, after domain.Change, limit int) ([]domain.Change, error) {
	order := func(a, b domain.Change) int {
		return cmp.Or(a.RecordedAt.Compare(b.RecordedAt), cmp.Compare(a.Day, b.Day))
	}
	list := []domain.Change{}
	for date, versions := range m.days[id] {
		for _, v := range versions {
			c := domain.Change{RecordedAt: v.RecordedAt, Day: date, Revision: v.Revision}
			if order(c, after) > 0 {
				list = append(list, c)
			}
		}
	}
	slices.SortFunc(list, order)
	return list[:min(limit, len(list))], nil
}

func (m *memory) Indices(_ context.Context, id domain.ChannelID, asked domain.IndexRange, f func(domain.Index) error) error {
	newest := map[int64]domain.Index{}
	for _, x := range m.indices[id] { // the revisions of one instant, oldest first
		known := asked.AsOf.IsZero() || !x.RecordedAt.After(asked.AsOf)
		if known && !x.At.Before(asked.From) && x.At.Before(asked.To) {
			newest[x.At.Unix()] = x
		}
	}
	list := slices.SortedFunc(maps.Values(newest), func(a, b domain.Index) int {
		if asked.Reverse {
			a, b = b, a
		}
		return a.At.Compare(b.At)
	})
	if asked.Limit > 0 && len(list) > asked.Limit {
		list = list[:asked.Limit]
	}
	for _, x := range list {
		m.handed++
		if err := f(x); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Days(_ context.Context, id domain.ChannelID, asked domain.DayRange, f func(domain.Day) error) error {
	first, last, reverse := asked.First, asked.Last, asked.Reverse
	dates := []domain.Date{}
	for d := range m.days[id] {
		if d >= first && d <= last {
			dates = append(dates, d)
		}
	}
	slices.SortFunc(dates, func(a, b domain.Date) int {
		if reverse {
			a, b = b, a
		}
		return cmp.Compare(a, b)
	})
	var buf []byte // used again for each day, as a store may
	for _, d := range dates {
		versions := m.days[id][d]
		if !asked.AsOf.IsZero() {
			versions = slices.DeleteFunc(slices.Clone(versions), func(v domain.Day) bool { return v.RecordedAt.After(asked.AsOf) })
		}
		if len(versions) == 0 {
			continue
		}
		m.handed++
		day := versions[len(versions)-1]
		buf = append(buf[:0], day.Data...)
		day.Data = buf
		if err := f(day); err != nil {
			return err
		}
	}
	return nil
}

// add gives the store a channel.
func (m *memory) add(c domain.Channel) domain.ChannelID {
	c.ID, c.SupplyPoint.Property = domain.ChannelID(len(m.channels)+1), "prop_home"
	if c.SupplyPoint.Zone == "" {
		c.SupplyPoint.Zone = c.Zone
	}
	m.channels = append(m.channels, c)
	if m.days == nil {
		m.days = map[domain.ChannelID]map[domain.Date][]domain.Day{}
	}
	m.days[c.ID] = map[domain.Date][]domain.Day{}
	return c.ID
}

// fill stores one day, a second after the one before; value says what interval i holds, Missing for nothing.
func (m *memory) fill(t testing.TB, id domain.ChannelID, date domain.Date, minutes int, value func(i int) (int64, domain.Quality)) {
	t.Helper()
	loc := zone(t, m.channels[id-1].Zone)
	start, end := interval.Span(date, loc)
	count := 1
	if minutes != interval.WholeDay {
		count = interval.Count(start, end, minutes)
	}
	var day interval.Day
	day.Reset(start, minutes, 3, count)
	for i := range count {
		v, q := value(i)
		if q == domain.Missing {
			continue
		}
		if err := day.Set(i, domain.Decimal{Coefficient: v, Scale: 3}, q); err != nil {
			t.Fatal(err)
		}
	}
	data, err := day.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if m.clock.IsZero() {
		m.clock = time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	m.clock = m.clock.Add(time.Second)
	m.days[id][date] = append(m.days[id][date], domain.Day{Date: date, Revision: int32(len(m.days[id][date]) + 1), RecordedAt: m.clock, Data: data})
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := interval.Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// steady is a value that tells its place: 1, 2, 3 thousandths.
func steady(i int) (int64, domain.Quality) { return int64(i + 1), domain.Actual }

func date(t testing.TB, s string) domain.Date {
	t.Helper()
	d, err := domain.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func electricity(identifier, register string, direction domain.Direction, unit domain.Unit) domain.Channel {
	return domain.Channel{
		SupplyPoint: domain.SupplyPoint{Market: domain.MarketNLDElectricity, Identifier: identifier},
		Register:    register, Direction: direction, Unit: unit, Zone: "Europe/Amsterdam",
	}
}

// partner may read everything of prt_a.
var partner = domain.Caller{
	Partner: "prt_a", Client: "app_a", Reach: domain.ReachPartner,
	Permissions: domain.PermissionSet(domain.CanQueryProperty, domain.CanViewDetailedUsage),
}
