package app_test

import (
	"regexp"
	"testing"
)

// whenStored is when a reading was stored, which differs from run to run.
var whenStored = regexp.MustCompile(`"(updatedAt|recordedAt)":"[^"]*"`)

// TestGoldenExport holds files of readings, and what the API says of when they
// were stored, against files.
func TestGoldenExport(t *testing.T) {
	s := newStage(t)
	d := s.demo
	token := "Authorization: Bearer " + s.thirdParty
	point := "/v1/measurements/" + d.SupplyPointID
	const day, month = "?from=2026-01-05&to=2026-01-05&by=HOUR&direction=CONSUMPTION", "?from=2026-01-01&to=2026-01-31&by=DAY"
	get := func(path string, headers ...string) string { return request("GET", path, append(headers, token)...) }
	home := string(d.PropertyID)
	g, names := newGolden(t, "export"), s.names()
	for name, request := range map[string]string{
		"csv":           get(point + ".csv" + day),
		"csv-month":     get(point + ".csv" + month + "&register=1.8.0"),
		"csv-empty":     get(point + ".csv?from=2019-01-01&to=2019-01-02"),
		"ndjson":        get(point + ".ndjson" + day),
		"json":          get(point + ".json" + day),
		"customer":      request("GET", point+".csv"+day, "Authorization: Bearer "+s.customer),
		"nem12":         get(point + ".nem12" + day),
		"cdr":           get(point + ".cdr.json" + day),
		"too-fine":      get(point + ".csv?from=2026-01-05&to=2026-01-05&by=FIVE_MIN"),
		"no-format":     get(point + ".xlsx" + day),
		"unknown":       get("/v1/measurements/NLD_ELECTRICITY:871685900099999999.csv" + day),
		"foreign":       get("/v1/measurements/NLD_ELECTRICITY:" + d.OtherHouseholdSupply + ".csv" + day),
		"no-days":       get(point + ".csv"),
		"no-day":        get(point + ".csv?from=2026-02-30&to=2026-03-01"),
		"backwards":     get(point + ".csv?from=2026-01-06&to=2026-01-05"),
		"parameter":     get(point + ".csv" + day + "&limit=1"),
		"no-token":      request("GET", point+".csv"+day),
		"no-permission": request("GET", point+".csv"+day, "Authorization: Bearer "+s.thirdPartyNarrow),
		"method":        request("PUT", point+".csv", token),
		"known": graphQL(s.thirdParty, `{ property(id: "`+home+`") { measurements(startOn: "2026-01-05", first: 1, asOf: "9999-12-31") `+
			`{ availableUntil gaps { startAt endAt } hasMoreGaps emptyReason edges { node { value revision updatedAt } } } } }`),
		"known-nothing": graphQL(s.thirdParty, `{ property(id: "`+home+`") { measurements(endOn: "2019-01-05") { emptyReason edges { node { value } } } } }`),
		"changes": graphQL(s.thirdParty, `{ measurementChanges(propertyId: "`+home+`", first: 2) { edgeCount pageInfo { hasNextPage hasPreviousPage } `+
			`edges { cursor node { identifier direction register day revision recordedAt } } } }`),
		"changes-foreign": graphQL(s.thirdParty, `{ measurementChanges(propertyId: "`+string(d.OtherPropertyID)+`") { edgeCount } }`),
		"changes-cursor":  graphQL(s.thirdParty, `{ measurementChanges(propertyId: "`+home+`", after: "x") { edgeCount } }`),
	} {
		g.check(t, name+".http", whenStored.ReplaceAllString(names.record(request, s.ask(t, request)), `"$1":"<instant>"`))
	}
	g.done(t)
}
