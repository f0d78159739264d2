package usage_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/meterfile"
	"github.com/wattgate/wattgate/internal/usage"
)

// tenant is the customer usr_1 with a token of their own.
var tenant = domain.Caller{
	Partner: "prt_a", User: "usr_1", Reach: domain.ReachPartner,
	Permissions: domain.PermissionSet(domain.CanQueryProperty, domain.CanViewDetailedUsage),
}

// stay is a period of a customer at home, by days of Amsterdam; last is not in it.
func stay(t testing.TB, user domain.UserID, first, last string) domain.Occupancy {
	t.Helper()
	o := domain.Occupancy{Partner: "prt_a", Property: "prop_home", Account: domain.AccountNumber("A-" + user[4:]), User: user}
	loc := zone(t, "Europe/Amsterdam")
	if first != "" {
		o.From, _ = interval.Span(date(t, first), loc)
	}
	if last != "" {
		o.Until, _ = interval.Span(date(t, last), loc)
	}
	return o
}

// moved is the village with a move on 30 March: usr_1 out, usr_2 in.
func moved(t testing.TB, consents ...domain.Consent) *memory {
	m := village(t, consents...)
	m.had = []domain.Occupancy{stay(t, "usr_1", "", "2024-03-30"), stay(t, "usr_2", "2024-03-30", "")}
	return m
}

func TestCustomersReadTheirOwnTime(t *testing.T) {
	const perDay = 96
	group := func(g interval.Group) usage.Query { return usage.Query{Filters: []usage.Filter{{Group: g}}} }
	at := func(text string) *interval.Moment {
		m, err := interval.ParseMoment(text)
		if err != nil {
			t.Fatal(err)
		}
		return &m
	}
	whole := []domain.Occupancy{stay(t, "usr_1", "", "")}
	back := []domain.Occupancy{
		stay(t, "usr_1", "", "2024-03-27"), stay(t, "usr_2", "2024-03-27", "2024-04-01"), stay(t, "usr_1", "2024-04-01", ""),
	}
	middle := []domain.Occupancy{
		stay(t, "usr_2", "", "2024-03-28"), stay(t, "usr_1", "2024-03-28", "2024-03-31"), stay(t, "usr_2", "2024-03-31", ""),
	}
	agreedTo := func(finest time.Duration) domain.Consent {
		return consent(func(c *domain.Consent) { c.Finest = finest })
	}
	for name, c := range map[string]struct {
		caller   domain.Caller
		had      []domain.Occupancy
		consents []domain.Consent
		query    usage.Query
		want     int
		empty    usage.EmptyReason
	}{
		"the only one there ever was":                       {tenant, whole, nil, usage.Query{}, 2 * (12*perDay - 4), usage.NotEmpty},
		"who came in the middle":                            {tenant, middle, nil, usage.Query{}, 2 * 3 * perDay, usage.NotEmpty},
		"who came back":                                     {tenant, back, nil, usage.Query{}, 2 * 7 * perDay, usage.NotEmpty},
		"days of who came back":                             {tenant, back, nil, group(interval.ByDay), 2 * 7, usage.NotEmpty},
		"months of who came back":                           {tenant, back, nil, group(interval.Month), 2 * 2, usage.NotEmpty},
		"the time of another":                               {tenant, back, nil, usage.Query{From: at("2024-03-27T00:00"), To: at("2024-04-01T00:00")}, 0, usage.OutsideSupplyPeriod},
		"after the move":                                    {tenant, middle, nil, usage.Query{From: at("2024-04-02T00:00")}, 0, usage.OutsideSupplyPeriod},
		"before the move":                                   {tenant, middle, nil, usage.Query{To: at("2024-03-28T00:00")}, 0, usage.OutsideSupplyPeriod},
		"the last half-hour of the other":                   {tenant, middle, nil, usage.Query{From: at("2024-03-27T23:45"), To: at("2024-03-28T00:15")}, 2, usage.NotEmpty},
		"days of another zone are cut at the move":          {tenant, middle, nil, usage.Query{Zone: "Asia/Tokyo", Filters: []usage.Filter{{Group: interval.ByDay}}}, 2 * 4, usage.NotEmpty},
		"the partner":                                       {partner, middle, nil, usage.Query{}, 2 * (12*perDay - 4), usage.NotEmpty},
		"by consent of who came in the middle":              {agreed, middle, []domain.Consent{agreedTo(0)}, usage.Query{}, 3 * perDay, usage.NotEmpty},
		"by consent, the time of another":                   {agreed, middle, []domain.Consent{agreedTo(0)}, usage.Query{From: at("2024-04-02T00:00")}, 0, usage.OutsideSupplyPeriod},
		"by consent for days of who came back":              {agreed, back, []domain.Consent{agreedTo(24 * time.Hour)}, group(interval.ByDay), 2 + 3, usage.NotEmpty},
		"by consent for weeks, that of a move is not whole": {agreed, back, []domain.Consent{agreedTo(7 * 24 * time.Hour)}, group(interval.Week), 0, usage.OutsideSupplyPeriod},
		"by consent of both": {
			agreed, middle,
			[]domain.Consent{agreedTo(0), consent(func(c *domain.Consent) { c.ID, c.User, c.Finest = "con_2", "usr_2", 24*time.Hour })},
			usage.Query{},
			3 * perDay, usage.NotEmpty,
		},
		"days by consent of both": {
			agreed, middle,
			[]domain.Consent{agreedTo(0), consent(func(c *domain.Consent) { c.ID, c.User, c.Finest = "con_2", "usr_2", 24*time.Hour })},
			group(interval.ByDay), 10, usage.NotEmpty,
		},
	} {
		m := village(t, c.consents...)
		m.had = c.had
		c.query.Why = true
		p := read(t, agreedService(m), c.caller, c.query)
		if len(p.Readings) != c.want || p.Empty != c.empty {
			t.Errorf("%s: %d readings, empty for reason %d; want %d, %d", name, len(p.Readings), p.Empty, c.want, c.empty)
		}
	}
}

