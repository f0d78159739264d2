package meterfile

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// nem12Day is a 300 record that waits for its 400 records.
type nem12Day struct {
	open     bool
	refused  bool // the 300 record above was rejected, and so are its 400 records
	line     int
	date     domain.Date
	values   []domain.Decimal
	empty    []bool // the file has no value there; only a missing one may
	quality  []domain.Quality
	variable bool // quality method V: the 400 records say which quality each interval has
	covered  int  // how many intervals they have covered
	block    Block
}

// startDay reads a 300 record (MDFF §4.4): the values of one day.
func (n *nem12) startDay(r record) error {
	if n.register == nil {
		return n.refuse("RecordIndicator", "200 before the first 300", `"300"`)
	}
	d := &n.day
	f := r.field()
	t, err := time.Parse("20060102", f)
	if err != nil || t.Year() < 1970 || t.Year() > 2199 {
		return n.refuse("IntervalDate", "an existing day as YYYYMMDD", quote(f))
	}
	d.date, d.line = domain.DateOf(t), n.number
	if err := n.values(&r); err != nil {
		return err
	}
	quality, err := n.method(&r, fmt.Sprintf("A, E, F, N, S or V after %d values, a day of %d minutes", len(d.values), n.register.minutes))
	if err != nil {
		return err
	}
	_, _, _ = r.field(), r.field(), r.field() // ReasonDescription, UpdateDateTime, MSATSLoadDateTime
	if !r.blank() {
		return n.refuse("300", "nothing after MSATSLoadDateTime", quote(r.rest))
	}
	d.variable = quality == variable
	d.covered = 0
	for i := range d.quality {
		d.quality[i] = quality
	}
	d.open = true
	return nil
}

// claim notes that the register has the day, once.
func (n *nem12) claim(day domain.Date) error {
	refuse := func(want, got string) error { return &Error{n.name, n.day.line, "IntervalDate", want, got} }
	words := len(n.register.seen)
	if !n.register.seen.add(day) {
		c := n.register.channel
		return refuse("each day of a register once", fmt.Sprintf("a repeated register: %s of %s has had %s", c.Register, c.Identifier, day))
	}
	n.words += len(n.register.seen) - words
	if n.words > maxWords {
		return refuse(fmt.Sprintf("the days of all registers in at most %d spans of 64", maxWords), "more")
	}
	return nil
}

// values reads the values of a day into n.day.
func (n *nem12) values(r *record) error {
	d, count := &n.day, WholeDay/n.register.minutes
	d.values, d.empty, d.quality = resize(d.values, count), resize(d.empty, count), resize(d.quality, count)
	for i := range count {
		f, ok := r.next()
		if ok && f == "" && !r.blank() {
			d.values[i], d.empty[i] = domain.Decimal{}, true
			continue
		}
		v, err := domain.ParseDecimal(f)
		if err != nil || f[0] == '-' {
			want := fmt.Sprintf("a number that is not negative; a day of %d minutes has %d", n.register.minutes, count)
			return n.refuse("IntervalValue"+strconv.Itoa(i+1), want, quote(f))
		}
		d.values[i], d.empty[i] = v, false
	}
	return nil
}

// resize returns a slice of n elements whose content does not matter.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// variable stands for quality method V, which says to look at the 400 records.
const variable domain.Quality = 255

// method reads QualityMethod and ReasonCode.
func (n *nem12) method(r *record, want string) (domain.Quality, error) {
	f, reason := r.field(), r.field()
	quality, ok := method(f)
	switch {
	case !ok:
		return 0, n.refuse("QualityMethod", want, quote(f))
	case quality == domain.Substituted && !digits(reason):
		return 0, n.refuse("ReasonCode", "a number, as the quality is "+f[:1], quote(reason))
	}
	return quality, nil
}

// method reads a QualityMethod. The method's two digits say how an estimate was
// made; they are optional here. A reason is required for F and S only (MDFF
// §4.4, appendix E), which are the substituted ones.
func method(f string) (q domain.Quality, ok bool) {
	if len(f) != 1 && (len(f) != 3 || !digits(f[1:]) || !strings.Contains("EFS", f[:1])) {
		return 0, false
	}
	switch f[0] {
	case 'A':
		return domain.Actual, true
	case 'E':
		return domain.Estimate, true
	case 'F', 'S':
		return domain.Substituted, true
	case 'N':
		return domain.Missing, true
	case 'V':
		return variable, true
	}
	return 0, false
}

// qualityRange reads a 400 record (MDFF §4.5). The ranges of a day follow each
// other from 1 to the day's last interval, without gap or overlap.
func (n *nem12) qualityRange(r record) error {
	d := &n.day
	if !d.open || !d.variable {
		return n.refuse("RecordIndicator", "400 only below a 300 record of quality V", `"400"`)
	}
	from, to := r.field(), r.field()
	if i, err := strconv.Atoi(from); err != nil || i != d.covered+1 {
		return n.refuse("StartInterval", strconv.Itoa(d.covered+1), quote(from))
	}
	last, err := strconv.Atoi(to)
	if err != nil || last <= d.covered || last > len(d.quality) {
		want := fmt.Sprintf("%d to %d; a day of %d minutes has %d intervals", d.covered+1, len(d.quality), n.register.minutes, len(d.quality))
		return n.refuse("EndInterval", want, quote(to))
	}
	quality, err := n.method(&r, "A, E, F, N or S")
	if err != nil {
		return err
	}
	if quality == variable {
		return n.refuse("QualityMethod", "A, E, F, N or S", `"V"`)
	}
	for i := d.covered; i < last; i++ {
		d.quality[i] = quality
	}
	d.covered = last
	return nil
}

// finishDay yields the day above, if there is one.
func (n *nem12) finishDay() error {
	if !n.day.open {
		return nil
	}
	n.day.open = false
	return n.pass(n.yieldDay())
}

func (n *nem12) yieldDay() error {
	d := &n.day
	if err := n.claim(d.date); err != nil {
		return err
	}
	refuse := func(field, want, got string) error { return &Error{n.name, d.line, field, want, got} }
	if d.variable && d.covered < len(d.quality) {
		return refuse("QualityMethod", fmt.Sprintf("400 records for the intervals 1 to %d", len(d.quality)), fmt.Sprintf("%d covered", d.covered))
	}
	b := &d.block
	b.Scale = 0
	for i, v := range d.values {
		if d.quality[i] == domain.Missing {
			continue // whatever filler the file holds
		}
		v, ok := accept(v)
		if !ok {
			return refuse("IntervalValue"+strconv.Itoa(i+1), wantValue, quote(d.values[i].String()))
		}
		d.values[i] = v
		b.Scale = max(b.Scale, v.Scale)
	}
	b.Values = resize(b.Values, len(d.values))
	for i, v := range d.values {
		switch {
		case d.quality[i] == domain.Missing:
			b.Values[i] = 0
			continue
		case d.empty[i]:
			return refuse("IntervalValue"+strconv.Itoa(i+1), "a number, as its quality is not N", "nothing")
		}
		v, _ = v.Rescale(b.Scale) // what was accepted fits at every scale of others
		b.Values[i] = v.Coefficient
	}
	year, month, day := d.date.Civil()
	b.Channel, b.Line, b.Minutes, b.Quality = n.register.channel, d.line, n.register.minutes, d.quality
	b.Start = time.Date(year, month, day, 0, 0, 0, 0, marketTime)
	return n.yield(b)
}
