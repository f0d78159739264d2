package meterfile

import "time"

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

// Writer writes readings in one format. Blocks come channel after channel, the
// channels of a supply point together, and the blocks of a channel in the order
// of time. A block's Start is shown in the zone that its channel names
// ([time.Time.In]), and all of it lies within one local day of that zone, unless
// it is a group: then it has one interval of any number of minutes.
type Writer interface {
	// Write writes a run of intervals. A block with a quality of Missing has no
	// reading there. What the format cannot carry is a domain.Error, Invalid, that
	// says which format can, and nothing of the block is written then.
	Write(b *Block) error
	// Close ends the file. It does not close what it is written to.
	Close() error
}

// Export says what a file to be written is about.
type Export struct {
	Now time.Time // when the file is made
	// From and To bound the readings asked for, [From, To), and are shown in the
	// zone of whoever is exported.
	From, To time.Time
	Self     string // the address that the file is read at; empty: none
}
