package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/store"
)

// places are where clocks are set, half an hour is set, or a date was left out,
// each with a day some weeks before that.
var places = []struct {
	zone string
	from domain.Date
}{
	{"Europe/Amsterdam", domain.NewDate(2024, time.March, 3)},
	{"Europe/Amsterdam", domain.NewDate(2023, time.October, 1)},
	{"Australia/Lord_Howe", domain.NewDate(2024, time.March, 20)},
	{"America/New_York", domain.NewDate(2024, time.October, 17)},
	{"Pacific/Apia", domain.NewDate(2011, time.December, 8)},
}

// reachOfModel is how many days the model has, over four months.
const reachOfModel = 80

// plain is a channel as a list would keep it: all revisions of each day.
type plain struct {
	id       domain.ChannelID
	zone     *time.Location
	from     domain.Date
	days     map[domain.Date][]domain.Day
	recorded time.Time
}

// Readings takes days in, corrects, seals and reads them at random, and compares
// every answer with a plain list in memory. It ends after most rounds.
func Readings(t *testing.T, s store.Engine, home domain.Property, most int) {
	round := 0
	rapid.Check(t, func(r *rapid.T) {
		if round++; round > most {
			return
		}
		m := &readings{T: r, ctx: t, s: s, moments: []time.Time{past}}
		m.channels(home, round)
		r.Repeat(map[string]func(*rapid.T){
			"import":  m.take,
			"correct": m.correct,
			"seal":    m.seal,
			"read":    m.read,
			"changes": m.changes,
			"":        m.extents,
		})
	})
}

type readings struct {
	*rapid.T
	ctx     *testing.T
	s       store.Engine
	all     []*plain
	moments []time.Time // at which something was recorded
}

func (m *readings) must(err error) {
	if err != nil {
		m.Fatal(err)
	}
}

// channels adds two channels of the round's own.
func (m *readings) channels(home domain.Property, round int) {
	for i := range 2 {
		place := rapid.SampledFrom(places).Draw(m.T, "place")
		zone, err := interval.Zone(place.zone)
		m.must(err)
		p := &plain{zone: zone, from: place.from, days: map[domain.Date][]domain.Day{}}
		m.must(m.s.TakeIn(m.ctx.Context(), func(tx intake.Tx) error {
			point, err := tx.AddSupplyPoint(domain.SupplyPoint{
				Partner: home.Partner, Property: home.ID, Market: "MODEL", Identifier: fmt.Sprint(round, " ", i), Zone: place.zone,
			})
			if err != nil {
				return err
			}
			c, err := tx.AddChannel(domain.Channel{SupplyPoint: point, Register: "1", Unit: domain.KilowattHour, Zone: place.zone})
			p.id = c.ID
			return err
		}))
		m.all = append(m.all, p)
	}
}

// is returns the newest revision of a day.
func (p *plain) is(date domain.Date) domain.Day {
	if list := p.days[date]; len(list) > 0 {
		return list[len(list)-1]
	}
	return domain.Day{Date: date}
}

// dates returns the days that there are, in order.
func (p *plain) dates() (list []domain.Date) {
	for date := range p.days {
		list = append(list, date)
	}
	slices.Sort(list)
	return list
}

// take stores a run of days of one channel or both, sometimes backwards, and
// sometimes in a transaction that fails.
func (m *readings) take(r *rapid.T) {
	m.transaction(r, func(p *plain) (dates []domain.Date) {
		first := rapid.IntRange(0, reachOfModel-1).Draw(r, "first")
		days := rapid.IntRange(1, 45).Draw(r, "days")
		for i := first; i < min(first+days, reachOfModel); i++ {
			if start, end := interval.Span(p.from+domain.Date(i), p.zone); start.Before(end) {
				dates = append(dates, p.from+domain.Date(i))
			}
		}
		if rapid.Bool().Draw(r, "backwards") {
			slices.Reverse(dates)
		}
		return dates
	})
}

// correct stores a few days that there are.
func (m *readings) correct(r *rapid.T) {
	m.transaction(r, func(p *plain) []domain.Date {
		list := p.dates()
		if len(list) == 0 {
			return nil
		}
		return rapid.SliceOfNDistinct(rapid.SampledFrom(list), 1, min(3, len(list)), rapid.ID[domain.Date]).Draw(r, "dates")
	})
}

