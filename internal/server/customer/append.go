package customer

import (
	"bytes"
	"context"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/usage"
)

// pageWriter writes one page by a plan.
type pageWriter struct {
	*plan
	page        *usage.Page
	frequencies []graph.ReadingFrequencyType

	bound  program // of the list at hand, for the series at hand
	series *usage.Series
	text   []byte // what the bound program's texts lie in
	clock  clock
	stamp  []byte // the last updatedAt
	micro  int64  // and when that is
	sealer *usage.Sealer
}

// row is one measurement on its way out.
type row struct {
	start, end        int64
	value             int64
	scale             uint8
	actual            bool
	revision          int32
	recorded          int64
	present, expected int
}

// forget lets go of everything but the room that it takes.
func (w *pageWriter) forget() {
	w.plan, w.page, w.frequencies, w.series, w.sealer = nil, nil, nil, nil, nil
	clear(w.bound.ops[:cap(w.bound.ops)])
	w.bound.subs, w.clock.zone = nil, nil
}

// append appends the page. It fails only where the request has ended.
func (w *pageWriter) append(ctx context.Context, dst []byte) ([]byte, error) {
	program := &w.plan.page
	for i := range program.ops {
		o := &program.ops[i]
		dst = append(dst, o.before...)
		switch o.do {
		case putHasNext:
			dst = strconv.AppendBool(dst, w.page.HasNext)
		case putHasPrevious:
			dst = strconv.AppendBool(dst, w.page.HasPrevious)
		case putStartCursor, putEndCursor:
			dst = w.appendEnd(dst, o.do == putStartCursor)
		case putTotalCount:
			dst = strconv.AppendInt(dst, int64(w.page.Total), 10)
		case putEdgeCount:
			dst = strconv.AppendInt(dst, int64(w.page.Len()), 10)
		case putAvailableUntil:
			dst = appendUntil(dst, w.page.Until)
		case putGapList:
			dst = w.appendGaps(dst, &w.gaps[o.sub])
		case putHasMoreGaps:
			dst = strconv.AppendBool(dst, w.page.MoreGaps)
		case putEmptyReason:
			dst = appendReason(dst, w.page.Empty)
		case putEdgeList:
			var err error
			if dst, err = w.appendEdges(ctx, dst, &w.edges[o.sub]); err != nil {
				return dst, err
			}
		}
	}
	return append(dst, program.after...), nil
}

func (w *pageWriter) appendEnd(dst []byte, first bool) []byte {
	if w.page.Len() == 0 {
		return append(dst, "null"...)
	}
	of, start := w.page.End(!first)
	return w.appendCursor(dst, of, start)
}

func appendUntil(dst []byte, until time.Time) []byte {
	if until.IsZero() {
		return append(dst, "null"...)
	}
	return append(interval.AppendMoment(append(dst, '"'), until), '"')
}

func appendReason(dst []byte, empty usage.EmptyReason) []byte {
	if reason := reasonOf(empty); reason != nil {
		return appendPlain(dst, string(*reason))
	}
	return append(dst, "null"...)
}

func (w *pageWriter) appendGaps(dst []byte, of *program) []byte {
	dst = append(dst, '[')
	for i, gap := range w.page.Gaps {
		if i > 0 {
			dst = append(dst, ',')
		}
		for _, o := range of.ops {
			at := gap.StartAt()
			if o.do == putGapEnd {
				at = gap.EndAt()
			}
			dst = append(append(dst, o.before...), '"')
			dst = append(interval.AppendMoment(dst, at), '"')
		}
		dst = append(dst, of.after...)
	}
	return append(dst, ']')
}

// pause is after how many rows it is asked whether anybody still waits.
const pause = 1000

func (w *pageWriter) appendEdges(ctx context.Context, dst []byte, of *edges) ([]byte, error) {
	w.series = nil // the texts are of this list now
	dst = append(dst, '[')
	begin := len(dst)
	if w.page.Blocks == nil {
		for i := range w.page.Readings {
			if i%pause == pause-1 && ctx.Err() != nil {
				return dst, ctx.Err()
			}
			r := &w.page.Readings[i]
			w.bind(r.Series, of)
			dst = w.appendRow(dst, &row{
				r.Start, r.End, r.Value.Coefficient, r.Value.Scale, r.Quality == domain.Actual,
				r.Revision, r.RecordedAt(), r.Present, r.Expected,
			})
		}
		return closeList(dst, begin), nil
	}
	rows := 0
	for i := range w.page.Blocks.List {
		b := &w.page.Blocks.List[i]
		if rows += len(b.Values); rows >= pause {
			if rows = 0; ctx.Err() != nil {
				return dst, ctx.Err()
			}
		}
		w.bind(b.Series, of)
		dst = w.appendBlock(dst, b)
	}
	return closeList(dst, begin), nil
}

