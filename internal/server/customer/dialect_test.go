package customer_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
)

// E25 and E26: the body of the EnergyZero manual, as printed.
func TestTheManualsMe(t *testing.T) {
	w := newWorld(t)
	body := `{"query":"query me{\n me {\n firstName,\n surname\n }\n}","variables":{}}`
	for _, token := range []string{"ada", "Bearer ada"} {
		out := w.send(token, body)
		if got, want := out.Body.String(), `{"data":{"me":{"firstName":"Ada","surname":"Dam"}}}`; out.Code != 200 || got != want {
			t.Errorf("with the token %q: %d %s, want 200 %s", token, out.Code, got, want)
		}
		if got := out.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control %q, want no-store", got)
		}
	}
}

func TestAllOfMe(t *testing.T) {
	out := newWorld(t).post("ada", `{me{id customerNumber email firstName middleName surname phoneNumber birthDate vendor{id name} __typename}}`, nil)
	want := `{"data":{"me":{"id":"0c1a3b5e-7f20-4a63-9a51-6f0c2d9be714","customerNumber":"C-Ada","email":"ada@example.org",` +
		`"firstName":"Ada","middleName":"van","surname":"Dam","phoneNumber":null,"birthDate":"1984-02-29T00:00:00Z",` +
		`"vendor":{"id":"prt_stroom","name":"Stroom"},"__typename":"User"}}}`
	if got := out.Body.String(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// The selection that the Kraken manual documents, with its arguments.
const documented = `query($n: String!, $filters: [UtilityFiltersInput], $after: String) {
  account(accountNumber: $n) { properties { id
    measurements(first: 1000, utilityFilters: $filters, startAt: "2024-10-01T00:00:00.000", endAt: "2024-10-02T00:00:00.000",
      timezone: "Europe/Amsterdam", after: $after) {
      edges { node { value unit ... on IntervalMeasurementType { startAt endAt }
        metaData { statistics { costExclTax { costCurrency estimatedAmount } value description label type } } } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } }`

func TestTheManualsMeasurements(t *testing.T) {
	w := newWorld(t)
	for _, token := range []string{"third-party", "ada"} {
		a := decode(t, w.post(token, documented, map[string]any{"n": "A-ADA", "filters": []any{map[string]any{"electricityFilters": map[string]any{
			"readingFrequencyType": "HOUR_INTERVAL", "readingDirection": "CONSUMPTION",
		}}}}))
		if len(a.Errors) > 0 {
			t.Fatalf("%s: %+v", token, a.Errors)
		}
		edges := get(a.Data, "account", "properties", 0, "measurements", "edges").([]any)
		if len(edges) != 24 {
			t.Fatalf("%s: %d hours, want 24", token, len(edges))
		}
		got, err := json.Marshal(get(edges, 23, "node"))
		if err != nil {
			t.Fatal(err)
		}
		want := `{"endAt":"2024-10-02T00:00:00+02:00","metaData":{"statistics":null},"startAt":"2024-10-01T23:00:00+02:00","unit":"kwh","value":"0.` +
			hour23(t) + `000000000000000"}`
		if string(got) != want {
			t.Errorf("%s: the last hour is %s, want %s", token, got, want)
		}
	}
}

// hour23 is what the two half-hours from 23:00 on 2024-10-01 hold together, in thousandths.
func hour23(t *testing.T) string {
	t.Helper()
	d := int64(domain.NewDate(2024, 10, 1)) % 100
	return json.Number(strings.TrimPrefix(domain.Decimal{Coefficient: 2*d + 46 + 47, Scale: 3}.String(), "0.")).String()
}

func TestOneNodeInFull(t *testing.T) {
	const query = `{property(id:"prop_ada"){id label measurements(startOn:"2024-05-05" endOn:"2024-05-05" first:4){totalCount edgeCount
	  edges{node{__typename source value unit readAt ...I metaData{extras{label} typedSource{source} statistics{type}
	    utilityFilters{__typename ...on ElectricityFiltersOutput{readingDirection registerId readingQuality readingFrequencyType marketSupplyPointId deviceId}}}}}}}}
	fragment I on IntervalMeasurementType{startAt endAt durationInSeconds accumulation}`
	a := decode(t, newWorld(t).post("third-party", query, nil))
	if len(a.Errors) > 0 {
		t.Fatalf("%+v", a.Errors)
	}
	m := get(a.Data, "property", "measurements")
	if get(m, "totalCount") != json.Number("48") || get(m, "edgeCount") != json.Number("4") {
		t.Errorf("total %v, edges %v, want 48, 4", get(m, "totalCount"), get(m, "edgeCount"))
	}
	got, err := json.Marshal(get(m, "edges", 3, "node"))
	if err != nil {
		t.Fatal(err)
	}
	value := domain.Decimal{Coefficient: int64(domain.NewDate(2024, 5, 5))%100 + 3, Scale: 3}
	want := `{"__typename":"IntervalMeasurementType","accumulation":null,"durationInSeconds":1800,"endAt":"2024-05-05T02:00:00+02:00",` +
		`"metaData":{"extras":null,"statistics":null,"typedSource":null,"utilityFilters":{"__typename":"ElectricityFiltersOutput","deviceId":null,` +
		`"marketSupplyPointId":"871690000000000000","readingDirection":"CONSUMPTION","readingFrequencyType":"RAW_INTERVAL","readingQuality":"ESTIMATE","registerId":"1"}},` +
		`"readAt":"2024-05-05T02:00:00+02:00","source":"smart meter","startAt":"2024-05-05T01:30:00+02:00","unit":"kwh","value":"` +
		string(value.Append(nil, 18)) + `"}`
	if string(got) != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// The shapes of dialect-kraken.md §8 that concern what is served.
func TestQueryShapes(t *testing.T) {
	w := newWorld(t)
	const tail = `edges{node{value unit readAt}} edgeCount}}}`
	day := map[string]any{"electricityFilters": map[string]any{"readingFrequencyType": "DAY_INTERVAL"}}
	for name, c := range map[string]struct {
		query     string
		variables any
		want      string // the edges
	}{
		// 1 and 2
		"a nullable list of nullable filters":   {`query($f:[UtilityFiltersInput]){property(id:"prop_ada"){measurements(utilityFilters:$f){` + tail, map[string]any{"f": []any{nil}}, "100"},
		"a list that must be there":             {`query($f:[UtilityFiltersInput]!){property(id:"prop_ada"){measurements(utilityFilters:$f){` + tail, map[string]any{"f": []any{day}}, "100"},
		"a list of filters that must be":        {`query($f:[UtilityFiltersInput!]){property(id:"prop_ada"){measurements(utilityFilters:$f){` + tail, map[string]any{"f": []any{day}}, "100"},
		"a single filter for the list":          {`query($f:[UtilityFiltersInput]){property(id:"prop_ada"){measurements(utilityFilters:$f){` + tail, map[string]any{"f": day}, "100"},
		"filters that are null":                 {`query($f:[UtilityFiltersInput]){property(id:"prop_ada"){measurements(utilityFilters:$f){` + tail, map[string]any{"f": nil}, "100"},
		"no filters":                            {`{property(id:"prop_ada"){measurements(utilityFilters:[]){` + tail, nil, "100"},
		"first and last that are null":          {`{property(id:"prop_ada"){measurements(first:null,last:null){` + tail, nil, "100"},
		"first as a variable":                   {`query($n:Int!){property(id:"prop_ada"){measurements(first:$n){` + tail, map[string]any{"n": 1500}, "1500"},
		"first of 0":                            {`{property(id:"prop_ada"){measurements(first:0){` + tail, nil, "0"},
		"a DateTime that must be there":         {`query($s:DateTime!){property(id:"prop_ada"){measurements(startAt:$s){` + tail, map[string]any{"s": "2024-12-31T23:00:00+0000"}, "0"},
		"a DateTime without an offset":          {`query($s:DateTime){property(id:"prop_ada"){measurements(startAt:$s){` + tail, map[string]any{"s": "2024-12-31T23:00:00"}, "2"},
		"a DateTime with an odd offset":         {`query($s:DateTime){property(id:"prop_ada"){measurements(startAt:$s){` + tail, map[string]any{"s": "2024-12-31T23:00:00+01:00:00"}, "2"},
		"a DateTime in Zulu time":               {`query($s:DateTime){property(id:"prop_ada"){measurements(startAt:$s){` + tail, map[string]any{"s": "2024-12-31T22:00:00.000Z"}, "2"},
		"a DateTime with seconds in its offset": {`query($s:DateTime){property(id:"prop_ada"){measurements(startAt:$s){` + tail, map[string]any{"s": "2024-12-31T22:01:15+00:01:15"}, "2"},
		"a DateTime with a fraction":            {`query($s:DateTime!,$e:DateTime!){property(id:"prop_ada"){measurements(startAt:$s,endAt:$e){` + tail, map[string]any{"s": "2024-12-31T22:29:59.999999", "e": "2024-12-31T23:30:00.000"}, "2"},
		"the far ends as the defaults say":      {`{property(id:"prop_ada"){measurements(startAt:"0001-01-03T00:00:00-00:01:15",endAt:"9999-12-29T23:59:59.999999+00:00"){` + tail, nil, "100"},
		"first as a variable that may be null":  {`query($n:Int){property(id:"prop_ada"){measurements(first:$n,last:$n){` + tail, map[string]any{"n": nil}, "100"},
		"first as a variable that is not sent":  {`query($n:Int,$m:Int){property(id:"prop_ada"){measurements(first:$n,last:$m){` + tail, map[string]any{"m": 3}, "3"},
		"a day by its other name":               {`{property(id:"prop_ada"){measurements(first:400,utilityFilters:{electricityFilters:{readingFrequencyType:DAY_INTERVAL}}){` + tail, nil, "366"},
		"both utilities in one filter":          {`{property(id:"prop_ada"){measurements(startOn:"2024-03-31",endOn:"2024-03-31",utilityFilters:[{electricityFilters:null,gasFilters:{}}]){` + tail, nil, "23"},
		"a span that is null":                   {`{property(id:"prop_ada"){measurements(startAt:null,endAt:null,startOn:null,endOn:null,timezone:null,after:null,before:null){` + tail, nil, "100"},
		"by day":                                {`{property(id:"prop_ada"){measurements(first:400,utilityFilters:{electricityFilters:{readingFrequencyType:DAILY}}){` + tail, nil, "366"},
		"gas":                                   {`{property(id:"prop_ada"){measurements(startOn:"2024-03-31",endOn:"2024-03-31",utilityFilters:{gasFilters:{readingQuality:COMBINED}}){` + tail, nil, "23"},
		"generation":                            {`{property(id:"prop_ada"){measurements(startOn:"2024-03-31",endOn:"2024-03-31",utilityFilters:{electricityFilters:{readingDirection:GENERATION}}){` + tail, nil, "92"},
		"reactive energy":                       {`{property(id:"prop_ada"){measurements(startOn:"2024-03-31",endOn:"2024-03-31",utilityFilters:{electricityFilters:{registerId:"Q"}}){` + tail, nil, "46"},
		"indexes at a moment":                   {`{property(id:"prop_ada"){measurements(utilityFilters:{electricityFilters:{readingFrequencyType:POINT_IN_TIME}}){` + tail, nil, "0"},
		"finer than what is stored":             {`{property(id:"prop_ada"){measurements(utilityFilters:{electricityFilters:{readingFrequencyType:FIVE_MIN_INTERVAL}}){` + tail, nil, "0"},
	} {
		a := decode(t, w.post("third-party", c.query, c.variables))
		if len(a.Errors) > 0 {
			t.Errorf("%s: %+v", name, a.Errors)
			continue
		}
		if got := get(a.Data, "property", "measurements", "edgeCount"); got != json.Number(c.want) {
			t.Errorf("%s: %v edges, want %s", name, got, c.want)
		}
	}
}

// TestRequestShapes sends bodies as clients of other libraries write them: with and
// without operationName, and with variables of every kind of absence.
func TestRequestShapes(t *testing.T) {
	w := newWorld(t)
	const one = `query mine { me { firstName } }`
	const two = `query other { me { surname } } ` + one
	for name, body := range map[string]string{
		"no operationName and no variables": `{"query":"` + one + `"}`,
		"variables that are null":           `{"query":"` + one + `","variables":null}`,
		"variables that are empty":          `{"query":"` + one + `","variables":{}}`,
		"variables that nobody declared":    `{"query":"` + one + `","variables":{"x":1}}`,
		"an operationName":                  `{"operationName":"mine","query":"` + one + `","variables":{}}`,
		"an operationName that is null":     `{"operationName":null,"query":"` + one + `","variables":null,"extensions":null}`,
		"one operation of two":              `{"operationName":"mine","query":"` + two + `"}`,
		"fields that nobody knows":          `{"query":"` + one + `","id":7,"extensions":{"clientLibrary":{"name":"x"}}}`,
	} {
		if got, want := w.send("ada", body).Body.String(), `{"data":{"me":{"firstName":"Ada"}}}`; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	// Some clients probe with fields that a server may not have, and read the error.
	a := decode(t, w.post("ada", `{viewer{id smartFlexOnboarding{step}}}`, nil))
	if len(a.Errors) != 1 || a.Errors[0].Extensions.ErrorCode != "KT-CT-1606" || !strings.Contains(a.Errors[0].Message, "smartFlexOnboarding") {
		t.Errorf("an unknown field: %+v, want KT-CT-1606 with its name", a.Errors)
	}
}

// TestFragments selects through every kind of fragment that clients write.
func TestFragments(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct{ query, want string }{
		"an account by its name": {
			`{viewer{accounts{__typename ... on Account{number}}}}`, `{"viewer":{"accounts":[{"__typename":"Account","number":"A-ADA"}]}}`,
		},
		"an account by its other name": {
			`{viewer{__typename accounts{... on AccountType{number __typename}}}}`, `{"viewer":{"__typename":"AccountUserType","accounts":[{"number":"A-ADA","__typename":"Account"}]}}`,
		},
		"both names, and the interface": {
			`{viewer{accounts{... on AccountType{a:number}... on Account{b:number}... on AccountInterface{c:number} d:number}}}`,
			`{"viewer":{"accounts":[{"a":"A-ADA","b":"A-ADA","c":"A-ADA","d":"A-ADA"}]}}`,
		},
		"named fragments": {
			`query{viewer{accounts{...N}}} fragment N on AccountType{number properties{...P}} fragment P on PropertyInterface{id label}`,
			`{"viewer":{"accounts":[{"number":"A-ADA","properties":[{"id":"prop_ada","label":"Home of Ada"}]}]}}`,
		},
		"an account found by its number": {
			`{account(accountNumber:"A-ADA"){... on AccountType{number}}}`, `{"account":{"number":"A-ADA"}}`,
		},
		"what has readings": {
			`{supplyPoint(externalIdentifier:"871690000000000000",marketName:"NLD_ELECTRICITY"){...on HasReadings{readings(startAt:"2024-01-01T00:00:00",endAt:"2024-01-02T00:00:00",readingType:INTERVAL){importReadings(last:1){edgeCount}}}}}`,
			`{"supplyPoint":{"readings":{"importReadings":{"edgeCount":1}}}}`,
		},
		"a meter point of electricity": {
			`{property(id:"prop_ada"){meterPoints{... on ElectricityMeterPoint{marketIdentifier}... on GasMeterPoint{id}} electricityMeterPoints{... on ElectricityMeterPoint{marketIdentifier}}}}`,
			`{"property":{"meterPoints":[{"marketIdentifier":"871690000000000000"},{"id":"NLD_GAS:871690000000000009"}],"electricityMeterPoints":[{"marketIdentifier":"871690000000000000"}]}}`,
		},
		"the filters of what was measured": {
			`{property(id:"prop_ada"){measurements(first:1){edges{node{...I metaData{utilityFilters{__typename ... on ElectricityFiltersOutput{registerId}... on GasFiltersOutput{registerId}}}}}}}} fragment I on IntervalMeasurementType{durationInSeconds}`,
			`{"property":{"measurements":{"edges":[{"node":{"durationInSeconds":1800,"metaData":{"utilityFilters":{"__typename":"ElectricityFiltersOutput","registerId":"1"}}}}]}}}`,
		},
	} {
		if got := w.one(t, "ada", c.query, nil); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// TestFormsOfTheToken sends the token as clients do, in header lines as they come
// over the wire.
func TestFormsOfTheToken(t *testing.T) {
	v := newVillage(t)
	const body = `{"query":"{me{firstName}}"}`
	for name, c := range map[string]struct {
		line string
		want string // a part of the answer
	}{
		"raw":                       {"Authorization: own-ada", `"firstName":"Ada"`},
		"JWT":                       {"Authorization: JWT own-ada", `"firstName":"Ada"`},
		"Bearer":                    {"Authorization: Bearer own-ada", `"firstName":"Ada"`},
		"the scheme in small":       {"Authorization: bearer own-ada", `"firstName":"Ada"`},
		"the scheme in mixed case":  {"Authorization: jWt own-ada", `"firstName":"Ada"`},
		"the header in small":       {"authorization: own-ada", `"firstName":"Ada"`},
		"the header in capitals":    {"AUTHORIZATION: JWT own-ada", `"firstName":"Ada"`},
		"the header in mixed case":  {"aUTHORIZATION: Bearer own-ada", `"firstName":"Ada"`},
		"no header":                 {"X-Other: own-ada", "KT-CT-1112"},
		"a token that is none":      {"Authorization: Bearer nobody", "KT-CT-1111"},
		"a scheme that is not ours": {"Authorization: Basic b3duLWFkYTo=", "KT-CT-1111"},
	} {
		text := "POST /v1/graphql/ HTTP/1.1\r\nHost: customer.test\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n" + c.line + "\r\n\r\n" + body
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			t.Fatal(err)
		}
		out := httptest.NewRecorder()
		v.hosts.ServeHTTP(out, r)
		if out.Code != http.StatusOK || !strings.Contains(out.Body.String(), c.want) {
			t.Errorf("%s: %d %s, want %s", name, out.Code, out.Body, c.want)
		}
	}
}

func TestDayBordersAndTheirOffsets(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		day, zone, want, first, last string
	}{
		"spring":                {"2024-03-31", "Europe/Amsterdam", "46", "2024-03-31T00:00:00+01:00", "2024-04-01T00:00:00+02:00"},
		"summer":                {"2024-07-01", "Europe/Amsterdam", "48", "2024-07-01T00:00:00+02:00", "2024-07-02T00:00:00+02:00"},
		"autumn":                {"2024-10-27", "Europe/Amsterdam", "50", "2024-10-27T00:00:00+02:00", "2024-10-28T00:00:00+01:00"},
		"another zone":          {"2024-10-27", "Pacific/Auckland", "48", "2024-10-27T00:00:00+13:00", "2024-10-28T00:00:00+13:00"},
		"the zone of greenwich": {"2024-10-27", "UTC", "48", "2024-10-27T00:00:00+00:00", "2024-10-28T00:00:00+00:00"},
	} {
		a := decode(t, w.post("third-party", `query($d:Date,$z:String){property(id:"prop_ada"){measurements(startOn:$d,endOn:$d,timezone:$z){
			totalCount edges{node{readAt ...on IntervalMeasurementType{startAt}}}}}}`, map[string]any{"d": c.day, "z": c.zone}))
		m := get(a.Data, "property", "measurements")
		edges, _ := get(m, "edges").([]any)
		if len(a.Errors) > 0 || len(edges) == 0 || get(m, "totalCount") != json.Number(c.want) {
			t.Errorf("%s: %v readings, %+v, want %s", name, get(m, "totalCount"), a.Errors, c.want)
			continue
		}
		if got := get(edges, 0, "node", "startAt"); got != c.first {
			t.Errorf("%s: the first starts at %v, want %s", name, got, c.first)
		}
		if got := get(edges, len(edges)-1, "node", "readAt"); got != c.last {
			t.Errorf("%s: the last was read at %v, want %s", name, got, c.last)
		}
	}
}

func TestPagesThroughTheAPI(t *testing.T) {
	w := newWorld(t)
	const query = `query($after:String,$before:String,$first:Int,$last:Int){property(id:"prop_ada"){measurements(
	  after:$after,before:$before,first:$first,last:$last,startOn:"2024-10-26",endOn:"2024-10-28"){
	  edges{cursor node{readAt}} pageInfo{hasNextPage hasPreviousPage startCursor endCursor}}}}`
	page := func(variables map[string]any) (times []string, info any) {
		a := decode(t, w.post("ada", query, variables))
		if len(a.Errors) > 0 {
			t.Fatalf("%v: %+v", variables, a.Errors)
		}
		m := get(a.Data, "property", "measurements")
		edges := get(m, "edges").([]any)
		for _, e := range edges {
			times = append(times, get(e, "node", "readAt").(string))
		}
		info = get(m, "pageInfo")
		if len(edges) > 0 && (get(edges, 0, "cursor") != get(info, "startCursor") || get(edges, len(edges)-1, "cursor") != get(info, "endCursor")) {
			t.Fatalf("%v: the page's cursors are not those of its ends: %v", variables, info)
		}
		return times, info
	}
	want, _ := page(map[string]any{"first": 1000})
	if len(want) != 48+50+48 {
		t.Fatalf("%d readings on three days around the end of summer time, want 146", len(want))
	}
	var forward []string
	variables := map[string]any{"first": 17}
	for more := true; more; {
		times, info := page(variables)
		forward = append(forward, times...)
		variables["after"] = get(info, "endCursor")
		more = get(info, "hasNextPage").(bool)
	}
	var backward []string
	variables = map[string]any{"last": 17}
	for more := true; more; {
		times, info := page(variables)
		backward = append(times, backward...)
		variables["before"] = get(info, "startCursor")
		more = get(info, "hasPreviousPage").(bool)
	}
	if got := strings.Join(forward, " "); got != strings.Join(want, " ") {
		t.Errorf("forward: %s", got)
	}
	if got := strings.Join(backward, " "); got != strings.Join(want, " ") {
		t.Errorf("backward: %s", got)
	}
}

func TestIntrospection(t *testing.T) {
	w := newWorld(t)
	const query = `{__schema{queryType{name}} __type(name:"PropertyType"){fields{name type{name kind}}}}`
	a := decode(t, w.post("metering", query, nil))
	if len(a.Errors) > 0 || get(a.Data, "__schema", "queryType", "name") != "Query" {
		t.Errorf("for somebody known: %+v %v", a.Errors, a.Data)
	}
	a = decode(t, w.post("", query, nil))
	if len(a.Errors) != 2 || a.Errors[0].Extensions.ErrorCode != "KT-CT-1112" || get(a.Data, "__type") != nil {
		t.Errorf("for nobody known: %+v %v, want KT-CT-1112 for each and no schema", a.Errors, a.Data)
	}
	if out := w.post("", `{__typename}`, nil); out.Body.String() != `{"data":{"__typename":"Query"}}` || out.Code != http.StatusOK {
		t.Errorf("__typename for nobody known: %d %s", out.Code, out.Body)
	}
}
