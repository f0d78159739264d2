package customer

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// prices are what the fields of the schema add to the complexity of a document.
// The schema's description of itself adds nothing: it has bounds of its own.
type prices map[*ast.FieldDefinition]int

func newPrices(schema *ast.Schema) prices {
	p := prices{}
	for _, d := range schema.Types {
		if strings.HasPrefix(d.Name, "__") {
			continue
		}
		for _, f := range d.Fields {
			if n := price(schema, f); n != 0 && !strings.HasPrefix(f.Name, "__") {
				p[f] = n
			}
		}
	}
	return p
}

// of returns the complexity of a selection set, its fragments expanded. The
// document has been validated.
func (p prices) of(set ast.SelectionSet) (sum int) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			sum += p[s.Definition] + p.of(s.SelectionSet)
		case *ast.InlineFragment:
			sum += p.of(s.SelectionSet)
		case *ast.FragmentSpread:
			sum += p.of(s.Definition.SelectionSet)
		}
	}
	return sum
}
