package customer

import (
	"slices"
	"strconv"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
)

// plan is how a page of measurements is written: the selection of one place in
// one document, compiled. What is the same for every row is text already; what is
// left of a row are a few verbs.
//
// Whatever a plan does not know, it does not skip: there is none then, and gqlgen
// answers field by field ([graph.MeasurementConnection]), with the same bytes.
type plan struct {
	page  program
	gaps  []program
	edges []edges
	// What a question has to be asked for, because it is selected.
	count, until, why, gap bool
	// needs are the permissions of all fields together.
	needs []domain.Permission
	plain bool // it holds something that only gqlgen's way can answer, or refuse

	selected ast.SelectionSet // what it was compiled from
}

// opens reports whether the asker may have all fields of the plan, as the guard
// would say it of each.
func (p *plan) opens(who *asker) bool {
	if p.plain || who.err != nil {
		return false
	}
	for _, need := range p.needs {
		if authz.Check(who.caller, authz.Permit{Need: need}) != nil {
			return false
		}
	}
	return true
}

// plans are those of one document. It may be used from many goroutines at once.
type plans struct {
	mu    sync.Mutex
	asked []string // variables that leave fields in or out
	known bool     // asked is
	by    map[planKey][]*plan
	count int
}

// planKey is where in a document a plan belongs, and by which variables. A field
// of a fragment may stand in several places: the selections tell those apart.
type planKey struct {
	operation *ast.OperationDefinition
	field     *ast.Field
	variables uint64 // those that are true
}

// maxPlans is how many plans are kept of one document; more are made each time.
const maxPlans = 16

// of returns the plan of a selection of a measurement connection.
func (p *plans) of(op *graphql.OperationContext, field graphql.CollectedField, g guard) *plan {
	if p == nil {
		return compile(op, g, field.Selections)
	}
	key := planKey{operation: op.Operation, field: field.Field}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.known {
		p.known, p.asked = true, conditions(op.Doc)
	}
	if len(p.asked) > 64 {
		return compile(op, g, field.Selections)
	}
	for i, name := range p.asked {
		if yes, _ := op.Variables[name].(bool); yes {
			key.variables |= 1 << i
		}
	}
	for _, known := range p.by[key] {
		if slices.Equal(known.selected, field.Selections) {
			return known
		}
	}
	made := compile(op, g, field.Selections)
	if p.count < maxPlans {
		if p.by == nil {
			p.by = map[planKey][]*plan{}
		}
		p.by[key] = append(p.by[key], made)
		p.count++
	}
	return made
}

// conditions lists the variables of all @skip and @include of a document.
func conditions(doc *ast.QueryDocument) (names []string) {
	var walk func(ast.SelectionSet)
	note := func(list ast.DirectiveList) {
		for _, d := range list {
			for _, a := range d.Arguments {
				if a.Value.Kind == ast.Variable && !slices.Contains(names, a.Value.Raw) {
					names = append(names, a.Value.Raw)
				}
			}
		}
	}
	walk = func(set ast.SelectionSet) {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				note(s.Directives)
				walk(s.SelectionSet)
			case *ast.InlineFragment:
				note(s.Directives)
				walk(s.SelectionSet)
			case *ast.FragmentSpread:
				note(s.Directives)
			}
		}
	}
	for _, o := range doc.Operations {
		walk(o.SelectionSet)
	}
	for _, f := range doc.Fragments {
		walk(f.SelectionSet)
	}
	return names
}

// edges are the programs of one selected list of edges, by the kinds of node.
type edges [kinds]program

// kind is what a node is, and what its filter is.
type kind uint8

const (
	intervalElectricity kind = iota
	intervalGas
	pointElectricity
	pointGas
	kinds
)

var nodeTypes = [kinds]string{"IntervalMeasurementType", "IntervalMeasurementType", "MeasurementType", "MeasurementType"}

var filterTypes = [kinds]string{"ElectricityFiltersOutput", "GasFiltersOutput", "ElectricityFiltersOutput", "GasFiltersOutput"}

// program is what to write: a text before each verb, and one behind the last.
type program struct {
	ops   []op
	after []byte
	subs  []program // of verbs that write something of their own
}

