package customer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/server/customer"
	"github.com/wattgate/wattgate/internal/store/sqlite"
	"github.com/wattgate/wattgate/internal/supply"
	"github.com/wattgate/wattgate/internal/usage"
)

// counter is an API of its own before a store of its own, because what is tested
// there changes it: two partners, and who may ask.
type counter struct {
	t       *testing.T
	api     *customer.API
	store   *sqlite.Store
	callers map[string]domain.Caller
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	ctx := t.Context()
	clock := func() time.Time { return now }
	store, err := sqlite.Open(ctx, ":memory:", sqlite.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	for i, p := range []domain.PartnerID{stroom, watt} {
		if err := store.AddPartner(ctx, domain.Partner{ID: p, Name: string(p), CreatedAt: now}, domain.Entry{ID: fmt.Sprintf("aud_%d", i), At: now}); err != nil {
			t.Fatal(err)
		}
	}
	api := domain.AudienceSet(domain.AudienceCustomer)
	all := domain.PermissionSet(domain.CanQueryProperty, domain.CanViewDetailedUsage, domain.CanViewPersonalData, domain.CanManageCustomers)
	looks := all &^ domain.PermissionSet(domain.CanManageCustomers)
	application := func(p domain.PartnerID, id domain.ClientID, reach domain.Reach, may domain.Permissions) domain.Caller {
		return domain.Caller{Partner: p, Client: id, Reach: reach, Permissions: may, Audiences: api}
	}
	o := &counter{t: t, store: store, callers: map[string]domain.Caller{
		"partner":  application(stroom, "app_partner", domain.ReachPartner, all),
		"looks":    application(stroom, "app_looks", domain.ReachPartner, looks),
		"consents": application(stroom, "app_consents", domain.ReachConsented, all),
		"watt":     application(watt, "app_watt", domain.ReachPartner, all),
	}}
	granted := map[domain.ClientID]domain.Permissions{"app_partner": all, "app_looks": looks}
	o.api, err = customer.New(customer.Config{
		Usage: &usage.Service{Store: store, Now: clock}, Now: clock,
		Customers: &supply.Service{Store: store, Now: clock, Granted: func(id domain.ClientID) domain.Permissions { return granted[id] }},
		Authenticate: func(r *http.Request) (domain.Caller, error) {
			c, ok := o.callers[r.Header.Get("Authorization")]
			if !ok {
				return domain.Caller{}, authn.ErrNoToken
			}
			return c, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// as adds a caller with a token of a user's; change may say how they came by it.
func (o *counter) as(name string, p domain.PartnerID, user any, change func(*domain.Caller)) {
	o.t.Helper()
	id, err := domain.ParseUserID(fmt.Sprint(user))
	if err != nil {
		o.t.Fatal(err)
	}
	c := domain.Caller{
		Partner: p, User: id, Reach: domain.ReachPartner, Login: domain.LoginPassword,
		Permissions: domain.CustomerPermissions, Audiences: domain.AudienceSet(domain.AudienceCustomer),
	}
	if change != nil {
		change(&c)
	}
	o.callers[name] = c
}

func (o *counter) body(token, query string, variables any) string {
	o.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		o.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", token)
	out := httptest.NewRecorder()
	o.api.ServeHTTP(out, r)
	return out.Body.String()
}

// ask asks for something that is to be answered.
func (o *counter) ask(token, query string, variables any) map[string]any {
	o.t.Helper()
	body := o.body(token, query, variables)
	a := answer{}
	if err := json.Unmarshal([]byte(body), &a); err != nil || len(a.Errors) > 0 {
		o.t.Fatalf("%s: %s %v: %s", token, query, variables, body)
	}
	return a.Data
}

// refused returns the code of a refusal, and where it points.
func (o *counter) refused(token, query string, variables any) string {
	o.t.Helper()
	body := o.body(token, query, variables)
	a := answer{}
	if err := json.Unmarshal([]byte(body), &a); err != nil || len(a.Errors) != 1 {
		o.t.Fatalf("%s: %s %v: %s; want one error", token, query, variables, body)
	}
	x := a.Errors[0].Extensions
	if len(x.ValidationErrors) > 0 {
		return x.ErrorCode + " " + strings.Join(x.ValidationErrors[0].InputPath, ".")
	}
	return x.ErrorCode
}

// acts lists the audit log's actions, and by which permission, of applications
// and users.
func (o *counter) acts() []string {
	o.t.Helper()
	list, err := o.store.Entries(o.t.Context(), "", 1000)
	if err != nil {
		o.t.Fatal(err)
	}
	var acts []string
	for _, e := range list {
		if e.Action != "" {
			acts = append(acts, fmt.Sprintf("%s %s %s %s", e.Action, e.Partner, e.Client, e.By))
		}
	}
	return acts
}

const (
	create  = `mutation($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id email reference accounts { number properties { id } } } } }`
	contact = `mutation($input: UpdateContactDetailsInput!) { updateContactDetails(input: $input) { customer { email phoneNumber } } }`
	invoice = `mutation($input: SetInvoiceAddressInput!) { setInvoiceAddress(input: $input) { customer { invoiceAddress { lines postcode city country } } } }`
	moveIn  = `mutation($input: MoveInInput!) { moveIn(input: $input) { contract { id phase startDate endDate accountNumber } } }`
	moveOut = `mutation($input: MoveOutInput!) { moveOut(input: $input) { contract { id phase startDate endDate } } }`
)

type object = map[string]any

// newcomer is a customer with a home and a supply point; n tells them apart.
func newcomer(n int, change func(object)) object {
	in := object{
		"reference": fmt.Sprintf("order-%d", n), "firstName": "Eva", "surname": "Zon", "email": fmt.Sprintf("eva%d@example.org", n),
		"birthDate": "1990-01-31", "phoneNumber": "+31 6 1234", "properties": []object{{
			"label": "Home", "address": []string{"Weg 1", "Delft"}, "postcode": "2611 AA", "timezone": "Europe/Amsterdam", "moveInDate": "2024-02-01",
			"supplyPoints": []object{{"marketName": "NLD_ELECTRICITY", "externalIdentifier": fmt.Sprintf("EAN-%d", n)}},
		}},
	}
	if change != nil {
		change(in)
	}
	return object{"input": in}
}

// brought is a customer whom a partner has brought.
type brought struct{ user, account, property any }

func (o *counter) bring(token string, n int, change func(object)) brought {
	o.t.Helper()
	c := get(o.ask(token, create, newcomer(n, change)), "createCustomer", "customer")
	return brought{get(c, "id"), get(c, "accounts", 0, "number"), get(c, "accounts", 0, "properties", 0, "id")}
}

// measure gives a supply point 2024 in half-hours.
func (o *counter) measure(identifier string) {
	o.t.Helper()
	err := o.store.TakeIn(o.t.Context(), func(tx intake.Tx) error {
		point, err := tx.SupplyPoint(domain.MarketNLDElectricity, identifier)
		return errors.Join(err, year(tx, point, "1", domain.Consumption, domain.KilowattHour, 30))
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

// halfHours counts the readings of a property that a token opens.
func (o *counter) halfHours(token string, property any) any {
	o.t.Helper()
	return fmt.Sprint(get(o.ask(token, `query($id: ID!) { property(id: $id) { measurements(first: 0) { totalCount } } }`, object{"id": property}), "property", "measurements", "totalCount"))
}

func TestOnboardingIsSaidOnce(t *testing.T) {
	o := newCounter(t)
	first := o.body("partner", create, newcomer(1, nil))
	if again := o.body("partner", create, newcomer(1, nil)); again != first {
		t.Errorf("the same again: got %s, want %s", again, first)
	}
	for name, c := range map[string]struct {
		token  string
		change func(object)
		want   string
	}{
		"another content":        {"partner", func(in object) { in["surname"] = "Maan" }, "KT-CT-1605 input.reference"},
		"an e-mail that is used": {"partner", func(in object) { in["reference"], in["properties"] = "other", []object{} }, "KT-CT-1605 input.email"},
		"a supply point that is used": {
			"partner", func(in object) { in["reference"], in["email"] = "other", "other@example.org" }, "KT-CT-1605 input.properties.0.supplyPoints.0",
		},
		"a supply point that another partner has": {
			"watt", nil, "KT-CT-1605 input.properties.0.supplyPoints.0",
		},
		"an application that only looks":         {"looks", func(in object) { in["reference"] = "other" }, "KT-CT-1111"},
		"an application that reaches by consent": {"consents", func(in object) { in["reference"] = "other" }, "KT-CT-1111"},
		"nobody":                                 {"", nil, "KT-CT-1112"},
		"no reference":                           {"partner", func(in object) { in["reference"] = " " }, "KT-CT-1605 input.reference"},
		"no e-mail address":                      {"partner", func(in object) { in["email"] = "Eva <eva@example.org>" }, "KT-CT-1605 input.email"},
		"no telephone number":                    {"partner", func(in object) { in["phoneNumber"] = "call me" }, "KT-CT-1605 input.phoneNumber"},
		"a name with a line break":               {"partner", func(in object) { in["firstName"] = "E\nva" }, "KT-CT-1605 input.firstName"},
		"nobody's birthday":                      {"partner", func(in object) { in["birthDate"] = "2190-01-01" }, "KT-CT-1605 input.birthDate"},
		"a zone that is none":                    {"partner", home("timezone", "Mars/Base"), "KT-CT-1605 input.properties.0.timezone"},
		"a day before all":                       {"partner", home("moveInDate", "1969-12-31"), "KT-CT-1605 input.properties.0.moveInDate"},
		"an address without lines":               {"partner", home("address", []string{}), "KT-CT-1605 input.properties.0.address"},
		"a market that is none":                  {"partner", home("supplyPoints", []object{{"marketName": "nld", "externalIdentifier": "1"}}), "KT-CT-1605 input.properties.0.supplyPoints.0.marketName"},
		"an identifier that is none":             {"partner", home("supplyPoints", []object{{"marketName": "NLD_GAS", "externalIdentifier": "a b"}}), "KT-CT-1605 input.properties.0.supplyPoints.0.externalIdentifier"},
		"an invoice address in no country": {"partner", func(in object) {
			in["invoiceAddress"] = object{"lines": []string{"x"}, "postcode": "1", "city": "y", "country": "nl"}
		}, "KT-CT-1605 input.invoiceAddress.country"},
		"the same supply point twice": {"partner", home("supplyPoints", []object{{"marketName": "NLD_GAS", "externalIdentifier": "1"}, {"marketName": "NLD_GAS", "externalIdentifier": "1"}}), "KT-CT-1605 input.properties.0.supplyPoints.1"},
		"a field that there is not":   {"partner", func(in object) { in["shoeSize"] = 42 }, "KT-CT-1605 input.shoeSize"},
		"a long customer number":      {"partner", func(in object) { in["customerNumber"] = strings.Repeat("1", 65) }, "KT-CT-1605 input.customerNumber"},
	} {
		if got := o.refused(c.token, create, newcomer(1, c.change)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if got := o.acts(); len(got) != 1 || got[0] != "customer.create "+string(stroom)+" app_partner CAN_MANAGE_CUSTOMERS" {
		t.Errorf("the audit log has %q, want one creation", got)
	}
}

// home changes a field of the newcomer's home.
func home(field string, value any) func(object) {
	return func(in object) { in["properties"].([]object)[0][field] = value }
}

func TestAnotherPartnersCustomerIsNobody(t *testing.T) {
	o := newCounter(t)
	ours, theirs := o.bring("partner", 1, nil), o.bring("watt", 2, nil)
	o.as("ours", stroom, ours.user, nil)
	nobody, nowhere := "11111111-2222-4333-8444-555555555555", "prop_nowhere"
	before := len(o.acts())
	for name, c := range map[string]struct {
		token, query string
		variables    func(customer, property any) object
	}{
		"found": {"partner", `query($id: ID!) { customer(id: $id) { id email contracts { totalCount } } }`, func(c, _ any) object { return object{"id": c} }},
		"found by themselves": {
			"ours", `query($id: ID!) { customer(id: $id) { id } }`, func(c, _ any) object { return object{"id": c} },
		},
		"reached":               {"partner", contact, func(c, _ any) object { return object{"input": object{"customerId": c, "phoneNumber": "1"}} }},
		"reached by a customer": {"ours", contact, func(c, _ any) object { return object{"input": object{"customerId": c, "phoneNumber": "1"}} }},
		"billed":                {"partner", invoice, func(c, _ any) object { return object{"input": object{"customerId": c}} }},
		"moved in": {"partner", moveIn, func(c, _ any) object {
			return object{"input": object{"customerId": c, "propertyId": ours.property, "date": "2024-05-01"}}
		}},
		"moved out": {"partner", moveOut, func(c, _ any) object {
			return object{"input": object{"customerId": c, "propertyId": ours.property, "date": "2024-05-01"}}
		}},
		"moved in elsewhere": {"partner", moveIn, func(_, p any) object {
			return object{"input": object{"customerId": ours.user, "propertyId": p, "date": "2024-05-01"}}
		}},
		"moved out of elsewhere": {"partner", moveOut, func(_, p any) object {
			return object{"input": object{"customerId": ours.user, "propertyId": p, "date": "2024-05-01"}}
		}},
	} {
		foreign := o.body(c.token, c.query, c.variables(theirs.user, theirs.property))
		unknown := o.body(c.token, c.query, c.variables(nobody, nowhere))
		malformed := o.body(c.token, c.query, c.variables("x", "x"))
		if foreign != unknown || malformed != unknown || !strings.Contains(unknown, `"errors"`) {
			t.Errorf("%s:\nforeign   %s\nunknown   %s\nmalformed %s", name, foreign, unknown, malformed)
		}
	}
	if got := o.acts(); len(got) != before {
		t.Errorf("the audit log has %q, want %d entries", got, before)
	}
	for _, search := range []string{"", "eva2", "EAN-2", fmt.Sprint(theirs.account)} {
		got := o.body("partner", `query($s: String) { customers(search: $s) { totalCount edges { node { id } } } }`, object{"s": search})
		if strings.Contains(got, fmt.Sprint(theirs.user)) || search == "" && !strings.Contains(got, fmt.Sprint(ours.user)) {
			t.Errorf("customers by %q: %s", search, got)
		}
	}
}

func TestWhoMayChangeACustomer(t *testing.T) {
	o := newCounter(t)
	c := o.bring("partner", 1, nil)
	o.as("themself", stroom, c.user, nil)
	for name, change := range map[string]func(*domain.Caller){
		"by key":             func(c *domain.Caller) { c.Login = domain.LoginAPIKey },
		"pre-signed":         func(c *domain.Caller) { c.Login = domain.LoginPreSigned },
		"a third party":      func(c *domain.Caller) { c.Login, c.Client = domain.LoginThirdParty, "app_looks" },
		"staff looks on":     func(c *domain.Caller) { c.Login, c.Staff = domain.LoginMasquerade, "usr_staff" },
		"the partner acts":   func(c *domain.Caller) { c.Login, c.Client, c.Actor = "", "app_partner", "app_partner" },
		"another acts":       func(c *domain.Caller) { c.Login, c.Client, c.Actor = "", "app_looks", "app_looks" },
		"the partner's page": func(c *domain.Caller) { c.Login, c.Client, c.Own = "", "app_page", true },
		"somebody's page":    func(c *domain.Caller) { c.Login, c.Client = "", "app_page" },
		"by consent":         func(c *domain.Caller) { c.Login, c.Client, c.Reach = "", "app_consents", domain.ReachConsented },
		"without personal":   func(c *domain.Caller) { c.Permissions &^= domain.PermissionSet(domain.CanViewPersonalData) },
		"without the right":  func(c *domain.Caller) { c.User, c.Client, c.Login = "", "app_x", "" },
	} {
		o.as(name, stroom, c.user, change)
	}
	may := map[string]string{
		"partner": "CAN_MANAGE_CUSTOMERS", "themself": "CAN_VIEW_PERSONAL_DATA", "by key": "CAN_VIEW_PERSONAL_DATA",
		"the partner's page": "CAN_VIEW_PERSONAL_DATA", "the partner acts": "CAN_MANAGE_CUSTOMERS",
	}
	phone := 0
	for token := range o.callers {
		phone++
		input := object{"customerId": c.user, "phoneNumber": fmt.Sprint(phone)}
		before := len(o.acts())
		body := o.body(token, contact, object{"input": input})
		changed := strings.Contains(body, fmt.Sprintf(`"phoneNumber":"%d"`, phone))
		acts := o.acts()[before:]
		if want := may[token]; changed != (want != "") || changed != (len(acts) == 1) || changed && !strings.HasSuffix(acts[0], " "+want) {
			t.Errorf("%s: %s, entries %q; want it changed by %q", token, body, acts, want)
		}
		for _, other := range []string{create, moveIn, moveOut} {
			in := newcomer(9, func(in object) {
				in["reference"], in["email"] = token, "x"+fmt.Sprint(phone)+"@example.org"
				delete(in, "properties")
			})
			if other != create {
				in = object{"input": object{"customerId": c.user, "propertyId": c.property, "date": "2024-02-01"}}
			}
			if body := o.body(token, other, in); strings.Contains(body, `"errors"`) == (token == "partner" || token == "watt" && other == create) {
				t.Errorf("%s: %.30s...: %s", token, other, body)
			}
		}
	}
	if got := o.refused("themself", contact, object{"input": object{}}); got != "KT-CT-1605 input" {
		t.Errorf("nothing to change: %s", got)
	}
	got := get(o.ask("themself", contact, object{"input": object{"email": "new@example.org", "phoneNumber": ""}}), "updateContactDetails", "customer")
	if get(got, "email") != "new@example.org" || get(got, "phoneNumber") != nil {
		t.Errorf("one's own address: got %v", got)
	}
	where := object{"lines": []any{"Postbus 1"}, "postcode": "2600", "city": "Delft", "country": "NL"}
	got = get(o.ask("themself", invoice, object{"input": object{"address": where}}), "setInvoiceAddress", "customer", "invoiceAddress")
	if fmt.Sprint(got) != fmt.Sprint(where) {
		t.Errorf("one's own bills: got %v, want %v", got, where)
	}
	if got := get(o.ask("partner", invoice, object{"input": object{"customerId": c.user}}), "setInvoiceAddress", "customer", "invoiceAddress"); got != nil {
		t.Errorf("bills that go where they live: got %v", got)
	}
}

func TestAMove(t *testing.T) {
	o := newCounter(t)
	old := o.bring("partner", 1, nil)
	next := o.bring("partner", 2, func(in object) { delete(in, "properties") })
	o.measure("EAN-1")
	o.as("old", stroom, old.user, nil)
	o.as("next", stroom, next.user, nil)
	in := object{"input": object{"customerId": next.user, "propertyId": old.property, "date": "2024-07-01"}}
	out := object{"input": object{"customerId": old.user, "propertyId": old.property, "date": "2024-06-30"}}
	if got := o.refused("partner", moveIn, in); got != "KT-CT-1605 input.date" {
		t.Errorf("moving in where somebody lives: %s", got)
	}
	if got := o.body("next", `query($id: ID!) { property(id: $id) { id } }`, object{"id": old.property}); !strings.Contains(got, "KT-CT-6622") {
		t.Errorf("the next customer, before: %s", got)
	}
	// 2024 from 1 February on has 335 days, and 48 half-hours a day: the hour that
	// spring takes autumn gives back.
	if got := o.halfHours("old", old.property); got != fmt.Sprint(335*48) {
		t.Errorf("before the move: %v half-hours", got)
	}
	first := o.body("partner", moveOut, out)
	if again := o.body("partner", moveOut, out); again != first || !strings.Contains(first, `"phase":"DELIVERY_STOPPED","startDate":"2024-02-01","endDate":"2024-06-30"`) {
		t.Errorf("moving out: %s, and again: %s", first, again)
	}
	first = o.body("partner", moveIn, in)
	if again := o.body("partner", moveIn, in); again != first || !strings.Contains(first, `"phase":"DELIVERING","startDate":"2024-07-01","endDate":null`) {
		t.Errorf("moving in: %s, and again: %s", first, again)
	}
	late := object{"input": object{"customerId": old.user, "propertyId": old.property, "date": "2024-07-01"}}
	if got := o.refused("partner", moveOut, late); got != "KT-CT-1605 input.date" {
		t.Errorf("moving out later than the next moves in: %s", got)
	}
	for token, want := range map[string]int{"old": (29+31+30+31+30)*48 - 2, "next": 184*48 + 2, "partner": 366 * 48} {
		if got := o.halfHours(token, old.property); got != fmt.Sprint(want) {
			t.Errorf("%s: %v half-hours, want %d", token, got, want)
		}
	}
	const mine = `{ me { contracts { totalCount edges { node { id phase startDate endDate property { id } supplyPoints { externalIdentifier } } } } } }`
	if got := fmt.Sprint(get(o.ask("old", mine, nil), "me", "contracts")); !strings.Contains(got, "EAN-1") || !strings.Contains(got, "2024-06-30") || !strings.Contains(got, "totalCount:1") {
		t.Errorf("the old customer's contracts: %s", got)
	}
	ids := fmt.Sprint(get(o.ask("next", mine, nil), "me", "contracts", "edges", 0, "node", "id"))
	for query, want := range map[string]string{
		`contracts(statuses: [DELIVERING])`:                                                  "1",
		`contracts(statuses: [DELIVERY_STOPPED, NEVER_DELIVERED])`:                           "0",
		`contracts(statuses: [])`:                                                            "0",
		`contracts(ids: ["` + ids + `"])`:                                                    "1",
		`contracts(ids: ["11111111-2222-4333-8444-555555555555"])`:                           "0",
		`contracts(ids: ["` + ids + `"], statuses: [DELIVERY_PLANNED], first: 100, last: 0)`: "0",
	} {
		if got := fmt.Sprint(get(o.ask("next", `{ me { `+query+` { totalCount } } }`, nil), "me", "contracts", "totalCount")); got != want {
			t.Errorf("%s: %s contracts, want %s", query, got, want)
		}
	}
	empty := o.body("old", `query($id: ID!) { property(id: $id) { measurements(startAt: "2024-08-01T00:00:00+02:00") { emptyReason totalCount gaps { startAt } availableUntil } } }`, object{"id": old.property})
	if want := `{"emptyReason":"OUTSIDE_SUPPLY_PERIOD","totalCount":0,"gaps":[],"availableUntil":"2024-07-01T00:00:00+02:00"}`; !strings.Contains(empty, want) {
		t.Errorf("the old customer, of the next one's time: %s, want %s", empty, want)
	}
	changes := o.body("next", `query($id: ID!) { measurementChanges(propertyId: $id, first: 1) { totalCount edges { node { day } } } }`, object{"id": old.property})
	if want := `{"totalCount":184,"edges":[{"node":{"day":"2024-07-01"}}]}`; !strings.Contains(changes, want) {
		t.Errorf("the next customer's changes: %s, want %s", changes, want)
	}
}

func TestCustomersAreListedInPages(t *testing.T) {
	o := newCounter(t)
	want := []any{}
	for i := range 7 {
		c := o.bring("partner", i, func(in object) { in["surname"] = fmt.Sprintf("Zon %d", i); delete(in, "properties") })
		want = append(want, c.user)
	}
	const query = `query($f: Int, $l: Int, $a: String, $b: String) { customers(first: $f, last: $l, after: $a, before: $b) {
		totalCount edgeCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { id } } } }`
	for _, backwards := range []bool{false, true} {
		var got []any
		variables := object{"f": 3}
		if backwards {
			variables = object{"l": 3}
		}
		for more := true; more; {
			page := get(o.ask("partner", query, variables), "customers")
			var ids []any
			for i := range int(get(page, "edgeCount").(float64)) {
				ids = append(ids, get(page, "edges", i, "node", "id"))
			}
			if backwards {
				got, more = append(ids, got...), get(page, "pageInfo", "hasPreviousPage") == true
				variables["b"] = get(page, "pageInfo", "startCursor")
			} else {
				got, more = append(got, ids...), get(page, "pageInfo", "hasNextPage") == true
				variables["a"] = get(page, "pageInfo", "endCursor")
			}
			if total := get(page, "totalCount"); total != float64(7) {
				t.Errorf("a total of %v, want 7", total)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("backwards %v: got %v, want %v", backwards, got, want)
		}
	}
	o.as("eva", stroom, want[0], nil)
	cursor := get(o.ask("partner", query, object{"f": 1}), "customers", "pageInfo", "endCursor")
	for name, c := range map[string]struct {
		token     string
		variables object
		want      string
	}{
		"too many":                     {"partner", object{"f": 101}, "KT-CT-1605 first"},
		"both ends":                    {"partner", object{"f": 1, "l": 1}, "KT-CT-1605 last"},
		"no cursor":                    {"partner", object{"a": "x"}, "KT-CT-1605 after"},
		"a cursor of another partner":  {"watt", object{"b": cursor}, "KT-CT-1605 before"},
		"a customer":                   {"eva", nil, "KT-CT-1111"},
		"who reaches by consent":       {"consents", nil, "KT-CT-1111"},
		"nobody":                       {"", nil, "KT-CT-1112"},
		"a cursor of another, as next": {"watt", object{"a": cursor}, "KT-CT-1605 after"},
	} {
		if got := o.refused(c.token, query, c.variables); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestADeafNodeChangesNobody: a node that has not heard of the others for too long
// answers questions, and refuses changes before they are looked at.
func TestADeafNodeChangesNobody(t *testing.T) {
	o := newCounter(t)
	c := o.bring("partner", 1, nil)
	deaf := false
	clock := func() time.Time { return now }
	host := &customer.Host{
		Tokens: &office{callers: o.callers}, URL: "http://customer.test", AuthURL: "http://auth.test",
		Usage: &usage.Service{Store: o.store, Now: clock}, Customers: &supply.Service{Store: o.store, Now: clock},
	}
	table, err := host.Table()
	if err != nil {
		t.Fatal(err)
	}
	handler, err := (&server.Serving{Log: slog.New(slog.DiscardHandler), Now: clock, Deaf: func() bool { return deaf }}).OneOrigin(table)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(query string, variables any) string {
		body, err := json.Marshal(object{"query": query, "variables": variables})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/v1/graphql/", strings.NewReader(string(body)))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer partner")
		out := httptest.NewRecorder()
		handler.ServeHTTP(out, r)
		return out.Body.String()
	}
	for _, deaf = range []bool{false, true} {
		before := len(o.acts())
		got := ask(contact, object{"input": object{"customerId": c.user, "phoneNumber": fmt.Sprint(before)}})
		if refused := strings.Contains(got, "KT-CT-503"); refused != deaf || (len(o.acts()) == before) != deaf {
			t.Errorf("deaf %v: a change: %s", deaf, got)
		}
		if got := ask(`query($id: ID!) { customer(id: $id) { email } }`, object{"id": c.user}); !strings.Contains(got, "eva1@example.org") {
			t.Errorf("deaf %v: a question: %s", deaf, got)
		}
	}
}