func TestWhatIsKnownOfOnesOwnTime(t *testing.T) {
	m := moved(t)
	for d := range m.days[1] { // of the old customer a day is lacking, and of the new one
		if day := d.String(); day == "2024-03-27" || day == "2024-04-03" {
			delete(m.days[1], d)
		}
	}
	m.complete = map[domain.ChannelID]domain.Date{1: date(t, "2024-03-26")}
	a := "a"
	n := usage.MaxPage
	query := usage.Query{First: &n, Count: true, Until: true, Gaps: true, Filters: []usage.Filter{{SupplyPoint: &a}}}
	for _, c := range []struct {
		user         domain.UserID
		total        int
		until, gapAt string
	}{
		{"usr_1", 4 * 96, "2024-03-27", "2024-03-27"},
		{"usr_2", 6*96 - 4, "2024-04-03", "2024-04-03"}, // the old customer's gap does not count
	} {
		s, caller := agreedService(m), tenant
		caller.User = c.user
		p, err := s.Measurements(background, caller, "prop_home", query)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Until.Format("2006-01-02"); p.Total != c.total || got != c.until {
			t.Errorf("%s: %d readings until %s, want %d until %s", c.user, p.Total, got, c.total, c.until)
		}
		if len(p.Gaps) != 1 || p.Gaps[0].StartAt().Format("2006-01-02T15") != c.gapAt+"T00" {
			t.Errorf("%s: gaps %v, want one from %s", c.user, p.Gaps, c.gapAt)
		}
	}
}

// homes are two stores that are alike in the periods of usr_1, and otherwise in
// nothing: whoever tells them apart with a token of usr_1 learns what is others'.
type homes struct {
	had  []domain.Occupancy
	both [2]*memory
	own  int // intervals of usr_1 on the first channel
	// silent stores have nothing of others at all.
	silent [2]bool
}

const homeDays = 14