// op is a text and a verb behind it.
type op struct {
	before []byte
	do     verb
	sub    int
}

// verb is something that has to be looked up when it is written.
type verb uint8

const (
	// Of a page.
	putHasNext verb = iota
	putHasPrevious
	putStartCursor
	putEndCursor
	putTotalCount
	putEdgeCount
	putAvailableUntil
	putGapList
	putHasMoreGaps
	putEmptyReason
	putEdgeList
	// Of a gap.
	putGapStart
	putGapEnd
	// Of a series: they become text before the first row.
	putUnit
	putDirection
	putRegister
	putFrequency
	putIdentifier
	// Of a row.
	putValue
	putStartAt
	putEndAt
	putSeconds
	putRevision
	putUpdatedAt
	putCursor
	putQuality
	putExtraList
	putPresent
)

// compiler makes a plan.
type compiler struct {
	op     *graphql.OperationContext
	schema *ast.Schema
	guard  guard
	plan   *plan
}

// compile makes the plan of a selection of a measurement connection.
func compile(op *graphql.OperationContext, g guard, selected ast.SelectionSet) *plan {
	c := &compiler{op: op, schema: ownSchema(), guard: g, plan: &plan{selected: selected}}
	b := &builder{}
	c.object(b, "MeasurementConnection", selected, c.connection)
	c.plan.page = b.program()
	return c.plan
}

// object writes an object's fields in the order in which the executor collects
// them, by the same function.
func (c *compiler) object(b *builder, name string, selected ast.SelectionSet, field func(*builder, graphql.CollectedField)) {
	satisfies := []string{name}
	for _, of := range c.schema.GetImplements(c.schema.Types[name]) {
		satisfies = append(satisfies, of.Name)
	}
	b.text("{")
	var written []string
	for _, f := range graphql.CollectFields(c.op, selected, satisfies) {
		if slices.Contains(written, f.Alias) {
			continue
		}
		if len(written) > 0 {
			b.text(",")
		}
		written = append(written, f.Alias)
		b.text(`"` + f.Alias + `":`) // a GraphQL name, which stands in JSON as it is
		if f.Name == "__typename" {
			b.text(`"` + name + `"`)
			continue
		}
		c.allow(name, f)
		field(b, f)
	}
	b.text("}")
}

// allow notes what a field demands. One that is open to nobody is refused by the
// guard itself.
func (c *compiler) allow(object string, f graphql.CollectedField) {
	r, ok := c.guard.rules[place{object, f.Name}]
	switch {
	case !ok || len(f.Arguments) > 0 || f.Deferrable != nil:
		c.plan.plain = true
	case !r.public && !slices.Contains(c.plan.needs, r.need):
		c.plan.needs = append(c.plan.needs, r.need)
	}
}

func (c *compiler) connection(b *builder, f graphql.CollectedField) {
	switch f.Name {
	case "pageInfo":
		c.object(b, "PageInfo", f.Selections, c.pageInfo)
	case "edges":
		b.do(putEdgeList, len(c.plan.edges))
		var of edges
		for k := range of {
			inner := &builder{}
			c.object(inner, "MeasurementEdge", f.Selections, func(b *builder, f graphql.CollectedField) { c.edge(b, kind(k), f) })
			of[k] = inner.program()
		}
		c.plan.edges = append(c.plan.edges, of)
	case "totalCount":
		c.plan.count = true
		b.do(putTotalCount, 0)
	case "edgeCount":
		b.do(putEdgeCount, 0)
	case "availableUntil":
		c.plan.until = true
		b.do(putAvailableUntil, 0)
	case "gaps":
		c.plan.gap = true
		b.do(putGapList, len(c.plan.gaps))
		inner := &builder{}
		c.object(inner, "MeasurementGap", f.Selections, c.gapField)
		c.plan.gaps = append(c.plan.gaps, inner.program())
	case "hasMoreGaps":
		c.plan.gap = true
		b.do(putHasMoreGaps, 0)
	case "emptyReason":
		c.plan.why = true
		b.do(putEmptyReason, 0)
	default:
		c.plan.plain = true
	}
}

