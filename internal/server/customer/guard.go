package customer

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
)

// rule is what one field demands of its caller.
type rule struct {
	public bool
	need   domain.Permission
}

// place names a field: the object type and the field's name.
type place struct{ object, field string }

// guard refuses every field that the schema's directives do not open to the
// caller. It is made once from the schema, so that no resolver can be reached
// past it and no line of Go has to be remembered for a new field: a field that
// no directive covers is refused to everybody.
type guard map[place]rule

// newGuard reads the directives of all object types. A permission that the
// program does not know is an error.
func newGuard(schema *ast.Schema) (guard, error) {
	g := guard{}
	for _, object := range schema.Types {
		if object.Kind != ast.Object || object.BuiltIn {
			continue
		}
		whole, covered, err := ruleOf(object.Directives)
		if err != nil {
			return nil, fmt.Errorf("type %s: %w", object.Name, err)
		}
		for _, field := range object.Fields {
			own, owned, err := ruleOf(field.Directives)
			switch {
			case err != nil:
				return nil, fmt.Errorf("field %s.%s: %w", object.Name, field.Name, err)
			case owned:
				g[place{object.Name, field.Name}] = own
			case covered:
				g[place{object.Name, field.Name}] = whole
			}
		}
	}
	return g, nil
}

func ruleOf(directives ast.DirectiveList) (r rule, found bool, err error) {
	if directives.ForName("public") != nil {
		return rule{public: true}, true, nil
	}
	d := directives.ForName("requires")
	if d == nil {
		return rule{}, false, nil
	}
	need, err := domain.ParsePermission(d.Arguments.ForName("permission").Value.Raw)
	return rule{need: need}, true, err
}

// check returns nil where the asker may have the field.
func (g guard) check(ctx context.Context, field *graphql.FieldContext) error {
	who := askerOf(ctx)
	if isIntrospection(field) {
		return who.err // whoever is known may look at the schema
	}
	r, ok := g[place{field.Object, field.Field.Name}]
	switch {
	case !ok:
		return &domain.Error{
			Kind: domain.Forbidden,
			Err:  fmt.Errorf("field %s.%s is open to nobody", field.Object, field.Field.Name),
		}
	case r.public:
		return nil
	case who.err != nil:
		return who.err
	}
	return authz.Check(who.caller, authz.Permit{Need: r.need})
}

// isIntrospection reports whether the field belongs to the schema's own
// description (GraphQL §4), whose names are the only ones to begin so.
func isIntrospection(field *graphql.FieldContext) bool {
	reserved := func(name string) bool { return len(name) > 2 && name[:2] == "__" }
	return reserved(field.Object) || reserved(field.Field.Name)
}

// InterceptField lets the field be resolved, or refuses it.
func (g guard) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	if err := g.check(ctx, graphql.GetFieldContext(ctx)); err != nil {
		return nil, err
	}
	return next(ctx)
}

// ExtensionName names the guard for gqlgen.
func (guard) ExtensionName() string { return "Guard" }

// Validate accepts every schema: the guard was made from it.
func (guard) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext lets introspection run: who may look at the schema is
// the guard's to say, field by field.
func (guard) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	op.DisableIntrospection = false
	return nil
}
