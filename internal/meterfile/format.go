package meterfile

import (
	"io"
	"time"
)

// Format is one of the formats, by the ending that its files have.
type Format string

// The formats. NEM13 and DSMR P1 are only read, JSON and Parquet only written.
const (
	CSV     Format = "csv"
	NDJSON  Format = "ndjson"
	JSON    Format = "json"
	ESPI    Format = "xml"
	NEM12   Format = "nem12"
	NEM13   Format = "nem13"
	CDR     Format = "cdr.json"
	DSMR    Format = "dsmr"
	Parquet Format = "parquet"
)

// Writer writes readings in one format. Blocks come channel after channel, and
// those of a channel in the order of time; each lies within one local day of its
// channel's zone, which must be set, unless it is a group.
type Writer interface {
	// Write writes a run of intervals. A block with a quality of Missing has no
	// reading there. What the format cannot carry is a domain.Error, Invalid, and
	// nothing of the block is written then.
	Write(b *Block) error
	// Close ends the file. It does not close what it is written to.
	Close() error
}

// Export says what a file to be written is about.
type Export struct {
	Now time.Time // when the file is made
	// From and To bound the readings asked for, [From, To).
	From, To time.Time
}

// opener begins a file of one format.
type opener func(w io.Writer, e Export) (Writer, error)
