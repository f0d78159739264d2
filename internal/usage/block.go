package usage

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// Block is a run of intervals of one series as they are stored: of one day, one
// right after the other.
type Block struct {
	Series  *Series
	Start   int64 // of the first, in Unix seconds
	Minutes int   // how long each is; of [interval.WholeDay] there is one, up to End
	End     int64 // of the last
	Scale   uint8 // a value counts 10^-Scale of the channel's unit
	Values  []int64
	// Quality has one element for each value. What is [domain.Missing] does not
	// belong to the answer.
	Quality  []domain.Quality
	Revision int32
	Recorded int64 // when the day was recorded, in microseconds since 1970

	from, to int // where values and quality lie, until all are there
}

// Blocks is where a page puts readings as they are stored, to be reused with the
// memory that it has grown to. It is not for concurrent use.
type Blocks struct {
	List []Block // in the order of time

	count   int
	values  []int64
	quality []domain.Quality
	bytes   []byte       // the reader's: packed days,
	day     interval.Day // and the one that is open
}

// Size returns how many bytes are held for the next use.
func (b *Blocks) Size() int {
	return 9*cap(b.values) + 128*cap(b.List) + cap(b.bytes)
}

// Len returns how many readings the page holds.
func (p *Page) Len() int {
	if p.Blocks != nil {
		return p.Blocks.count
	}
	return len(p.Readings)
}

// End returns the series and the start of the first or the last reading of a page
// that is not empty.
func (p *Page) End(last bool) (of *Series, start int64) {
	if p.Blocks == nil {
		r := &p.Readings[0]
		if last {
			r = &p.Readings[len(p.Readings)-1]
		}
		return r.Series, r.Start
	}
	list := p.Blocks.List
	if !last {
		b := &list[0]
		return b.Series, b.At(slices.IndexFunc(b.Quality, present))
	}
	b := &list[len(list)-1]
	i := len(b.Quality) - 1
	for !present(b.Quality[i]) {
		i--
	}
	return b.Series, b.At(i)
}

// At returns the start of an interval in Unix seconds.
func (b *Block) At(i int) int64 { return b.Start + int64(i)*int64(b.Minutes)*60 }

func present(q domain.Quality) bool { return q != domain.Missing }

// packs reports whether the series can be given in blocks: where the answer is
// one channel's intervals as they are stored.
func packs(chosen []Series) bool {
	return len(chosen) == 1 && chosen[0].Group == interval.Raw && !chosen[0].Index
}

// pack takes n readings of a series as the walk does, but days at a time; more
// says that others follow.
func (b *Blocks) pack(ctx context.Context, store Store, s *Series, w window, n int, backwards bool) (more bool, err error) {
	b.List, b.count, b.values, b.quality = b.List[:0], 0, b.values[:0], b.quality[:0]
	r := newReader(store, s, w, backwards)
	r.ask = min(n/48+2, allDays) // for half hours, and the one behind the page
	r.days, r.bytes, r.day = make([]domain.Day, 0, r.ask), b.bytes, b.day
	defer func() { b.bytes, b.day = r.bytes, r.day }()
	for b.count < n {
		if ok, err := r.open(ctx); err != nil || !ok {
			b.close(backwards)
			return false, err
		}
		b.take(r, n-b.count)
	}
	b.close(backwards)
	for {
		p, ok, err := r.peek(ctx)
		if err != nil || !ok || r.wants(p.quality) {
			return ok, err
		}
		r.step()
	}
}

// take adds up to n readings of the reader's open day, and moves the reader
// behind them.
func (b *Blocks) take(r *reader, n int) {
	day := &r.day
	first, last := 0, len(day.Values)
	for first < last && day.At(first) < r.low {
		first++
	}
	for last > first && day.At(last-1) >= r.high {
		last--
	}
	at, step, taken := first, 1, 0
	if r.reverse {
		at, step = last-1, -1
	}
	from := len(b.values)
	for ; at >= first && at < last && taken < n; at += step {
		if q := day.Quality[at]; q != domain.Missing {
			if r.wants(q) {
				taken++
			} else {
				day.Quality[at] = domain.Missing
			}
		}
	}
	r.at = at
	if r.reverse {
		first = at + 1
	} else {
		last = at
	}
	if taken == 0 {
		return
	}
	b.count += taken
	b.values = append(b.values, day.Values[first:last]...)
	b.quality = append(b.quality, day.Quality[first:last]...)
	b.List = append(b.List, Block{
		Series: r.Series, Start: day.At(first), Minutes: day.Minutes, End: r.ends(day.At(last - 1)), Scale: day.Scale,
		Revision: r.revision, Recorded: r.recorded, from: from, to: len(b.values),
	})
}

// close gives the blocks what is theirs, which no longer moves.
func (b *Blocks) close(backwards bool) {
	for i := range b.List {
		k := &b.List[i]
		k.Values, k.Quality = b.values[k.from:k.to:k.to], b.quality[k.from:k.to:k.to]
	}
	if backwards {
		slices.Reverse(b.List)
	}
}

// RecordedAt returns when what it is made of was recorded last, in microseconds
// since 1970.
func (r *Reading) RecordedAt() int64 { return r.recorded }

// AppendRecorded appends the instant at which something was recorded, shown in
// the series' zone.
func (s *Series) AppendRecorded(dst []byte, micro int64) []byte {
	return interval.AppendMoment(dst, time.UnixMicro(micro).In(s.Zone))
}

// Sealer writes the cursors of a page, one after the other, and allocates
// nothing once it is made. It is not for concurrent use.
type Sealer struct {
	mac    hash.Hash
	prefix []byte // of all that the MAC is over
	series *Series
	tail   []byte // of the payload: what is behind the start
	plain  []byte
	sum    []byte
}

// Sealer returns what writes this page's cursors.
func (p *Page) Sealer() *Sealer {
	return &Sealer{mac: hmac.New(sha256.New, p.service.CursorKey[:]), prefix: sealed(sealReadings, p.property)}
}

// Append appends the place of a reading of the series that starts at an instant,
// the same text as [Page.Cursor].
func (s *Sealer) Append(dst []byte, of *Series, start int64) []byte {
	if s.series != of {
		s.series, s.tail = of, appendName(s.tail[:0], of.name())
	}
	s.plain = append(s.plain[:0], cursorVersion)
	s.plain = binary.AppendVarint(s.plain, start)
	s.plain = append(s.plain, s.tail...)
	s.mac.Reset()
	s.mac.Write(s.prefix)
	s.mac.Write(s.plain)
	s.sum = s.mac.Sum(s.sum[:0])
	s.plain = append(s.plain, s.sum[:macSize]...)
	return base64.RawURLEncoding.AppendEncode(dst, s.plain)
}
