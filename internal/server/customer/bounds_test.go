package customer_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// A document of a few hundred bytes must not name more work than we give. The
// first two ended the process before there were bounds: each fragment on the
// way to a field doubled what the executor collected.
func TestBounds(t *testing.T) {
	w := newWorld(t)
	property := func(selection string) string { return `{property(id:"prop_ada"){` + selection + `}}` }
	chain := "{...F0}"
	for i := range 60 {
		chain += fmt.Sprintf(" fragment F%d on Query{...F%d}", i, i+1)
	}
	chain += " fragment F60 on Query{__typename}"
	leaves := func(alias string, n int, inner string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%s%d:%s ", alias, i, inner)
		}
		return b.String()
	}
	tests := map[string]struct{ query, code string }{
		"inline fragments, 40 deep": {strings.Repeat("{...", 40) + "{__typename}" + strings.Repeat("}", 40), "KT-CT-1188"},
		"named fragments, 60 deep":  {chain, "KT-CT-1188"},
		"fields, too deep":          {property("measurements{edges{node{metaData{statistics{costExclTax{pricePerUnit{unit ...on PricePerUnit{amount}}}}}}}}"), ""},
		"two connections of a page": {property(leaves("m", 2, "measurements(first:10000){totalCount}")), "KT-CT-1189"},
		"twenty connections":        {property(leaves("m", 20, "measurements(first:501){totalCount}")), "KT-CT-1189"},
		"many fields of many nodes": {property("measurements(first:10000){edges{node{" + leaves("v", 60, "value") + "}}}"), "KT-CT-1188"},
		"aliases multiplied": {
			property("measurements(first:400){"+leaves("e", 10, "edges{...E}")+"}") + " fragment E on MeasurementEdge{" + leaves("n", 10, "node{...N}") +
				"} fragment N on MeasurementInterface{" + leaves("s", 20, "source") + "}", "KT-CT-1188",
		},
		"one page, all it can hold":     {property("measurements(first:10000){totalCount pageInfo{hasNextPage endCursor} edges{cursor node{value unit readAt source metaData{typedSource{source} statistics{value label}}}}}"), ""},
		"twenty lists of gaps":          {property(leaves("m", 20, "measurements(first:0){gaps{startAt endAt}}")), ""},
		"more lists of gaps":            {property(leaves("m", 21, "measurements(first:0){gaps{startAt}}")), "KT-CT-1189"},
		"gaps beside all a page holds":  {property("measurements(first:10000){gaps{startAt} edges{node{value}}}"), ""},
		"more changes than a page has":  {`{measurementChanges(propertyId:"prop_ada",first:1001){edgeCount}}`, "KT-CT-1605"},
		"eleven pages of changes":       {"{" + leaves("c", 11, `measurementChanges(propertyId:"prop_ada",first:1000){edgeCount}`) + "}", "KT-CT-1189"},
		"a hundred is what one has":     {property("a:measurements(first:9901){totalCount} b:measurements{totalCount}"), "KT-CT-1189"},
		"all of them":                   {property("a:measurements(first:9900){edgeCount} b:measurements{edgeCount}"), ""},
		"fragments as clients use them": {"query{property(id:\"prop_ada\"){...P}} fragment P on PropertyType{measurements(first:2){edges{node{...M}}}} fragment M on MeasurementInterface{value ...on IntervalMeasurementType{startAt}}", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			a := decode(t, w.post("third-party", test.query, nil))
			runtime.ReadMemStats(&after)
			code := ""
			if len(a.Errors) > 0 {
				code = a.Errors[0].Extensions.ErrorCode
			}
			if code != test.code {
				t.Errorf("got code %q (%+v), want %q", code, a.Errors, test.code)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; test.code != "" && grown > 4<<20 {
				t.Errorf("the refusal took %d bytes, want less than 4 MiB", grown)
			}
		})
	}
}
