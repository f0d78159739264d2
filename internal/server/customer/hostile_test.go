package customer_test

import (
	"errors"
	"fmt"
	"math"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server/customer"
)

// repeat writes a selection n times, with %d for which one.
func repeat(n int, selection string) string {
	var b strings.Builder
	for i := range n {
		if strings.Contains(selection, "%d") {
			fmt.Fprintf(&b, selection, i)
		} else {
			b.WriteString(selection)
		}
		b.WriteByte(' ')
	}
	return b.String()
}

// nested repeats a field side by side, and again in each, so many levels deep.
func nested(width, levels int) string {
	if levels == 0 {
		return "name"
	}
	return repeat(width, "ofType{"+nested(width, levels-1)+"}")
}

// chained are fragments of which each spreads the next one several times.
func chained(n, width int, selection string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "fragment F%d on PropertyType{%s} ", i, repeat(width, fmt.Sprintf(selection, i+1)))
	}
	fmt.Fprintf(&b, "fragment F%d on PropertyType{id}", n)
	return b.String()
}

// hostile are documents that ask for much more than they cost to send, and the
// code that refuses each to who is known.
var hostile = map[string]struct{ query, code string }{
	"an alias bomb":                        {`{property(id:"prop_ada"){` + repeat(900, "a%d:label") + `}}`, "KT-CT-1605"}, // tokens
	"an alias bomb that is short enough":   {`{property(id:"prop_ada"){` + repeat(600, "a%d:id") + `}}`, "KT-CT-1188"},
	"aliases of aliases":                   {`{property(id:"prop_ada"){` + repeat(15, "a%d:measurements(first:1){...M}") + `}} fragment M on MeasurementConnection{` + repeat(15, "b%d:edgeCount") + `}`, "KT-CT-1188"},
	"fields at the root":                   {`{` + repeat(31, "a%d:krakenVersion{number}") + `}`, "KT-CT-1188"},
	"a fragment within itself":             {`{property(id:"prop_ada"){...F}} fragment F on PropertyType{id ...F}`, "KT-CT-1605"},
	"fragments in a circle":                {`{property(id:"prop_ada"){...A}} fragment A on PropertyType{...B} fragment B on PropertyType{...C} fragment C on PropertyType{...A}`, "KT-CT-1605"},
	"a circle through a field":             {`{property(id:"prop_ada"){...A}} fragment A on PropertyType{supplyPoints{edges{node{property{...A}}}}}`, "KT-CT-1605"},
	"a circle that nobody enters":          {`{krakenVersion{number}} fragment A on PropertyType{id ...B} fragment B on PropertyType{id ...A}`, "KT-CT-1605"},
	"one name for two fragments":           {`{property(id:"prop_ada"){...A}} fragment A on PropertyType{` + repeat(4, "measurements{"+repeat(4, "edges{"+repeat(4, "node{value}")+"}")+"}") + `} fragment A on PropertyType{id}`, "KT-CT-1605"},
	"a quadratic merge of leaves":          {`{property(id:"prop_ada"){` + repeat(1900, "id") + `}}`, "KT-CT-1188"},
	"a quadratic merge of objects":         {`{property(id:"prop_ada"){measurements{` + repeat(320, "edges{cursor}") + `}}}`, "KT-CT-1188"},
	"a merge in inline fragments":          {`{property(id:"prop_ada"){` + repeat(470, "...{id}") + `}}`, "KT-CT-1188"},
	"a merge in fragments":                 {`{property(id:"prop_ada"){` + repeat(200, "...F%d") + `}} ` + repeat(200, "fragment F%d on PropertyType{id}"), "KT-CT-1188"},
	"a merge of one fragment":              {`{property(id:"prop_ada"){` + repeat(900, "...F") + `}} fragment F on PropertyType{id label}`, "KT-CT-1188"},
	"a merge that grows with each level":   {`{__type(name:"X"){` + nested(4, 4) + `}}`, "KT-CT-1188"},
	"a merge that grows in fragments":      {`{property(id:"prop_ada"){...F0}} ` + chained(11, 4, "...F%d"), "KT-CT-1188"},
	"fragments that nobody uses":           {`{krakenVersion{number}} ` + repeat(100, "fragment F%d on PropertyType{"+strings.Repeat("id ", 4)+"...{"+strings.Repeat("id ", 4)+"}}"), "KT-CT-1605"},
	"a merge that nobody uses":             {`{krakenVersion{number}} fragment F on PropertyType{` + repeat(470, "...{id}") + `}`, "KT-CT-1188"},
	"a fragment that doubles":              {`{property(id:"prop_ada"){...F0}} ` + chained(60, 1, "...F%d"), "KT-CT-1188"},
	"fields within fields":                 {`{property(id:"prop_ada"){` + strings.Repeat("supplyPoints{edges{node{property{", 4) + "id" + strings.Repeat("}}}}", 4) + `}}`, "KT-CT-1188"},
	"a deep look at the schema":            {`{__schema{types{fields{type{` + strings.Repeat("ofType{", 18) + "name" + strings.Repeat("}", 18) + `}}}}}`, "KT-CT-1188"},
	"lists of lists in the schema":         {`{__schema{types{fields{type{fields{type{fields{type{name}}}}}}}}}`, "KT-CT-1188"},
	"a wide look at the schema":            {`{__schema{types{` + repeat(15, "a%d:fields{type{...T}}") + `}}} fragment T on __Type{` + repeat(14, "b%d:fields{name}") + `}`, "KT-CT-1188"},
	"the schema, again and again":          {`{` + repeat(30, "a%d:__schema{types{fields{type{name kind}args{type{name}}}}}") + `}`, "KT-CT-1188"},
	"a flood of directives":                {`{property(id:"prop_ada"){id ` + repeat(270, "@skip(if:false)") + `}}`, "KT-CT-1188"},
	"a flood of unknown directives":        {`{property(id:"prop_ada")` + repeat(900, "@a%d") + `{id}}`, "KT-CT-1188"},
	"directives of the operation":          {`query` + repeat(30, "@a%d") + `{property(id:"prop_ada"){id}}`, "KT-CT-1188"},
	"directives of a fragment":             {`{property(id:"prop_ada"){...F}} fragment F on PropertyType ` + repeat(30, "@a%d") + `{id}`, "KT-CT-1188"},
	"directives of a variable":             {`query($a:ID` + repeat(30, "@a%d") + `){property(id:$a){id}}`, "KT-CT-1188"},
	"50 pages of 10,000":                   {`{property(id:"prop_ada"){` + repeat(50, "a%d:measurements(first:10000){edges{node{value}}}") + `}}`, "KT-CT-1188"},
	"30 pages of 10,000":                   {`{property(id:"prop_ada"){` + repeat(30, "a%d:measurements(first:10000){edgeCount}") + `}}`, "KT-CT-1189"},
	"pages of pages":                       {`{property(id:"prop_ada"){supplyPoints(first:100){edges{node{property{supplyPoints(first:100){edges{node{id}}}}}}}}}`, "KT-CT-1189"},
	"fields that are expensive":            {`{` + repeat(3, `a%d:queryComplexity(input:{query:"{me{id}}"}){points}`) + repeat(3, `b%d:property(id:"p"){measurements{edges{node{metaData{utilityFilters{__typename}}}}}}`) + `}`, "KT-CT-1188"},
	"fields that are not there":            {`{property(id:"prop_ada"){` + repeat(1900, "a%dx") + `}}`, "KT-CT-1606"},
	"arguments that are not there":         {`{property(id:"prop_ada"` + repeat(600, ",a%d:1") + `){id}}`, "KT-CT-1605"},
	"variables that nobody uses":           {`query(` + repeat(480, "$a%d:Int") + `){property(id:"prop_ada"){id}}`, "KT-CT-1605"},
	"values of values":                     {`{property(id:` + strings.Repeat("[", 900) + strings.Repeat("]", 900) + `){id}}`, "KT-CT-1605"},
	"a long list of filters":               {`{property(id:"prop_ada"){measurements(utilityFilters:[` + repeat(240, "{electricityFilters:{deviceId:7}}") + `]){edgeCount}}}`, "KT-CT-1605"},
	"a name without an end":                {`{property(id:"prop_ada"){` + strings.Repeat("a", 60_000) + `}}`, "KT-CT-1606"},
	"names without an end":                 {`{property(id:"prop_ada"){` + repeat(9, strings.Repeat("a", 6_000)+"%d") + `}}`, "KT-CT-1606"},
	"a number without an end":              {`{property(id:"prop_ada"){measurements(first:` + strings.Repeat("9", 60_000) + `){edgeCount}}}`, "KT-CT-1605"},
	"comments":                             {strings.Repeat("#\n", 20_000) + `{krakenVersion{number}}`, "KT-CT-1605"},
	"operations that are not run":          {repeat(90, "query A%d{property(id:\"prop_ada\"){id label address}}") + ` query B{krakenVersion{number}}`, "KT-CT-1605"},
	"the same field in all its operations": {repeat(25, "query A%d{property(id:\"prop_ada\"){"+strings.Repeat("...{id}", 12)+"}}"), "KT-CT-1605"},
}