func (c *compiler) pageInfo(b *builder, f graphql.CollectedField) {
	c.verb(b, f, map[string]verb{
		"hasNextPage": putHasNext, "hasPreviousPage": putHasPrevious, "startCursor": putStartCursor, "endCursor": putEndCursor,
	})
}

func (c *compiler) gapField(b *builder, f graphql.CollectedField) {
	c.verb(b, f, map[string]verb{"startAt": putGapStart, "endAt": putGapEnd})
}

func (c *compiler) verb(b *builder, f graphql.CollectedField, known map[string]verb) {
	v, ok := known[f.Name]
	if !ok {
		c.plan.plain = true
		return
	}
	b.do(v, 0)
}

func (c *compiler) edge(b *builder, k kind, f graphql.CollectedField) {
	switch f.Name {
	case "node":
		c.object(b, nodeTypes[k], f.Selections, func(b *builder, f graphql.CollectedField) { c.node(b, k, f) })
	case "cursor":
		b.do(putCursor, 0)
	default:
		c.plan.plain = true
	}
}

var (
	pointFields    = map[string]verb{"value": putValue, "unit": putUnit, "readAt": putStartAt, "revision": putRevision, "updatedAt": putUpdatedAt}
	intervalFields = map[string]verb{
		"value": putValue, "unit": putUnit, "readAt": putEndAt, "revision": putRevision, "updatedAt": putUpdatedAt,
		"startAt": putStartAt, "endAt": putEndAt, "durationInSeconds": putSeconds,
	}
)

func (c *compiler) node(b *builder, k kind, f graphql.CollectedField) {
	interval := nodeTypes[k] == "IntervalMeasurementType"
	switch {
	case f.Name == "source":
		b.quoted(source)
	case f.Name == "metaData":
		c.object(b, "MeasurementsMetadataOutput", f.Selections, func(b *builder, f graphql.CollectedField) { c.metaData(b, k, f) })
	case f.Name == "accumulation" && interval:
		b.text("null")
	case interval:
		c.verb(b, f, intervalFields)
	default:
		c.verb(b, f, pointFields)
	}
}

func (c *compiler) metaData(b *builder, k kind, f graphql.CollectedField) {
	switch {
	case f.Name == "utilityFilters":
		c.object(b, filterTypes[k], f.Selections, func(b *builder, f graphql.CollectedField) { c.filter(b, k, f) })
	case f.Name == "extras" && nodeTypes[k] == "IntervalMeasurementType":
		inner := &builder{}
		c.object(inner, "ExtrasOutput", f.Selections, c.extra)
		b.do(putExtraList, len(b.subs))
		b.subs = append(b.subs, inner.program())
	case f.Name == "extras", f.Name == "statistics", f.Name == "typedSource":
		b.text("null")
	default:
		c.plan.plain = true
	}
}

func (c *compiler) filter(b *builder, k kind, f graphql.CollectedField) {
	fields := map[string]verb{"registerId": putRegister, "readingFrequencyType": putFrequency, "marketSupplyPointId": putIdentifier}
	if filterTypes[k] == "ElectricityFiltersOutput" {
		fields["readingDirection"], fields["readingQuality"] = putDirection, putQuality
	}
	if f.Name == "deviceId" {
		b.text("null")
		return
	}
	c.verb(b, f, fields)
}

func (c *compiler) extra(b *builder, f graphql.CollectedField) {
	switch f.Name {
	case "label":
		b.quoted(extraLabel)
	case "description":
		b.quoted(extraDescription)
	default:
		c.verb(b, f, map[string]verb{"value": putPresent})
	}
}

// builder gathers texts until a verb comes.
type builder struct {
	ops  []op
	open []byte
	subs []program
}

func (b *builder) text(s string) { b.open = append(b.open, s...) }

// quoted adds a text of our own, which needs no escaping.
func (b *builder) quoted(s string) { b.open = strconv.AppendQuote(b.open, s) }

func (b *builder) do(v verb, sub int) {
	b.ops = append(b.ops, op{b.open, v, sub})
	b.open = nil
}

func (b *builder) program() program { return program{b.ops, b.open, b.subs} }
