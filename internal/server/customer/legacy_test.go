package customer_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// The names of single markets, at a property in the Netherlands; each market's own
// documents are golden files (testdata/golden/kraken/market-*.http).
func TestLegacyNames(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct{ query, want string }{
		"meter points of electricity": {
			`electricityMeterPoints{...on ElectricityMeterPoint{id mpan} marketIdentifier agreements{validFrom} meters{serialNumber}}`,
			`"electricityMeterPoints":[{"id":"NLD_ELECTRICITY:871690000000000000","mpan":null,"marketIdentifier":"871690000000000000","agreements":null,"meters":[{"serialNumber":null}]}]`,
		},
		"meter points of gas": {
			`gasMeterPoints{id mprn meters{registers{identifier}}}`, `"gasMeterPoints":[{"id":"NLD_GAS:871690000000000009","mprn":null,"meters":[{"registers":[{"identifier":"7"}]}]}]`,
		},
		"all meter points": {
			`meterPoints{__typename marketIdentifier}`,
			`"meterPoints":[{"__typename":"ElectricityMeterPoint","marketIdentifier":"871690000000000000"},{"__typename":"GasMeterPoint","marketIdentifier":"871690000000000009"}]`,
		},
		"malos":         {`electricityMalos{maloNumber} gasMalos{maloNumber}`, `"electricityMalos":[],"gasMalos":[]`},
		"supply points": {`electricitySupplyPoints{id spin pod cups status}`, `"electricitySupplyPoints":[{"id":"NLD_ELECTRICITY:871690000000000000","spin":null,"pod":null,"cups":null,"status":null}]`},
		"a place":       {`coordinates{latitude} embeddedNetwork{id}`, `"coordinates":null,"embeddedNetwork":null`},
		"an address":    {`richAddress{streetAddress postalCode}`, `"richAddress":{"streetAddress":"Dam 1\nAmsterdam","postalCode":"1012 AB"}`},
		"who has it":    {`occupancyPeriods{effectiveFrom effectiveTo isOccupier accountNumber numberOfOccupants}`, `"occupancyPeriods":[{"effectiveFrom":null,"effectiveTo":null,"isOccupier":true,"accountNumber":"A-ADA","numberOfOccupants":null}]`},
	} {
		if got, want := w.one(t, "ada", `{property(id:"prop_ada"){`+c.query+`}}`, nil), `{"property":{`+c.want+`}}`; got != want {
			t.Errorf("%s: %s\nwant %s", name, got, want)
		}
	}
}

