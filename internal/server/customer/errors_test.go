package customer_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server/customer"
	"github.com/wattgate/wattgate/internal/usage"
)

func TestAMissingTokenIsAnErrorOfTheField(t *testing.T) {
	out := newWorld(t).post("", "{\n  me { firstName } }", nil)
	want := `{"errors":[{"message":"'Authorization' header not provided.","locations":[{"line":2,"column":3}],"path":["me"],` +
		`"extensions":{"errorType":"AUTHORIZATION","errorCode":"KT-CT-1112",` +
		`"errorDescription":"You must provide the AUTHORIZATION header while executing the query/mutation."}}],"data":{"me":null}}`
	if got := out.Body.String(); out.Code != http.StatusOK || got != want {
		t.Errorf("got %d %s\nwant 200 %s", out.Code, got, want)
	}
}

func TestAValidationErrorPointsAtTheArgument(t *testing.T) {
	out := newWorld(t).post("ada", `query($d:Date){property(id:"prop_ada"){measurements(startOn:$d){edgeCount}}}`, map[string]any{"d": "2024-02-30"})
	const sentence = `\"2024-02-30\" is not a date: want an existing day as YYYY-MM-DD`
	want := `{"errors":[{"message":"` + sentence + `","locations":[{"line":1,"column":40}],"path":["property","measurements"],` +
		`"extensions":{"errorType":"VALIDATION","errorCode":"KT-CT-1605","errorDescription":"Invalid input.","errorClass":"VALIDATION",` +
		`"validationErrors":[{"message":"` + sentence + `","inputPath":["startOn"]}]}}],"data":{"property":{"measurements":null}}}`
	if got := out.Body.String(); out.Code != http.StatusOK || got != want {
		t.Errorf("got %d %s\nwant 200 %s", out.Code, got, want)
	}
}

