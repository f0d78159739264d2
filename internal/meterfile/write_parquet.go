//go:build parquet

package meterfile

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/wattgate/wattgate/internal/domain"
)

const parquetBuilt = true

// parquetScale is the scale of the value column. Parquet has one scale for a
// column; 9 places hold every reading that a file may bring, and 18 digits the
// sums of years, so that nobody needs to multiply with a second column.
const parquetScale = maxPlaces

// parquetRow is a reading. The columns are those of CSV. The local time is a
// timestamp without offset, the kind that the format has for it: where clocks
// are set back, start_utc tells the two hours apart.
type parquetRow struct {
	SupplyPoint string `parquet:"supply_point,dict"`
	Register    string `parquet:"register,dict"`
	Direction   string `parquet:"direction,dict"`
	StartLocal  int64  `parquet:"start_local,timestamp(millisecond:local),delta"`
	StartUTC    int64  `parquet:"start_utc,timestamp(millisecond:utc),delta"`
	Minutes     int32  `parquet:"minutes,dict"`
	Value       int64  `parquet:"value,decimal(9:18),dict"`
	Unit        string `parquet:"unit,dict"`
	Quality     string `parquet:"quality,dict"`
}

// parquetGroup is how many rows are held until they are written: a row group.
const parquetGroup = 100_000

// parquetWriter writes Parquet by the library of parquet-go.
type parquetWriter struct {
	page
	file    *parquet.GenericWriter[parquetRow]
	rows    []parquetRow
	channel Channel
	point   string
	local   clock
}

func newParquetWriter(w io.Writer, e Export) (Writer, error) {
	p := &parquetWriter{page: page{to: w}}
	p.file = parquet.NewGenericWriter[parquetRow](
		passing{&p.page}, parquet.NewSchema("readings", parquet.SchemaOf(parquetRow{})), parquet.MaxRowsPerRowGroup(parquetGroup), parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault}),
		parquet.CreatedBy("wattgate", "", ""), parquet.KeyValueMetadata("timezone", e.From.Location().String()),
	)
	return p, nil
}

// passing passes on what the library writes, until that fails once.
type passing struct{ *page }

func (p passing) Write(b []byte) (n int, err error) {
	if p.err == nil {
		n, p.err = p.to.Write(b)
	}
	return n, p.err
}

func (p *parquetWriter) Write(b *Block) error {
	if err := p.begin(b); err != nil {
		return err
	}
	if b.Minutes == Index {
		return cannotCarry(Parquet, b, "its rows are intervals, and this is the index of a register; take ndjson")
	}
	if p.channel != b.Channel || p.point == "" {
		p.channel, p.point = b.Channel, b.Channel.supplyPoint()
		p.local.in(b.Start.Location())
	}
	p.rows = p.rows[:0]
	t, step := b.Start.Unix(), int64(b.Minutes)*60
	for i, q := range b.Quality {
		if q != domain.Missing {
			v, ok := parquetValue(domain.Decimal{Coefficient: b.Values[i], Scale: b.Scale})
			if !ok {
				return cannotCarry(Parquet, b, "its values have 9 digits before the point and 9 after it; take csv or ndjson")
			}
			p.rows = append(p.rows, parquetRow{
				p.point, b.Channel.Register, b.Channel.Direction.String(), (t + p.local.offsetAt(t)) * 1000, t * 1000,
				int32(b.Minutes), v, string(b.Channel.Unit), q.String(),
			})
		}
		t += step
	}
	if _, err := p.file.Write(p.rows); err != nil {
		return p.failed(err)
	}
	return nil
}

// failed says why the library failed, and makes it the end of the file.
func (p *parquetWriter) failed(err error) error {
	if p.err == nil {
		p.err = fmt.Errorf("write parquet: %w", err)
	}
	return p.err
}

// parquetValue returns a value × 10^9, and false where it would have more than
// 18 digits.
func parquetValue(v domain.Decimal) (int64, bool) {
	const most = 1_000_000_000_000_000_000
	if v.Scale > parquetScale {
		v = v.Trim()
	}
	v, ok := v.Rescale(parquetScale)
	return v.Coefficient, ok && -most < v.Coefficient && v.Coefficient < most
}

func (p *parquetWriter) Close() error {
	if p.err != nil {
		return p.err
	}
	if err := p.file.Close(); err != nil {
		return p.failed(err)
	}
	return nil
}