func drawHomes(t *testing.T, r *rapid.T) homes {
	h := homes{both: [2]*memory{{}, {}}, had: []domain.Occupancy{}}
	loc := zone(t, "Europe/Amsterdam")
	first := date(t, "2024-03-24") // the clock is set on the 31st
	who := make([]domain.UserID, homeDays)
	for d := 0; d < homeDays; {
		user := rapid.SampledFrom([]domain.UserID{"usr_1", "usr_1", "usr_2", "usr_3", ""}).Draw(r, "who")
		from := d
		for end := d + rapid.IntRange(1, 6).Draw(r, "days"); d < min(end, homeDays); d++ {
			who[d] = user
		}
		if user == "" {
			continue
		}
		o := domain.Occupancy{Partner: "prt_a", Property: "prop_home", Account: domain.AccountNumber("A-" + user[4:]), User: user}
		if from > 0 || rapid.Bool().Draw(r, "from a day on") {
			o.From, _ = interval.Span(first+domain.Date(from), loc)
		}
		if d < homeDays || rapid.Bool().Draw(r, "up to a day") {
			o.Until, _ = interval.Span(first+domain.Date(d), loc)
		}
		h.had = append(h.had, o)
	}
	for i, m := range h.both {
		m.had, h.silent[i] = h.had, rapid.IntRange(0, 2).Draw(r, "silent") == 0
		m.consents = nil
		m.add(electricity("a", "1", domain.Consumption, domain.KilowattHour))
		m.add(electricity("a", "2", domain.Consumption, domain.KilowattHour))
		if i == 1 && slices.ContainsFunc(who, func(u domain.UserID) bool { return u != "usr_1" }) && rapid.Bool().Draw(r, "a channel of others") {
			m.add(electricity("a", "3", domain.Consumption, domain.KilowattHour))
		}
	}
	h.fillChannel(t, r, 1, first, who)
	h.fillChannel(t, r, 2, first, who)
	if len(h.both[1].channels) == 3 {
		for d, user := range who {
			if user != "usr_1" {
				h.put(t, r, 1, 3, first+domain.Date(d))
			}
		}
	}
	for _, m := range h.both {
		m.complete = map[domain.ChannelID]domain.Date{}
		for _, c := range m.channels {
			m.complete[c.ID] = watermarkOf(t, m, c.ID)
		}
	}
	return h
}

// fillChannel gives a channel its days: what is usr_1's to both stores alike.
func (h *homes) fillChannel(t *testing.T, r *rapid.T, id domain.ChannelID, first domain.Date, who []domain.UserID) {
	for i, user := range who {
		d := first + domain.Date(i)
		if user != "usr_1" {
			for store, silent := range h.silent {
				if !silent {
					h.put(t, r, store, id, d)
				}
			}
			continue
		}
		before := len(h.both[0].days[id][d])
		h.put(t, r, 0, id, d)
		h.both[1].days[id][d] = slices.Clone(h.both[0].days[id][d])
		if len(h.both[0].days[id][d]) == before {
			delete(h.both[0].days[id], d)
			delete(h.both[1].days[id], d)
		} else if id == 1 {
			var day interval.Day
			versions := h.both[0].days[id][d]
			if err := day.Decode(versions[len(versions)-1].Data); err != nil {
				t.Fatal(err)
			}
			for _, q := range day.Quality {
				if q != domain.Missing {
					h.own++
				}
			}
		}
		if rapid.IntRange(0, 4).Draw(r, "read") == 0 {
			h.index(t, r, id, d, 0, 1)
		}
	}
	for i, user := range who {
		if user != "usr_1" && rapid.IntRange(0, 2).Draw(r, "read by others") == 0 {
			h.index(t, r, id, first+domain.Date(i), rapid.IntRange(0, 1).Draw(r, "in"))
		}
	}
}

// index is what a register showed at a moment of a day, the same in all stores.
func (h *homes) index(t *testing.T, r *rapid.T, id domain.ChannelID, d domain.Date, in ...int) {
	start, _ := interval.Span(d, zone(t, "Europe/Amsterdam"))
	at := start.Add(time.Duration(rapid.IntRange(0, 22).Draw(r, "hour")) * time.Hour)
	x := domain.Index{
		At: at, Value: domain.Decimal{Coefficient: int64(d), Scale: 0}, Quality: domain.Actual, Revision: 1,
		RecordedAt: time.Date(2025, 1, 1, 0, 0, int(d-19800), int(id), time.UTC),
	}
	for _, i := range in {
		if h.both[i].indices == nil {
			h.both[i].indices = map[domain.ChannelID][]domain.Index{}
		}
		h.both[i].indices[id] = append(h.both[i].indices[id], x)
	}
}

// put stores up to two versions of a day, which may lack some of it or all.
func (h *homes) put(t *testing.T, r *rapid.T, store int, id domain.ChannelID, d domain.Date) {
	m := h.both[store]
	lacks := rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(r, "lacks") // nothing, some, all
	if lacks == 2 {
		return
	}
	minutes := rapid.SampledFrom([]int{30, 30, 60, interval.WholeDay}).Draw(r, "minutes")
	from := rapid.IntRange(0, 40).Draw(r, "lacks from")
	for version := range rapid.IntRange(1, 2).Draw(r, "versions") {
		base := rapid.Int64Range(1, 1000).Draw(r, "value")
		m.clock = time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(int(d-19800)*100+int(id)*10+version) * time.Second)
		m.fill(t, id, d, minutes, func(i int) (int64, domain.Quality) {
			switch {
			case lacks == 1 && i >= from && i < from+6:
				return 0, domain.Missing
			case (int64(i)+base)%5 == 0:
				return base, domain.Estimate
			}
			return base + int64(i), domain.Actual
		})
		m.days[id][d][version].RecordedAt = m.clock
	}
}

