package customer_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// one asks and returns the answer's data as text; there must be no error.
func (w *world) one(t *testing.T, token, query string, variables any) string {
	t.Helper()
	out := w.post(token, query, variables)
	if a := decode(t, out); len(a.Errors) > 0 {
		t.Fatalf("%s: %s: %+v", token, query, a.Errors)
	}
	return strings.TrimSuffix(strings.TrimPrefix(out.Body.String(), `{"data":`), "}")
}

const adasPoint = `supplyPoint(externalIdentifier:"871690000000000000",marketName:"NLD_ELECTRICITY")`

func TestASupplyPointInFull(t *testing.T) {
	w := newWorld(t)
	got := w.one(t, "third-party", `{`+adasPoint+`{__typename id marketName externalIdentifier property{id label}
		devices{totalCount edgeCount pageInfo{hasNextPage hasPreviousPage} edges{node{__typename deviceIdentifier registers{registerIdentifier}}}}}}`, nil)
	want := `{"supplyPoint":{"__typename":"SupplyPointType","id":"NLD_ELECTRICITY:871690000000000000","marketName":"NLD_ELECTRICITY","externalIdentifier":"871690000000000000",` +
		`"property":{"id":"prop_ada","label":"Home of Ada"},"devices":{"totalCount":1,"edgeCount":1,"pageInfo":{"hasNextPage":false,"hasPreviousPage":false},` +
		`"edges":[{"node":{"__typename":"Device","deviceIdentifier":null,"registers":[{"registerIdentifier":"1"},{"registerIdentifier":"Q"},{"registerIdentifier":"2"}]}}]}}}`
	if got != want && got != strings.Replace(want, `"1"},{"registerIdentifier":"Q"},{"registerIdentifier":"2"`, `"1"},{"registerIdentifier":"2"},{"registerIdentifier":"Q"`, 1) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := w.one(t, "ada", `{`+adasPoint+`{devices(deviceIdentifiers:["x"]){totalCount edges{cursor}}}}`, nil); got != `{"supplyPoint":{"devices":{"totalCount":0,"edges":[]}}}` {
		t.Errorf("a device by its identifier: %s, want none", got)
	}
}

func TestSupplyPointsOfAnAccount(t *testing.T) {
	w := newWorld(t)
	const query = `query($n:String,$first:Int,$last:Int,$after:String,$before:String){supplyPoints(accountNumber:$n,first:$first,last:$last,after:$after,before:$before){
		totalCount edgeCount pageInfo{hasNextPage hasPreviousPage startCursor endCursor} edges{cursor node{id}}}}`
	page := func(variables map[string]any) (ids []string, list any) {
		a := decode(t, w.post("ada", query, variables))
		if len(a.Errors) > 0 {
			t.Fatalf("%v: %+v", variables, a.Errors)
		}
		list = get(a.Data, "supplyPoints")
		for _, e := range get(list, "edges").([]any) {
			ids = append(ids, get(e, "node", "id").(string))
		}
		return ids, list
	}
	power, gas := "NLD_ELECTRICITY:871690000000000000", "NLD_GAS:871690000000000009"
	_, all := page(map[string]any{"n": "A-ADA"})
	first, second := get(all, "edges", 0, "cursor"), get(all, "edges", 1, "cursor")
	for name, c := range map[string]struct {
		variables map[string]any
		want      []string
		info      string // whether anything follows, and precedes
	}{
		"all of the account":           {map[string]any{"n": "A-ADA"}, []string{power, gas}, "false false"},
		"all of the user":              {nil, []string{power, gas}, "false false"},
		"first and last that are null": {map[string]any{"first": nil, "last": nil}, []string{power, gas}, "false false"},
		"the first":                    {map[string]any{"first": 1}, []string{power}, "true false"},
		"the last":                     {map[string]any{"last": 1}, []string{gas}, "false true"},
		"none":                         {map[string]any{"first": 0}, nil, "true false"},
		"after the first":              {map[string]any{"after": first}, []string{gas}, "false true"},
		"after the last":               {map[string]any{"after": second}, nil, "false true"},
		"before the last":              {map[string]any{"before": second, "last": 5}, []string{power}, "true false"},
		"before the first":             {map[string]any{"before": first}, nil, "true false"},
		"after an old cursor":          {map[string]any{"after": "YXJyYXljb25uZWN0aW9uOjA="}, []string{gas}, "false true"},
		"after an old one far behind":  {map[string]any{"after": "YXJyYXljb25uZWN0aW9uOjk="}, nil, "false true"},
		"between two that cross":       {map[string]any{"after": second, "before": first}, nil, "false true"},
	} {
		ids, list := page(c.variables)
		info := fmt.Sprint(get(list, "pageInfo", "hasNextPage"), " ", get(list, "pageInfo", "hasPreviousPage"))
		if !slices.Equal(ids, c.want) || info != c.info || get(list, "totalCount") != json.Number("2") || get(list, "edgeCount") != json.Number(fmt.Sprint(len(c.want))) {
			t.Errorf("%s: %v of %v, %s; want %v, %s", name, ids, list, info, c.want, c.info)
		}
	}
	if got := w.one(t, "third-party", `{property(id:"prop_ada"){supplyPoints{edges{node{devices{edges{node{registers{registerIdentifier}}}}}}}}}`, nil); !strings.Contains(got, `{"registerIdentifier":"7"}`) {
		t.Errorf("all registers of the property in one question: %s", got)
	}
	if got, want := w.one(t, "third-party", `{property(id:"prop_ada"){supplyPoints(first:10){edges{node{id}}}}}`, nil),
		`{"property":{"supplyPoints":{"edges":[{"node":{"id":"`+power+`"}},{"node":{"id":"`+gas+`"}}]}}}`; got != want {
		t.Errorf("of the property: %s, want %s", got, want)
	}
}

