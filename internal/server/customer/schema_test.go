package customer_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/wattgate/wattgate/internal/server/customer"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
)

func TestEveryFieldSaysWhoMayHaveIt(t *testing.T) {
	written := graph.NewExecutableSchema(graph.Config{}).Schema() // before anything is added to it
	served := newWorld(t).api.Schema()
	covered := 0
	for name, object := range written.Types {
		if object.BuiltIn || object.Kind != ast.Object && object.Kind != ast.Interface {
			continue
		}
		for _, field := range object.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			covered++
			if strings.Contains(field.Description, "Permission:") {
				t.Errorf("the description of %s.%s has a permission written by hand, where the one of its directive comes by itself: %s", name, field.Name, field.Description)
			}
			said := said(t, written, object, field)
			shown := served.Types[name].Fields.ForName(field.Name).Description
			own, facts, _ := strings.Cut(shown, "\n\nPermission: ")
			if own != strings.TrimSpace(field.Description) || !strings.HasPrefix(facts, said+". Complexity: ") {
				t.Errorf("the description of %s.%s is %q, want %q and the permission %q", name, field.Name, shown, field.Description, said)
			}
			if args := field.Arguments; args.ForName("first") != nil && field.Directives.ForName("cost") == nil {
				t.Errorf("%s.%s takes first and has no @cost", name, field.Name)
			}
			checkErrors(t, name, field, facts)
		}
	}
	if covered < 60 {
		t.Errorf("%d fields looked at, want all of the schema", covered)
	}
}

// said is what a field's directive demands.
func said(t *testing.T, schema *ast.Schema, object *ast.Definition, field *ast.FieldDefinition) string {
	if object.Kind == ast.Interface { // what its objects demand
		all := []string{}
		for _, o := range schema.GetPossibleTypes(object) {
			all = append(all, said(t, schema, o, o.Fields.ForName(field.Name)))
		}
		slices.Sort(all)
		return strings.Join(slices.Compact(all), " or ")
	}
	d := rule(field.Directives)
	if d == nil {
		d = rule(object.Directives)
	}
	switch {
	case d == nil:
		t.Errorf("%s.%s has neither @requires nor @public, and nor has its type: nobody may have it", object.Name, field.Name)
		return "nobody"
	case d.Name == "requires":
		return d.Arguments.ForName("permission").Value.Raw
	}
	return "none"
}

// checkErrors checks that the codes of @errors are codes of ours, and shown.
func checkErrors(t *testing.T, object string, field *ast.FieldDefinition, facts string) {
	d := field.Directives.ForName("errors")
	if d == nil {
		return
	}
	codes := d.Arguments.ForName("codes").Value.Children
	if len(codes) == 0 {
		t.Errorf("%s.%s has @errors without a code", object, field.Name)
	}
	for _, c := range codes {
		if !slices.Contains(customer.Codes(), c.Value.Raw) || !strings.Contains(facts, c.Value.Raw) {
			t.Errorf("%s.%s: the error %s is none of the table in errors.go, or is not among %q", object, field.Name, c.Value.Raw, facts)
		}
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
