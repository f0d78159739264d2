package meterfile

import (
	"fmt"
	"io"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
)

// Writers append bytes by hand to one buffer, which they pass on when it is
// full: an export of years takes the memory of a day, and no allocation.

// spillAt is how many bytes a writer gathers before it passes them on.
const spillAt = 64 << 10

// Formats returns the formats that this program writes.
func Formats() []Format {
	formats := []Format{CSV, NDJSON, JSON, ESPI, NEM12, CDR}
	if parquetBuilt {
		formats = append(formats, Parquet)
	}
	return formats
}

// MediaType returns the media type of files in the format, as HTTP says it in
// both directions; it is empty for a format that is only read.
func (f Format) MediaType() string {
	switch f {
	case CSV:
		return "text/csv"
	case NDJSON:
		return "application/x-ndjson"
	case JSON, CDR:
		return "application/json"
	case ESPI:
		return "application/atom+xml"
	case NEM12:
		return "text/csv; profile=nem12"
	case Parquet:
		return "application/vnd.apache.parquet"
	case NEM13, DSMR:
	}
	return ""
}

// NewWriter begins a file of a format. A format that this program does not
// write is a [domain.Error], Invalid, that names those it does.
func NewWriter(f Format, w io.Writer, e Export) (Writer, error) {
	switch f {
	case CSV:
		return newCSVWriter(w), nil
	case NDJSON:
		return newNDJSONWriter(w), nil
	case JSON:
		return newJSONWriter(w, e), nil
	case ESPI:
		return newESPIWriter(w, e), nil
	case NEM12:
		return newNEM12Writer(w, e), nil
	case CDR:
		return newCDRWriter(w, e), nil
	case Parquet:
		return newParquetWriter(w, e)
	case NEM13, DSMR:
	}
	names := make([]string, 0, len(Formats()))
	for _, known := range Formats() {
		names = append(names, string(known))
	}
	return nil, &domain.Error{Kind: domain.Invalid, Public: fmt.Sprintf(
		"%s is not a format that readings are written in: want one of %s", domain.Quote(string(f)), strings.Join(names, ", "))}
}

// cannotCarry says that a format has no room for a block. why ends with the
// format to take instead.
func cannotCarry(f Format, b *Block, why string, args ...any) error {
	return &domain.Error{Kind: domain.Invalid, Public: fmt.Sprintf(
		"%s cannot carry register %s of %s: %s", f, printable(b.Channel.Register), printable(b.Channel.supplyPoint()), fmt.Sprintf(why, args...))}
}

// supplyPoint returns MARKET:identifier.
func (c *Channel) supplyPoint() string { return string(c.Market) + ":" + c.Identifier }

// page is the part of a file that waits to be passed on.
type page struct {
	to  io.Writer
	buf []byte
	err error // of the first write that failed; no other follows
}

// begin refuses a block that does not keep what [Writer] asks of it. That is a
// mistake of ours, and not one of whoever wants the file.
func (p *page) begin(b *Block) error {
	zone := b.Start.Location().String()
	switch {
	case p.err != nil:
		return p.err
	case len(b.Values) != len(b.Quality) || len(b.Values) == 0 || b.Scale > domain.MaxScale:
		return fmt.Errorf("meterfile: a block of %d values and %d qualities at scale %d", len(b.Values), len(b.Quality), b.Scale)
	case b.Minutes < 0 || (b.Minutes == Index || b.Minutes >= WholeDay) && len(b.Values) != 1:
		return fmt.Errorf("meterfile: a block of %d values with %d minutes each", len(b.Values), b.Minutes)
	case zone != b.Channel.Zone || zone == "":
		return fmt.Errorf("meterfile: a block of zone %q is shown in %q", b.Channel.Zone, zone)
	}
	return nil
}

// spill passes on what is gathered, once it is enough.
func (p *page) spill() error {
	if len(p.buf) < spillAt {
		return nil
	}
	return p.flush()
}

// flush passes on what is gathered.
func (p *page) flush() error {
	if p.err == nil && len(p.buf) > 0 {
		_, p.err = p.to.Write(p.buf)
	}
	p.buf = p.buf[:0]
	return p.err
}
