package customer

import (
	"bytes"
	"context"
	"io"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/usage"
)

// output is where an answer comes to be, and the room that it takes meanwhile;
// both are used again. gqlgen writes into a buffer of its own: what pages of
// measurements write stands here instead, each behind what gqlgen had written by
// then, so that no row is copied.
type output struct {
	guard guard
	plain bool   // gqlgen writes everything
	text  []byte // begins with dataKey
	taken int    // how much of gqlgen's buffer is in it

	mu    sync.Mutex // fields are resolved side by side
	rooms []*usage.Blocks
	used  int
	pages pageWriter
}

const dataKey = `{"data":`

// What is kept for the next request: an answer of 10,000 rows, and their values.
const (
	keptText = 4 << 20
	keptRoom = 1 << 20
)

var outputs = sync.Pool{New: func() any { return &output{} }}

func (a *API) newOutput() *output {
	o := outputs.Get().(*output)
	o.guard, o.plain, o.text, o.taken, o.used = a.guard, a.plain, append(o.text[:0], dataKey...), 0, 0
	return o
}

// free gives the output back. Nothing of it may be used any more.
func (o *output) free() {
	size := 0
	for i, room := range o.rooms {
		if size += room.Size(); size > keptRoom {
			clear(o.rooms[i:])
			o.rooms = o.rooms[:i]
			break
		}
	}
	o.pages.forget()
	if cap(o.text) > keptText {
		o.text = nil
	}
	o.guard = guard{}
	outputs.Put(o)
}

// room returns where a page's readings may go.
func (o *output) room() *usage.Blocks {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.used == len(o.rooms) {
		o.rooms = append(o.rooms, &usage.Blocks{})
	}
	o.used++
	return o.rooms[o.used-1]
}

// write writes a page by its plan, to w or rather to what follows it.
func (o *output) write(ctx context.Context, w io.Writer, by *plan, page *usage.Page, frequencies []graph.ReadingFrequencyType) error {
	p := &o.pages
	p.plan, p.page, p.frequencies, p.series, p.sealer = by, page, frequencies, nil, nil
	buffer, ok := w.(*bytes.Buffer)
	if !ok { // none of gqlgen's
		text, err := p.append(ctx, nil)
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	}
	text := append(o.text, buffer.Bytes()[o.taken:]...)
	o.taken = buffer.Len()
	o.text = text
	text, err := p.append(ctx, text)
	if err != nil {
		return err // and not a row of it stays
	}
	o.text = text
	return nil
}

// result returns the answer up to the end of its data; it begins with dataKey.
// What gqlgen has written is data.
func (o *output) result(data []byte) []byte {
	if len(data) == 0 {
		data = []byte("null")
	}
	o.text = append(o.text, data[o.taken:]...)
	return o.text
}

// planOf returns the plan of the field at hand, which is a measurement
// connection, or nil where gqlgen has to go its own way.
func planOf(ctx context.Context, who *asker) *plan {
	if who.out == nil || who.out.plain {
		return nil
	}
	var known *plans
	if who.document != nil {
		known = &who.document.plans
	}
	p := known.of(graphql.GetOperationContext(ctx), graphql.GetFieldContext(ctx).Field, who.out.guard)
	if !p.opens(who) {
		return nil
	}
	return p
}
