package customer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/wattgate/wattgate/internal/server/customer"
)

func TestEveryFieldSaysWhoMayHaveIt(t *testing.T) {
	covered := 0
	for name, object := range newWorld(t).api.Schema().Types {
		if object.BuiltIn || object.Kind != ast.Object {
			continue
		}
		for _, field := range object.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			covered++
			said := "none"
			d := rule(field.Directives)
			if d == nil {
				d = rule(object.Directives)
			}
			switch {
			case d == nil:
				t.Errorf("%s.%s has neither @requires nor @public, and nor has its type: nobody may have it", name, field.Name)
				continue
			case d.Name == "requires":
				said = d.Arguments.ForName("permission").Value.Raw
			}
			if want := "Permission: " + said; !strings.Contains(field.Description, want) {
				t.Errorf("the description of %s.%s does not say %q: %s", name, field.Name, want, field.Description)
			}
		}
	}
	if covered < 60 {
		t.Errorf("%d fields looked at, want all of the schema", covered)
	}
}

func rule(list ast.DirectiveList) *ast.Directive {
	if d := list.ForName("public"); d != nil {
		return d
	}
	return list.ForName("requires")
}

func TestEverythingInTheSchemaIsDescribed(t *testing.T) {
	for name, d := range newWorld(t).api.Schema().Types {
		if d.BuiltIn {
			continue
		}
		if d.Description == "" {
			t.Errorf("%s has no description", name)
		}
		for _, f := range d.Fields {
			if f.Description == "" && !strings.HasPrefix(f.Name, "__") {
				t.Errorf("%s.%s has no description", name, f.Name)
			}
			for _, a := range f.Arguments {
				if a.Description == "" && !strings.HasPrefix(f.Name, "__") {
					t.Errorf("%s.%s(%s) has no description", name, f.Name, a.Name)
				}
			}
		}
		for _, v := range d.EnumValues {
			if v.Description == "" {
				t.Errorf("%s.%s has no description", name, v.Name)
			}
		}
		if strings.HasSuffix(name, "Connection") {
			for _, want := range []string{"pageInfo", "edges", "totalCount", "edgeCount"} {
				if d.Fields.ForName(want) == nil {
					t.Errorf("%s has no %s", name, want)
				}
			}
		}
	}
}