// What a hostile document costs, all of it: reading, refusing and answering. Its
// time is held against that of the standard question about the schema, so that a
// slow or busy machine does not matter, and what it allocates against a bound.
func TestHostileDocuments(t *testing.T) {
	w := newWorld(t)
	const tries = 5
	measure := func(token, query string) (out *httptest.ResponseRecorder, took time.Duration, grown uint64) {
		took, grown = time.Hour, math.MaxUint64
		for range tries {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			out = w.post(token, query, nil)
			took = min(took, time.Since(start))
			runtime.ReadMemStats(&after)
			grown = min(grown, after.TotalAlloc-before.TotalAlloc)
		}
		return out, took, grown
	}
	out, usual, _ := measure("partner", introspection)
	if a := decode(t, out); len(a.Errors) > 0 {
		t.Fatalf("the standard question about the schema is refused: %+v", a.Errors)
	}
	t.Logf("the standard question about the schema takes %v", usual)
	for name, h := range hostile {
		for _, token := range []string{"partner", ""} {
			out, took, grown := measure(token, h.query)
			a := decode(t, out)
			if len(a.Errors) == 0 || len(a.Data) > 0 {
				t.Errorf("%s: %q is answered: %.300s", name, token, out.Body)
				continue
			}
			if code := a.Errors[0].Extensions.ErrorCode; token != "" && code != h.code {
				t.Errorf("%s: %q is refused with %s (%s), want %s", name, token, code, a.Errors[0].Message, h.code)
			}
			if len(a.Errors) > 10 {
				t.Errorf("%s: %q gets %d errors, want at most 10", name, token, len(a.Errors))
			}
			if out.Body.Len() > 16<<10 {
				t.Errorf("%s: the refusal of %q has %d bytes", name, token, out.Body.Len())
			}
			if grown > 2<<20 && !detector {
				t.Errorf("%s: the refusal of %q took %d bytes, want less than 2 MiB", name, token, grown)
			}
			if took > 4*usual {
				t.Errorf("%s: the refusal of %q took %v, and a look at the schema takes %v", name, token, took, usual)
			}
			t.Logf("%-40s %-10q %8.3f ms %6d KB %6d bytes", name, token, float64(took)/1e6, grown>>10, out.Body.Len())
		}
	}
}

