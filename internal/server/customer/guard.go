package customer

import (
	"context"
	"fmt"
	"time"

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
	pages  bool  // it is a connection, whose nodes cost points
	rate   *rate // it may not be asked for more often; nil: as often as one likes
}

// place names a field: the object type and the field's name.
type place struct{ object, field string }

// guard refuses every field that the schema's directives do not open to the
// caller. It is made once from the schema, so that no resolver can be reached
// past it and no line of Go has to be remembered for a new field: a field that
// no directive covers is refused to everybody.
type guard struct {
	rules map[place]rule
	// described says who may look at the schema.
	described Introspection
}

// newGuard reads the directives of all object types. A permission that the
// program does not know is an error.
func newGuard(schema *ast.Schema, described Introspection, now func() time.Time) (guard, error) {
	g := guard{map[place]rule{}, described}
	for _, object := range schema.Types {
		if object.Kind != ast.Object || object.BuiltIn {
			continue
		}
		whole, covered, err := ruleOf(object.Directives)
		if err != nil {
			return guard{}, fmt.Errorf("type %s: %w", object.Name, err)
		}
		for _, field := range object.Fields {
			own, owned, err := ruleOf(field.Directives)
			if err == nil && !owned {
				own = whole
			}
			if err == nil {
				own.rate, err = rateOf(object.Name, field, now)
			}
			if err != nil {
				return guard{}, fmt.Errorf("field %s.%s: %w", object.Name, field.Name, err)
			}
			if own.pages = field.Arguments.ForName("first") != nil; owned || covered {
				g.rules[place{object.Name, field.Name}] = own
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
		return g.described.check(who)
	}
	r, ok := g.rules[place{field.Object, field.Field.Name}]
	switch {
	case !ok:
		return &domain.Error{
			Kind: domain.Forbidden,
			Err:  fmt.Errorf("field %s.%s is open to nobody", field.Object, field.Field.Name),
		}
	case field.Object == "Mutation" && who.caller.LooksOn():
		return &domain.Error{Kind: domain.Forbidden, Public: "who looks on as a customer changes nothing"}
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
	field := graphql.GetFieldContext(ctx)
	if err := g.check(ctx, field); err != nil {
		return nil, err
	}
	r := g.rules[place{field.Object, field.Field.Name}]
	if r.rate != nil {
		if err := r.rate.charge(ctx); err != nil {
			return nil, err
		}
	}
	if r.pages {
		return askerOf(ctx).pages.resolve(ctx, next)
	}
	return next(ctx)
}

// Introspection says who may ask the API for its own schema (GraphQL §4).
type Introspection string

// The settings. Off closes it to everybody; the published file stays.
const (
	IntrospectionPublic        Introspection = "public"
	IntrospectionAuthenticated Introspection = "authenticated"
	IntrospectionOff           Introspection = "off"
)

// check returns nil where the asker may look at the schema.
func (i Introspection) check(who *asker) error {
	switch i {
	case IntrospectionPublic:
		return nil
	case IntrospectionAuthenticated:
		return who.err
	case IntrospectionOff:
	}
	return errDisabled
}

// errDisabled is the refusal of a field that is switched off.
var errDisabled = &hidden{disabled, &domain.Error{Kind: domain.Forbidden, Public: "the field is switched off"}}

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