const adasHour = `startAt:"2024-10-01T00:00:00",endAt:"2024-10-01T01:00:00",readingType:INTERVAL`

func TestReadings(t *testing.T) {
	w := newWorld(t)
	const fields = `{edgeCount edges{node{value units intervalStart intervalEnd quality}}}`
	ask := func(arguments, of string) string {
		return w.one(t, "third-party", `{`+adasPoint+`{readings(startAt:"2024-10-01T00:00:00",endAt:"2024-10-01T01:00:00",readingType:INTERVAL`+arguments+`){`+of+`}}}`, nil)
	}
	// 2024-10-01 is day 19,997 since 1970: its half-hours are 97, 98 thousandths of a kWh and so on.
	half := func(value, unit, from, to string) string {
		return `{"node":{"value":"` + value + `","units":"` + unit + `","intervalStart":"2024-10-01T` + from + `","intervalEnd":"2024-10-01T` + to + `","quality":"ACTUAL"}}`
	}
	for name, c := range map[string]struct{ arguments, of, want string }{
		"as they are stored": {
			"", "importReadings" + fields,
			`"importReadings":{"edgeCount":2,"edges":[` + half("0.097000000000000000", "KILOWATT_HOURS", "00:00:00+02:00", "00:30:00+02:00") + `,` + half("0.098000000000000000", "KILOWATT_HOURS", "00:30:00+02:00", "01:00:00+02:00") + `]}`,
		},
		"the hour": {
			",timeGranularity:HOUR", "importReadings" + fields,
			`"importReadings":{"edgeCount":1,"edges":[` + half("0.195000000000000000", "KILOWATT_HOURS", "00:00:00+02:00", "01:00:00+02:00") + `]}`,
		},
		"in watt-hours": {
			",timeGranularity:HOUR,units:[WATT_HOURS]", "importReadings" + fields,
			`"importReadings":{"edgeCount":1,"edges":[` + half("195.000000000000000000", "WATT_HOURS", "00:00:00+02:00", "01:00:00+02:00") + `]}`,
		},
		"in the first unit that fits, of a bare list": {
			",timeGranularity:HOUR,units:MEGAWATT_HOURS", "importReadings" + fields,
			`"importReadings":{"edgeCount":1,"edges":[` + half("0.000195000000000000", "MEGAWATT_HOURS", "00:00:00+02:00", "01:00:00+02:00") + `]}`,
		},
		"units that are null": {
			",units:[null]", "importReadings(first:null,last:null){edgeCount}", `"importReadings":{"edgeCount":2}`,
		},
		"in another zone": {
			`,timezone:"UTC"`, "importReadings(first:1){edges{node{intervalStart}}}", `"importReadings":{"edges":[{"node":{"intervalStart":"2024-10-01T00:00:00+00:00"}}]}`,
		},
		"what was given to the grid": {
			",timeGranularity:THIRTY_MIN", "exportReadings{totalCount edges{node{value qualities{quality value count}}}}",
			`"exportReadings":{"totalCount":2,"edges":[{"node":{"value":"0.195000000000000000","qualities":[{"quality":"ACTUAL","value":"0.195000000000000000","count":2}]}},` +
				`{"node":{"value":"0.199000000000000000","qualities":[{"quality":"ACTUAL","value":"0.199000000000000000","count":2}]}}]}`,
		},
		"where it comes from": {",timeGranularity:HOUR", "importReadings{edges{node{source __typename}}}", `"importReadings":{"edges":[{"node":{"source":"smart meter","__typename":"Reading"}}]}`},
	} {
		if got, want := ask(c.arguments, c.of), `{"supplyPoint":{"readings":{`+c.want+`}}}`; got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
		}
	}
	estimated := w.one(t, "ada", `{`+adasPoint+`{readings(startAt:"2024-05-05T00:00:00",endAt:"2024-05-06T00:00:00",readingType:INTERVAL,timeGranularity:DAY){
		importReadings{edges{node{quality qualities{quality count}}}}}}}`, nil)
	if want := `{"supplyPoint":{"readings":{"importReadings":{"edges":[{"node":{"quality":"ESTIMATE","qualities":[{"quality":"ACTUAL","count":47},{"quality":"ESTIMATE","count":1}]}}]}}}}`; estimated != want {
		t.Errorf("a day with one value that was substituted: %s, want %s", estimated, want)
	}
	registers := w.one(t, "ada", `{`+adasPoint+`{devices{edges{node{readings(`+adasHour+`){importReadings{edgeCount}}
		registers{registerIdentifier readings(`+adasHour+`){importReadings{edgeCount} exportReadings{edgeCount}}}}}}}}`, nil)
	for _, want := range []string{
		`"node":{"readings":{"importReadings":{"edgeCount":2}}`,
		`{"registerIdentifier":"1","readings":{"importReadings":{"edgeCount":2},"exportReadings":{"edgeCount":0}}}`,
		`{"registerIdentifier":"2","readings":{"importReadings":{"edgeCount":0},"exportReadings":{"edgeCount":4}}}`,
		`{"registerIdentifier":"Q","readings":{"importReadings":{"edgeCount":0},"exportReadings":{"edgeCount":0}}}`,
	} {
		if !strings.Contains(registers, want) {
			t.Errorf("register by register: %s, want %s in it", registers, want)
		}
	}
	gas := w.one(t, "ada", `{supplyPoint(externalIdentifier:"871690000000000009",marketName:"NLD_GAS"){readings(`+adasHour+`,units:[KILOWATT_HOURS,LITER]){importReadings{edges{node{value units}}}}}}`, nil)
	if want := `{"supplyPoint":{"readings":{"importReadings":{"edges":[{"node":{"value":"97.000000000000000000","units":"LITER"}}]}}}}`; gas != want {
		t.Errorf("gas in the second unit: %s, want %s", gas, want)
	}
}

