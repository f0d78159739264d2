package customer

import (
	"encoding/json"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/usage"
)

// What one document may ask for. The bounds are asked before the first
// resolver: a few hundred bytes can name more work than a machine has memory.
const (
	maxFields = 5_000   // after fragments are expanded, as the executor counts them
	maxDepth  = 12      // fields within fields
	maxSchema = 20      // the same in a description of the schema, which goes deeper
	maxNodes  = 10_000  // of all connections together, and as many gaps
	maxValues = 500_000 // fields of all nodes together
)

// bounds counts what a document asks for.
type bounds struct {
	variables map[string]any
	fields    int // what the executor will collect
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

// check counts an operation, and returns how many nodes it may bring or why it
// is refused. It never looks at more selections than it allows.
func check(op *graphql.OperationContext) (nodes int, err error) {
	b := &bounds{variables: op.Variables}
	if err := b.selections(op.Operation.SelectionSet, around{fold: 1, of: 1, page: 1}); err != nil {
		return 0, err
	}
	return b.nodes + b.gaps, nil
}

// around is where in a document a selection set stands.
type around struct {
	// fold is how often the executor collects it: it doubles with each fragment
	// on the way (gqlgen 0.17 appends the selections of a fragment's field twice).
	fold   int
	of     int  // nodes that it is of
	page   int  // nodes of the connection that it is of
	depth  int  // fields that it lies within
	schema bool // in a description of the schema
}

// selections counts one selection set.
func (b *bounds) selections(set ast.SelectionSet, in around) error {
	for _, s := range set {
		b.fields += in.fold
		if b.fields > maxFields {
			return &tooMuch{complex, fmt.Sprintf("it has more than %d fields when its fragments are expanded", maxFields)}
		}
		folded := in
		folded.fold *= 2
		var err error
		switch s := s.(type) {
		case *ast.Field:
			err = b.field(s, in)
		case *ast.InlineFragment:
			err = b.selections(s.SelectionSet, folded)
		case *ast.FragmentSpread:
			err = b.selections(s.Definition.SelectionSet, folded)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bounds) field(f *ast.Field, in around) error {
	in.depth++
	in.schema = in.schema || f.Name == "__schema" || f.Name == "__type"
	limit := maxDepth
	if in.schema {
		limit = maxSchema
	}
	if in.depth > limit {
		return &tooMuch{complex, fmt.Sprintf("its fields lie more than %d deep", limit)}
	}
	if f.Name == "edges" {
		in.of *= max(in.page, 1)
	}
	in.page = 1
	if f.Definition != nil && f.Definition.Arguments.ForName("first") != nil {
		in.page = b.size(f)
		if b.nodes += in.of * in.page; b.nodes > maxNodes {
			return &tooMuch{tooManyNodes, fmt.Sprintf("at most %d in one request: ask for a smaller page, or for less beside it", maxNodes)}
		}
	}
	if f.Name == "gaps" && !in.schema {
		in.of *= usage.MaxGaps
		if b.gaps += in.of; b.gaps > maxNodes {
			return &tooMuch{tooManyNodes, fmt.Sprintf("at most %d lists of gaps in one request", maxNodes/usage.MaxGaps)}
		}
	}
	if b.values += in.of; b.values > maxValues {
		return &tooMuch{complex, "it asks for too many fields of too many nodes"}
	}
	return b.selections(f.SelectionSet, in)
}

// size returns how many nodes a connection may have. More than a page holds is
// the resolver's to refuse.
func (b *bounds) size(f *ast.Field) int {
	arguments := f.ArgumentMap(b.variables)
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
		return int(min(max(n, 0), usage.MaxPage))
	}
	return usage.DefaultPage
}

// heavy is the refusal when too many large answers are under way.
var heavy = &domain.Error{Kind: domain.Unavailable, Public: "too many large answers are under way"}
