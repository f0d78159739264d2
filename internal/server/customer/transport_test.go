package customer_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestTransport(t *testing.T) {
	w := newWorld(t)
	const jsonType = "application/json"
	get := func(values url.Values) string { return "/graphql?" + values.Encode() }
	name := url.Values{"query": {"{__typename}"}}
	for title, c := range map[string]struct {
		method, target, kind, accept, body string
		want                               int
		header                             string // Allow or Content-Type
		contains                           string
	}{
		"a plain POST":                        {"POST", "/", jsonType, "", `{"query":"{__typename}"}`, 200, "application/json; charset=utf-8", `{"data":{"__typename":"Query"}}`},
		"a charset":                           {"POST", "/", jsonType + "; charset=UTF-8", "", `{"query":"{__typename}"}`, 200, "", `data`},
		"any case of the type":                {"POST", "/", "Application/JSON", "", `{"query":"{__typename}"}`, 200, "", `data`},
		"the newer media type":                {"POST", "/", jsonType, "application/graphql-response+json", `{"query":"{__typename}"}`, 200, "application/graphql-response+json; charset=utf-8", `data`},
		"the newer before the older":          {"POST", "/", jsonType, "application/graphql-response+json, application/json;q=0.9", `{"query":"{__typename}"}`, 200, "application/graphql-response+json; charset=utf-8", `data`},
		"the older before the newer":          {"POST", "/", jsonType, "application/graphql-response+json;q=0.5, application/json", `{"query":"{__typename}"}`, 200, "application/json; charset=utf-8", `data`},
		"anything":                            {"POST", "/", jsonType, "*/*", `{"query":"{__typename}"}`, 200, "application/json; charset=utf-8", `data`},
		"variables that are null":             {"POST", "/", jsonType, "", `{"query":"{__typename}","variables":null,"operationName":null,"extensions":null}`, 200, "", `data`},
		"fields that we do not know":          {"POST", "/", jsonType, "", `{"query":"{__typename}","id":7}`, 200, "", `data`},
		"one operation of several":            {"POST", "/", jsonType, "", `{"query":"query a{x:__typename} query b{y:__typename}","operationName":"b"}`, 200, "", `{"data":{"y":"Query"}}`},
		"an operation that is not there":      {"POST", "/", jsonType, "", `{"query":"query a{x:__typename}","operationName":"b"}`, 200, "", `errors`},
		"a document that is none, older":      {"POST", "/", jsonType, jsonType, `{"query":"{"}`, 200, "", `errors`},
		"a document that is none, newer":      {"POST", "/", jsonType, "application/graphql-response+json", `{"query":"{"}`, 400, "", `errors`},
		"an unknown field, newer":             {"POST", "/", jsonType, "application/graphql-response+json", `{"query":"{x}"}`, 400, "", `KT-CT-1606`},
		"a variable that does not fit, older": {"POST", "/", jsonType, jsonType, `{"query":"query($n:Int!){__typename @skip(if:true) property(id:\"p\"){measurements(first:$n){edgeCount}}}","variables":{"n":"x"}}`, 200, "", `"inputPath":["n"]`},
		"a variable that does not fit, newer": {"POST", "/", jsonType, "application/graphql-response+json", `{"query":"query($n:Int!){property(id:\"p\"){measurements(first:$n){edgeCount}}}"}`, 400, "", `"inputPath":["n"]`},
		"a field error, newer":                {"POST", "/", jsonType, "application/graphql-response+json", `{"query":"{me{id}}"}`, 200, "", `"data":{"me":null}`},
		"no query":                            {"POST", "/", jsonType, "", `{"variables":{}}`, 400, "", `errors`},
		"a query that is empty":               {"POST", "/", jsonType, "", `{"query":""}`, 400, "", `errors`},
		"a query that is null":                {"POST", "/", jsonType, "", `{"query":null}`, 400, "", `errors`},
		"a query that is a number":            {"POST", "/", jsonType, "", `{"query":7}`, 400, "", `query must be a string`},
		"variables that are a list":           {"POST", "/", jsonType, "", `{"query":"{__typename}","variables":[]}`, 400, "", `variables must be an object`},
		"an operation that is a number":       {"POST", "/", jsonType, "", `{"query":"{__typename}","operationName":7}`, 400, "", `operationName must be a string`},
		"a body that is no JSON":              {"POST", "/", jsonType, "", `query`, 400, "", `errors`},
		"a batch":                             {"POST", "/", jsonType, "", `[{"query":"{__typename}"}]`, 400, "", `errors`},
		"two bodies":                          {"POST", "/", jsonType, "", `{"query":"{__typename}"}{}`, 400, "", `errors`},
		"no body":                             {"POST", "/", jsonType, "", ``, 400, "", `errors`},
		"a body that is null":                 {"POST", "/", jsonType, "", `null`, 400, "", `errors`},
		"a body above the limit":              {"POST", "/", jsonType, "", `{"query":"{__typename #` + strings.Repeat("x", 64<<10) + `"}`, 413, "", `errors`},
		"a form":                              {"POST", "/", "application/x-www-form-urlencoded", "", `query={__typename}`, 415, "", `errors`},
		"plain text":                          {"POST", "/", "text/plain", "", `{"query":"{__typename}"}`, 415, "", `errors`},
		"no type":                             {"POST", "/", "", "", `{"query":"{__typename}"}`, 415, "", `errors`},
		"a PUT":                               {"PUT", "/", jsonType, "", `{"query":"{__typename}"}`, 405, "GET, POST", `errors`},
		"a GET":                               {"GET", get(name), "", "", "", 200, "", `{"data":{"__typename":"Query"}}`},
		"a GET with variables":                {"GET", get(url.Values{"query": {"query q($x:Boolean!){__typename @include(if:$x)}"}, "variables": {`{"x":true}`}, "operationName": {"q"}}), "", "", "", 200, "", `{"data":{"__typename":"Query"}}`},
		"a GET with bad variables":            {"GET", get(url.Values{"query": {"{__typename}"}, "variables": {`[]`}}), "", "", "", 400, "", `errors`},
		"a GET without a query":               {"GET", "/graphql", "", "", "", 400, "", `errors`},
		"a GET that changes":                  {"GET", get(url.Values{"query": {"mutation{x}"}}), "", "", "", 405, "POST", `errors`},
		"a GET that chooses what changes":     {"GET", get(url.Values{"query": {"query a{__typename} mutation b{x}"}, "operationName": {"b"}}), "", "", "", 405, "POST", `errors`},
	} {
		r := httptest.NewRequest(c.method, c.target, strings.NewReader(c.body))
		for key, value := range map[string]string{"Content-Type": c.kind, "Accept": c.accept} {
			if value != "" {
				r.Header.Set(key, value)
			}
		}
		out := w.do(r)
		if out.Code != c.want || !strings.Contains(out.Body.String(), c.contains) {
			t.Errorf("%s: %d %s, want %d with %s", title, out.Code, out.Body, c.want, c.contains)
		}
		header := "Content-Type"
		if c.want == http.StatusMethodNotAllowed {
			header = "Allow"
		}
		if got := out.Header().Get(header); c.header != "" && got != c.header {
			t.Errorf("%s: %s %q, want %q", title, header, got, c.header)
		}
		if got := out.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control %q, want no-store", title, got)
		}
		if a := decode(t, out); len(a.Errors) > 0 && a.Errors[0].Extensions.ErrorType == "" {
			t.Errorf("%s: an error without a type: %s", title, out.Body)
		}
	}
}

func FuzzRequest(f *testing.F) {
	w := newWorld(f)
	f.Add(`{"query":"query me{\n me {\n firstName,\n surname\n }\n}","variables":{}}`, "ada")
	f.Add(`{"query":"query($n:Int){property(id:\"prop_ada\"){measurements(first:$n){edges{node{value}}}}}","variables":{"n":2}}`, "third-party")
	f.Add(`{"query":"{__schema{types{name}}}"}`, "")
	f.Fuzz(func(t *testing.T, body, token string) {
		before := len(w.logged)
		out := w.send(strings.Map(func(r rune) rune {
			if r < ' ' {
				return '_'
			}
			return r
		}, token), body)
		a := decode(t, out) // JSON, whatever came in
		if out.Code >= 500 || out.Code == 200 && a.Data == nil && len(a.Errors) == 0 {
			t.Fatalf("%q: %d %s", body, out.Code, out.Body)
		}
		if len(w.logged) > before {
			t.Fatalf("%q: a fault of ours: %s", body, w.logged[before])
		}
	})
}
