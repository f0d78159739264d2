package bare

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Page is an answer of the customer API: a list of nodes, which a server without
// any of our code appends from memory, and what stands around them. Without nodes
// it is a text that is always the same.
type Page struct {
	Before, After string
	Texts         [4]string // around the three values of a node, its comma included
	Nodes         []Node
	Zone          string
	Scale         int // a value counts 10^-Scale
	Head          http.Header
}

// Node is one interval: a value, and where it starts and ends in Unix seconds.
type Node struct{ Value, Start, End int64 }

// places are those that a value has on the wire.
const places = 18

// LearnPage takes a page from an answer that a server has given, of intervals with
// value, startAt and endAt in a zone. Without edges the whole body is one text.
func LearnPage(head http.Header, body []byte, zone string) (Page, error) {
	p := Page{Zone: zone, Head: http.Header{}}
	for name, values := range head {
		switch name {
		case "Date", "Content-Length", "Connection", "Transfer-Encoding": // net/http writes these itself
		default:
			p.Head[name] = values
		}
	}
	begin := bytes.Index(body, []byte(`"edges":[`))
	if begin < 0 {
		p.Before = string(body)
		return p, nil
	}
	begin += len(`"edges":[`)
	list := json.NewDecoder(io.MultiReader(strings.NewReader("["), bytes.NewReader(body[begin:])))
	if _, err := list.Token(); err != nil {
		return Page{}, fmt.Errorf("bare: page: %w", err)
	}
	for list.More() {
		var raw json.RawMessage
		if err := list.Decode(&raw); err != nil {
			return Page{}, fmt.Errorf("bare: page: %w", err)
		}
		if err := p.learn(raw); err != nil {
			return Page{}, err
		}
	}
	end := begin + int(list.InputOffset()) - 1
	p.Before, p.After = string(body[:begin]), string(body[end:])
	again, err := p.Append(nil)
	if err == nil && !bytes.Equal(again, body) {
		err = errors.New("bare: page: what was learned gives other bytes")
	}
	return p, err
}

// learn takes one edge. The first one says what stands around the values.
func (p *Page) learn(raw []byte) error {
	var edge struct {
		Node struct {
			Value          string
			StartAt, EndAt time.Time
		}
	}
	if err := json.Unmarshal(raw, &edge); err != nil {
		return fmt.Errorf("bare: node: %w", err)
	}
	n := edge.Node
	whole, part, _ := strings.Cut(n.Value, ".")
	if len(p.Nodes) == 0 {
		rest := string(raw)
		for i, name := range []string{"value", "startAt", "endAt"} {
			mark := `"` + name + `":"`
			before, behind, ok := strings.Cut(rest, mark)
			if !ok {
				return fmt.Errorf("bare: node: no %s in its place", name)
			}
			_, rest, _ = strings.Cut(behind, `"`)
			p.Texts[i] += before + mark
			p.Texts[i+1] = `"`
		}
		p.Texts[3] += rest + ","
		p.Scale = 6
	}
	if len(part) != places || strings.Trim(part[p.Scale:], "0") != "" {
		return fmt.Errorf("bare: node: value %q, want at most %d places of %d", n.Value, p.Scale, places)
	}
	value, err := strconv.ParseInt(whole+part[:p.Scale], 10, 64)
	if err != nil || value < 0 {
		return fmt.Errorf("bare: node: value %q is none", n.Value)
	}
	p.Nodes = append(p.Nodes, Node{value, n.StartAt.Unix(), n.EndAt.Unix()})
	return nil
}

// Append appends the page, as anybody would who cares for speed.
func (p *Page) Append(dst []byte) ([]byte, error) {
	zone, err := time.LoadLocation(p.Zone)
	if err != nil {
		return nil, fmt.Errorf("bare: page: %w", err)
	}
	return p.append(dst, zone), nil
}

const zeros = "000000000000000000"

func (p *Page) append(dst []byte, zone *time.Location) []byte {
	dst = append(dst, p.Before...)
	unit := int64(1)
	for range p.Scale {
		unit *= 10
	}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		dst = append(dst, p.Texts[0]...)
		dst = strconv.AppendInt(dst, n.Value/unit, 10)
		dst = append(dst, '.')
		at := len(dst)
		dst = append(dst, zeros...)
		for j, rest := at+p.Scale-1, n.Value%unit; rest > 0; j, rest = j-1, rest/10 {
			dst[j] = byte('0' + rest%10)
		}
		dst = append(dst, p.Texts[1]...)
		dst = time.Unix(n.Start, 0).In(zone).AppendFormat(dst, time.RFC3339)
		dst = append(dst, p.Texts[2]...)
		dst = time.Unix(n.End, 0).In(zone).AppendFormat(dst, time.RFC3339)
		dst = append(dst, p.Texts[3]...)
	}
	if len(p.Nodes) > 0 {
		dst = dst[:len(dst)-1] // the last comma
	}
	return append(dst, p.After...)
}

// Appending answers every GraphQL request with the page: it reads the body and
// its JSON, appends the bytes and sends them with their length.
func Appending(p Page) (http.Handler, error) {
	zone, err := time.LoadLocation(p.Zone)
	if err != nil {
		return nil, fmt.Errorf("bare: page: %w", err)
	}
	var buffers sync.Pool
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, formLimit))
		var request struct {
			Query     string
			Variables map[string]any
		}
		if err != nil || json.Unmarshal(text, &request) != nil || request.Query == "" {
			http.Error(w, "want a query", http.StatusBadRequest)
			return
		}
		buffer, ok := buffers.Get().(*[]byte)
		if !ok {
			buffer = new([]byte)
		}
		body := p.append((*buffer)[:0], zone)
		head := w.Header()
		for name, values := range p.Head {
			head[name] = values
		}
		head["Content-Length"] = []string{strconv.Itoa(len(body))}
		w.Write(body) //nolint:errcheck // a caller that has left needs no answer
		*buffer = body
		buffers.Put(buffer)
	}), nil
}
