package customer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/server/customer"
	"github.com/wattgate/wattgate/internal/store/sqlite"
	"github.com/wattgate/wattgate/internal/usage"
)

// The people of the tests: Ada and Bo are customers of Stroom, Cleo is one of
// Watt. Each has an account and a property.
const (
	ada  domain.UserID = "usr_0c1a3b5e7f204a639a516f0c2d9be714"
	bo   domain.UserID = "usr_1c1a3b5e7f204a639a516f0c2d9be714"
	cleo domain.UserID = "usr_2c1a3b5e7f204a639a516f0c2d9be714"

	stroom domain.PartnerID = "prt_stroom"
	watt   domain.PartnerID = "prt_watt"
)

var (
	thirdParty = domain.PermissionSet(domain.CanViewDetailedUsage, domain.CanQueryProperty)
	onCustomer = domain.AudienceSet(domain.AudienceCustomer)
)

// callers are the tokens of the tests.
var callers = map[string]domain.Caller{
	"third-party": {Partner: stroom, Client: "app_third", Permissions: thirdParty, Audiences: onCustomer, Reach: domain.ReachPartner},
	"consented":   {Partner: stroom, Client: "app_agreed", Permissions: thirdParty, Audiences: onCustomer, Reach: domain.ReachConsented},
	"partner":     {Partner: stroom, Client: "app_stroom", Permissions: domain.AllPermissions(), Audiences: onCustomer, Reach: domain.ReachPartner},
	"metering":    {Partner: stroom, Client: "app_meter", Permissions: domain.PermissionSet(domain.CanSubmitMeasurements), Audiences: onCustomer, Reach: domain.ReachPartner},
	"watt":        {Partner: watt, Client: "app_watt", Permissions: domain.AllPermissions(), Audiences: onCustomer, Reach: domain.ReachPartner},
	"ada":         {Partner: stroom, Client: "app_stroom", User: ada, Actor: "app_stroom", Permissions: domain.CustomerPermissions, Audiences: onCustomer, Reach: domain.ReachPartner},
	"bo":          {Partner: stroom, Client: "app_stroom", User: bo, Permissions: domain.CustomerPermissions, Audiences: onCustomer, Reach: domain.ReachPartner},
	"narrowed":    {Partner: stroom, Client: "app_stroom", User: ada, Permissions: domain.PermissionSet(domain.CanQueryProperty), Audiences: onCustomer, Reach: domain.ReachPartner},
	// Readers by consent: one whom nobody has allowed anything, at Watt and with a
	// customer's token too, and one whom Bo has allowed to read.
	"consented-watt": {Partner: watt, Client: "app_agreed", Permissions: thirdParty, Audiences: onCustomer, Reach: domain.ReachConsented},
	"consented-ada":  {Partner: stroom, Client: "app_agreed", User: ada, Permissions: domain.CustomerPermissions, Audiences: onCustomer, Reach: domain.ReachConsented},
	"bos-reader":     {Partner: stroom, Client: "app_bos", Permissions: thirdParty, Audiences: onCustomer, Reach: domain.ReachConsented},
	"bos-reader-ada": {Partner: stroom, Client: "app_bos", User: ada, Permissions: domain.CustomerPermissions, Audiences: onCustomer, Reach: domain.ReachConsented},
	"auth-only":      {Partner: stroom, Client: "app_stroom", Permissions: domain.AllPermissions(), Audiences: domain.AudienceSet(domain.AudienceAuth), Reach: domain.ReachPartner},
}

func authenticate(r *http.Request) (domain.Caller, error) {
	raw := r.Header.Get("Authorization")
	switch raw {
	case "":
		return domain.Caller{}, authn.ErrNoToken
	case "expired":
		return domain.Caller{}, authn.ErrExpired
	case "other-api":
		return domain.Caller{}, authn.ErrAudience
	}
	c, ok := callers[strings.TrimPrefix(raw, "Bearer ")]
	if !ok {
		return domain.Caller{}, &domain.Error{Kind: domain.Unauthenticated, Public: "no", Err: authn.ErrInvalid}
	}
	return c, nil
}

// world is a store with people and readings, and the API before it. It is
// made once: no test changes it.
type world struct {
	api   *customer.API
	usage *usage.Service
	store *sqlite.Store

	mu     sync.Mutex
	logged []string
}

// log keeps what the API tells the operator.
func (w *world) log(_ *http.Request, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d, ok := errors.AsType[*domain.Error](err); ok && d.Kind != domain.Internal && d.Kind != domain.Unavailable {
		return // the caller's mistake
	}
	w.logged = append(w.logged, err.Error())
}

var shared = sync.OnceValues(build)