// TestAYearOfReadings pages through a year, forward and backward.
func TestAYearOfReadings(t *testing.T) {
	w := newWorld(t)
	const query = `query($first:Int,$last:Int,$after:String,$before:String){` + adasPoint + `{readings(startAt:"2024-01-01T00:00:00",endAt:"2025-01-01T00:00:00",readingType:INTERVAL){
		importReadings(first:$first,last:$last,after:$after,before:$before){totalCount pageInfo{hasNextPage hasPreviousPage startCursor endCursor} edges{node{intervalStart}}}}}}`
	for _, backwards := range []bool{false, true} {
		var list []string
		variables := map[string]any{"first": 1500}
		if backwards {
			variables = map[string]any{"last": 1500}
		}
		for {
			a := decode(t, w.post("third-party", query, variables))
			c := get(a.Data, "supplyPoint", "readings", "importReadings")
			if len(a.Errors) > 0 || get(c, "totalCount") != json.Number("17568") {
				t.Fatalf("%v: %+v, %v in all, want 17568", variables, a.Errors, get(c, "totalCount"))
			}
			page := []string{}
			for _, e := range get(c, "edges").([]any) {
				page = append(page, get(e, "node", "intervalStart").(string))
			}
			more, cursor := "hasNextPage", "endCursor"
			if backwards {
				more, cursor = "hasPreviousPage", "startCursor"
				list = append(page, list...)
				variables["before"] = get(c, "pageInfo", cursor)
			} else {
				list = append(list, page...)
				variables["after"] = get(c, "pageInfo", cursor)
			}
			if get(c, "pageInfo", more) != true {
				break
			}
		}
		if n := len(slices.Compact(slices.Clone(list))); len(list) != 17568 || n != len(list) || list[0] != "2024-01-01T00:00:00+01:00" || list[len(list)-1] != "2024-12-31T23:30:00+01:00" {
			t.Errorf("backwards %v: %d half-hours, %d different, from %s to %s; want 17568 of the year", backwards, len(list), n, list[0], list[len(list)-1])
		}
	}
}