func TestWhatBadInputGets(t *testing.T) {
	w := newWorld(t)
	const data = `edges{node{value}}}}}`
	const auth, valid, app = "AUTHORIZATION", "VALIDATION", "APPLICATION"
	for name, c := range map[string]struct {
		token, query     string
		kind, code, path string
		input            string
		data             string
	}{
		"no token":                        {"", `{property(id:"prop_ada"){id}}`, auth, "KT-CT-1112", "property", "", `{"property":null}`},
		"an expired token":                {"expired", `{me{firstName}}`, app, "KT-CT-1124", "me", "", `{"me":null}`},
		"a forged token":                  {"forged", `{me{firstName}}`, auth, "KT-CT-1111", "me", "", `{"me":null}`},
		"a token for another API":         {"other-api", `{me{firstName}}`, auth, "KT-CT-1111", "me", "", `{"me":null}`},
		"an audience the verifier let by": {"auth-only", `{property(id:"prop_ada"){id}}`, auth, "KT-CT-1111", "property", "", `{"property":null}`},
		"me for a partner token":          {"partner", `{me{firstName}}`, auth, "KT-CT-1111", "me", "", `{"me":null}`},
		"me for a third party":            {"third-party", `{me{firstName}}`, auth, "KT-CT-1111", "me", "", `{"me":null}`},
		"me for a narrowed token":         {"narrowed", `{me{firstName}}`, auth, "KT-CT-1111", "me", "", `{"me":null}`},
		"usage for a narrowed token":      {"narrowed", `{property(id:"prop_ada"){measurements{edgeCount}}}`, auth, "KT-CT-1111", "property measurements", "", `{"property":{"measurements":null}}`},
		"an address for a third party":    {"third-party", `{property(id:"prop_ada"){address}}`, auth, "KT-CT-1111", "property address", "", `{"property":{"address":null}}`},
		"a postal code for a third party": {"third-party", `{property(id:"prop_ada"){id postcode}}`, auth, "KT-CT-1111", "property postcode", "", `{"property":null}`},
		"a property for who meters":       {"metering", `{property(id:"prop_ada"){id}}`, auth, "KT-CT-1111", "property", "", `{"property":null}`},
		"an unknown property":             {"ada", `{property(id:"prop_none"){id}}`, auth, "KT-CT-6622", "property", "", `{"property":null}`},
		"another customer's property":     {"ada", `{property(id:"prop_bo"){id}}`, auth, "KT-CT-6622", "property", "", `{"property":null}`},
		"another partner's property":      {"partner", `{property(id:"prop_cleo"){id}}`, auth, "KT-CT-6622", "property", "", `{"property":null}`},
		"what needs consent":              {"consented", `{property(id:"prop_ada"){id}}`, auth, "KT-CT-6622", "property", "", `{"property":null}`},
		"a malformed property":            {"ada", `{property(id:"' OR 1=1"){id}}`, auth, "KT-CT-6622", "property", "", `{"property":null}`},
		"a property that is a number":     {"ada", `{property(id:7){id}}`, auth, "KT-CT-6622", "property", "", `{"property":null}`},
		"a property of another account":   {"partner", `{account(accountNumber:"A-ADA"){property(id:"prop_bo"){id}}}`, auth, "KT-CT-6622", "account property", "", `{"account":{"property":null}}`},
		"an unknown account":              {"ada", `{account(accountNumber:"A-NONE"){number}}`, auth, "KT-CT-4177", "account", "", `{"account":null}`},
		"another customer's account":      {"ada", `{account(accountNumber:"A-BO"){number}}`, auth, "KT-CT-4177", "account", "", `{"account":null}`},
		"another partner's account":       {"partner", `{properties(accountNumber:"A-CLEO"){id}}`, auth, "KT-CT-4177", "properties", "", `{"properties":null}`},
		"a malformed account":             {"ada", `{account(accountNumber:"%"){number}}`, auth, "KT-CT-4177", "account", "", `{"account":null}`},
		"first above the limit":           {"ada", `{property(id:"prop_ada"){measurements(first:10001){` + data, valid, "KT-CT-1189", "property measurements", "first", `{"property":{"measurements":null}}`},
		"last above the limit":            {"ada", `{property(id:"prop_ada"){measurements(last:10001){` + data, valid, "KT-CT-1189", "property measurements", "last", `{"property":{"measurements":null}}`},
		"a negative first":                {"ada", `{property(id:"prop_ada"){measurements(first:-1){` + data, valid, "KT-CT-1605", "property measurements", "first", `{"property":{"measurements":null}}`},
		"first and last":                  {"ada", `{property(id:"prop_ada"){measurements(first:1,last:1){` + data, valid, "KT-CT-1605", "property measurements", "last", `{"property":{"measurements":null}}`},
		"a forged cursor":                 {"ada", `{property(id:"prop_ada"){measurements(after:"AAAA"){` + data, valid, "KT-CT-1605", "property measurements", "after", `{"property":{"measurements":null}}`},
		"a zone that is none":             {"ada", `{property(id:"prop_ada"){measurements(timezone:"Mars/Olympus"){` + data, valid, "KT-CT-1605", "property measurements", "timezone", `{"property":{"measurements":null}}`},
		"a time that does not exist":      {"ada", `{property(id:"prop_ada"){measurements(startAt:"2024-02-30T00:00:00"){` + data, valid, "KT-CT-1605", "property measurements", "startAt", `{"property":{"measurements":null}}`},
		"a day that does not exist":       {"ada", `{property(id:"prop_ada"){measurements(endOn:"2023-02-29"){` + data, valid, "KT-CT-1605", "property measurements", "endOn", `{"property":{"measurements":null}}`},
		"bad input of nobody":             {"", `{__type(name:"Query"){name} property(id:"prop_ada"){measurements(endOn:"2023-02-29"){edgeCount}}}`, auth, "KT-CT-1112", "__type", "", `{"__type":null,"property":null}`},
		"bad input where one may not":     {"narrowed", `{property(id:"prop_ada"){measurements(endOn:"2023-02-29"){edgeCount}}}`, auth, "KT-CT-1111", "property measurements", "", `{"property":{"measurements":null}}`},
		"a field that does not exist":     {"ada", `{me{shoeSize}}`, valid, "KT-CT-1606", "", "", ``},
		"an argument that does not exist": {"ada", `{property(id:"prop_ada",x:1){id}}`, valid, "KT-CT-1605", "", "", ``},
		"a frequency that does not exist": {"ada", `{property(id:"prop_ada"){measurements(utilityFilters:{electricityFilters:{readingFrequencyType:MINUTE}}){edgeCount}}}`, valid, "KT-CT-1605", "", "", ``},
		"a document that is none":         {"ada", `{me`, valid, "KT-CT-1605", "", "", ``},
		"a mutation that does not exist":  {"ada", `mutation{x}`, valid, "KT-CT-1606", "", "", ``},
		"an answer in parts":              {"ada", `{me{...@defer{firstName}}}`, valid, "KT-CT-1605", "", "", ``},
		"too many tokens":                 {"ada", `{` + strings.Repeat("me{id}", 600) + `}`, valid, "KT-CT-1605", "", "", ``},
	} {
		out := w.post(c.token, c.query, nil)
		a := decode(t, out)
		if out.Code != http.StatusOK || len(a.Errors) == 0 {
			t.Errorf("%s: %d %s", name, out.Code, out.Body)
			continue
		}
		e := a.Errors[0]
		path := []string{}
		for _, step := range e.Path {
			path = append(path, step.(string))
		}
		if e.Extensions.ErrorType != c.kind || e.Extensions.ErrorCode != c.code || strings.Join(path, " ") != c.path || e.Message == "" || e.Extensions.ErrorDescription == "" {
			t.Errorf("%s: %s, want %s %s at %q", name, out.Body, c.kind, c.code, c.path)
		}
		if valid := e.Extensions.ValidationErrors; (len(valid) == 1 && e.Extensions.ErrorClass == "VALIDATION") != (c.kind == "VALIDATION") ||
			len(valid) == 1 && strings.Join(valid[0].InputPath, ".") != c.input {
			t.Errorf("%s: validation errors %+v, want input path %q", name, valid, c.input)
		}
		var raw struct{ Data json.RawMessage }
		if err := json.Unmarshal(out.Body.Bytes(), &raw); err != nil || string(raw.Data) != c.data {
			t.Errorf("%s: data %s, want %s", name, raw.Data, c.data)
		}
	}
}