// watermarkOf is the last day up to which all is there.
func watermarkOf(t testing.TB, m *memory, id domain.ChannelID) domain.Date {
	e, err := m.Extent(background, id)
	if err != nil {
		t.Fatal(err)
	}
	for d := e.First; ; d++ {
		versions := m.days[id][d]
		if len(versions) == 0 || !interval.Complete(versions[len(versions)-1].Data) {
			return d - 1
		}
	}
}

// told is everything that usage says to a caller about a question.
func told(t *testing.T, m *memory, caller domain.Caller, q usage.Query, x usage.ExportQuery) string {
	var b strings.Builder
	s := agreedService(m)
	readings := func(p usage.Page) {
		for i := range p.Readings {
			r := &p.Readings[i]
			fmt.Fprintln(&b, r.Series.Channel.Register, r.Start, r.End, r.Value, r.Quality, r.Present, r.Expected, r.Revision, r.RecordedAt(), p.Cursor(i))
		}
		fmt.Fprintln(&b, p.HasNext, p.HasPrevious, p.Total, p.OutsideConsent, p.Empty, p.Until, p.Gaps, p.MoreGaps)
	}
	p, err := s.Measurements(background, caller, "prop_home", q)
	if err != nil {
		t.Fatal(err)
	}
	readings(p)
	if len(p.Readings) > 0 && q.Last == nil {
		q.After = p.Cursor(len(p.Readings) / 2)
		if p, err = s.Measurements(background, caller, "prop_home", q); err != nil {
			t.Fatal(err)
		}
		readings(p)
		q.After = ""
	}
	q.Room = &usage.Blocks{}
	if p, err = s.Measurements(background, caller, "prop_home", q); err != nil {
		t.Fatal(err)
	}
	for _, k := range q.Room.List {
		fmt.Fprintln(&b, k.Start, k.End, k.Minutes, k.Values, k.Quality, k.Revision, k.Recorded)
	}
	n := 40
	point := m.channels[0].SupplyPoint
	point.Property = "prop_home"
	amounts, err := s.PointReadings(background, caller, point, usage.PointQuery{Group: q.Filters[0].Group, Zone: q.Zone, First: &n, Count: true})
	fmt.Fprintln(&b, amounts.HasNext, amounts.HasPrevious, amounts.Total, err)
	for _, a := range amounts.List {
		fmt.Fprintln(&b, a.Start, a.End, a.Value, a.Quality)
	}
	registers, err := s.Registers(background, caller, point)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range registers {
		if !slices.ContainsFunc(m.had, func(o domain.Occupancy) bool { return o.User == "usr_1" && o.Holds(today) }) {
			fmt.Fprintln(&b, c.Register)
		}
	}
	latest, err := s.Latest(background, caller, "prop_home")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&b, latest)
	after := ""
	for {
		n := 3
		c, err := s.Changes(background, caller, "prop_home", usage.ChangesQuery{First: &n, After: after, Count: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range c.Revisions {
			fmt.Fprintln(&b, v.Change, v.Channel.Register)
		}
		fmt.Fprintln(&b, c.Total, c.HasNext)
		if !c.HasNext {
			break
		}
		after = c.Cursor(len(c.Revisions) - 1)
	}
	e, err := s.Export(background, caller, domain.MarketNLDElectricity, "a", x)
	if err != nil {
		if _, ok := errors.AsType[*domain.Error](err); !ok {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, err)
		return b.String()
	}
	fmt.Fprintln(&b, e.Version)
	if err := e.Stream(background, func(k *meterfile.Block) error {
		fmt.Fprintln(&b, k.Channel.Register, k.Start, k.Minutes, k.Values, k.Quality)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestNobodyLearnsOfAnothersTime(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := drawHomes(t, r)
		caller := tenant
		if rapid.Bool().Draw(r, "by consent") {
			c := consent(func(c *domain.Consent) {
				c.Finest = rapid.SampledFrom([]time.Duration{0, 30 * time.Minute, 24 * time.Hour, 7 * 24 * time.Hour}).Draw(r, "finest")
				c.HistoryFrom = date(t, "2024-03-24") + domain.Date(rapid.IntRange(-2, homeDays).Draw(r, "history"))
			})
			h.both[0].consents, h.both[1].consents = []domain.Consent{c}, []domain.Consent{c}
			caller = agreed
		}
		q := usage.Query{Count: true, Until: true, Gaps: true, Why: true}
		n := rapid.SampledFrom([]int{0, 5, 50, usage.MaxPage}).Draw(r, "first")
		if q.First = &n; rapid.Bool().Draw(r, "backwards") {
			q.First, q.Last = nil, &n
		}
		filter := usage.Filter{
			Group:   rapid.SampledFrom([]interval.Group{interval.Raw, interval.Raw, interval.ThirtyMinutes, interval.Hour, interval.ByDay, interval.Week, interval.Month}).Draw(r, "group"),
			Quality: rapid.SampledFrom([]usage.QualityFilter{usage.AnyQuality, usage.OnlyActual, usage.OnlyEstimate}).Draw(r, "quality"),
		}
		if rapid.IntRange(0, 4).Draw(r, "indices") == 0 {
			filter.Group, filter.PointInTime = interval.Raw, true
		}
		register := "1"
		if rapid.Bool().Draw(r, "one register") {
			filter.Register = &register
		}
		q.Filters = []usage.Filter{filter}
		day := func(label string) *domain.Date {
			if rapid.Bool().Draw(r, "no "+label) {
				return nil
			}
			d := date(t, "2024-03-24") + domain.Date(rapid.IntRange(-1, homeDays).Draw(r, label))
			return &d
		}
		q.FirstDay, q.LastDay = day("first day"), day("last day")
		if rapid.Bool().Draw(r, "another zone") {
			q.Zone = "Asia/Kathmandu"
		}
		x := usage.ExportQuery{First: date(t, "2024-03-20"), Last: date(t, "2024-04-10"), Group: filter.Group, PointInTime: filter.PointInTime, Register: filter.Register}
		one, two := told(t, h.both[0], caller, q, x), told(t, h.both[1], caller, q, x)
		if one != two {
			a, b := strings.Split(one, "\n"), strings.Split(two, "\n")
			i := 0
			for i < len(a) && i < len(b) && a[i] == b[i] {
				i++
			}
			r.Fatalf("of %+v, a question %+v is answered by what is others', line %d:\n%.300s\n%.300s", h.had, q, i, a[i], b[i])
		}
		n = usage.MaxPage
		all, err := agreedService(h.both[0]).Measurements(background, tenant, "prop_home", usage.Query{First: &n, Count: true, Filters: []usage.Filter{{Register: &register}}})
		if err != nil {
			t.Fatal(err)
		}
		if all.Total != h.own || len(all.Readings) != h.own {
			r.Fatalf("of %+v: %d readings, counted as %d, want %d", h.had, len(all.Readings), all.Total, h.own)
		}
		for _, reading := range all.Readings {
			at := reading.StartAt()
			if !slices.ContainsFunc(h.had, func(o domain.Occupancy) bool { return o.User == "usr_1" && o.Holds(at) }) {
				r.Fatalf("of %+v: a reading at %s", h.had, at)
			}
		}
	})
}

// TestMovesInTheMiddleOfADay: a property whose zone is not that of its channels
// begins its days within theirs.
func TestMovesInTheMiddleOfADay(t *testing.T) {
	m := moved(t)
	noon := time.Date(2024, 3, 28, 12, 0, 0, 0, time.UTC)
	m.had = []domain.Occupancy{
		{Partner: "prt_a", Property: "prop_home", Account: "A-1", User: "usr_1", Until: noon},
		{Partner: "prt_a", Property: "prop_home", Account: "A-2", User: "usr_2", From: noon, Until: noon.Add(time.Hour)},
		{Partner: "prt_a", Property: "prop_home", Account: "A-1", User: "usr_1", From: noon.Add(time.Hour)},
	}
	a := "a"
	day := date(t, "2024-03-28")
	q := usage.Query{FirstDay: &day, LastDay: &day, Filters: []usage.Filter{{SupplyPoint: &a}}, Gaps: true}
	p := read(t, agreedService(m), tenant, q)
	if len(p.Readings) != 92 || len(p.Gaps) != 0 {
		t.Errorf("a day with an hour of another's: %d readings and the gaps %v, want 92 and none", len(p.Readings), p.Gaps)
	}
	q.Filters[0].Group = interval.ByDay
	p = read(t, agreedService(m), tenant, q)
	if len(p.Readings) != 1 || p.Readings[0].Present != 92 {
		t.Errorf("its sum: got %+v, want one of 92 intervals", p.Readings)
	}
}
