package customer

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/usage"
)

// What the API says of itself, rather than of anybody's energy.

// KrakenVersion resolves Query.krakenVersion.
func (q queries) KrakenVersion(context.Context) (*graph.KrakenVersionType, error) {
	return &graph.KrakenVersionType{Number: optional(q.api.Version), Sha: optional(q.api.Revision)}, nil
}

// APIBrownouts resolves Query.apiBrownouts. Nothing plans any.
func (q queries) APIBrownouts(_ context.Context, _ *graph.APIBrownoutInput, before, after *string, first, last *int) (*graph.APIBrownoutConnection, error) {
	p, err := cut[*graph.APIBrownoutEdge](nil, before, after, first, last)
	if err != nil {
		return nil, err
	}
	return &graph.APIBrownoutConnection{PageInfo: p.info, Edges: p.list, TotalCount: p.total, EdgeCount: len(p.list)}, nil
}

// QueryComplexity resolves Query.queryComplexity: it does everything that is
// done before a document is run.
func (q queries) QueryComplexity(ctx context.Context, input graph.QueryComplexityInputType) (*graph.QueryComplexityOutputType, error) {
	a, who := q.api, askerOf(ctx)
	if err := a.Introspection.check(who); err != nil {
		return nil, err
	}
	tokens := tokensKnown
	if who.err != nil {
		tokens = tokensAnonymous
	}
	doc, err := parse(input.Query, tokens)
	if err != nil {
		return nil, about("input.query", mistake(err))
	}
	p, errs := a.validate(doc, who.err == nil && ordinary(input.Query))
	if errs != nil {
		return nil, about("input.query", mistake(errs[0]))
	}
	op, price := p.operation(text(input.OperationName))
	if op == nil {
		return nil, about("input.operationName", mistake(errors.New("there is no such operation, or there are several")))
	}
	asked := &graphql.OperationContext{Operation: op}
	if asked.Variables, err = validator.VariableValues(a.schema, op, input.Variables); err != nil {
		return nil, about("input.variables", mistake(err))
	}
	nodes, _, err := a.Limits.check(asked)
	if err != nil {
		return nil, err
	}
	points := cost(nodes)
	return &graph.QueryComplexityOutputType{ComplexityValue: &price, Nodes: &nodes, Points: &points}, nil
}

// about says which argument an error is about.
func about(argument string, err error) error {
	return fmt.Errorf("%w: %w", usage.Argument(argument), err)
}

// mistake is what is wrong with a document that was given as an argument.
func mistake(err error) error {
	if _, ok := err.(*tooMuch); ok { //nolint:errorlint // it is made right here
		return err
	}
	return &domain.Error{Kind: domain.Invalid, Public: sentence(err), Err: errors.New(brief(err.Error()))}
}

// sentence is what is wrong with a document, without where in it.
func sentence(err error) string {
	if much, ok := errors.AsType[*tooMuch](err); ok {
		return much.sentence
	}
	if e, ok := errors.AsType[*gqlerror.Error](err); ok {
		return brief(e.Message)
	}
	return brief(err.Error())
}

// PossibleErrors resolves Query.possibleErrors from what the schema says.
func (q queries) PossibleErrors(ctx context.Context, input graph.PossibleErrorsInputType) (*graph.PossibleErrorsOutputType, error) {
	a := q.api
	if err := a.Introspection.check(askerOf(ctx)); err != nil {
		return nil, err
	}
	object, name, whole := strings.Cut(input.Name, ".")
	objects := []string{object}
	if !whole {
		objects, name = []string{"Query", "Mutation", "Subscription"}, object
	}
	for _, object := range objects {
		d := a.schema.Types[object]
		if d == nil || strings.HasPrefix(object, "__") || strings.HasPrefix(name, "__") || !d.IsCompositeType() {
			continue
		}
		f := d.Fields.ForName(name)
		if f == nil {
			continue
		}
		return &graph.PossibleErrorsOutputType{
			Name: object + "." + name, Type: f.Type.String(),
			AuthErrors: possible(authErrors(a.schema, d, f)), PossibleErrors: possible(ownErrors(f)),
		}, nil
	}
	return nil, about("input.name", &tooMuch{noSuchField, "there is no field " + domain.Quote(input.Name)})
}

// possible describes errors by their codes.
func possible(numbers []string) []*graph.PossibleErrorType {
	list := []*graph.PossibleErrorType{}
	for _, number := range numbers {
		for _, c := range codes {
			if c.number == number {
				list = append(list, &graph.PossibleErrorType{Message: &c.message, Code: &c.number, Type: &c.kind, Description: &c.description})
			}
		}
	}
	return list
}

// RateLimitInfo resolves Query.rateLimitInfo.
func (q queries) RateLimitInfo(ctx context.Context) (*graph.CombinedRateLimitInformation, error) {
	points, err := q.RateLimit(ctx)
	if err != nil {
		return nil, err
	}
	return &graph.CombinedRateLimitInformation{PointsAllowanceRateLimit: points}, nil
}

