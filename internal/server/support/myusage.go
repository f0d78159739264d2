package support

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/wattgate/wattgate/internal/chart"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/session"
	"github.com/wattgate/wattgate/internal/usage"
)

// meter is one register of a supply point, laid out over two years.
type meter struct {
	unit  domain.Unit
	sheet *chart.Sheet
	year  int // the later one
	begin int // the day of the sheet on which it begins
	over  bool
}

// usageView is the page of a year.
type usageView struct {
	shellView
	Points   []option
	Point    string
	Year     int
	Earlier  string // the page of the year before; empty: there is nothing
	Here     string
	Later    string
	None     string // why there is nothing to see
	Unit     string
	Sum      chart.Sum
	Mean     string // of the days that are complete
	High     string
	HighAt   string
	Present  string
	Until    string
	Carpet   []byte
	Days     int
	Slots    int
	Bars     []byte
	BarsText string
	Top      string
	Table    string // the address of the table
	Rows     []dayRow
}

// dayRow is one day of the table.
type dayRow struct {
	Day      domain.Date
	Value    string
	Present  int
	Expected int
}

// myUsage shows a year of half-hours.
func (h *Host) myUsage(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	v, _, err := h.usageOf(r, call, "My usage")
	if err != nil {
		return err
	}
	return h.site(w, r, http.StatusOK, usagePage(v))
}

// myDays shows the same year as a table of days.
func (h *Host) myDays(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	v, m, err := h.usageOf(r, call, "My usage, day by day")
	if err != nil {
		return err
	}
	if m != nil {
		for i := m.begin; i < m.sheet.Days; i++ {
			sum := m.sheet.Sum(i, i+1)
			v.Rows = append(v.Rows, dayRow{m.sheet.First + domain.Date(i), sum.Value.String(), sum.Present, sum.Expected})
		}
	}
	return h.site(w, r, http.StatusOK, daysPage(v))
}

func (h *Host) usageOf(r *http.Request, call *server.Call, title string) (usageView, *meter, error) {
	v := usageView{shellView: h.shell(call, title, "usage")}
	points, err := h.Usage.AccountSupplyPoints(r.Context(), self(call.Person), "")
	if err != nil {
		return v, nil, err
	}
	if len(points) == 0 {
		v.None = "No meter of yours is known here yet. Your supplier sets it up."
		return v, nil, nil
	}
	q := r.URL.Query()
	chosen := 0
	for i, p := range points {
		if p.Name() == q.Get("meter") {
			chosen = i
		}
	}
	for i, p := range points {
		v.Points = append(v.Points, option{p.Name(), p.Name(), i == chosen})
	}
	point := points[chosen]
	v.Point = point.Name()
	zone, err := time.LoadLocation(point.Zone)
	if err != nil {
		return v, nil, fmt.Errorf("zone of %s: %w", point.Name(), err)
	}
	this := call.Origin.At.In(zone).Year()
	v.Year = this
	if year, err := strconv.Atoi(q.Get("year")); err == nil && year > 1990 && year <= this {
		v.Year = year
	}
	m, err := h.lay(r.Context(), call.Person, point, zone, v.Year, call.Origin.At)
	if err != nil {
		return v, nil, err
	}
	page := func(path string, year int) string {
		return path + "?" + url.Values{"meter": {v.Point}, "year": {strconv.Itoa(year)}}.Encode()
	}
	here := r.URL.Path // the picture or the table
	v.Earlier, v.Here, v.Table = page(here, v.Year-1), page(here, v.Year), page("/my/usage/days", v.Year)
	if v.Year < this {
		v.Later = page(here, v.Year+1)
	}
	if m == nil {
		v.None = "There are no interval readings of this meter in " + strconv.Itoa(v.Year) + "."
		return v, nil, nil
	}
	m.tell(&v)
	return v, m, nil
}