var errFails = errors.New("this transaction fails")

func (m *readings) transaction(r *rapid.T, choose func(*plain) []domain.Date) {
	written := map[*plain][]domain.Day{}
	fails := rapid.IntRange(0, 5).Draw(r, "fails") == 0
	var chosen []*plain
	for _, p := range m.all {
		if rapid.IntRange(0, 2).Draw(r, "takes part") > 0 {
			chosen = append(chosen, p)
		}
	}
	for _, p := range chosen {
		gaps := rapid.IntRange(0, 3).Draw(r, "gaps") == 0
		for _, date := range choose(p) {
			missing := 0
			if gaps && !interval.Complete(p.is(date).Data) { // what was there once does not go
				missing = rapid.IntRange(0, 5).Draw(r, "missing")
			}
			data, err := halfHoursIn(p.zone, date, rapid.Int64Range(-9, 2000).Draw(r, "value"), missing)
			m.must(err)
			written[p] = append(written[p], domain.Day{Date: date, Revision: p.is(date).Revision + 1, Data: data})
		}
	}
	err := m.s.TakeIn(m.ctx.Context(), func(tx intake.Tx) error {
		for _, p := range chosen {
			for _, d := range written[p] {
				if err := m.put(tx, p, d); err != nil {
					return err
				}
			}
		}
		if fails {
			return errFails
		}
		return nil
	})
	if fails {
		if err != errFails { //nolint:errorlint // it must be the very same
			r.Fatalf("got the error %v, want the transaction's own", err)
		}
		return
	}
	m.must(err)
	for p, days := range written {
		m.remember(r, p, days)
	}
}

// put stores a day, sometimes in two steps.
func (m *readings) put(tx intake.Tx, p *plain, d domain.Day) error {
	was, err := tx.Day(p.id, d.Date)
	if err != nil {
		return err
	}
	if want := p.is(d.Date); was.Revision != want.Revision || !bytes.Equal(was.Data, want.Data) {
		return fmt.Errorf("a transaction found %s/%d of channel %d, want revision %d", d.Date, was.Revision, p.id, want.Revision)
	}
	from := domain.Provenance{Source: "model", Reason: "model"}
	if d.Date%5 != 0 {
		return tx.PutDay(p.id, d, from)
	}
	half, err := halfHoursIn(p.zone, d.Date, 1, 3)
	if err == nil {
		err = tx.PutDay(p.id, domain.Day{Date: d.Date, Data: half}, from)
	}
	if err != nil {
		return err
	}
	return tx.AmendDay(p.id, d)
}

// remember writes the days into the list, with the instant that the engine chose.
func (m *readings) remember(r *rapid.T, p *plain, days []domain.Day) {
	if len(days) == 0 {
		return
	}
	e, err := m.s.Extent(m.ctx.Context(), p.id)
	m.must(err)
	if !e.RecordedAt.After(p.recorded) {
		r.Fatalf("recorded at %s, after %s", e.RecordedAt, p.recorded)
	}
	p.recorded = e.RecordedAt
	m.moments = append(m.moments, e.RecordedAt, e.RecordedAt.Add(-time.Microsecond))
	for _, d := range days {
		d.RecordedAt = e.RecordedAt
		p.days[d.Date] = append(p.days[d.Date], d)
	}
}

// seal seals by some rule. What is read afterwards says whether it was right.
func (m *readings) seal(r *rapid.T) {
	rule := domain.SealRule{
		Quiet: rapid.SampledFrom(append(m.moments[:len(m.moments):len(m.moments)], future)).Draw(r, "quiet"),
		Late:  rapid.SampledFrom(m.all).Draw(r, "channel").from + domain.Date(rapid.IntRange(-10, 130).Draw(r, "late")),
	}
	limit := rapid.SampledFrom([]int{1, 2, 3, 1000}).Draw(r, "limit")
	n, err := m.s.Seal(m.ctx.Context(), rule, limit)
	m.must(err)
	if n < 0 || n > limit {
		r.Fatalf("sealed %d months, want at most %d", n, limit)
	}
	if n == limit {
		return
	}
	if n, err = m.s.Seal(m.ctx.Context(), rule, limit); err != nil || n != 0 {
		r.Fatalf("sealed %d months more (%v), want none", n, err)
	}
}