// The query with which tools ask for a schema.
const introspection = `query IntrospectionQuery{__schema{description queryType{name kind} mutationType{name kind} subscriptionType{name kind}
  types{...FullType} directives{name description isRepeatable locations args(includeDeprecated:true){...InputValue}}}}
fragment FullType on __Type{kind name description specifiedByURL isOneOf fields(includeDeprecated:true){name description
  args(includeDeprecated:true){...InputValue} type{...TypeRef} isDeprecated deprecationReason}
  inputFields(includeDeprecated:true){...InputValue} interfaces{...TypeRef}
  enumValues(includeDeprecated:true){name description isDeprecated deprecationReason} possibleTypes{...TypeRef}}
fragment InputValue on __InputValue{name description type{...TypeRef} defaultValue isDeprecated deprecationReason}
fragment TypeRef on __Type{kind name ofType{kind name ofType{kind name ofType{kind name ofType{kind name ofType{kind name
  ofType{kind name ofType{kind name ofType{kind name ofType{kind name}}}}}}}}}}`

// Whatever a document is: reading it ends, and a refusal says why.
func FuzzDocument(f *testing.F) {
	for _, h := range hostile {
		f.Add(h.query)
	}
	f.Add(introspection)
	f.Fuzz(func(t *testing.T, text string) {
		err := customer.CheckDocument(text, customer.Limits{})
		again := customer.CheckDocument(text, customer.Limits{})
		if (err == nil) != (again == nil) {
			t.Fatalf("%q: %v at first, then %v", text, err, again)
		}
		if e, ok := errors.AsType[*domain.Error](err); err != nil && (!ok || e.Kind != domain.Invalid || e.Public == "") {
			t.Fatalf("%q: the refusal %v has no sentence", text, err)
		}
	})
}
