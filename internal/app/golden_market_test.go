package app_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/interval"
)

// market is a home somewhere, with readings of the last days of February 2026.
type market struct {
	territory, zone, address, postcode string
	power, gas                         string // the external identifiers; no gas: none
	minutes                            int    // of electricity
	generates                          bool
}

// markets are those whose clients ask the documents below. The identifiers have the
// form of their market and are nobody's.
var markets = map[string]market{
	"gb": {"GBR", "Europe/London", "1 Example Street, Exampleton", "EX1 1EX", "1900000000000", "9900000000", 30, true},
	"de": {"DEU", "Europe/Berlin", "Musterweg 1, Musterstadt", "00001", "50000000001", "50000000002", 15, false},
	"fr": {"FRA", "Europe/Paris", "1 rue de l'Exemple, Exempleville", "00001", "00000000000001", "", 30, false},
	"es": {"ESP", "Europe/Madrid", "Calle del Ejemplo 1, Ejemplo", "00001", "ES0000000000000000AA0F", "", 60, true},
	"it": {"ITA", "Europe/Rome", "Via Esempio 1, Esempio", "00001", "IT000E00000000", "", 15, false},
	"jp": {"JPN", "Asia/Tokyo", "1-1-1 Tatoe, Rei", "000-0001", "0000000000000000000001", "", 30, false},
	"nz": {"NZL", "Pacific/Auckland", "1 Example Road, Exampleton", "0001", "0000000001EX000", "", 30, true},
}

func (m market) user() domain.UserID {
	return domain.UserID(fmt.Sprintf("usr_%x000000000040008000000000000000", m.territory[:1]))
}

func (m market) account() domain.AccountNumber {
	return domain.AccountNumber("A-" + m.territory + "00001")
}

func (m market) property() domain.PropertyID {
	return domain.PropertyID("prop_" + strings.ToLower(m.territory))
}

// settle gives the demo's partner a customer in every market.
func (s *stage) settle(t *testing.T) {
	t.Helper()
	n := 0
	entry := func() domain.Entry {
		n++
		return domain.Entry{ID: fmt.Sprintf("aud_market%04d", n), At: noon, Action: "test", By: "test"}
	}
	for name, m := range markets {
		u := domain.User{
			ID: m.user(), Partner: s.demo.Partner, Customer: true, Email: name + "@example.com", FirstName: "Sam", Surname: "Example",
			BirthDate: domain.NewDate(1980, 1, 1), CustomerNumber: "C-" + m.territory, CreatedAt: noon,
		}
		a := domain.Account{Number: m.account(), Partner: s.demo.Partner, User: u.ID}
		p := domain.Property{
			ID: m.property(), Partner: s.demo.Partner, Account: a.Number, Label: "Home", Address: strings.Split(m.address, ", "),
			Postcode: m.postcode, Zone: m.zone,
		}
		if err := s.Engine().AddUser(t.Context(), u, "", &a, entry()); err != nil {
			t.Fatal(name, err)
		}
		if err := s.Engine().AddProperty(t.Context(), p, entry()); err != nil {
			t.Fatal(name, err)
		}
		if err := s.Engine().TakeIn(t.Context(), func(tx intake.Tx) error { return m.meters(tx, p) }); err != nil {
			t.Fatal(name, err)
		}
	}
}

// meters adds the supply points with their readings.
func (m market) meters(tx intake.Tx, p domain.Property) error {
	add := func(utility, identifier string, direction domain.Direction, unit domain.Unit, register string, minutes int) error {
		point, err := tx.SupplyPoint(domain.Market(m.territory+utility), identifier)
		if err != nil {
			point, err = tx.AddSupplyPoint(domain.SupplyPoint{
				Partner: p.Partner, Property: p.ID, Market: domain.Market(m.territory + utility), Identifier: identifier, Zone: p.Zone,
			})
		}
		if err != nil {
			return err
		}
		c, err := tx.AddChannel(domain.Channel{SupplyPoint: point, Register: register, Direction: direction, Unit: unit, Zone: p.Zone})
		if err != nil {
			return err
		}
		at := domain.Index{
			At: noon.AddDate(0, 0, -1), Value: domain.Decimal{Coefficient: 12345678, Scale: 3}, Quality: domain.Actual,
		}
		if _, _, err := tx.PutIndex(c.ID, at, domain.Provenance{Source: "test"}); err != nil {
			return err
		}
		return days(tx, c, minutes)
	}
	if err := add("_ELECTRICITY", m.power, domain.Consumption, domain.KilowattHour, "1", m.minutes); err != nil {
		return err
	}
	if m.generates {
		if err := add("_ELECTRICITY", m.power, domain.Generation, domain.KilowattHour, "2", m.minutes); err != nil {
			return err
		}
	}
	if m.gas != "" {
		return add("_GAS", m.gas, domain.Consumption, domain.CubicMetre, "1", 60)
	}
	return nil
}

