package usage_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/meterfile"
	"github.com/wattgate/wattgate/internal/usage"
)

// exported writes blocks as register, start, minutes, values and qualities.
func exported(t testing.TB, s *usage.Service, caller domain.Caller, q usage.ExportQuery) (*usage.Export, []string) {
	t.Helper()
	e, err := s.Export(background, caller, domain.MarketNLDElectricity, "a", q)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = e.Stream(background, func(b *meterfile.Block) error {
		if b.Start.Location().String() != b.Channel.Zone || b.Channel.Identifier != "a" {
			t.Errorf("a block of %+v in zone %s", b.Channel, b.Start.Location())
		}
		got = append(got, fmt.Sprintf("%s %s %d×%d %v", b.Channel.Register, b.Start.Format("2006-01-02T15:04"), len(b.Values), b.Minutes, b.Values[0]))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return e, got
}

// shed is a supply point a with consumption, generation and a reactive register
// in half-hours, and a neighbour b, from 30 March to 1 April 2024. On 1 April
// consumption has nothing after noon.
func shed(t testing.TB) *memory {
	t.Helper()
	m := &memory{}
	for _, c := range []domain.Channel{
		electricity("a", "E1", domain.Consumption, domain.KilowattHour), electricity("a", "B1", domain.Generation, domain.KilowattHour),
		electricity("a", "Q1", domain.Consumption, domain.KilovarHour), electricity("b", "E1", domain.Consumption, domain.KilowattHour),
	} {
		if c.SupplyPoint.ID = 1; c.SupplyPoint.Identifier == "b" {
			c.SupplyPoint.ID = 2
		}
		id := m.add(c)
		for d := date(t, "2024-03-30"); d <= date(t, "2024-04-01"); d++ {
			m.fill(t, id, d, 30, func(i int) (int64, domain.Quality) {
				if c.Register == "E1" && d == date(t, "2024-04-01") && i >= 24 {
					return 0, domain.Missing
				}
				return int64(i + 1), domain.Substituted
			})
		}
	}
	return m
}

func TestExport(t *testing.T) {
	generation, reactive := domain.Generation, "Q1"
	days := func(first, last string) usage.ExportQuery {
		return usage.ExportQuery{First: date(t, first), Last: date(t, last)}
	}
	with := func(q usage.ExportQuery, change func(*usage.ExportQuery)) usage.ExportQuery { change(&q); return q }
	for name, c := range map[string]struct {
		query   usage.ExportQuery
		want    []string
		present float64
	}{
		"as stored, channel after channel": {days("2024-03-30", "2024-04-01"), []string{
			"E1 2024-03-30T00:00 48×30 1", "E1 2024-03-31T00:00 46×30 1", "E1 2024-04-01T00:00 48×30 1",
			"B1 2024-03-30T00:00 48×30 1", "B1 2024-03-31T00:00 46×30 1", "B1 2024-04-01T00:00 48×30 1",
		}, (48. + 46 + 24 + 142) / 284},
		"one day":               {days("2024-03-31", "2024-03-31"), []string{"E1 2024-03-31T00:00 46×30 1", "B1 2024-03-31T00:00 46×30 1"}, 1},
		"one direction":         {with(days("2024-03-31", "2024-03-31"), func(q *usage.ExportQuery) { q.Direction = &generation }), []string{"B1 2024-03-31T00:00 46×30 1"}, 1},
		"a reactive register":   {with(days("2024-03-31", "2024-03-31"), func(q *usage.ExportQuery) { q.Register = &reactive }), []string{"Q1 2024-03-31T00:00 46×30 1"}, 1},
		"days that are not yet": {days("2024-05-01", "2024-05-02"), nil, 0},
		"half of it":            {with(days("2024-04-01", "2024-04-01"), func(q *usage.ExportQuery) { d := domain.Consumption; q.Direction = &d }), []string{"E1 2024-04-01T00:00 48×30 1"}, .5},
		"by day": {with(days("2024-03-31", "2024-04-01"), func(q *usage.ExportQuery) { q.Group = interval.ByDay }), []string{
			"E1 2024-03-31T00:00 1×1380 1081", "E1 2024-04-01T00:00 1×1440 300", "B1 2024-03-31T00:00 1×1380 1081", "B1 2024-04-01T00:00 1×1440 1176",
		}, (46. + 24 + 94) / 188},
	} {
		e, got := exported(t, &usage.Service{Store: shed(t)}, partner, c.query)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
		if math.Abs(e.Present-c.present) > 1e-9 {
			t.Errorf("%s: %v is present, want %v", name, e.Present, c.present)
		}
	}
}

// A file cannot say that a sum lacks intervals, so that it says estimate; what is
// as it was measured keeps its quality.
func TestQualityOfAnExport(t *testing.T) {
	s := &usage.Service{Store: shed(t)}
	quality := func(q usage.ExportQuery) (got []domain.Quality) {
		e, err := s.Export(background, partner, domain.MarketNLDElectricity, "a", q)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Stream(background, func(b *meterfile.Block) error { got = append(got, b.Quality[0]); return nil }); err != nil {
			t.Fatal(err)
		}
		return got
	}
	d, in := date(t, "2024-04-01"), domain.Consumption
	if got := quality(usage.ExportQuery{First: d, Last: d, Direction: &in}); !slices.Equal(got, []domain.Quality{domain.Substituted}) {
		t.Errorf("as stored: %v, want substituted", got)
	}
	if got := quality(usage.ExportQuery{First: d, Last: d, Direction: &in, Group: interval.ByDay}); !slices.Equal(got, []domain.Quality{domain.Estimate}) {
		t.Errorf("half a day in one sum: %v, want an estimate", got)
	}
}

func TestWhatCannotBeExported(t *testing.T) {
	d := date(t, "2024-03-31")
	s := &usage.Service{Store: shed(t)}
	gas := domain.MarketNLDGas
	for name, c := range map[string]struct {
		market domain.Market
		name   string
		query  usage.ExportQuery
		want   domain.Kind
	}{
		"another market":            {gas, "a", usage.ExportQuery{First: d, Last: d}, domain.NotFound},
		"a name that nobody has":    {domain.MarketNLDElectricity, "c", usage.ExportQuery{First: d, Last: d}, domain.NotFound},
		"the last before the first": {domain.MarketNLDElectricity, "a", usage.ExportQuery{First: d, Last: d - 1}, domain.Invalid},
		"the longest":               {domain.MarketNLDElectricity, "a", usage.ExportQuery{First: d, Last: d + usage.MaxExportDays - 1}, ok},
		"longer than the longest":   {domain.MarketNLDElectricity, "a", usage.ExportQuery{First: d, Last: d + usage.MaxExportDays}, domain.Invalid},
		"all time":                  {domain.MarketNLDElectricity, "a", usage.ExportQuery{First: -1 << 31, Last: 1<<31 - 1}, domain.Invalid},
		"finer than stored":         {domain.MarketNLDElectricity, "a", usage.ExportQuery{First: d, Last: d, Group: interval.FiveMinutes}, domain.Invalid},
	} {
		_, err := s.Export(background, partner, c.market, c.name, c.query)
		if kind(err) != c.want {
			t.Errorf("%s: %v, want kind %v", name, err, c.want)
		}
		if errors.Is(err, usage.ErrTooFine) != (name == "finer than stored") {
			t.Errorf("%s: %v, too fine is %v", name, err, errors.Is(err, usage.ErrTooFine))
		}
	}
}

func TestExportOfWhatWasAgreedTo(t *testing.T) {
	all := usage.ExportQuery{First: date(t, "2024-03-25"), Last: date(t, "2024-04-05")}
	open := func(c domain.Consent, q usage.ExportQuery) (*usage.Export, error) {
		m := village(t, c)
		for i := range m.channels {
			m.channels[i].SupplyPoint.ID = int64(i)
		}
		return agreedService(m).Export(background, agreed, domain.MarketNLDElectricity, "a", q)
	}
	blocks := func(e *usage.Export, err error) (n int, first string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		err = e.Stream(background, func(b *meterfile.Block) error {
			if n++; n == 1 {
				first = b.Start.Format("2006-01-02T15:04")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n, first
	}
	if n, first := blocks(open(consent(func(c *domain.Consent) { c.HistoryFrom = date(t, "2024-04-01") }), all)); n != 5 || first != "2024-04-01T00:00" {
		t.Errorf("history from 1 April: %d days from %s, want 5", n, first)
	}
	fine := consent(func(c *domain.Consent) { c.Finest = time.Hour })
	if _, err := open(fine, all); kind(err) != domain.Forbidden {
		t.Errorf("finer than agreed: %v, want forbidden", err)
	}
	hours := all
	hours.Group = interval.Hour
	if n, first := blocks(open(fine, hours)); n != 10*24-1+12 || first != "2024-03-25T00:00" {
		t.Errorf("hours: %d from %s, want those that are over", n, first)
	}
	early := usage.ExportQuery{First: date(t, "2024-03-25"), Last: date(t, "2024-03-26")}
	if _, err := open(consent(func(c *domain.Consent) { c.HistoryFrom = date(t, "2024-04-01") }), early); kind(err) != domain.Forbidden {
		t.Errorf("before the agreed history: %v, want forbidden", err)
	}
	m := village(t, consent(nil))
	m.channels[1].SupplyPoint.ID = 1
	if _, err := agreedService(m).Export(background, agreed, domain.MarketNLDElectricity, "b", all); kind(err) != domain.NotFound {
		t.Errorf("a supply point that was not agreed to: %v, want not found", err)
	}
}

// An export is of one moment: what is corrected while it is under way is not in
// it, and the next one has another version.
func TestAnExportIsOfOneMoment(t *testing.T) {
	m := shed(t)
	s := &usage.Service{Store: m}
	q := usage.ExportQuery{First: date(t, "2024-03-30"), Last: date(t, "2024-04-01")}
	before, _ := exported(t, s, partner, q)
	var values []string
	err := before.Stream(background, func(b *meterfile.Block) error {
		for d := date(t, "2024-03-30"); d <= date(t, "2024-04-01"); d++ {
			m.fill(t, 1, d, 30, func(int) (int64, domain.Quality) { return 999, domain.Actual })
			m.fill(t, 2, d, 30, func(int) (int64, domain.Quality) { return 999, domain.Actual })
		}
		values = append(values, fmt.Sprint(b.Values[0]))
		return nil
	})
	if err != nil || strings.Join(values, " ") != "1 1 1 1 1 1" {
		t.Errorf("got the values %q (%v), want those from before", values, err)
	}
	after, _ := exported(t, s, partner, q)
	if again, _ := exported(t, s, partner, q); after.Version == before.Version || again.Version != after.Version {
		t.Errorf("versions %q, %q and %q, want another one only after the correction", before.Version, after.Version, again.Version)
	}
}

// The share that is present is found without decoding what is complete; what is
// written is what is stored.
func TestExportAsCSV(t *testing.T) {
	s := &usage.Service{Store: shed(t)}
	d, in := date(t, "2024-03-31"), domain.Consumption
	e, err := s.Export(background, partner, domain.MarketNLDElectricity, "a", usage.ExportQuery{First: d, Last: d, Direction: &in})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w, err := meterfile.NewWriter(meterfile.CSV, &file, meterfile.Export{From: e.From, To: e.To})
	if err == nil {
		err = e.Stream(background, w.Write)
	}
	if err == nil {
		err = w.Close()
	}
	lines := strings.Split(strings.TrimSpace(file.String()), "\n")
	if err != nil || len(lines) != 47 || lines[4] != "NLD_ELECTRICITY:a,E1,CONSUMPTION,2024-03-31T01:30:00+01:00,2024-03-31T00:30:00Z,30,0.004,kwh,SUBSTITUTED" {
		t.Errorf("%v, %d lines: %q", err, len(lines), lines)
	}
}
