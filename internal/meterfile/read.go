package meterfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

const formats = "NEM12 or NEM13 (100,NEM12 comes first), Green Button ESPI (XML), our CSV (supply_point comes first), NDJSON, CDR (JSON) or DSMR P1 (/ comes first)"

// Read reads the file from its beginning and calls yield with each run of
// intervals, in the order of the file. The content says which format it is;
// the name is only for errors. A refusal is an [*Error]; what yield returns is
// returned as it is and stops the reading. Runs may have been yielded before a
// refusal: whoever stores them does so in a transaction, or reads twice.
//
// An ESPI feed may say after its readings what they measure, so it is read
// twice, and r must be able to go back.
func Read(name string, r io.ReadSeeker, yield func(*Block) error) error {
	if err := rewind(name, r); err != nil {
		return err
	}
	var start [512]byte
	n, err := io.ReadFull(r, start[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return readError(name, err)
	}
	if n == 0 {
		return &Error{name, 1, "file", formats, "an empty file"}
	}
	head := bytes.TrimLeft(bytes.TrimPrefix(start[:n], byteOrderMark), " \t\r\n")
	f := formatOf(head)
	if f == "" {
		return &Error{name, 1, "file", formats, quote(string(head))}
	}
	return ReadAs(f, name, r, yield, nil)
}

// ReadAs is Read for a file whose format is known. Where reject is nil, the
// first mistake is returned. Otherwise reading is partial: a mistake of one line
// of CSV or NDJSON, of one register read of NEM13, or of one day of NEM12 with
// its 400 records, is given to reject, and reading goes on behind it if reject
// returns true. An [*Error] that yield returns is such a mistake too; so that it
// takes no neighbour along, every line of CSV and NDJSON is a run of its own
// then. A mistake in a 200 record takes all days of the record. What concerns
// the whole file, such as its head or its missing end, is returned in any case,
// as is every mistake of ESPI, CDR and DSMR P1.
func ReadAs(f Format, name string, r io.ReadSeeker, yield func(*Block) error, reject func(*Error) bool) error {
	if err := rewind(name, r); err != nil {
		return err
	}
	to := taker{yield, reject}
	switch f {
	case CSV:
		return readCSV(name, r, to)
	case NDJSON:
		return readNDJSON(name, r, to)
	case ESPI:
		return readESPI(name, r, yield)
	case NEM12:
		return readNEM12(name, r, to)
	case NEM13:
		return readNEM13(name, r, to)
	case CDR:
		return readCDR(name, r, yield)
	case DSMR:
		return readDSMR(name, r, yield)
	case JSON, Parquet:
	}
	return fmt.Errorf("read %s: there is no reader of %s", name, f)
}

func rewind(name string, r io.ReadSeeker) error {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read %s from its beginning: %w", name, err)
	}
	return nil
}

// formatOf tells a format by how a file begins; it is empty where none begins so.
func formatOf(head []byte) Format {
	switch {
	case bytes.HasPrefix(head, []byte("<")):
		return ESPI
	case bytes.HasPrefix(head, []byte("{")):
		return jsonFormat(head[1:])
	case bytes.HasPrefix(head, []byte("/")):
		return DSMR
	case bytes.HasPrefix(head, []byte("100,NEM13")):
		return NEM13
	case len(head) >= 3 && digits(string(head[:3])) && (len(head) == 3 || bytes.IndexByte([]byte(",\r\n"), head[3]) >= 0):
		return NEM12
	case bytes.HasPrefix(bytes.TrimPrefix(head, []byte(`"`)), []byte("supply_point")):
		return CSV
	}
	return ""
}

// jsonFormat tells CDR JSON by the first member of its object: an answer of
// the CDR has nothing but data, links and meta.
func jsonFormat(object []byte) Format {
	member := bytes.TrimLeft(object, " \t\r\n")
	for _, of := range []string{`"data"`, `"links"`, `"meta"`} {
		if bytes.HasPrefix(member, []byte(of)) {
			return CDR
		}
	}
	return NDJSON
}

// readError says that reading failed. An archive's entry refuses by itself.
func readError(name string, err error) error {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal
	}
	return fmt.Errorf("read %s: %w", name, err)
}

// taker is who takes what a reader finds: runs, and in partial reading mistakes.
type taker struct {
	yield  func(*Block) error
	reject func(*Error) bool // nil: the first mistake ends the reading
}

// partial reports whether mistakes are rejected one by one.
func (t taker) partial() bool { return t.reject != nil }

// pass hands a mistake over, and returns nil where reading goes on behind it.
func (t taker) pass(err error) error {
	if e, ok := errors.AsType[*Error](err); ok && t.partial() && t.reject(e) {
		return nil
	}
	return err
}