func newWorld(t testing.TB) *world {
	t.Helper()
	w, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func build() (*world, error) {
	ctx := context.Background()
	store, err := sqlite.Open(ctx, ":memory:", sqlite.Options{Now: func() time.Time { return now }})
	if err != nil {
		return nil, err
	}
	entry := domain.Entry{At: now, Action: "test.build", By: "test"}
	n := 0
	next := func() domain.Entry { n++; entry.ID = fmt.Sprintf("aud_%04d", n); return entry }
	errs := []error{
		store.AddPartner(ctx, domain.Partner{ID: stroom, Name: "Stroom", CreatedAt: now}, next()),
		store.AddPartner(ctx, domain.Partner{ID: watt, Name: "Watt", CreatedAt: now}, next()),
	}
	for _, c := range []struct {
		id       domain.UserID
		partner  domain.PartnerID
		name     string
		account  domain.AccountNumber
		property domain.PropertyID
	}{
		{ada, stroom, "Ada", "A-ADA", "prop_ada"},
		{bo, stroom, "Bo", "A-BO", "prop_bo"},
		{cleo, watt, "Cleo", "A-CLEO", "prop_cleo"},
	} {
		errs = append(errs, store.AddUser(ctx, domain.User{
			ID: c.id, Partner: c.partner, Customer: true,
			Email: strings.ToLower(c.name) + "@example.org", FirstName: c.name, MiddleName: "van", Surname: "Dam",
			BirthDate: domain.NewDate(1984, 2, 29), CustomerNumber: "C-" + c.name, CreatedAt: now,
		}, "x", &domain.Account{Number: c.account, Partner: c.partner, User: c.id}, next()),
			store.AddProperty(ctx, domain.Property{
				ID: c.property, Partner: c.partner, Account: c.account, Label: "Home of " + c.name,
				Address: []string{"Dam 1", "Amsterdam"}, Postcode: "1012 AB", Zone: "Europe/Amsterdam",
			}, next()))
	}
	errs = append(errs, store.TakeIn(ctx, measure))
	errs = append(errs, store.AddApplication(ctx, reader("app_bos", stroom), nil, next()), give(store, domain.Consent{
		ID: "con_bos", Application: "app_bos", Partner: stroom, User: bo, HistoryFrom: domain.NewDate(2024, 2, 1), ValidUntil: now.AddDate(1, 0, 0), CreatedAt: now,
		SupplyPoints: []domain.SupplyPointRef{{Market: domain.MarketNLDElectricity, Identifier: "871690000000000001"}},
	}, next()))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	w := &world{store: store, usage: &usage.Service{Store: store, CursorKey: [32]byte{7}, Now: func() time.Time { return now }}}
	w.api, err = customer.New(customer.Config{Usage: w.usage, Authenticate: authenticate, Log: w.log})
	return w, err
}

// measure gives every property 2024 in half-hours of consumption; Ada's also
// generates, and has gas and a reactive register.
func measure(tx intake.Tx) error {
	for i, p := range []struct {
		partner  domain.PartnerID
		property domain.PropertyID
	}{{stroom, "prop_ada"}, {stroom, "prop_bo"}, {watt, "prop_cleo"}} {
		point, err := tx.AddSupplyPoint(domain.SupplyPoint{
			Partner: p.partner, Property: p.property, Zone: "Europe/Amsterdam",
			Market: domain.MarketNLDElectricity, Identifier: fmt.Sprintf("87169000000000000%d", i),
		})
		if err != nil {
			return err
		}
		if err := year(tx, point, "1", domain.Consumption, domain.KilowattHour, 30); err != nil {
			return err
		}
		if p.property != "prop_ada" {
			continue
		}
		gas, err := tx.AddSupplyPoint(domain.SupplyPoint{
			Partner: p.partner, Property: p.property, Zone: "Europe/Amsterdam",
			Market: domain.MarketNLDGas, Identifier: "871690000000000009",
		})
		if err = errors.Join(err,
			year(tx, point, "2", domain.Generation, domain.KilowattHour, 15),
			year(tx, point, "Q", domain.Consumption, domain.KilovarHour, 30),
			year(tx, gas, "7", domain.Consumption, domain.CubicMetre, 60)); err != nil {
			return err
		}
	}
	return nil
}

func year(tx intake.Tx, point domain.SupplyPoint, register string, direction domain.Direction, unit domain.Unit, minutes int) error {
	c, err := tx.AddChannel(domain.Channel{SupplyPoint: point, Register: register, Direction: direction, Unit: unit, Zone: point.Zone})
	if err != nil {
		return err
	}
	loc, err := interval.Zone(point.Zone)
	if err != nil {
		return err
	}
	var day interval.Day
	for d := domain.NewDate(2024, 1, 1); d < domain.NewDate(2025, 1, 1); d++ {
		start, end := interval.Span(d, loc)
		day.Reset(start, minutes, 3, interval.Count(start, end, minutes))
		for i := range day.Values {
			quality := domain.Actual
			if d == domain.NewDate(2024, 5, 5) && i == 3 {
				quality = domain.Substituted
			}
			if err := day.Set(i, domain.Decimal{Coefficient: int64(d)%100 + int64(i), Scale: 3}, quality); err != nil {
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

// post sends a query with variables by POST and returns the answer.
func (w *world) post(token, query string, variables any) *httptest.ResponseRecorder {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		panic(err)
	}
	return w.send(token, string(body))
}

func (w *world) send(token, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", token)
	}
	return w.do(r)
}

func (w *world) do(r *http.Request) *httptest.ResponseRecorder {
	out := httptest.NewRecorder()
	w.api.ServeHTTP(out, r)
	return out
}

// answer is a decoded GraphQL answer.
type answer struct {
	Data   map[string]any
	Errors []struct {
		Message    string
		Locations  []struct{ Line, Column int }
		Path       []any
		Extensions struct {
			ErrorType, ErrorCode, ErrorDescription, ErrorClass string
			ValidationErrors                                   []struct {
				Message   string
				InputPath []string
			}
		}
	}
}

func decode(t testing.TB, out *httptest.ResponseRecorder) answer {
	t.Helper()
	var a answer
	d := json.NewDecoder(bytes.NewReader(out.Body.Bytes()))
	d.UseNumber()
	if err := d.Decode(&a); err != nil {
		t.Fatalf("%v in %q", err, out.Body)
	}
	return a
}

// get follows a path of keys and indexes through decoded JSON.
func get(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}