// closeList ends a list, each item of which has left a comma behind it.
func closeList(dst []byte, begin int) []byte {
	if len(dst) > begin {
		dst = dst[:len(dst)-1]
	}
	return append(dst, ']')
}

func (w *pageWriter) appendBlock(dst []byte, b *usage.Block) []byte {
	step := int64(b.Minutes) * 60
	r := row{start: b.Start, scale: b.Scale, revision: b.Revision, recorded: b.Recorded, present: 1, expected: 1}
	for i, v := range b.Values {
		r.end = r.start + step
		if i == len(b.Values)-1 {
			r.end = b.End
		}
		if q := b.Quality[i]; q != domain.Missing {
			r.value, r.actual = v, q == domain.Actual
			dst = w.appendRow(dst, &r)
		}
		r.start = r.end
	}
	return dst
}

// appendRow appends one edge and a comma.
func (w *pageWriter) appendRow(dst []byte, r *row) []byte {
	for i := range w.bound.ops {
		o := &w.bound.ops[i]
		dst = append(dst, o.before...)
		switch o.do {
		case putValue:
			dst = appendValue(dst, r.value, r.scale)
		case putStartAt:
			dst = w.clock.append(dst, r.start)
		case putEndAt:
			dst = w.clock.append(dst, r.end)
		case putSeconds:
			dst = strconv.AppendInt(dst, r.end-r.start, 10)
		case putRevision:
			dst = strconv.AppendInt(dst, int64(r.revision), 10)
		case putUpdatedAt:
			dst = w.appendStamp(dst, r.recorded)
		case putQuality:
			if r.actual {
				dst = append(dst, `"ACTUAL"`...)
			} else {
				dst = append(dst, `"ESTIMATE"`...)
			}
		case putCursor:
			dst = w.appendCursor(dst, w.series, r.start)
		case putExtraList:
			dst = appendExtras(dst, &w.bound.subs[o.sub], r)
		}
	}
	return append(dst, w.bound.after...)
}

func (w *pageWriter) appendStamp(dst []byte, micro int64) []byte {
	if micro != w.micro || len(w.stamp) == 0 {
		w.micro, w.stamp = micro, append(w.series.AppendRecorded(append(w.stamp[:0], '"'), micro), '"')
	}
	return append(dst, w.stamp...)
}

func (w *pageWriter) appendCursor(dst []byte, of *usage.Series, start int64) []byte {
	if w.sealer == nil {
		w.sealer = w.page.Sealer()
	}
	return append(w.sealer.Append(append(dst, '"'), of, start), '"')
}

func appendExtras(dst []byte, of *program, r *row) []byte {
	if r.present == r.expected {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for _, o := range of.ops {
		dst = append(append(dst, o.before...), '"')
		dst = strconv.AppendInt(dst, int64(r.present), 10)
		dst = strconv.AppendInt(append(dst, '/'), int64(r.expected), 10)
		dst = append(dst, '"')
	}
	return append(append(dst, of.after...), ']')
}

// bind makes the program of a series out of that of its kind: what is the same
// for all its rows becomes text.
func (w *pageWriter) bind(s *usage.Series, of *edges) {
	if s == w.series {
		return
	}
	w.series, w.stamp = s, w.stamp[:0]
	w.clock.in(s.Zone)
	k := intervalElectricity
	if s.Channel.SupplyPoint.Market.Gas() {
		k = intervalGas
	}
	if s.Index {
		k += pointElectricity
	}
	from := &of[k]
	w.bound.ops, w.bound.subs = w.bound.ops[:0], from.subs
	text, begin := w.text[:0], 0
	for _, o := range from.ops {
		text = append(text, o.before...)
		switch o.do {
		case putUnit:
			text = appendText(text, string(s.Channel.Unit))
		case putDirection:
			text = appendPlain(text, string(directionAs(s.Channel.Direction)))
		case putRegister:
			text = appendText(text, s.Channel.Register)
		case putFrequency:
			text = appendPlain(text, string(w.frequencies[s.Filter]))
		case putIdentifier:
			text = appendText(text, s.Channel.SupplyPoint.Identifier)
		default:
			w.bound.ops = append(w.bound.ops, op{text[begin:len(text):len(text)], o.do, o.sub})
			begin = len(text)
		}
	}
	text = append(append(text, from.after...), ',')
	w.bound.after, w.text = text[begin:], text
}

// appendPlain appends a text in quotes that needs no escaping.
func appendPlain(dst []byte, s string) []byte {
	return append(append(append(dst, '"'), s...), '"')
}

// appendText appends a text that may hold anything, as gqlgen does.
func appendText(dst []byte, s string) []byte {
	var b bytes.Buffer
	graphql.MarshalString(s).MarshalGQL(&b)
	return append(dst, b.Bytes()...)
}

const zeros = "000000000000000000" // as many as a Decimal has places

var powers = func() (p [domain.MaxScale + 1]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = 10 * p[i-1]
	}
	return p
}()

