//go:build !race

package customer_test

import (
	"encoding/json"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
)

// documentedPage selects what the manual's example does.
const documentedPage = `query($first:Int){property(id:"prop_ada"){measurements(first:$first,utilityFilters:[{electricityFilters:{registerId:"1"}}]){edges{node{value unit
	... on IntervalMeasurementType{startAt endAt} metaData{statistics{value label}}}} pageInfo{hasNextPage hasPreviousPage startCursor endCursor}}}}`

// Rows cost nothing but their bytes: what 8,000 more allocate are the few growths
// of what is used again.
func TestAllocationsPerNode(t *testing.T) {
	w := newWorld(t)
	for name, selection := range map[string]string{
		"the documented example": documentedPage,
		"everything of a row": strings.Replace(documentedPage, "edges{node{", `edges{cursor node{source readAt revision updatedAt __typename ... on IntervalMeasurementType{durationInSeconds}
			metaData{extras{value} utilityFilters{... on ElectricityFiltersOutput{registerId readingQuality readingDirection}}} `, 1),
	} {
		measure := func(n int) float64 {
			body, err := json.Marshal(map[string]any{"query": selection, "variables": map[string]any{"first": n}})
			if err != nil {
				t.Fatal(err)
			}
			return testing.AllocsPerRun(10, func() {
				r := httptest.NewRequest("POST", "/", strings.NewReader(string(body)))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Authorization", "third-party")
				out := &nowhere{ResponseRecorder: httptest.NewRecorder()}
				w.api.ServeHTTP(out, r)
				if out.Code != 200 || out.bytes < 100*n {
					t.Fatalf("%s: got %d with %d bytes", name, out.Code, out.bytes)
				}
			})
		}
		few, many := measure(1488), measure(9488)
		if per := (many - few) / 8000; per > 0.02 {
			t.Errorf("%s: %v allocations for 1,488 rows and %v for 9,488: %v each, want none", name, few, many, per)
		}
	}
}

// nowhere counts what is written and keeps nothing.
type nowhere struct {
	*httptest.ResponseRecorder
	bytes int
}

func (n *nowhere) Write(b []byte) (int, error) {
	n.bytes += len(b)
	return io.Discard.Write(b)
}