// RateLimit resolves Query.rateLimit.
func (q queries) RateLimit(ctx context.Context) (*graph.PointsAllowanceRateLimitInformation, error) {
	who := askerOf(ctx)
	if who.err != nil {
		return nil, who.err
	}
	if who.points.Limiter == nil {
		return &graph.PointsAllowanceRateLimitInformation{}, nil
	}
	limit := who.points.Limit().Burst
	left, whole := who.points.Left(who.points.key, q.api.ledger.now())
	used, ttl, blocked := limit-left, int(whole.Add(time.Second-1).Unix()), left == 0
	return &graph.PointsAllowanceRateLimitInformation{Limit: &limit, RemainingPoints: &left, UsedPoints: &used, TTL: &ttl, IsBlocked: &blocked}, nil
}

type rateLimits resolvers

// CombinedRateLimitInformation says who resolves what is left.
func (r resolvers) CombinedRateLimitInformation() graph.CombinedRateLimitInformationResolver {
	return rateLimits(r)
}

// FieldSpecificRateLimits resolves CombinedRateLimitInformation.fieldSpecificRateLimits.
func (r rateLimits) FieldSpecificRateLimits(ctx context.Context, _ *graph.CombinedRateLimitInformation, fields []*string,
	before, after *string, first, last *int,
) (*graph.FieldSpecificRateLimitInformationConnection, error) {
	who, list := askerOf(ctx), []*graph.FieldSpecificRateLimitInformationEdge{}
	for _, rate := range r.api.guard.rates() {
		if fields != nil && !slices.ContainsFunc(fields, func(f *string) bool { return f != nil && *f == rate.field }) {
			continue
		}
		ttl := seconds(rate.limiter.Wait(rate.key(who), r.api.ledger.now()))
		blocked := ttl > 0
		list = append(list, &graph.FieldSpecificRateLimitInformationEdge{
			Node: &graph.FieldSpecificRateLimitInformation{Field: &rate.field, Rate: &rate.text, TTL: &ttl, IsBlocked: &blocked},
		})
	}
	p, err := cut(list, before, after, first, last)
	if err != nil {
		return nil, err
	}
	for i, e := range p.list {
		e.Cursor = mark(p.from + i)
	}
	return &graph.FieldSpecificRateLimitInformationConnection{PageInfo: p.info, Edges: p.list, TotalCount: p.total, EdgeCount: len(p.list)}, nil
}

// rates lists the fields that have a rate of their own, by name.
func (g guard) rates() (list []*rate) {
	for r := range maps.Values(g.rules) {
		if r.rate != nil {
			list = append(list, r.rate)
		}
	}
	slices.SortFunc(list, func(a, b *rate) int { return cmp.Compare(a.field, b.field) })
	return list
}

// listPage is one page of a list that is all there, and never long.
type listPage[T any] struct {
	list  []T
	from  int
	total int
	info  *graph.PageInfo
}

// cut takes a page out of a list. Its cursors are places in the list.
func cut[T any](list []T, before, after *string, first, last *int) (listPage[T], error) {
	from, to := 0, len(list)
	for _, c := range []struct {
		name string
		text *string
		set  func(at int)
	}{{"after", after, func(at int) { from = at + 1 }}, {"before", before, func(at int) { to = at }}} {
		if text(c.text) == "" {
			continue
		}
		at, err := parseMark(*c.text)
		if err != nil {
			return listPage[T]{}, about(c.name, err)
		}
		c.set(at)
	}
	for _, n := range []struct {
		name  string
		count *int
	}{{"first", first}, {"last", last}} {
		if n.count != nil && *n.count < 0 {
			return listPage[T]{}, about(n.name, &domain.Error{Kind: domain.Invalid, Public: n.name + " must not be negative"})
		}
	}
	to = min(to, len(list))
	from = min(from, to)
	switch {
	case first != nil && last != nil:
		return listPage[T]{}, about("last", &domain.Error{Kind: domain.Invalid, Public: "give first or last, not both"})
	case last != nil:
		from = max(from, to-*last)
	case first != nil:
		to = min(to, from+*first)
	}
	p := listPage[T]{list: append([]T{}, list[from:to]...), from: from, total: len(list), info: &graph.PageInfo{HasPreviousPage: from > 0, HasNextPage: to < len(list)}}
	if from < to {
		p.info.StartCursor, p.info.EndCursor = optional(mark(from)), optional(mark(to-1))
	}
	return p, nil
}

const markPrefix = "arrayconnection:"

// mark is the cursor of a place in a list.
func mark(at int) string {
	return base64.StdEncoding.EncodeToString([]byte(markPrefix + strconv.Itoa(at)))
}

func parseMark(text string) (int, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	digits, ok := strings.CutPrefix(string(raw), markPrefix)
	at, bad := strconv.Atoi(digits)
	if err != nil || !ok || bad != nil || at < 0 || at > 1<<30 {
		return 0, &domain.Error{Kind: domain.Invalid, Public: "the cursor is none of this connection"}
	}
	return at, nil
}
