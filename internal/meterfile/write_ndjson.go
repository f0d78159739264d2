package meterfile

import (
	"encoding/json"
	"io"

	"github.com/wattgate/wattgate/internal/domain"
)

// ndjsonWriter writes an object for each reading, in the words of the API. Each
// stands on a line of its own, also within the one document of JSON.
type ndjsonWriter struct {
	page
	channel    Channel
	front      []byte // of an object, up to the times
	back       []byte // of an object: its unit, up to the quality
	start, end clock
	between    string // two objects
	after      string // the last one
	any        bool   // there is an object
}

func newNDJSONWriter(w io.Writer) *ndjsonWriter {
	return &ndjsonWriter{page: page{to: w}, between: "\n", after: "\n"}
}

// newJSONWriter writes the same objects as one document, which says first what
// was asked for.
func newJSONWriter(w io.Writer, e Export) *ndjsonWriter {
	n := &ndjsonWriter{page: page{to: w}, between: ",\n", after: "\n]}\n"}
	n.buf = append(n.buf, '{')
	if !e.From.IsZero() {
		n.buf = appendJSON(append(n.buf, `"timezone":`...), e.From.Location().String())
		n.start.in(e.From.Location())
		n.buf = n.start.append(append(n.buf, `,"startAt":"`...), e.From.Unix())
		n.buf = n.start.append(append(n.buf, `","endAt":"`...), e.To.Unix())
		n.buf = append(n.buf, `",`...)
	}
	n.buf = append(n.buf, "\"readings\":[\n"...)
	return n
}

func (n *ndjsonWriter) Write(b *Block) error {
	if err := n.begin(b); err != nil {
		return err
	}
	if n.channel != b.Channel || len(n.front) == 0 {
		n.turn(b)
	}
	// Only what is one interval has an end that the step does not tell.
	t, end := b.Start.Unix(), endOf(b.Start, b.Minutes)
	step := end - t
	for i, q := range b.Quality {
		if q != domain.Missing {
			if n.any {
				n.buf = append(n.buf, n.between...)
			}
			n.any = true
			n.buf = n.times(append(n.buf, n.front...), t, step)
			n.buf = domain.Decimal{Coefficient: b.Values[i], Scale: b.Scale}.Append(n.buf, b.Scale)
			n.buf = append(append(append(n.buf, n.back...), q.String()...), `"}`...)
		}
		t += step
	}
	return n.spill()
}

// times appends when a reading was taken, up to its value.
func (n *ndjsonWriter) times(dst []byte, t, step int64) []byte {
	if step == 0 { // the index of a register
		dst = n.start.append(append(dst, `"readAt":"`...), t)
	} else {
		dst = n.start.append(append(dst, `"startAt":"`...), t)
		dst = n.end.append(append(dst, `","endAt":"`...), t+step)
	}
	return append(dst, `","value":"`...)
}

// turn begins a channel.
func (n *ndjsonWriter) turn(b *Block) {
	n.channel = b.Channel
	n.start.in(b.Start.Location())
	n.end.in(b.Start.Location())
	n.front = appendJSON(append(n.front[:0], `{"supplyPoint":`...), b.Channel.supplyPoint())
	n.front = appendJSON(append(n.front, `,"registerId":`...), b.Channel.Register)
	n.front = append(append(append(n.front, `,"direction":"`...), b.Channel.Direction.String()...), `",`...)
	n.back = appendJSON(append(n.back[:0], `","unit":`...), string(b.Channel.Unit))
	n.back = append(n.back, `,"quality":"`...)
}

// appendJSON appends a text as JSON.
func appendJSON(dst []byte, text string) []byte {
	quoted, _ := json.Marshal(text) // a string has no error
	return append(dst, quoted...)
}

func (n *ndjsonWriter) Close() error {
	if n.any || n.after != "\n" {
		n.buf = append(n.buf, n.after...)
	}
	return n.flush()
}
