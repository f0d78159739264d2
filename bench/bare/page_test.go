package bare_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/bench/bare"
)

const pageOfTwo = `{"data":{"property":{"measurements":{"pageInfo":{"hasNextPage":true},"edges":[` +
	`{"node":{"value":"0.230000000000000000","unit":"kwh","startAt":"2024-10-27T02:30:00+02:00","endAt":"2024-10-27T02:00:00+01:00","metaData":{"statistics":null}}},` +
	`{"node":{"value":"1234.000001000000000000","unit":"kwh","startAt":"2024-10-27T02:00:00+01:00","endAt":"2024-10-27T02:30:00+01:00","metaData":{"statistics":null}}}` +
	`],"edgeCount":2}}}}`

func TestAppendingGivesThePageItLearned(t *testing.T) {
	for name, body := range map[string]string{"two nodes": pageOfTwo, "none at all": `{"data":{"me":{"firstName":"Ada"}}}`} {
		page, err := bare.LearnPage(http.Header{"Cache-Control": {"no-store"}, "Date": {"now"}}, []byte(body), "Europe/Amsterdam")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		handler, err := bare.Appending(page)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(`{"query":"{me{firstName}}"}`)))
			if w.Code != 200 || w.Body.String() != body || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Date") != "" {
				t.Errorf("%s: got %d, %v, %s, want %s", name, w.Code, w.Header(), w.Body, body)
			}
		}
		for _, question := range []string{"", "[]", `{"query":""}`, `{"query":"` + strings.Repeat("x", 70_000) + `"}`} {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(question)))
			if w.Code != 400 {
				t.Errorf("asked with %.30q: got status %d, want 400", question, w.Code)
			}
		}
	}
}

func TestLearnPageRefusesWhatItCannotAppend(t *testing.T) {
	for name, change := range map[string][2]string{
		"another offset than the zone's": {"+02:00", "+03:00"},
		"too many places":                {"0.230000000000000000", "0.230000000100000000"},
		"a text that changes":            {`"unit":"kwh","startAt":"2024-10-27T02:30`, `"unit":"wh","startAt":"2024-10-27T02:30`},
		"a node without an end":          {`"endAt":"2024-10-27T02:00:00+01:00",`, ""},
		"no list":                        {`]`, ""},
	} {
		body := strings.Replace(pageOfTwo, change[0], change[1], 1)
		if page, err := bare.LearnPage(http.Header{}, []byte(body), "Europe/Amsterdam"); err == nil {
			t.Errorf("%s: got %d nodes and no error", name, len(page.Nodes))
		}
	}
}

func FuzzLearnPageGivesTheSameBytes(f *testing.F) {
	f.Add([]byte(pageOfTwo))
	f.Fuzz(func(t *testing.T, body []byte) {
		page, err := bare.LearnPage(http.Header{}, body, "UTC")
		if err != nil {
			return
		}
		if again, err := page.Append(nil); err != nil || string(again) != string(body) {
			t.Errorf("%q: got %q, %v", body, again, err)
		}
	})
}