func TestSupplyPointsRefused(t *testing.T) {
	w := newWorld(t)
	const valid, missing = "VALIDATION", "NOT_FOUND"
	for name, c := range map[string]struct{ token, query, kind, code, path, message string }{
		"a market without a territory": {"ada", `{supplyPoint(externalIdentifier:"1",marketName:"ELECTRICITY"){id}}`, valid, "KT-CT-4723", "supplyPoint", "Invalid market name."},
		"a market of something else":   {"ada", `{supplyPoint(externalIdentifier:"1",marketName:"NLD_WATER"){id}}`, valid, "KT-CT-4722", "supplyPoint", ""},
		"an unknown identifier":        {"ada", `{supplyPoint(externalIdentifier:"1",marketName:"NLD_GAS"){id}}`, missing, "KT-CT-4719", "supplyPoint", ""},
		"the peak":                     {"ada", `{` + adasPoint + `{readings(startAt:"2024-01-01T00:00:00",endAt:"2024-01-02T00:00:00",readingType:PEAK){importReadings{edgeCount}}}}`, "APPLICATION", "KT-CT-4721", "supplyPoint readings", "Unsupported reading type."},
		"finer than it is stored":      {"ada", `{` + adasPoint + `{readings(` + adasHour + `,timeGranularity:FIVE_MIN){importReadings{edgeCount}}}}`, valid, "KT-CT-4710", "supplyPoint readings importReadings", "Unsupported aggregation interval."},
		"cubic metres of electricity":  {"ada", `{` + adasPoint + `{readings(` + adasHour + `,units:METERS_CUBED){importReadings{edgeCount}}}}`, valid, "KT-CT-1605", "supplyPoint readings importReadings", ""},
		"both ends":                    {"ada", `{` + adasPoint + `{readings(` + adasHour + `){importReadings(first:1,last:1){edgeCount}}}}`, valid, "KT-CT-1605", "supplyPoint readings importReadings", ""},
		"more than a page holds":       {"ada", `{` + adasPoint + `{readings(` + adasHour + `){importReadings(first:10001){edgeCount}}}}`, valid, "KT-CT-1189", "supplyPoint readings importReadings", ""},
		"a zone that is none":          {"ada", `{` + adasPoint + `{readings(` + adasHour + `,timezone:"Mars/Olympus"){importReadings{edgeCount}}}}`, valid, "KT-CT-1605", "supplyPoint readings", ""},
		"without a start":              {"ada", `{` + adasPoint + `{readings(endAt:"2024-01-02T00:00:00",readingType:INTERVAL){importReadings{edgeCount}}}}`, valid, "KT-CT-1605", "", ""},
		"readings that one may not":    {"narrowed", `{` + adasPoint + `{id readings(` + adasHour + `){importReadings{edgeCount}}}}`, "AUTHORIZATION", "KT-CT-1111", "supplyPoint readings", "Unauthorized."},
		"nobody's supply points":       {"partner", `{supplyPoints{totalCount}}`, valid, "KT-CT-1605", "supplyPoints", ""},
		"a portfolio's":                {"ada", `{supplyPoints(portfolioNumber:"P-1"){totalCount}}`, "AUTHORIZATION", "KT-CT-4177", "supplyPoints", "Unauthorized."},
		"a neighbour's":                {"ada", `{supplyPoints(accountNumber:"A-BO"){totalCount}}`, "AUTHORIZATION", "KT-CT-4177", "supplyPoints", "Unauthorized."},
		"a page from both ends":        {"ada", `{supplyPoints(first:1,last:1){totalCount}}`, valid, "KT-CT-1605", "supplyPoints", ""},
		"a page of too many":           {"ada", `{supplyPoints(first:101){totalCount}}`, valid, "KT-CT-1605", "supplyPoints", ""},
		"a page of less than none":     {"ada", `{supplyPoints(last:-1){totalCount}}`, valid, "KT-CT-1605", "supplyPoints", ""},
		"a cursor that is none":        {"ada", `{supplyPoints(after:"!"){totalCount}}`, valid, "KT-CT-1605", "supplyPoints", ""},
		"a cursor of another list":     {"ada", `{supplyPoints(before:"AAAA"){totalCount}}`, valid, "KT-CT-1605", "supplyPoints", ""},
	} {
		a := decode(t, w.post(c.token, c.query, nil))
		if len(a.Errors) != 1 {
			t.Errorf("%s: %+v, want one error", name, a)
			continue
		}
		e, path := a.Errors[0], []string{}
		for _, step := range e.Path {
			path = append(path, fmt.Sprint(step))
		}
		if e.Extensions.ErrorType != c.kind || e.Extensions.ErrorCode != c.code || strings.Join(path, " ") != c.path || c.message != "" && e.Message != c.message {
			t.Errorf("%s: %+v, want %s %s at %q %q", name, e, c.kind, c.code, c.path, c.message)
		}
	}
}