func TestHalfHourlyReadings(t *testing.T) {
	w := newWorld(t)
	got := w.one(t, "ada", `{property(id:"prop_ada"){electricitySupplyPoints{halfHourlyReadings(fromDatetime:"2024-10-01T00:00:00+02:00",toDatetime:"2024-10-01T00:30:00+02:00"){
		startAt endAt version value costEstimate consumptionStep consumptionRateBand}}}}`, nil)
	want := `{"property":{"electricitySupplyPoints":[{"halfHourlyReadings":[{"startAt":"2024-10-01T00:00:00+02:00","endAt":"2024-10-01T00:30:00+02:00","version":"DAILY",` +
		`"value":"0.097000000000000000","costEstimate":null,"consumptionStep":null,"consumptionRateBand":null}]}]}}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for name, c := range map[string]struct {
		field string
		n     int // -1: refused with KT-CT-1189
		first string
	}{
		"31 days":              {`halfHourlyReadings(fromDatetime:"2024-07-01T00:00:00",toDatetime:"2024-08-01T00:00:00")`, 1488, "2024-07-01T00:00:00+02:00"},
		"half an hour more":    {`halfHourlyReadings(fromDatetime:"2024-07-01T00:00:00",toDatetime:"2024-08-01T00:30:00")`, -1, ""},
		"all that there is":    {`halfHourlyReadings`, -1, ""},
		"of a product":         {`halfHourlyReadings(fromDatetime:"2024-07-01T00:00:00",toDatetime:"2024-07-02T00:00:00",productCode:"X")`, 0, ""},
		"as they are stored":   {`intervalReadings(startAt:"2024-07-01T00:00:00",endAt:"2024-07-02T00:00:00",sortOrder:ASC)`, 48, "2024-07-01T00:00:00+02:00"},
		"the latest first":     {`intervalReadings(startAt:"2024-07-01T00:00:00",endAt:"2024-07-02T00:00:00",sortOrder:DESC)`, 48, "2024-07-01T23:30:00+02:00"},
		"too many, the latest": {`intervalReadings(sortOrder:DESC)`, -1, ""},
	} {
		out := w.post("ada", `{property(id:"prop_ada"){electricitySupplyPoints{list:`+c.field+`{startAt}}}}`, nil)
		a := decode(t, out)
		list, _ := get(a.Data, "property", "electricitySupplyPoints", 0, "list").([]any)
		if c.n < 0 {
			if len(a.Errors) != 1 || a.Errors[0].Extensions.ErrorCode != "KT-CT-1189" || list != nil {
				t.Errorf("%s: %+v and %d readings, want KT-CT-1189", name, a.Errors, len(list))
			}
			continue
		}
		if len(a.Errors) > 0 || len(list) != c.n || c.n > 0 && get(list, 0, "startAt") != c.first {
			t.Errorf("%s: %d readings from %v, %+v; want %d from %s", name, len(list), get(list, 0, "startAt"), a.Errors, c.n, c.first)
		}
	}
	many := strings.Repeat(` electricitySupplyPoints{a:halfHourlyReadings{value} b:intervalReadings{value}}`, 1)
	a := decode(t, w.post("ada", `{p:property(id:"prop_ada"){`+many+`} q:property(id:"prop_ada"){`+many+`} r:property(id:"prop_ada"){`+many+`} s:property(id:"prop_ada"){`+many+`}}`, nil))
	if len(a.Errors) != 1 || a.Errors[0].Extensions.ErrorCode != "KT-CT-1189" {
		t.Errorf("eight lists in one document: %+v, want KT-CT-1189", a.Errors)
	}
	// A token whose readings are closed learns nothing of their number either.
	closed := decode(t, w.post("narrowed", `{property(id:"prop_ada"){electricitySupplyPoints{id halfHourlyReadings{value}}}}`, nil))
	if len(closed.Errors) != 1 || closed.Errors[0].Extensions.ErrorCode != "KT-CT-1111" || get(closed.Data, "property", "electricitySupplyPoints", 0, "id") == nil {
		t.Errorf("without the permission: %+v %v, want KT-CT-1111 at the readings", closed.Errors, closed.Data)
	}
}

// TestPropertiesOfAnAccount asks by the time at which they are the account's.
func TestPropertiesOfAnAccount(t *testing.T) {
	w := newWorld(t)
	for query, want := range map[string]string{
		`properties(accountNumber:"A-ADA")`:                                                "1",
		`properties(accountNumber:"A-ADA",active:true)`:                                    "1",
		`properties(accountNumber:"A-ADA",active:false)`:                                   "0",
		`account(accountNumber:"A-ADA"){properties`:                                        "1",
		`account(accountNumber:"A-ADA"){properties(activeFrom:"2050-01-01T00:00:00")`:      "1",
		`account(accountNumber:"A-ADA"){properties(activeFrom:"0001-01-01T00:00:00Z")`:     "1",
		`account(accountNumber:"A-ADA"){properties(activeFrom:null)`:                       "1",
		`account(accountNumber:"A-ADA"){properties(activeFrom:"2024-01-01T00:00:00+0000")`: "1",
	} {
		text := `{` + query + `{id}}`
		if strings.HasPrefix(query, "account") {
			text += "}"
		}
		a := decode(t, w.post("ada", text, nil))
		list := get(a.Data, "properties")
		if list == nil {
			list = get(a.Data, "account", "properties")
		}
		n, _ := json.Marshal(len(list.([]any)))
		if len(a.Errors) > 0 || string(n) != want {
			t.Errorf("%s: %s properties, %+v; want %s", query, n, a.Errors, want)
		}
	}
}
