package app_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestGoldenSupply holds what a partner does with its customers against files.
// The steps build on each other.
func TestGoldenSupply(t *testing.T) {
	s := newStage(t)
	d := s.demo
	g, names := newGolden(t, "supply"), s.names()
	step := func(name, token, query string) string {
		t.Helper()
		sent := graphQL(token, query)
		got := s.ask(t, sent)
		g.check(t, name+".http", whenStored.ReplaceAllString(names.record(sent, got), `"$1":"<instant>"`))
		return got.body
	}
	// unseen is a step whose answer holds what chance chose: its names are known first.
	unseen := func(name, token, query string, learn func(data map[string]any)) {
		t.Helper()
		sent := graphQL(token, query)
		got := s.ask(t, sent)
		var answer struct{ Data map[string]any }
		if err := json.Unmarshal([]byte(got.body), &answer); err != nil || len(answer.Data) == 0 {
			t.Fatalf("%s: %v in %s", name, err, got.body)
		}
		learn(answer.Data)
		g.check(t, name+".http", names.record(sent, got))
	}
	know := func(v any, name string) string {
		t.Helper()
		text, ok := v.(string)
		if !ok || text == "" {
			t.Fatalf("%s is %v, want a text", name, v)
		}
		names = append(names, mask{text, name})
		return text
	}
	create := func(reference, surname, email, identifier string) string {
		return `mutation { createCustomer(input: {reference: "` + reference + `", firstName: "Eva", surname: "` + surname + `", email: "` + email + `", birthDate: "1990-01-31", ` +
			`invoiceAddress: {lines: ["Postbus 1"], postcode: "2600 AA", city: "Delft", country: "NL"}, ` +
			`properties: [{label: "Home", address: ["Weg 1", "Delft"], postcode: "2611 AA", timezone: "Europe/Amsterdam", moveInDate: "2026-01-01", ` +
			`supplyPoints: [{marketName: "NLD_ELECTRICITY", externalIdentifier: "` + identifier + `"}]}]}) ` +
			`{ customer { id customerNumber email firstName middleName surname phoneNumber birthDate reference vendor { name } ` +
			`invoiceAddress { lines postcode city country } accounts { number properties { id label postcode } } } possibleErrors { code } } }`
	}
	var user, property, account, contract string
	unseen("create", s.partner, create("order-1", "Zon", "eva@example.org", "871685900000000777"), func(data map[string]any) {
		c := data["createCustomer"].(map[string]any)["customer"].(map[string]any)
		a := c["accounts"].([]any)[0].(map[string]any)
		user, account = know(c["id"], "<new-user>"), know(a["number"], "<new-account>")
		property = know(a["properties"].([]any)[0].(map[string]any)["id"], "<new-property>")
		know(strings.TrimPrefix(account, "A-"), "<new-number>")
	})
	step("create-again", s.partner, create("order-1", "Zon", "eva@example.org", "871685900000000777"))
	step("create-other-content", s.partner, create("order-1", "Maan", "eva@example.org", "871685900000000777"))
	step("create-taken-email", s.partner, create("order-2", "Zon", "eva@example.org", "871685900000000778"))
	step("create-taken-supply-point", s.partner, create("order-2", "Zon", "eva2@example.org", d.OtherHouseholdSupply))
	step("create-no-email", s.partner, create("order-2", "Zon", "eva", "871685900000000778"))
	step("create-no-permission", s.thirdParty, create("order-2", "Zon", "eva2@example.org", "871685900000000778"))
	step("create-no-token", "", create("order-2", "Zon", "eva2@example.org", "871685900000000778"))
	step("create-customer-token", s.customer, create("order-2", "Zon", "eva2@example.org", "871685900000000778"))

	step("customers", s.partner, `{ customers(first: 2) { totalCount edgeCount pageInfo { hasNextPage hasPreviousPage } edges { cursor node { firstName surname } } } }`)
	step("customers-search", s.partner, `{ customers(search: "871685900000000777") { totalCount edges { node { id email } } } }`)
	step("customers-foreign", s.otherPartner, `{ customers(search: "eva@example.org") { totalCount edges { node { id } } } }`)
	step("customers-customer-token", s.customer, `{ customers { totalCount } }`)
	step("customers-cursor", s.partner, `{ customers(after: "x") { totalCount } }`)
	step("customer", s.partner, `{ customer(id: "`+user+`") { email contracts { totalCount edges { node { phase startDate endDate accountNumber } } } } }`)
	step("customer-foreign", s.partner, `{ customer(id: "`+string(d.OtherCustomerUserID)+`") { email } }`)
	step("customer-unknown", s.partner, `{ customer(id: "00000000-0000-4000-8000-000000000000") { email } }`)

	contact := func(id, fields string) string {
		return `mutation { updateContactDetails(input: {customerId: "` + id + `", ` + fields + `}) { customer { email phoneNumber } } }`
	}
	step("contact", s.partner, contact(user, `phoneNumber: "+31 6 12345678", email: "eva.zon@example.org"`))
	step("contact-wrong", s.partner, contact(user, `phoneNumber: "call me"`))
	step("contact-foreign", s.partner, contact(string(d.OtherCustomerUserID), `phoneNumber: "1"`))
	step("contact-impersonated", s.customer, `mutation { updateContactDetails(input: {phoneNumber: "+31 20 1234567"}) { customer { phoneNumber } } }`)
	step("invoice-address", s.partner, `mutation { setInvoiceAddress(input: {customerId: "`+user+`"}) { customer { invoiceAddress { city } } } }`)

	const moved = `{ contract { id phase startDate endDate accountNumber supplyPoints { externalIdentifier } } possibleErrors { code } } }`
	in := func(property, date string) string {
		return `mutation { moveIn(input: {customerId: "` + user + `", propertyId: "` + property + `", date: "` + date + `"}) ` + moved
	}
	out := func(id, property, date string) string {
		return `mutation { moveOut(input: {customerId: "` + id + `", propertyId: "` + property + `", date: "` + date + `"}) ` + moved
	}
	home := string(d.PropertyID)
	step("move-in-occupied", s.partner, in(home, "2026-01-05"))
	unseen("move-out", s.partner, out(string(d.CustomerUserID), home, "2026-01-04"), func(data map[string]any) {
		know(data["moveOut"].(map[string]any)["contract"].(map[string]any)["id"], "<old-contract>")
	})
	unseen("move-in", s.partner, in(home, "2026-01-05"), func(data map[string]any) {
		contract = know(data["moveIn"].(map[string]any)["contract"].(map[string]any)["id"], "<new-contract>")
	})
	step("move-in-again", s.partner, in(home, "2026-01-05"))
	step("move-in-foreign", s.partner, in(string(d.OtherPropertyID), "2026-01-05"))
	step("move-in-unknown", s.partner, in("prop_0000000000000000", "2026-01-05"))
	step("move-out-too-late", s.partner, out(string(d.CustomerUserID), home, "2026-01-05"))
	step("move-out-foreign", s.partner, out(string(d.OtherCustomerUserID), home, "2026-01-05"))
	step("move-out-never", s.partner, out(string(d.CustomerUserID), property, "2026-01-05"))
	step("move-no-permission", s.customer, out(string(d.CustomerUserID), home, "2026-01-01"))

	const read = `measurements(startOn: "2026-01-04", endOn: "2026-01-05", timezone: "Europe/Amsterdam", first: 1) ` +
		`{ totalCount edges { node { ... on IntervalMeasurementType { startAt } } } } }`
	step("me-contracts", s.customer, `{ me { contracts(statuses: [DELIVERY_STOPPED]) { totalCount edges { node { id phase endDate property { id `+read+` } } } } }`)
	step("me-contracts-active", s.customer, `{ me { contracts(statuses: [DELIVERING, DELIVERY_PLANNED]) { totalCount } } }`)
	step("me-contracts-ids", s.customer, `{ me { contracts(ids: ["`+contract+`"]) { totalCount } } }`)
	step("me-contracts-cursor", s.customer, `{ me { contracts(after: "x") { totalCount } } }`)
	step("read-after-move", s.customer, `{ property(id: "`+home+`") { measurements(startOn: "2026-01-05", first: 1) { totalCount emptyReason } } }`)
	impersonated := access(t, s.ask(t, request("GET", "/v1/auth/impersonate?user_id="+user, "Authorization: "+s.partner)))
	step("read-before-move", impersonated, `{ property(id: "`+home+`") { `+read+` }`)
	g.done(t)
}