func TestForeignSupplyPointsAreTheSameBytes(t *testing.T) {
	w := newWorld(t)
	for _, token := range []string{"ada", "consented-ada", "watt", "bos-reader-ada"} {
		want := w.post(token, `query($i:String!){supplyPoint(externalIdentifier:$i,marketName:"NLD_ELECTRICITY"){id}}`, map[string]any{"i": "nobody's"}).Body.String()
		for _, id := range []string{"871690000000000001", "", strings.Repeat("8", 500), "\u0000"} {
			got := w.post(token, `query($i:String!){supplyPoint(externalIdentifier:$i,marketName:"NLD_ELECTRICITY"){id}}`, map[string]any{"i": id}).Body.String()
			if got != want || !strings.Contains(got, "KT-CT-4719") {
				t.Errorf("%s asks for %q: %s, want %s", token, id, got, want)
			}
		}
	}
}

// TestReadingsWithinConsents asks by a consent that opens hours from June on.
func TestReadingsWithinConsents(t *testing.T) {
	v := newVillage(t)
	v.consent(t, "app_agreed", ada, nil)
	for name, c := range map[string]struct{ arguments, want string }{
		"what was agreed to": {`startAt:"2024-06-01T00:00:00",endAt:"2024-06-02T00:00:00",readingType:INTERVAL`, `"edgeCount":48`},
		"and before":         {`startAt:"2024-05-31T00:00:00",endAt:"2024-06-02T00:00:00",readingType:INTERVAL`, `"edgeCount":48`},
		"only before":        {`startAt:"2024-05-01T00:00:00",endAt:"2024-06-01T00:00:00",readingType:INTERVAL`, `KT-CT-1111`},
		"by the quarter":     {`startAt:"2024-06-01T00:00:00",endAt:"2024-06-02T00:00:00",readingType:INTERVAL,timeGranularity:FIFTEEN_MIN`, `KT-CT-1111`},
		"by the month":       {`startAt:"2024-06-02T00:00:00",endAt:"2024-08-02T00:00:00",readingType:INTERVAL,timeGranularity:MONTH`, `"edgeCount":2`},
	} {
		if got := v.query("agreed", `{`+adasPoint+`{readings(`+c.arguments+`){importReadings{edgeCount}}}}`); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if got := v.query("agreed", `{supplyPoint(externalIdentifier:"871690000000000009",marketName:"NLD_GAS"){id}}`); !strings.Contains(got, "KT-CT-4719") {
		t.Errorf("the gas, of which nothing was said: %s, want KT-CT-4719", got)
	}
	if got, want := v.query("agreed", `{property(id:"prop_ada"){supplyPoints{totalCount edges{node{id}}} occupancyPeriods{accountNumber effectiveTo isOccupier}}}`),
		`{"data":{"property":{"supplyPoints":{"totalCount":1,"edges":[{"node":{"id":"NLD_ELECTRICITY:871690000000000000"}}]},"occupancyPeriods":[{"accountNumber":"A-ADA","effectiveTo":null,"isOccupier":true}]}}}`; got != want {
		t.Errorf("what is at the property: %s, want %s", got, want)
	}
}

// The types of dialect-kraken.md §1.1 to §1.3 that are not measurements, to the
// letter.
func TestSupplyPointsAsPublished(t *testing.T) {
	schema := newWorld(t).api.Schema()
	fields := map[string]string{}
	for name, d := range schema.Types {
		for _, f := range d.Fields {
			list := []string{}
			for _, a := range f.Arguments {
				list = append(list, a.Name+": "+a.Type.String())
			}
			fields[name+"."+f.Name] = f.Type.String()
			if len(list) > 0 {
				fields[name+"."+f.Name] = "(" + strings.Join(list, " ") + ") " + f.Type.String()
			}
		}
		for _, v := range d.EnumValues {
			fields[name+"."+v.Name] = "value"
		}
		if d.Kind == ast.Object && len(d.Interfaces) > 0 {
			fields[name] = strings.Join(d.Interfaces, " ")
		}
	}
	const page, asked = "(before: String after: String first: Int last: Int)",
		"(startAt: DateTime! endAt: DateTime! readingType: ReadingTypes! timeGranularity: TimeGranularities timezone: String units: [Units]) Readings"
	want := map[string]string{
		"Query.supplyPoint":  "(externalIdentifier: String! marketName: String!) SupplyPointType",
		"Query.supplyPoints": "(accountNumber: String portfolioNumber: String before: String after: String first: Int last: Int) SupplyPointConnection",
		"SupplyPointType":    "HasReadings", "SupplyPointType.id": "ID!", "SupplyPointType.marketName": "String!",
		"SupplyPointType.externalIdentifier": "String", "SupplyPointType.property": "PropertyType",
		"SupplyPointType.devices":  "(deviceIdentifiers: [String] before: String after: String first: Int last: Int) DeviceConnection",
		"SupplyPointType.readings": asked, "HasReadings.readings": asked, "Device.readings": asked, "DeviceRegister.readings": asked,
		"Device.deviceIdentifier": "String", "Device.registers": "[DeviceRegister]", "DeviceRegister.registerIdentifier": "String",
		"Readings.importReadings": page + " ReadingConnection", "Readings.exportReadings": page + " ReadingConnection",
		"ReadingEdge.node": "Reading", "ReadingEdge.cursor": "String!",
		"Reading.value": "Decimal", "Reading.units": "String", "Reading.intervalStart": "DateTime", "Reading.intervalEnd": "DateTime",
		"Reading.source": "String", "Reading.quality": "String", "Reading.qualities": "[ReadingQuality]",
		"ReadingQuality.quality": "String", "ReadingQuality.value": "Decimal", "ReadingQuality.count": "Int",
		"Query.viewer": "AccountUserType", "AccountUserType.accounts": "[AccountInterface]", "AccountUserType.liveSecretKey": "String",
		"AccountUserType.givenName": "String", "AccountUserType.familyName": "String", "AccountUserType.fullName": "String", "AccountUserType.email": "String",
		"AccountUserType.number": "String", "AccountUserType.permissions": "[AccountUserPermission]", "AccountUserPermission.permission": "String",
		"Query.authorizedApplications": "[AuthorizedApplication]", "AuthorizedApplication.name": "String", "AuthorizedApplication.clientId": "String",
		"Account": "AccountInterface AccountType", "Account.property": "(id: ID!) PropertyType", "Account.properties": "(activeFrom: DateTime) [PropertyType]",
		"PropertyType": "PropertyInterface", "PropertyType.richAddress": "RichAddressType", "PropertyType.address": "String", "PropertyType.label": "String",
		"PropertyType.coordinates": "CoordinatesType", "CoordinatesType.latitude": "String", "CoordinatesType.longitude": "String",
		"PropertyType.embeddedNetwork": "EmbeddedNetworkType", "PropertyType.occupancyPeriods": "[OccupancyPeriodType]",
		"OccupancyPeriodType.id": "ID", "OccupancyPeriodType.effectiveFrom": "DateTime", "OccupancyPeriodType.effectiveTo": "DateTime",
		"OccupancyPeriodType.isOccupier": "Boolean", "OccupancyPeriodType.accountNumber": "String", "OccupancyPeriodType.numberOfOccupants": "Int",
		"PropertyType.electricityMeterPoints": "[ElectricityMeterPoint]", "PropertyType.gasMeterPoints": "[GasMeterPoint]",
		"PropertyType.electricityMalos": "[ElectricityMalo]", "PropertyType.gasMalos": "[GasMalo]", "PropertyType.meterPoints": "[MeterPointInterface]",
		"PropertyType.electricitySupplyPoints": "[ElectricitySupplyPoint]", "PropertyType.supplyPoints": page + " SupplyPointConnection",
		"ElectricitySupplyPoint.halfHourlyReadings": "(fromDatetime: DateTime toDatetime: DateTime productCode: String) [ElectricityHalfHourReading]",
		"ElectricityHalfHourReading.version":        "String",
	}
	for enum, values := range map[string]string{
		"ReadingTypes": "INTERVAL PEAK", "TimeGranularities": "FIVE_MIN FIFTEEN_MIN THIRTY_MIN HOUR DAY WEEK MONTH QUARTER YEAR",
		"Units": "WATT_HOURS KILOWATT_HOURS MEGAWATT_HOURS METERS_CUBED LITER",
	} {
		for _, v := range strings.Fields(values) {
			want[enum+"."+v] = "value"
		}
	}
	for name, want := range want {
		if got := fields[name]; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, d := range schema.Types {
		for _, f := range d.Fields {
			reason := f.Directives.ForName("deprecated")
			if reason == nil || d.BuiltIn {
				continue
			}
			if text := reason.Arguments.ForName("reason"); text == nil || !dated.MatchString(text.Value.Raw) {
				t.Errorf("%s.%s is deprecated without a date", d.Name, f.Name)
			}
		}
	}
}

var dated = regexp.MustCompile(`^20\d\d-\d\d-\d\d: .`)

// TestReadersBeforeAndAfterAMove has one customer follow another in a home, in the
// middle of a year: each reads their own months of the same supply point, and the
// partner all.
func TestReadersBeforeAndAfterAMove(t *testing.T) {
	o := newCounter(t)
	before, after := o.bring("partner", 1, nil), o.bring("partner", 2, nil)
	o.measure("EAN-1")
	o.ask("partner", moveOut, object{"input": object{"customerId": before.user, "propertyId": before.property, "date": "2024-06-30"}})
	o.ask("partner", moveIn, object{"input": object{"customerId": after.user, "propertyId": before.property, "date": "2024-07-01"}})
	o.as("before", stroom, before.user, nil)
	o.as("after", stroom, after.user, nil)
	const months = `{supplyPoint(externalIdentifier:"EAN-1",marketName:"NLD_ELECTRICITY"){readings(startAt:"2024-01-01T00:00:00",endAt:"2025-01-01T00:00:00",readingType:INTERVAL,timeGranularity:MONTH){
		importReadings(first:20){totalCount edgeCount edges{node{intervalStart}}}} property{occupancyPeriods{effectiveFrom effectiveTo accountNumber}}}}`
	const start, moved = `"2024-02-01T00:00:00+01:00"`, `"2024-07-01T00:00:00+02:00"`
	first := fmt.Sprintf(`{"effectiveFrom":%s,"effectiveTo":%s,"accountNumber":"%v"}`, start, moved, before.account)
	second := fmt.Sprintf(`{"effectiveFrom":%s,"effectiveTo":null,"accountNumber":"%v"}`, moved, after.account)
	for token, c := range map[string]struct {
		count   int
		from    string
		periods string
	}{
		"before": {5, "2024-02-01T00:00:00+01:00", first}, "after": {6, "2024-07-01T00:00:00+02:00", second}, "partner": {12, "2024-01-01T00:00:00+01:00", first + "," + second},
	} {
		a := o.ask(token, months, nil)
		list := get(a, "supplyPoint", "readings", "importReadings")
		if got, want := fmt.Sprint(get(list, "totalCount"), get(list, "edgeCount"), get(list, "edges", 0, "node", "intervalStart")), fmt.Sprint(c.count, c.count, c.from); got != want {
			t.Errorf("%s: months %s, want %s", token, got, want)
		}
		if body := o.body(token, months, nil); !strings.Contains(body, `"occupancyPeriods":[`+c.periods+`]`) {
			t.Errorf("%s: %s, want the periods %s", token, body, c.periods)
		}
		half := o.ask(token, `query($p:ID!){property(id:$p){electricitySupplyPoints{halfHourlyReadings(fromDatetime:"2024-06-30T00:00:00",toDatetime:"2024-07-02T00:00:00"){startAt}}}}`, object{"p": before.property})
		want := map[string]int{"before": 48, "after": 48, "partner": 96}[token]
		if list, _ := get(half, "property", "electricitySupplyPoints", 0, "halfHourlyReadings").([]any); len(list) != want {
			t.Errorf("%s: %d half-hours of the two days around the move, want %d", token, len(list), want)
		}
	}
	for arguments, want := range map[string]int{
		"": 0, ",active:true": 0, ",active:false": 1,
	} {
		list := get(o.ask("before", `query($n:String!){properties(accountNumber:$n`+arguments+`){id}}`, object{"n": before.account}), "properties").([]any)
		if len(list) != want {
			t.Errorf("properties of who has moved out, %s: %d, want %d", arguments, len(list), want)
		}
	}
	for from, want := range map[string]int{"null": 1, `"2024-06-30T23:59:59"`: 1, `"2024-07-01T00:00:00"`: 0} {
		list := get(o.ask("before", `query($n:String!){account(accountNumber:$n){properties(activeFrom:`+from+`){id}}}`, object{"n": before.account}), "account", "properties").([]any)
		if len(list) != want {
			t.Errorf("properties of who has moved out, from %s: %d, want %d", from, len(list), want)
		}
	}
	got := get(o.ask("after", `{viewer{accounts{properties{supplyPoints{edges{node{externalIdentifier}}}}}} supplyPoints{totalCount}}`, nil), "supplyPoints", "totalCount")
	if fmt.Sprint(got) != "2" {
		t.Errorf("supply points of who has two homes: %v, want 2", got)
	}
}
