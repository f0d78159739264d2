package customer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/wattgate/wattgate/internal/domain"
)

// prepared is a document that may be executed. It says nothing of who sent it,
// and is never changed: many requests may have it at once.
type prepared struct {
	doc    *ast.QueryDocument
	prices []int // of its operations
	plans  plans // of the pages of measurements in it
}

// operation returns the operation of a name, or the only one, with its price;
// nil where there is no such one.
func (p *prepared) operation(name string) (*ast.OperationDefinition, int) {
	op := p.doc.Operations.ForName(name)
	for i, o := range p.doc.Operations {
		if o == op {
			return op, p.prices[i]
		}
	}
	return nil, 0
}

// parse reads a document. It stops before it allocates for more tokens than
// there may be.
func parse(text string, tokens int) (*ast.QueryDocument, error) {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, tokens)
	if err != nil {
		return nil, err
	}
	if doc == nil || len(doc.Operations) == 0 {
		return nil, gqlerror.Errorf("no operation provided")
	}
	return doc, nil
}

// validate looks at the shape of a document and then at its sense. With hints,
// its mistakes name what else there is.
func (a *API) validate(doc *ast.QueryDocument, hints bool) (*prepared, []error) {
	if err := checkShape(doc); err != nil {
		return nil, []error{err}
	}
	checks := plainRules()
	if hints {
		checks = hintingRules()
	}
	if errs := mistakes(a.schema, doc, checks); errs != nil {
		return nil, errs
	}
	p := &prepared{doc: doc, prices: make([]int, len(doc.Operations))}
	for i, op := range doc.Operations {
		p.prices[i] = a.prices.of(op.SelectionSet)
	}
	return p, nil
}

// maxMistakes is how many mistakes of one document are told. Nobody looks for
// more: each may take as long as the rest of the document.
const maxMistakes = 10

// enough ends the walk through a document that has as many mistakes.
type enough struct{}

// mistakes are those of a document by the rules.
func mistakes(schema *ast.Schema, doc *ast.QueryDocument, by []validator.Rule) (errs []error) {
	defer func() {
		if v := recover(); v != nil && v != any(enough{}) {
			panic(v)
		}
	}()
	events := &validator.Events{}
	for _, rule := range by {
		rule.RuleFunc(events, func(options ...validator.ErrorOption) {
			err := &gqlerror.Error{Rule: rule.Name}
			for _, o := range options {
				o(err)
			}
			if errs = append(errs, err); len(errs) == maxMistakes {
				panic(enough{})
			}
		})
	}
	validator.Walk(schema, doc, events)
	return errs
}

// hintingRules are those of the specification (GraphQL §5), in an order that is
// always the same.
var hintingRules = sync.OnceValue(func() []validator.Rule { return sorted(rules.NewDefaultRules()) })

// plainRules are the same, with mistakes that name nothing of the schema beside
// what the document does.
var plainRules = sync.OnceValue(func() []validator.Rule {
	r := rules.NewDefaultRules()
	for _, plain := range []validator.Rule{
		rules.FieldsOnCorrectTypeRuleWithoutSuggestions, rules.ValuesOfCorrectTypeRuleWithoutSuggestions,
		rules.KnownArgumentNamesRuleWithoutSuggestions, rules.KnownTypeNamesRuleWithoutSuggestions,
	} {
		r.RemoveRule(strings.TrimSuffix(plain.Name, "WithoutSuggestions"))
		r.AddRule(plain.Name, plain.RuleFunc)
	}
	return sorted(r)
})

func sorted(r *rules.Rules) (list []validator.Rule) {
	by := r.GetInner()
	for _, name := range slices.Sorted(maps.Keys(by)) {
		list = append(list, validator.Rule{Name: name, RuleFunc: by[name]})
	}
	return list
}

// A document on the shelf, with all that was made of it, takes some thirty times
// its text.
const (
	knownBytes = 1 << 20
	knownText  = 16 << 10
)

// handed hands the executor the document that was prepared before it was asked:
// it would validate first, and ask for the bounds then.
type handed struct{}

// Get returns the document of the request.
func (handed) Get(ctx context.Context, _ string) (*ast.QueryDocument, bool) {
	if p := askerOf(ctx).document; p != nil {
		return p.doc, true
	}
	return nil, false
}

// Add keeps nothing.
func (handed) Add(context.Context, string, *ast.QueryDocument) {}

// ordinary reports whether no word of a text is longer than names are: looking for
// what was probably meant by it would take as long as everything else together.
func ordinary(text string) bool {
	const longest = 100
	word := 0
	for i := range len(text) {
		c := text[i]
		if c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			if word++; word > longest {
				return false
			}
			continue
		}
		word = 0
	}
	return true
}

// errChanges refuses a GET that would change something.
var errChanges = errors.New("a mutation by GET")

// prepare makes the document of a request ready to be executed, or says why it
// is not. One that is sent again and again is looked at once.
func (a *API) prepare(ctx context.Context, who *asker, params *graphql.RawParams, reading bool) []error {
	if err := a.find(ctx, who, params); err != nil {
		return []error{err}
	}
	who.document, _ = a.known.get(params.Query)
	if who.document == nil {
		if errs := a.read(who, params, reading); errs != nil {
			return errs
		}
	}
	op, price := who.document.operation(params.OperationName)
	switch who.price = price; {
	case op == nil: // the executor says so
		return nil
	case reading && op.Operation != ast.Query:
		return []error{errChanges}
	case price > a.Limits.Complexity:
		return []error{&tooMuch{complex, fmt.Sprintf("its complexity is %d, and at most %d is given", price, a.Limits.Complexity)}}
	}
	who.kind = op.Operation
	a.keep(who, params)
	return nil
}

// read parses and validates a document that is not on the shelf.
func (a *API) read(who *asker, params *graphql.RawParams, reading bool) []error {
	tokens := tokensKnown
	if who.err != nil {
		tokens = tokensAnonymous
	}
	doc, err := parse(params.Query, tokens)
	if err != nil {
		return []error{err}
	}
	if op := doc.Operations.ForName(params.OperationName); reading && op != nil && op.Operation != ast.Query {
		return []error{errChanges}
	}
	// Suggestions tell names of the schema, which is for those who may see it.
	p, errs := a.validate(doc, a.Introspection.check(who) == nil && who.err == nil && ordinary(params.Query))
	if errs != nil {
		return errs
	}
	who.document = p
	if who.err == nil && len(params.Query) <= knownText {
		a.known.put(params.Query, p, len(params.Query))
	}
	return nil
}

// CheckDocument refuses a text that is no document which the schema answers, or
// one that is more than the limits allow.
func CheckDocument(text string, limits Limits) error {
	wrong := func(err error) error { return &domain.Error{Kind: domain.Invalid, Public: sentence(err), Err: err} }
	doc, err := parse(text, tokensKnown)
	if err != nil {
		return wrong(err)
	}
	a := &API{schema: ownSchema()}
	a.prices = newPrices(a.schema)
	p, errs := a.validate(doc, ordinary(text))
	if errs != nil {
		return wrong(errs[0])
	}
	if most := slices.Max(p.prices); most > limits.filled().Complexity {
		return wrong(fmt.Errorf("its complexity is %d, and at most %d is given", most, limits.filled().Complexity))
	}
	return nil
}