func TestForeignAndUnknownAreTheSameBytes(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		query string
		ids   []string
	}{
		"property": {
			`query($id:ID!){property(id:$id){id measurements{edgeCount}}}`,
			[]string{"prop_none", "prop_bo", "prop_cleo", "malformed", "", "prop_" + strings.Repeat("a", 400)},
		},
		"account's property": {
			`query($id:ID!){account(accountNumber:"A-ADA"){property(id:$id){id}}}`,
			[]string{"prop_none", "prop_bo", "prop_cleo", "malformed"},
		},
		"account": {
			`query($id:String!){account(accountNumber:$id){number properties{id}}}`,
			[]string{"A-NONE", "A-BO", "A-CLEO", "malformed", "a-ada"},
		},
		"properties": {
			`query($id:String!){properties(accountNumber:$id){id}}`,
			[]string{"A-NONE", "A-BO", "A-CLEO", "malformed"},
		},
	} {
		want := ""
		for _, id := range c.ids {
			out := w.post("ada", c.query, map[string]any{"id": id})
			got := out.Result().Status + out.Body.String()
			for key, values := range out.Header() {
				if key != "Date" {
					got += key + strings.Join(values, ",")
				}
			}
			if want == "" {
				want = out.Body.String()
			}
			if out.Body.String() != want || !strings.Contains(got, "Unauthorized.") {
				t.Errorf("%s %q: %s\nwant %s", name, id, out.Body, want)
			}
		}
	}
}

