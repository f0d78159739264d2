package customer

import (
	"encoding/json"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/usage"
)

// Limits are what one document may ask for.
type Limits struct {
	Complexity int // 0: 200
	Nodes      int // of all connections together, and as many gaps; 0: 10,000
}

// The limits where nobody has set others.
const (
	DefaultComplexity = 200
	DefaultNodes      = 10_000
)

func (l Limits) filled() Limits {
	if l.Complexity == 0 {
		l.Complexity = DefaultComplexity
	}
	if l.Nodes == 0 {
		l.Nodes = DefaultNodes
	}
	return l
}

// maxValues bounds the fields of all nodes together.
const maxValues = 500_000

// bounds counts what a document asks for. They are asked before the first
// resolver: a few hundred bytes can name more work than a machine has memory.
type bounds struct {
	limit     Limits
	variables map[string]any
	nodes     int
	gaps      int // lists of gaps are no connections, and have a bound of their own
	values    int // fields times the nodes that they are of
}

// tooMuch is the refusal of a document that asks for more than we give at once.
type tooMuch struct {
	code
	sentence string
}

// Error returns the operator's text.
func (t *tooMuch) Error() string { return t.message + " " + t.sentence }

// check counts an operation, and returns how many nodes its connections may
// bring and how much there may be besides, or why it is refused. Its shape has
// been looked at: it is finite.
func (l Limits) check(op *graphql.OperationContext) (nodes, besides int, err error) {
	b := &bounds{limit: l, variables: op.Variables}
	if err := b.selections(op.Operation.SelectionSet, around{of: 1, page: 1}); err != nil {
		return 0, 0, err
	}
	return b.nodes, b.gaps, nil
}

// around is where in a document a selection set stands.
type around struct {
	of     int  // nodes that it is of
	page   int  // nodes of the connection that it is of
	schema bool // in a description of the schema
}

// selections counts one selection set.
func (b *bounds) selections(set ast.SelectionSet, in around) error {
	for _, s := range set {
		var err error
		switch s := s.(type) {
		case *ast.Field:
			err = b.field(s, in)
		case *ast.InlineFragment:
			err = b.selections(s.SelectionSet, in)
		case *ast.FragmentSpread:
			err = b.selections(s.Definition.SelectionSet, in)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bounds) field(f *ast.Field, in around) error {
	in.schema = in.schema || f.Name == "__schema" || f.Name == "__type"
	if in.schema {
		in.of *= lengths[f.Name] + 1
	}
	if f.Name == "edges" {
		in.of *= max(in.page, 1)
	}
	in.page = 1
	if f.Definition != nil && f.Definition.Arguments.ForName("first") != nil {
		in.page = b.size(f)
		if most := short[f.Name]; most > 0 {
			in.page = min(in.page, most)
		}
		if b.nodes += in.of * in.page; b.nodes > b.limit.Nodes {
			return &tooMuch{tooManyNodes, fmt.Sprintf("at most %d in one request: ask for a smaller page, or for less beside it", b.limit.Nodes)}
		}
	}
	if n := unpaged[f.Name]; n > 0 && !in.schema {
		in.of *= n
		if b.nodes += in.of; b.nodes > b.limit.Nodes {
			return &tooMuch{tooManyNodes, fmt.Sprintf("at most %d in one request, and this list may have %d: ask for less beside it", b.limit.Nodes, n)}
		}
	}
	if f.Name == "gaps" && !in.schema {
		in.of *= usage.MaxGaps
		if b.gaps += in.of; b.gaps > b.limit.Nodes {
			return &tooMuch{tooManyNodes, fmt.Sprintf("at most %d lists of gaps in one request", b.limit.Nodes/usage.MaxGaps)}
		}
	}
	if b.values += in.of; b.values > maxValues {
		return &tooMuch{complex, "it asks for too many fields of too many nodes"}
	}
	return b.selections(f.SelectionSet, in)
}

// short says how many nodes the connections have at most that never have many.
var short = map[string]int{"devices": 1}

// unpaged says how many nodes the lists may have that are no connections.
var unpaged = map[string]int{"halfHourlyReadings": mostHalfHours, "intervalReadings": mostHalfHours}

// lengths says about how long the lists are that a description of the schema
// is made of, less one.
var lengths = map[string]int{
	"types": 199, "directives": 9, "fields": 9, "inputFields": 9, "enumValues": 9, "args": 3, "possibleTypes": 2, "interfaces": 1,
}

// size returns how many nodes a connection may have. More than a page holds is
// the resolver's to refuse.
func (b *bounds) size(f *ast.Field) int {
	arguments := f.ArgumentMap(b.variables)
	most := -1 // where both have a default, the larger one counts
	for _, name := range []string{"first", "last"} {
		var n int64
		switch v := arguments[name].(type) {
		case int64:
			n = v
		case json.Number:
			n, _ = v.Int64() // what is none is refused where it is read
		default:
			continue
		}
		most = max(most, int(min(max(n, 0), usage.MaxPage)))
	}
	if most < 0 {
		return usage.DefaultPage
	}
	return most
}

// heavy is the refusal when too many large answers are under way.
var heavy = &domain.Error{Kind: domain.Unavailable, Public: "too many large answers are under way"}
