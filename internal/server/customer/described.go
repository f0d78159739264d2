package customer

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/wattgate/wattgate/internal/server/customer/graph"
)

// ownSchema is the schema as it is served: gqlgen's, without @defer, which it
// would answer in several parts where this transport sends one, and with what
// its directives say in the description of each field. There, and in the
// published file, people read who may have a field and what it costs; nobody
// has to write it by hand, so that it cannot be wrong.
var ownSchema = sync.OnceValue(func() *ast.Schema {
	return described(graph.NewExecutableSchema(graph.Config{}).Schema())
})

// described returns a copy of a schema with completed descriptions.
func described(schema *ast.Schema) *ast.Schema {
	s := *schema
	s.Directives = maps.Clone(s.Directives)
	delete(s.Directives, "defer")
	s.Types = make(map[string]*ast.Definition, len(schema.Types))
	for name, d := range schema.Types {
		own := *d
		own.Fields = slices.Clone(d.Fields)
		if !d.BuiltIn && (d.Kind == ast.Object || d.Kind == ast.Interface) {
			for i, f := range own.Fields {
				if strings.HasPrefix(f.Name, "__") {
					continue
				}
				field := *f
				field.Description = strings.TrimSpace(f.Description) + "\n\n" + facts(schema, d, f)
				own.Fields[i] = &field
			}
		}
		s.Types[name] = &own
	}
	same := func(list []*ast.Definition) []*ast.Definition {
		copied := make([]*ast.Definition, 0, len(list))
		for _, d := range list {
			copied = append(copied, s.Types[d.Name])
		}
		return copied
	}
	s.PossibleTypes, s.Implements = map[string][]*ast.Definition{}, map[string][]*ast.Definition{}
	for name, list := range schema.PossibleTypes {
		s.PossibleTypes[name] = same(list)
	}
	for name, list := range schema.Implements {
		s.Implements[name] = same(list)
	}
	for _, root := range []**ast.Definition{&s.Query, &s.Mutation, &s.Subscription} {
		if *root != nil {
			*root = s.Types[(*root).Name]
		}
	}
	return &s
}

// facts says in one line what the directives demand of who selects a field.
func facts(schema *ast.Schema, object *ast.Definition, field *ast.FieldDefinition) string {
	codes := slices.Concat(authErrors(schema, object, field), ownErrors(field))
	if len(codes) == 0 {
		codes = []string{"none"}
	}
	rate := ""
	if d := field.Directives.ForName("rate"); d != nil {
		rate = ". Rate: " + d.Arguments.ForName("limit").Value.Raw
	}
	return "Permission: " + strings.Join(permissions(schema, object, field), " or ") +
		". Complexity: " + strconv.Itoa(price(schema, field)) + rate +
		". Errors: " + strings.Join(codes, ", ") + "."
}

// permissions lists what a field demands: one permission, or `none`, or `nobody`
// where no directive opens it. A field of an interface demands what it demands
// in the objects that have it, which may differ.
func permissions(schema *ast.Schema, object *ast.Definition, field *ast.FieldDefinition) []string {
	if object.Kind == ast.Interface {
		var all []string
		for _, possible := range schema.GetPossibleTypes(object) {
			if f := possible.Fields.ForName(field.Name); f != nil {
				all = append(all, permissions(schema, possible, f)...)
			}
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	for _, directives := range []ast.DirectiveList{field.Directives, object.Directives} {
		if directives.ForName("public") != nil {
			return []string{"none"}
		}
		if d := directives.ForName("requires"); d != nil {
			return []string{d.Arguments.ForName("permission").Value.Raw}
		}
	}
	return []string{"nobody"}
}

// authErrors lists the codes with which a caller who may not have a field is
// refused.
func authErrors(schema *ast.Schema, object *ast.Definition, field *ast.FieldDefinition) []string {
	if need := permissions(schema, object, field); len(need) == 1 && need[0] == "none" {
		return nil
	}
	return []string{unauthorized.number, noHeader.number, expired.number}
}

// ownErrors lists the codes that a field has beside those: the one for arguments
// that mean nothing where it takes any, and what @errors names.
func ownErrors(field *ast.FieldDefinition) []string {
	var codes []string
	if len(field.Arguments) > 0 {
		codes = append(codes, invalidInput.number)
	}
	if d := field.Directives.ForName("errors"); d != nil {
		for _, c := range d.Arguments.ForName("codes").Value.Children {
			codes = append(codes, c.Value.Raw)
		}
	}
	return codes
}

// price returns what a field adds to the complexity of a document.
func price(schema *ast.Schema, field *ast.FieldDefinition) int {
	if d := field.Directives.ForName("cost"); d != nil {
		if n, err := strconv.Atoi(d.Arguments.ForName("complexity").Value.Raw); err == nil {
			return n
		}
	}
	if t := schema.Types[field.Type.Name()]; t != nil && t.IsCompositeType() {
		return 1
	}
	return 0
}