// read compares a range of days.
func (m *readings) read(r *rapid.T) {
	p := rapid.SampledFrom(m.all).Draw(r, "channel")
	first := p.from + domain.Date(rapid.IntRange(-5, reachOfModel+5).Draw(r, "first"))
	asked := domain.DayRange{
		First: first, Last: first + domain.Date(rapid.IntRange(-1, reachOfModel).Draw(r, "days")),
		Reverse: rapid.Bool().Draw(r, "reverse"),
	}
	if rapid.IntRange(0, 2).Draw(r, "as of") == 0 {
		asked.AsOf = rapid.SampledFrom(m.moments).Draw(r, "moment")
	}
	want := p.known(asked)
	err := m.s.Days(m.ctx.Context(), p.id, asked, func(d domain.Day) error {
		if len(want) == 0 {
			return fmt.Errorf("got %s/%d, want nothing more", d.Date, d.Revision)
		}
		if w := want[0]; d.Date != w.Date || d.Revision != w.Revision || !d.RecordedAt.Equal(w.RecordedAt) || !bytes.Equal(d.Data, w.Data) {
			return fmt.Errorf("got %s/%d recorded %s %x, want %s/%d recorded %s %x",
				d.Date, d.Revision, d.RecordedAt, d.Data, w.Date, w.Revision, w.RecordedAt, w.Data)
		}
		want = want[1:]
		return nil
	})
	if err != nil {
		r.Fatalf("%+v of channel %d: %v", asked, p.id, err)
	}
	if len(want) > 0 {
		r.Fatalf("%+v of channel %d: got %d days too few, from %s on", asked, p.id, len(want), want[0].Date)
	}
}

// known returns what a range has.
func (p *plain) known(asked domain.DayRange) (list []domain.Day) {
	for _, date := range p.dates() {
		if date < asked.First || date > asked.Last {
			continue
		}
		for _, d := range slices.Backward(p.days[date]) {
			if asked.AsOf.IsZero() || !d.RecordedAt.After(asked.AsOf) {
				list = append(list, d)
				break
			}
		}
	}
	if asked.Reverse {
		slices.Reverse(list)
	}
	return list
}

// changes compares a page of the changes that follow some moment.
func (m *readings) changes(r *rapid.T) {
	p := rapid.SampledFrom(m.all).Draw(r, "channel")
	var want []domain.Change
	for date, list := range p.days {
		for _, d := range list {
			want = append(want, domain.Change{RecordedAt: d.RecordedAt, Day: date, Revision: d.Revision})
		}
	}
	slices.SortFunc(want, compareChanges)
	var after domain.Change
	if n := rapid.IntRange(0, len(want)).Draw(r, "after"); n > 0 {
		after, want = want[n-1], want[n:]
	}
	limit := rapid.SampledFrom([]int{1, 10, 100, 10_000}).Draw(r, "limit")
	want = want[:min(limit, len(want))]
	got, err := m.s.Changes(m.ctx.Context(), p.id, after, limit)
	m.must(err)
	if !slices.EqualFunc(got, want, func(a, b domain.Change) bool {
		return compareChanges(a, b) == 0 && a.Revision == b.Revision
	}) {
		r.Fatalf("changes of channel %d after %+v, at most %d:\n got %+v\nwant %+v", p.id, after, limit, got, want)
	}
}

func compareChanges(a, b domain.Change) int {
	if c := a.RecordedAt.Compare(b.RecordedAt); c != 0 {
		return c
	}
	return int(a.Day - b.Day)
}

// extents compares how far the channels go.
func (m *readings) extents(r *rapid.T) {
	for _, p := range m.all {
		got, err := m.s.Extent(m.ctx.Context(), p.id)
		m.must(err)
		var want domain.Extent
		if list := p.dates(); len(list) > 0 {
			want = domain.Extent{First: list[0], Last: list[len(list)-1], Complete: p.complete(list[0]), RecordedAt: p.recorded}
		}
		if got != want {
			r.Fatalf("channel %d goes\n as far as %+v,\nwant       %+v", p.id, got, want)
		}
	}
}

// complete returns the last day up to which nothing is missing.
func (p *plain) complete(date domain.Date) domain.Date {
	dates := p.dates()
	for ; date <= dates[len(dates)-1]; date++ {
		start, end := interval.Span(date, p.zone)
		if start.Before(end) && !interval.Complete(p.is(date).Data) {
			break
		}
	}
	return date - 1
}