// The types of dialect-kraken.md §1.1, to the letter.
func TestMeasurementsAsPublished(t *testing.T) {
	f := newWorld(t).api.Schema().Types["PropertyType"].Fields.ForName("measurements")
	want := []string{
		`startAt: DateTime = "0001-01-03T00:00:00-00:01:15"`,
		`endAt: DateTime = "9999-12-29T23:59:59.999999+00:00"`,
		"startOn: Date", "endOn: Date", "timezone: String", "utilityFilters: [UtilityFiltersInput] = []",
		"before: String", "after: String", "first: Int", "last: Int",
		"asOf: DateTime", // ours
	}
	got := []string{}
	for _, a := range f.Arguments {
		s := a.Name + ": " + a.Type.String()
		if a.DefaultValue != nil {
			s += " = " + a.DefaultValue.String()
		}
		got = append(got, s)
	}
	if !slices.Equal(got, want) || f.Type.String() != "MeasurementConnection" {
		t.Errorf("got %q: %s\nwant %q: MeasurementConnection", got, f.Type, want)
	}
	fields := map[string]string{}
	for name, d := range newWorld(t).api.Schema().Types {
		for _, f := range d.Fields {
			fields[name+"."+f.Name] = f.Type.String()
		}
	}
	for name, want := range map[string]string{
		"MeasurementConnection.pageInfo": "PageInfo!", "MeasurementConnection.edges": "[MeasurementEdge]!",
		"MeasurementConnection.totalCount": "Int!", "MeasurementConnection.edgeCount": "Int!",
		"MeasurementEdge.node": "MeasurementInterface", "MeasurementEdge.cursor": "String!",
		"PageInfo.hasNextPage": "Boolean!", "PageInfo.startCursor": "String",
		"MeasurementInterface.source": "String!", "MeasurementInterface.metaData": "MeasurementsMetadataOutput",
		"MeasurementInterface.value": "Decimal!", "MeasurementInterface.unit": "String!", "MeasurementInterface.readAt": "DateTime!",
		"IntervalMeasurementType.startAt": "DateTime!", "IntervalMeasurementType.endAt": "DateTime!",
		"IntervalMeasurementType.durationInSeconds": "Int!", "IntervalMeasurementType.accumulation": "Decimal",
		"MeasurementsMetadataOutput.utilityFilters": "UtilityFiltersOutput", "MeasurementsMetadataOutput.statistics": "[StatisticOutput]",
		"MeasurementsMetadataOutput.extras": "[ExtrasOutput]", "MeasurementsMetadataOutput.typedSource": "TypedSourceOutput",
		"StatisticOutput.costExclTax": "EstimatedMoneyType", "StatisticOutput.value": "Decimal",
		"EstimatedMoneyType.estimatedAmount": "Decimal!", "EstimatedMoneyType.costCurrency": "String!", "EstimatedMoneyType.pricePerUnit": "PricePerUnit",
		"PricePerUnit.amount": "Decimal!", "PricePerUnit.unit": "Unit",
		"PropertyType.id": "String", "PropertyType.postcode": "String!", "PropertyType.splitAddress": "[String]",
		"MeasurementConnection.availableUntil": "DateTime", "MeasurementConnection.gaps": "[MeasurementGap!]!", "MeasurementConnection.emptyReason": "MeasurementEmptyReason",
		"MeasurementGap.startAt": "DateTime!", "MeasurementGap.endAt": "DateTime!",
		"MeasurementInterface.revision": "Int!", "MeasurementInterface.updatedAt": "DateTime!",
		"Query.measurementChanges": "MeasurementChangeConnection", "MeasurementChange.identifier": "String!", "MeasurementChange.direction": "ReadingDirectionType!",
		"MeasurementChange.register": "String!", "MeasurementChange.day": "Date!", "MeasurementChange.revision": "Int!", "MeasurementChange.recordedAt": "DateTime!",
		"User.id": "UUID!", "User.birthDate": "Time!", "User.middleName": "String", "User.vendor": "Vendor!",
		"Query.property": "PropertyType", "Query.properties": "[PropertyType]", "Query.account": "Account", "Query.me": "User",
	} {
		if got := fields[name]; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestAFieldThatNothingOpensIsClosedToAll(t *testing.T) {
	schema := func(query string) *ast.Schema {
		return gqlparser.MustLoadSchema(&ast.Source{Input: `
			directive @requires(permission: String!) on OBJECT | FIELD_DEFINITION
			directive @public on OBJECT | FIELD_DEFINITION
			type Query { ` + query + ` }`})
	}
	for name, c := range map[string]struct {
		query, field string
		refused      bool
	}{
		"a field without a directive": {`x: Int`, "x", true},
		"a field that is not there":   {`y: Int @public`, "x", true},
		"a public field":              {`x: Int @public`, "x", false},
		"a field of a permission":     {`x: Int @requires(permission: "CAN_QUERY_PROPERTY")`, "x", true},
	} {
		refused, err := customer.Refuses(context.Background(), schema(c.query), "Query", c.field)
		if err != nil || (refused != nil) != c.refused {
			t.Errorf("%s: %v, %v, want refused %v", name, refused, err, c.refused)
		}
	}
	if _, err := customer.Refuses(context.Background(), schema(`x: Int @requires(permission: "CAN_FLY")`), "Query", "x"); err == nil {
		t.Error("a permission that does not exist makes a guard, want an error")
	}
}

// The tenant probe: everything that can be selected, by everybody, of
// everybody. What is another's must not show in a single byte.
func TestNobodySeesWhatIsAnothers(t *testing.T) {
	w := newWorld(t)
	owners := map[string]struct {
		property, account string
		marks             []string // what must not be seen
	}{
		"ada":  {"prop_ada", "A-ADA", []string{"prop_ada", "A-ADA", "Ada", "871690000000000000", "871690000000000009"}},
		"bo":   {"prop_bo", "A-BO", []string{"prop_bo", "A-BO", "Bo", "871690000000000001"}},
		"cleo": {"prop_cleo", "A-CLEO", []string{"prop_cleo", "A-CLEO", "Cleo", "871690000000000002"}},
	}
	sees := map[string]string{"third-party": "ada bo", "partner": "ada bo", "watt": "cleo", "ada": "ada", "bo": "bo", "narrowed": "ada", "bos-reader": "bo"}
	schema := w.api.Schema()
	roots := map[string]string{
		"property": `property(id:$id)`, "account": `account(accountNumber:$n)`, "properties": `properties(accountNumber:$n)`, "me": `me`,
		"measurementChanges": `measurementChanges(propertyId:$id)`,
	}
	if len(roots) != len(schema.Query.Fields)-2 { // __schema and __type
		t.Errorf("%d fields of Query are probed, it has %d", len(roots), len(schema.Query.Fields)-2)
	}
	tries := 0
	tokens := []string{"", "expired", "forged", "other-api"}
	for token := range callers {
		tokens = append(tokens, token)
	}
	for _, token := range tokens {
		for owner, o := range owners {
			allowed := strings.Contains(" "+sees[token]+" ", " "+owner+" ")
			for root, call := range roots {
				for _, path := range leaves(schema, schema.Types[schema.Query.Fields.ForName(root).Type.Name()], 7) {
					if tries++; detector && tries%10 != 0 {
						continue // other ones each time
					}
					query := fmt.Sprintf(`query($id:ID!,$n:String!){%s%s}`, call, strings.ReplaceAll(path, "ID", o.property))
					query = declare(query)
					body := w.post(token, query, map[string]any{"id": o.property, "n": o.account}).Body.String()
					for _, mark := range o.marks {
						if !allowed && strings.Contains(body, mark) {
							t.Errorf("%q sees %q of %s by %s: %s", token, mark, owner, query, body)
						}
					}
					if !allowed && root != "me" && !strings.Contains(body, `"data":{"`+root+`":null}`) {
						t.Errorf("%q gets more than null for %s by %s: %s", token, owner, query, body)
					}
					if strings.Contains(body, "KT-CT-500") || strings.Contains(body, "VALIDATION") {
						t.Fatalf("%q: %s: %s", token, query, body)
					}
				}
			}
		}
	}
	t.Logf("%d tries", tries)
}

// declare leaves out the variables that a query does not use.
func declare(q string) string {
	body := q[strings.Index(q, "{"):]
	head := "query("
	if strings.Contains(body, "$id") {
		head += "$id:ID!"
	}
	if strings.Contains(body, "$n") {
		head += "$n:String!"
	}
	if head == "query(" {
		return body
	}
	return head + ")" + body
}

// leaves returns a selection for every leaf below a type.
func leaves(schema *ast.Schema, object *ast.Definition, depth int) []string {
	list := []string{"{__typename}"}
	if depth == 0 {
		return list
	}
	if object.Kind == ast.Interface || object.Kind == ast.Union {
		for _, possible := range schema.GetPossibleTypes(object) {
			for _, leaf := range leaves(schema, possible, depth-1) {
				list = append(list, "{...on "+possible.Name+leaf+"}")
			}
		}
		return list
	}
	for _, f := range object.Fields {
		name := f.Name
		switch {
		case strings.HasPrefix(name, "__"):
			continue
		case name == "measurements":
			name += "(first:2)"
		case f.Arguments.ForName("id") != nil:
			name += `(id:"ID")`
		}
		target := schema.Types[f.Type.Name()]
		if target.IsLeafType() {
			list = append(list, "{"+name+"}")
			continue
		}
		for _, leaf := range leaves(schema, target, depth-1) {
			list = append(list, "{"+name+leaf+"}")
		}
	}
	return list
}
