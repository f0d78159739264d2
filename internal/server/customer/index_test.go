package customer_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
)

// show has the register 1 of a supply point show a value at noon of two days,
// around the start of summer time.
func (v *village) show(t *testing.T, point string, thousandths int64) {
	t.Helper()
	err := v.store.TakeIn(t.Context(), func(tx intake.Tx) error {
		p, err := tx.SupplyPoint(domain.MarketNLDElectricity, point)
		if err != nil {
			return err
		}
		channels, err := tx.Channels(p.ID)
		if err != nil {
			return err
		}
		for _, c := range channels {
			if c.Register != "1" {
				continue
			}
			for i, hour := range []int{11, 10} { // UTC
				x := domain.Index{
					At:    time.Date(2024, time.March, 30+i, hour, 0, 0, 0, time.UTC),
					Value: domain.Decimal{Coefficient: thousandths + int64(i), Scale: 3}, Quality: domain.Actual,
				}
				if _, _, err := tx.PutIndex(c.ID, x, domain.Provenance{Source: "test"}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

const indexes = `{property(id:"prop_%s"){measurements(utilityFilters:{electricityFilters:{readingFrequencyType:POINT_IN_TIME}}%s){
	totalCount edgeCount emptyReason availableUntil gaps{startAt} edges{cursor node{__typename source value unit readAt revision ...on IntervalMeasurementType{startAt}
	metaData{extras{label} statistics{type} utilityFilters{...on ElectricityFiltersOutput{readingDirection registerId readingQuality readingFrequencyType marketSupplyPointId}}}}}}}}`

func TestAnIndexInFull(t *testing.T) {
	v := newVillage(t)
	v.show(t, "871690000000000000", 1234567)
	a := decode(t, v.post("ada", fmt.Sprintf(indexes, "ada", ""), nil))
	if len(a.Errors) > 0 {
		t.Fatalf("%+v", a.Errors)
	}
	m := get(a.Data, "property", "measurements")
	for field, want := range map[string]string{"totalCount": "2", "edgeCount": "2", "emptyReason": "<nil>", "availableUntil": "<nil>", "gaps": "[]"} {
		if got := fmt.Sprint(get(m, field)); got != want {
			t.Errorf("%s is %s, want %s", field, got, want)
		}
	}
	got, err := json.Marshal(get(m, "edges", 1, "node"))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"__typename":"MeasurementType","metaData":{"extras":null,"statistics":null,"utilityFilters":{"marketSupplyPointId":"871690000000000000",` +
		`"readingDirection":"CONSUMPTION","readingFrequencyType":"POINT_IN_TIME","readingQuality":"ACTUAL","registerId":"1"}},` +
		`"readAt":"2024-03-31T12:00:00+02:00","revision":1,"source":"smart meter","unit":"kwh","value":"1234.568000000000000000"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	cursor := get(m, "edges", 0, "cursor")
	a = decode(t, v.post("ada", fmt.Sprintf(indexes, "ada", fmt.Sprintf(",first:1,after:%q", cursor)), nil))
	if got := get(a.Data, "property", "measurements", "edges", 0, "node", "readAt"); got != "2024-03-31T12:00:00+02:00" {
		t.Errorf("after the first: %v, errors %+v, want the second", got, a.Errors)
	}
}

// Who may not read the intervals learns nothing from the indexes either.
func TestIndexesOfOthers(t *testing.T) {
	v := newVillage(t)
	for _, point := range []string{"871690000000000000", "871690000000000001", "871690000000000002"} {
		v.show(t, point, 5)
	}
	v.consent(t, "app_agreed", ada, func(c *domain.Consent) { c.HistoryFrom = domain.NewDate(2024, 1, 1) }) // half-hours
	v.consent(t, "app_agreed", bo, func(c *domain.Consent) { c.HistoryFrom, c.Finest = domain.NewDate(2024, 1, 1), 0 })
	for name, c := range map[string]struct{ token, home, count, reason string }{
		"her own":                           {"ada", "ada", "2", "<nil>"},
		"a customer of the partner":         {"third-party", "ada", "2", "<nil>"},
		"another customer's":                {"ada", "bo", "<nil>", "<nil>"},
		"another partner's":                 {"third-party", "cleo", "<nil>", "<nil>"},
		"without the permission":            {"narrowed", "ada", "<nil>", "<nil>"},
		"where half-hours were agreed to":   {"consented", "ada", "0", "OUTSIDE_CONSENT"},
		"where all was, as measured":        {"consented", "bo", "2", "<nil>"},
		"where nothing was agreed to":       {"consented-watt", "ada", "<nil>", "<nil>"},
		"with a consent of another's house": {"bos-reader", "ada", "<nil>", "<nil>"},
	} {
		a := decode(t, v.post(c.token, fmt.Sprintf(indexes, c.home, ""), nil))
		m := get(a.Data, "property", "measurements")
		if got := fmt.Sprint(get(m, "totalCount"), " ", get(m, "emptyReason")); got != c.count+" "+c.reason || (len(a.Errors) > 0) != (c.count == "<nil>") {
			t.Errorf("%s: %s, errors %+v, want %s %s", name, got, a.Errors, c.count, c.reason)
		}
	}
	const query = "?from=2024-03-30&to=2024-03-31&by=POINT_IN_TIME&direction=CONSUMPTION"
	if out := v.export("agreed", adas+".csv", query); out.Code != http.StatusForbidden {
		t.Errorf("a file where half-hours were agreed to: %d %s, want 403", out.Code, out.Body)
	}
	unknown := v.export("ada", "NLD_ELECTRICITY:999990000000000000.csv", query)
	for _, point := range []string{"871690000000000001", "871690000000000002"} {
		if out := v.export("ada", "NLD_ELECTRICITY:"+point+".csv", query); out.Code != http.StatusNotFound || out.Body.String() != unknown.Body.String() {
			t.Errorf("a file of %s: %d %s, want %d %s", point, out.Code, out.Body, unknown.Code, unknown.Body)
		}
	}
}

func TestIndexesInFiles(t *testing.T) {
	v := newVillage(t)
	v.show(t, "871690000000000000", 1234567)
	const query = "?from=2024-03-30&to=2024-03-31&by=POINT_IN_TIME"
	for ending, want := range map[string]string{
		"csv":    "\n" + adas + ",1,CONSUMPTION,2024-03-31T12:00:00+02:00,2024-03-31T10:00:00Z,0,1234.568,kwh,ACTUAL\n",
		"ndjson": `"readAt":"2024-03-31T12:00:00+02:00","value":"1234.568","unit":"kwh","quality":"ACTUAL"}` + "\n",
		"json":   `"readAt":"2024-03-31T12:00:00+02:00","value":"1234.568","unit":"kwh","quality":"ACTUAL"}` + "\n]}\n",
	} {
		out := v.export("ada", adas+"."+ending, query)
		if out.Code != http.StatusOK || !strings.HasSuffix(out.Body.String(), want) || strings.Count(out.Body.String(), "ACTUAL") != 2 {
			t.Errorf("%s: %d %s, want two indexes, the last of them %s", ending, out.Code, out.Body, want)
		}
		if got := out.Header()["Wattgate-Readings-Present"]; got != nil {
			t.Errorf("%s: the share of indexes that is there is %q, and nobody knows it", ending, got)
		}
	}
	for ending, word := range map[string]string{"xml": "not 0 minutes", "nem12": "5, 15 or 30 minutes", "cdr.json": "not 0 minutes"} {
		out := v.export("ada", adas+"."+ending, query)
		if out.Code != http.StatusUnprocessableEntity || !strings.Contains(out.Body.String(), word) {
			t.Errorf("%s: %d %s, want 422 with %q", ending, out.Code, out.Body, word)
		}
	}
	if out := v.export("ada", adas+".csv", "?from=2024-05-01&to=2024-05-02&by=point_in_time"); out.Code != http.StatusOK || strings.Count(out.Body.String(), "\n") != 1 {
		t.Errorf("days without an index: %d %s, want the head alone", out.Code, out.Body)
	}
	tag := v.export("ada", adas+".csv", query).Header().Get("ETag")
	if out := v.export("ada", adas+".csv", query, "If-None-Match", tag); out.Code != http.StatusNotModified {
		t.Errorf("with its tag: %d, want 304", out.Code)
	}
	v.show(t, "871690000000000000", 7)
	if out := v.export("ada", adas+".csv", query, "If-None-Match", tag); out.Code != http.StatusOK {
		t.Errorf("with its tag after a correction: %d, want 200", out.Code)
	}
}