// days are those from 26 February to 1 March 2026. One value was estimated.
func days(tx intake.Tx, c domain.Channel, minutes int) error {
	loc, err := interval.Zone(c.Zone)
	if err != nil {
		return err
	}
	var day interval.Day
	for d := domain.NewDate(2026, 2, 26); d <= domain.NewDate(2026, 3, 1); d++ {
		start, end := interval.Span(d, loc)
		day.Reset(start, minutes, 3, interval.Count(start, end, minutes))
		for i := range day.Values {
			quality := domain.Actual
			if d == domain.NewDate(2026, 2, 28) && i == 3 {
				quality = domain.Estimate
			}
			if err := day.Set(i, domain.Decimal{Coefficient: int64(100 + i), Scale: 3}, quality); err != nil {
				return err
			}
		}
		data, err := day.Append(nil)
		if err != nil {
			return err
		}
		if err := tx.PutDay(c.ID, domain.Day{Date: d, Data: data}, domain.Provenance{Source: "test"}); err != nil {
			return err
		}
	}
	return nil
}

// asks is the body of a request as a client of some library writes it.
func asks(document string, more ...any) string {
	body := map[string]any{"query": document}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i].(string)] = more[i+1]
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestGoldenMarkets asks what the clients of single markets ask, each in the way of
// one library: with or without the name of the operation, with variables, without
// any or with null, and with the token in one of its three forms.
func TestGoldenMarkets(t *testing.T) {
	s := newStage(t)
	s.settle(t)
	g, names := newGolden(t, "markets"), s.names()
	customer := map[string]string{}
	for name, m := range markets {
		customer[name] = access(t, s.ask(t, request("GET", "/v1/auth/impersonate?user_id="+string(m.user()), "Authorization: "+s.partner)))
	}
	send := func(authorization, body string) string {
		return post("/v1/graphql/", jsonType, body, "Authorization: "+authorization)
	}
	of := func(name string) string { return string(markets[name].account()) }
	home := func(name string) string { return string(markets[name].property()) }
	electricity := func(frequency string, more ...any) map[string]any {
		f := map[string]any{"readingFrequencyType": frequency}
		for i := 0; i+1 < len(more); i += 2 {
			f[more[i].(string)] = more[i+1]
		}
		return map[string]any{"electricityFilters": f}
	}
	const viewer = `query viewer { viewer { accounts { number } } }`
	for name, text := range map[string]string{
		// Great Britain: the accounts, the meters by MPAN and MPRN, half-hours of both directions and the gas by day.
		"gb-viewer": send("JWT "+customer["gb"], asks(viewer)),
		"gb-meter-points": send("JWT "+customer["gb"], asks(`query MeterPoints($accountNumber: String!) {
  account(accountNumber: $accountNumber) {
    properties {
      id
      electricityMeterPoints { ... on ElectricityMeterPoint { mpan } meters { serialNumber } agreements { validFrom validTo } }
      gasMeterPoints { mprn meters { serialNumber } }
    }
  }
}`, "operationName", "MeterPoints", "variables", map[string]any{"accountNumber": of("gb")})),
		"gb-half-hours": send(s.thirdParty, asks(`query Usage($id: ID!, $from: DateTime, $to: DateTime, $filters: [UtilityFiltersInput!], $first: Int) {
  property(id: $id) {
    measurements(startAt: $from, endAt: $to, utilityFilters: $filters, first: $first, timezone: "Europe/London") {
      edges {
        node {
          __typename
          value
          unit
          ...Interval
          metaData { utilityFilters { ... on ElectricityFiltersOutput { readingDirection readingQuality marketSupplyPointId } } }
        }
      }
      pageInfo { hasNextPage }
    }
  }
}
fragment Interval on IntervalMeasurementType { startAt endAt durationInSeconds }`, "variables", map[string]any{
			"id": home("gb"), "from": "2026-02-28T01:00:00Z", "to": "2026-02-28T02:00:00+00:00", "first": 10,
			"filters": []any{electricity("THIRTY_MIN_INTERVAL"), electricity("THIRTY_MIN_INTERVAL", "readingDirection", "GENERATION")},
		})),
		"gb-readings": send("Bearer "+s.thirdParty, asks(`query {
  supplyPoint(externalIdentifier: "9900000000", marketName: "GBR_GAS") {
    id
    readings(startAt: "2026-02-27T00:00:00Z", endAt: "2026-03-01T00:00:00Z", readingType: INTERVAL, timeGranularity: DAY, units: [METERS_CUBED]) {
      importReadings(first: 10) {
        edges { node { value units intervalStart intervalEnd quality qualities { quality value count } } }
        pageInfo { hasNextPage hasPreviousPage }
      }
    }
  }
}`)),

		// Germany: market locations, quarters of an hour without an offset, and the day by both of its names.
		"de-malos": send("JWT "+customer["de"], asks(`query Malos($accountNumber: String!) {
  account(accountNumber: $accountNumber) {
    properties {
      id
      electricityMalos { maloNumber meloNumber meter { serialNumber } agreements { validFrom } }
      gasMalos { maloNumber }
    }
  }
}`, "operationName", "Malos", "variables", map[string]any{"accountNumber": of("de")})),
		"de-quarters": send(s.thirdParty, asks(`query($id: ID!, $filters: [UtilityFiltersInput]) {
  property(id: $id) {
    measurements(startAt: "2026-02-28T00:00:00", endAt: "2026-02-28T01:00:00", timezone: "Europe/Berlin", utilityFilters: $filters, first: 100) {
      edges { node { value unit ... on IntervalMeasurementType { startAt endAt } } }
      totalCount
    }
  }
}`, "operationName", nil, "variables", map[string]any{"id": home("de"), "filters": []any{electricity("FIFTEEN_MIN_INTERVAL"), nil}})),
		"de-days": send(s.thirdParty, asks(`{
  property(id: "prop_deu") {
    daily: measurements(startOn: "2026-02-27", endOn: "2026-02-28", utilityFilters: {electricityFilters: {readingFrequencyType: DAILY}}) { edges { node { value readAt } } }
    byDay: measurements(startOn: "2026-02-27", endOn: "2026-02-28", utilityFilters: {electricityFilters: {readingFrequencyType: DAY_INTERVAL}}) { edges { node { value readAt } } }
  }
}`, "variables", nil)),

		// France: supply points page by page, and days with the bands of their tariff, of which there are none yet.
		"fr-supply-points": send("Bearer "+customer["fr"], asks(`query($accountNumber: String!) {
  account(accountNumber: $accountNumber) {
    number
    properties { id supplyPoints(first: 10) { edges { node { id externalIdentifier marketName } } pageInfo { hasNextPage } } }
  }
}`, "variables", map[string]any{"accountNumber": of("fr")})),
		"fr-days": send(s.thirdParty, asks(`query Measurements($propertyId: ID!, $startAt: DateTime!, $endAt: DateTime!, $filters: [UtilityFiltersInput]!) {
  property(id: $propertyId) {
    measurements(startAt: $startAt, endAt: $endAt, timezone: "Europe/Paris", utilityFilters: $filters, first: 400) {
      edges {
        node {
          value
          unit
          ... on IntervalMeasurementType { startAt endAt }
          metaData { statistics { type label value costInclTax { estimatedAmount costCurrency pricePerUnit { amount unit } } } }
        }
      }
    }
  }
}`, "variables", map[string]any{
			"propertyId": home("fr"), "startAt": "2026-02-26T23:00:00.000Z", "endAt": "2026-03-01T00:00:00+0100", "filters": electricity("DAY_INTERVAL"),
		})),

		// Spain: the properties through the viewer, and hours of what was given to the grid.
		"es-viewer": send(customer["es"], asks(`{
  viewer {
    givenName
    accounts { __typename ... on Account { number properties { id address postcode } } }
  }
}`, "variables", map[string]any{})),
		"es-hours": send(s.thirdParty, asks(`query hours($account: String!, $property: ID!, $first: Int, $last: Int) {
  account(accountNumber: $account) {
    property(id: $property) {
      electricitySupplyPoints { cups }
      measurements(
        first: $first
        last: $last
        startAt: "2026-02-28T22:00:00"
        endAt: "2026-03-01T01:00:00"
        timezone: "Europe/Madrid"
        utilityFilters: [{ electricityFilters: { readingFrequencyType: HOUR_INTERVAL, readingDirection: GENERATION, readingQuality: COMBINED } }]
      ) {
        edges { node { value ... on IntervalMeasurementType { startAt } } }
        pageInfo { hasNextPage hasPreviousPage }
      }
    }
  }
}`, "operationName", "hours", "variables", map[string]any{"account": of("es"), "property": home("es"), "first": nil, "last": nil})),

		// Italy: points of delivery by the other name of an account, and the quarters as they are stored.
		"it-pods": send("jwt "+customer["it"], asks(`query {
  viewer { accounts { ... on AccountType { number properties { id electricitySupplyPoints { pod status } } } } }
}`)),
		"it-raw": send(s.thirdParty, asks(`query($id: ID!) {
  property(id: $id) {
    measurements(startAt: "2026-02-28T22:30:00+00:00", first: 3, utilityFilters: [{electricityFilters: {readingFrequencyType: RAW_INTERVAL, registerId: "1"}}]) {
      edges { cursor node { source value unit readAt } }
      pageInfo { hasNextPage hasPreviousPage }
      edgeCount
    }
  }
}`, "variables", map[string]any{"id": home("it")})),

		// Japan: half-hours by SPIN, in the older list.
		"jp-viewer": send("JWT "+customer["jp"], asks(viewer, "operationName", "viewer", "variables", nil)),
		"jp-half-hours": send("JWT "+customer["jp"], asks(`query halfHourlyReadings($accountNumber: String!, $fromDatetime: DateTime, $toDatetime: DateTime) {
  account(accountNumber: $accountNumber) {
    properties {
      electricitySupplyPoints {
        spin
        status
        agreements { validFrom }
        meters { serialNumber }
        halfHourlyReadings(fromDatetime: $fromDatetime, toDatetime: $toDatetime) {
          startAt
          endAt
          version
          value
          costEstimate
          consumptionStep
          consumptionRateBand
        }
      }
    }
  }
}`, "operationName", "halfHourlyReadings", "variables", map[string]any{
			"accountNumber": of("jp"), "fromDatetime": "2026-02-27T15:00:00.000Z", "toDatetime": "2026-02-28T01:30:00+09:00",
		})),
		"jp-intervals": send("JWT "+customer["jp"], asks(`query($accountNumber: String!) {
  account(accountNumber: $accountNumber) {
    properties { electricitySupplyPoints { intervalReadings(startAt: "2026-02-28T00:00:00", endAt: "2026-02-28T01:00:00", sortOrder: DESC) { startAt value version } } }
  }
}`, "variables", map[string]any{"accountNumber": of("jp")})),

		// New Zealand: connection points by ICP, a local day, and the index of the register.
		"nz-meter-points": send(s.thirdParty, asks(`query($accountNumber: String!) {
  account(accountNumber: $accountNumber) { properties { id meterPoints { id marketIdentifier __typename } } }
}`, "variables", map[string]any{"accountNumber": of("nz")})),
		"nz-day": send(s.thirdParty, asks(`query($id: ID!, $on: Date!) {
  property(id: $id) {
    measurements(startOn: $on, endOn: $on, timezone: "Pacific/Auckland", utilityFilters: [{electricityFilters: {readingFrequencyType: DAY_INTERVAL, readingDirection: CONSUMPTION}}, {electricityFilters: {readingFrequencyType: DAY_INTERVAL, readingDirection: GENERATION}}]) {
      edges { node { value unit readAt ... on IntervalMeasurementType { startAt durationInSeconds } metaData { utilityFilters { __typename ... on ElectricityFiltersOutput { readingDirection registerId } } } } }
    }
  }
}`, "variables", map[string]any{"id": home("nz"), "on": "2026-02-28"})),
		"nz-index": send(s.thirdParty, asks(`query {
  property(id: "prop_nzl") {
    measurements(first: 1, utilityFilters: [{electricityFilters: {readingFrequencyType: POINT_IN_TIME}}]) { edges { node { __typename value unit readAt source } } }
  }
}`, "variables", map[string]any{})),
	} {
		t.Run(name, func(t *testing.T) {
			answered := s.ask(t, text)
			if strings.Contains(answered.body, `"errors"`) {
				t.Fatalf("a client's own document is refused: %s", answered.body)
			}
			g.check(t, name+".http", names.record(text, answered))
		})
	}
	if !t.Failed() {
		g.done(t)
	}
}