// appendValue appends a Decimal: in quotes, with 18 places.
func appendValue(dst []byte, coefficient int64, scale uint8) []byte {
	dst = append(dst, '"')
	c := uint64(coefficient)
	if coefficient < 0 {
		dst = append(dst, '-')
		c = -c
	}
	whole := c / powers[scale]
	part := c - whole*powers[scale]
	if whole < 10 {
		dst = append(dst, byte('0'+whole), '.')
	} else {
		dst = append(strconv.AppendUint(dst, whole, 10), '.')
	}
	at := len(dst)
	dst = append(append(dst, zeros...), '"')
	for i := at + int(scale) - 1; part > 0; i-- {
		rest := part / 10
		dst[i] = byte('0' + part - rest*10)
		part = rest
	}
	return dst
}

// clock writes instants as a zone shows them, in quotes. What changes once a day
// it makes once a day.
type clock struct {
	zone           *time.Location
	from, to       int64 // where the following holds
	midnight       int64
	before, behind []byte
	text           []byte // room for one as a whole
}

func (c *clock) in(zone *time.Location) {
	if c.zone != zone {
		c.zone, c.from, c.to = zone, 0, 0 // it holds nowhere
	}
}

// pairs are the numbers below 60 as two digits.
var pairs = func() (p [60][2]byte) {
	for i := range p {
		p[i] = [2]byte{byte('0' + i/10), byte('0' + i%10)}
	}
	return p
}()

func (c *clock) append(dst []byte, t int64) []byte {
	if t < c.from || t >= c.to {
		if !c.turn(t) { // no time that has the usual form
			return append(interval.AppendMoment(append(dst, '"'), time.Unix(t, 0).In(c.zone)), '"')
		}
	}
	second := uint(t - c.midnight)
	minute := second / 60
	hour := minute / 60
	h, m, s := &pairs[hour], &pairs[minute-60*hour], &pairs[second-60*minute]
	dst = append(dst, c.before...)
	dst = append(dst, h[0], h[1], ':', m[0], m[1], ':', s[0], s[1])
	return append(dst, c.behind...)
}

// turn takes the day that t lies in, as far as the offset holds.
func (c *clock) turn(t int64) bool {
	const day, date, whole = 86400, len("2024-10-01T"), len("2024-10-01T00:00:00")
	at := time.Unix(t, 0).In(c.zone)
	text := interval.AppendMoment(c.text[:0], at)
	c.text = text
	if len(text) <= whole || text[date-1] != 'T' {
		c.from, c.to = 0, 0
		return false
	}
	hour, minute, second := at.Clock()
	c.midnight = t - int64(3600*hour+60*minute+second)
	c.from, c.to = c.midnight, c.midnight+day
	start, end := at.ZoneBounds()
	if !start.IsZero() {
		c.from = max(c.from, start.Unix())
	}
	if !end.IsZero() {
		c.to = min(c.to, end.Unix())
	}
	c.from, c.to = min(c.from, t), max(c.to, t+1) // package time may end a period before t
	c.before = append(append(c.before[:0], '"'), text[:date]...)
	c.behind = append(append(c.behind[:0], text[whole:]...), '"')
	return true
}