// broken is a store whose every answer is an error or a panic.
type broken struct {
	usage.Store
	err error
}

func (b broken) User(context.Context, domain.Scope, domain.UserID) (domain.User, error) {
	if b.err == nil {
		panic("users.sql line 7: secret detail")
	}
	return domain.User{}, b.err
}

func TestOurFaultsAreDull(t *testing.T) {
	for name, c := range map[string]struct {
		err              error
		kind, code, said string
	}{
		"an unknown cause": {errors.New("secret detail"), "APPLICATION", "KT-CT-500", "secret detail"},
		"an internal one":  {&domain.Error{Kind: domain.Internal, Public: "secret detail"}, "APPLICATION", "KT-CT-500", "secret detail"},
		"a panic":          {nil, "APPLICATION", "KT-CT-500", "secret detail"},
		"a full disk":      {&domain.Error{Kind: domain.Unavailable, Public: "secret detail"}, "SERVICE_AVAILABILITY", "KT-CT-503", "secret detail"},
		"a deadline":       {context.DeadlineExceeded, "SERVICE_AVAILABILITY", "KT-CT-503", "deadline"},
	} {
		w := &world{}
		api, err := customer.New(customer.Config{Usage: &usage.Service{Store: broken{err: c.err}}, Authenticate: authenticate, Log: w.log})
		if err != nil {
			t.Fatal(err)
		}
		w.api = api
		out := w.post("ada", `{me{firstName}}`, nil)
		a := decode(t, out)
		if len(a.Errors) != 1 || a.Errors[0].Extensions.ErrorCode != c.code || a.Errors[0].Extensions.ErrorType != c.kind || strings.Contains(out.Body.String(), "detail") {
			t.Errorf("%s: %d %s, want one dull %s", name, out.Code, out.Body, c.code)
		}
		if len(w.logged) != 1 || !strings.Contains(w.logged[0], c.said) {
			t.Errorf("%s: logged %q, want %q once", name, w.logged, c.said)
		}
	}
}

func TestEveryKindHasACode(t *testing.T) {
	want := map[domain.Kind]string{
		domain.Internal: "KT-CT-500", domain.Invalid: "KT-CT-1605", domain.Unauthenticated: "KT-CT-1111",
		domain.Forbidden: "KT-CT-1111", domain.NotFound: "KT-CT-1111", domain.Conflict: "KT-CT-1605", domain.Unavailable: "KT-CT-503",
		domain.Throttled: "KT-CT-1199",
	}
	if len(want) != domain.Kinds() {
		t.Errorf("%d kinds are listed, want all %d", len(want), domain.Kinds())
	}
	for k, code := range want {
		api, err := customer.New(customer.Config{Usage: &usage.Service{Store: broken{err: &domain.Error{Kind: k, Public: "x"}}}, Authenticate: authenticate})
		if err != nil {
			t.Fatal(err)
		}
		a := decode(t, (&world{api: api}).post("ada", `{me{firstName}}`, nil))
		if len(a.Errors) != 1 || a.Errors[0].Extensions.ErrorCode != code {
			t.Errorf("kind %v: %+v, want %s", k, a.Errors, code)
		}
	}
}

func TestErrorsStandInTheOrderOfTheDocument(t *testing.T) {
	w := newWorld(t)
	query := `{a:me{id} b:property(id:"prop_none"){id} c:account(accountNumber:"A-X"){number} d:me{id} e:property(id:"x"){id}}`
	want := w.post("third-party", query, nil).Body.String()
	for range 50 {
		if got := w.post("third-party", query, nil).Body.String(); got != want {
			t.Fatalf("got %s\nthen %s", want, got)
		}
	}
}