// lay reads two years of what was consumed, up to today.
func (h *Host) lay(ctx context.Context, p *session.Person, point domain.SupplyPoint, zone *time.Location, year int, now time.Time) (*meter, error) {
	first, last := domain.NewDate(year-1, time.January, 1), domain.NewDate(year, time.December, 31)
	last = min(last, domain.DateOf(now.In(zone)))
	direction := domain.Consumption
	e, err := h.Usage.Export(ctx, self(p), point.Market, point.Identifier, usage.ExportQuery{First: first, Last: last, Direction: &direction})
	if err != nil {
		return nil, err
	}
	m := &meter{year: year, begin: int(domain.NewDate(year, time.January, 1) - first)}
	registers := map[string]*chart.Sheet{}
	err = e.Stream(ctx, func(b *meterfile.Block) error {
		if b.Minutes < 1 || b.Minutes > 60 || 60%b.Minutes != 0 {
			return nil // a reading a day has no times of day
		}
		step := time.Duration(b.Minutes) * time.Minute
		if m.sheet == nil {
			m.sheet, m.unit = chart.NewSheet(first, last, zone, step), b.Channel.Unit
		}
		if b.Channel.Unit != m.unit || step != m.sheet.Step {
			return nil // another register, which measures in another way
		}
		sheet := registers[b.Channel.Register]
		if sheet == nil {
			sheet = chart.NewSheet(first, last, zone, step)
			registers[b.Channel.Register] = sheet
		}
		for i, value := range b.Values {
			if b.Quality[i] != domain.Missing && !sheet.Put(b.Start.Add(time.Duration(i)*step), domain.Decimal{Coefficient: value, Scale: b.Scale}) {
				m.over = true
			}
		}
		return nil
	})
	for _, register := range slices.Sorted(maps.Keys(registers)) { // of one tariff each, or of one meter after another
		m.over = !m.sheet.Join(registers[register]) || m.over
	}
	if err != nil || m.sheet == nil || m.sheet.Sum(m.begin, m.sheet.Days).Present == 0 {
		return nil, err
	}
	if m.over || m.sheet.Sum(0, m.sheet.Days).Overflow {
		return nil, &domain.Error{Kind: domain.Internal, Err: fmt.Errorf("readings of %s do not add up", point.Name())}
	}
	return m, nil
}

// tell fills in the page: every number is derived from the sheet.
func (m *meter) tell(v *usageView) {
	s := m.sheet
	sum := s.Sum(m.begin, s.Days)
	v.Sum, v.Unit = sum, unitWords[m.unit]
	v.High = sum.Highest.Value.String()
	v.HighAt = s.Label(sum.HighDay, sum.HighSlot)
	v.Present = share(sum.Present, sum.Expected)
	days, until := 0, 0
	var complete domain.Decimal
	for i := m.begin; i < s.Days; i++ {
		one := s.Sum(i, i+1)
		if one.Present == 0 {
			continue
		}
		until = i
		if total, fits := complete.Add(one.Value); fits && one.Present == one.Expected {
			complete, days = total, days+1
		}
	}
	v.Until = (s.First + domain.Date(until)).String()
	if days > 0 {
		v.Mean = mean(complete, days)
	}
	year := s.Part(m.begin, s.Days)
	v.Carpet, v.Days, v.Slots, v.Top = year.Carpet(), year.Days, year.Slots, v.High
	var bars []chart.Bar
	for month := time.January; month <= time.December; month++ {
		from, to := m.days(m.year, month)
		if from >= s.Days {
			break
		}
		one := s.Sum(from, to)
		from, to = m.days(m.year-1, month)
		before := s.Sum(from, to)
		bars = append(bars, chart.Bar{
			Label: month.String()[:3], Value: one.Value, Before: before.Value, Partial: one.Present < one.Expected, Empty: one.Present == 0, Has: before.Present > 0,
		})
		v.BarsText += fmt.Sprintf("%s: %s %s. ", month, one.Value, v.Unit)
	}
	v.Bars = chart.Bars(bars)
}

// days are those of a month, counted from the sheet's first one.
func (m *meter) days(year int, month time.Month) (from, to int) {
	return int(domain.NewDate(year, month, 1) - m.sheet.First), int(domain.NewDate(year, month+1, 1) - m.sheet.First)
}

// unitWords are the units as people write them.
var unitWords = map[domain.Unit]string{
	domain.KilowattHour: "kWh", domain.WattHour: "Wh", domain.CubicMetre: "m³", domain.KilovarHour: "kvarh", domain.VarHour: "varh",
}

// share is a part of a whole in percent, rounded down: what lacks something is
// never said to be complete.
func share(part, whole int) string {
	if whole == 0 {
		return "0 %"
	}
	permille := part * 1000 / whole
	return fmt.Sprintf("%d.%d %%", permille/10, permille%10)
}

// mean divides a sum by a number of days, to one place more than a tenth needs.
func mean(sum domain.Decimal, days int) string {
	scaled, ok := sum.Rescale(max(sum.Scale, 2))
	if !ok {
		return sum.String()
	}
	scaled.Coefficient /= int64(days)
	for scaled.Scale > 2 {
		scaled.Coefficient /= 10
		scaled.Scale--
	}
	return scaled.String()
}
