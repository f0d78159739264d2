package customer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/interval"
)

// correct stores another version of a day of Ada's consumption: the same half-hours,
// without some of them where holes says so.
func (v *village) correct(t *testing.T, day domain.Date, value int64, holes ...int) {
	t.Helper()
	loc, err := interval.Zone("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	start, end := interval.Span(day, loc)
	var d interval.Day
	d.Reset(start, 30, 3, interval.Count(start, end, 30))
	for i := range d.Values {
		if len(holes) > 0 && i >= holes[0] && i <= holes[len(holes)-1] {
			continue
		}
		if err := d.Set(i, domain.Decimal{Coefficient: value, Scale: 3}, domain.Actual); err != nil {
			t.Fatal(err)
		}
	}
	data, err := d.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	err = v.store.TakeIn(t.Context(), func(tx intake.Tx) error {
		point, err := tx.SupplyPoint(domain.MarketNLDElectricity, "871690000000000000")
		if err != nil {
			return err
		}
		channels, err := tx.Channels(point.ID)
		if err != nil {
			return err
		}
		for _, c := range channels {
			if c.Register == "1" {
				return tx.PutDay(c.ID, domain.Day{Date: day, Data: data}, domain.Provenance{Source: "correction", Reason: "meter exchange"})
			}
		}
		return fmt.Errorf("no register 1 among %d channels", len(channels))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsKnown(t *testing.T) {
	v := newVillage(t)
	day := domain.NewDate(2024, 7, 3)
	first := firstNode(t, v, "")
	v.correct(t, day, 7, 10, 11, 12)
	v.correct(t, day+30, 8)
	a := decode(t, v.post("third-party", `{property(id:"prop_ada"){measurements(startOn:"2024-07-03",endOn:"2024-07-04",first:1){
		availableUntil gaps{startAt endAt} hasMoreGaps emptyReason totalCount
		edges{node{value revision updatedAt}}}}}`, nil))
	if len(a.Errors) > 0 {
		t.Fatalf("%+v", a.Errors)
	}
	got := fmt.Sprint(get(a.Data, "property", "measurements"))
	for _, want := range []string{
		"emptyReason:<nil>", "hasMoreGaps:false", "totalCount:93", "revision:2", "value:0.007000000000000000",
		"gaps:[map[endAt:2024-07-03T06:30:00+02:00 startAt:2024-07-03T05:00:00+02:00]]",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, want %s in it", got, want)
		}
	}
	if until, ok := get(a.Data, "property", "measurements", "availableUntil").(string); !ok || !strings.HasSuffix(until, "T00:00:00+02:00") && !strings.HasSuffix(until, "T00:00:00+01:00") {
		t.Errorf("availableUntil is %q, want a midnight in Amsterdam", until)
	}
	// What was known when the day was stored first is still to be had.
	updated, ok := get(first, "updatedAt").(string)
	if !ok {
		t.Fatalf("%v has no updatedAt", first)
	}
	if then := firstNode(t, v, updated); fmt.Sprint(then) != fmt.Sprint(first) {
		t.Errorf("as of %s: %v, want %v", updated, then, first)
	}
	if now := firstNode(t, v, ""); fmt.Sprint(now) == fmt.Sprint(first) {
		t.Errorf("now: %v, want the correction", now)
	}
	if never := firstNode(t, v, "2001-01-01"); never != nil {
		t.Errorf("as of 2001: %v, want nothing", never)
	}
}

// firstNode is the first half-hour of the day that is corrected.
func firstNode(t *testing.T, v *village, asOf string) any {
	t.Helper()
	query := `query($at:DateTime){property(id:"prop_ada"){measurements(startOn:"2024-07-03",first:1,endOn:"2024-07-03",asOf:$at){edges{node{value revision updatedAt}}}}}`
	var at any
	if asOf != "" {
		at = asOf
	}
	a := decode(t, v.post("third-party", query, map[string]any{"at": at}))
	if len(a.Errors) > 0 {
		t.Fatalf("%+v", a.Errors)
	}
	edges := get(a.Data, "property", "measurements", "edges").([]any)
	if len(edges) == 0 {
		return nil
	}
	return get(edges, 0, "node")
}

func TestWhyThereIsNothing(t *testing.T) {
	v := newVillage(t)
	v.consent(t, "app_agreed", ada, nil)
	for name, c := range map[string]struct{ token, arguments, want string }{
		"there is something": {"third-party", ``, "<nil>"},
		"after the last":     {"third-party", `(startOn:"2030-01-01")`, "NO_READINGS_YET"},
		"before the first":   {"third-party", `(endOn:"2020-01-01")`, "OUTSIDE_SUPPLY_PERIOD"},
		"finer than stored":  {"third-party", `(utilityFilters:[{electricityFilters:{readingFrequencyType:FIVE_MIN_INTERVAL}}])`, "UNSUPPORTED_FREQUENCY"},
		"before the consent": {"consented", `(startOn:"2024-01-01",endOn:"2024-01-31")`, "OUTSIDE_CONSENT"},
		"finer than agreed":  {"consented", `(utilityFilters:[{electricityFilters:{readingDirection:GENERATION}}])`, "OUTSIDE_CONSENT"},
		"what was agreed to": {"consented", `(startOn:"2024-01-01",endOn:"2024-06-01")`, "<nil>"},
	} {
		a := decode(t, v.post(c.token, `{property(id:"prop_ada"){measurements`+c.arguments+`{emptyReason}}}`, nil))
		if got := fmt.Sprint(get(a.Data, "property", "measurements", "emptyReason")); len(a.Errors) > 0 || got != c.want {
			t.Errorf("%s: %s, errors %+v, want %s", name, got, a.Errors, c.want)
		}
	}
}

func TestTheChangeFeed(t *testing.T) {
	v := newVillage(t)
	ask := func(after any, first int) (nodes []any, end any, next bool) {
		t.Helper()
		a := decode(t, v.post("third-party", `query($after:String,$first:Int){measurementChanges(propertyId:"prop_ada",after:$after,first:$first){
			totalCount edgeCount pageInfo{hasNextPage endCursor} edges{cursor node{identifier direction register day revision recordedAt}}}}`, map[string]any{"after": after, "first": first}))
		if len(a.Errors) > 0 {
			t.Fatalf("%+v", a.Errors)
		}
		c := get(a.Data, "measurementChanges")
		for _, e := range get(c, "edges").([]any) {
			nodes = append(nodes, get(e, "node"))
		}
		return nodes, get(c, "pageInfo", "endCursor"), get(c, "pageInfo", "hasNextPage").(bool)
	}
	seen := map[string]bool{}
	var cursor any
	for {
		nodes, end, next := ask(cursor, 1000)
		for _, n := range nodes {
			key := fmt.Sprint(get(n, "identifier"), get(n, "direction"), get(n, "register"), get(n, "day"), get(n, "revision"))
			if seen[key] {
				t.Fatalf("%s comes twice", key)
			}
			seen[key] = true
		}
		cursor = end
		if !next {
			break
		}
	}
	if want := 4 * 366; len(seen) != want {
		t.Errorf("%d changes of four channels' 2024, want %d", len(seen), want)
	}
	day := domain.NewDate(2024, 7, 3)
	v.correct(t, day, 7)
	v.correct(t, day, 8)
	nodes, _, next := ask(cursor, 10)
	got := []string{}
	for _, n := range nodes {
		got = append(got, fmt.Sprint(get(n, "identifier"), " ", get(n, "direction"), " ", get(n, "register"), " ", get(n, "day"), " ", get(n, "revision")))
	}
	want := "871690000000000000 CONSUMPTION 1 2024-07-03 2, 871690000000000000 CONSUMPTION 1 2024-07-03 3"
	if strings.Join(got, ", ") != want || next {
		t.Errorf("after two corrections: %q, next %v, want %q", got, next, want)
	}
	if nodes, end, _ := ask(cursor, 0); len(nodes) != 0 || end != nil {
		t.Errorf("no changes wanted: %v and the cursor %v", nodes, end)
	}
}

// A property of somebody else, an unknown one and what cannot be one: the same
// bytes, whatever else stands beside.
func TestChangesOfOthers(t *testing.T) {
	w := newWorld(t)
	ask := func(token, id string) string {
		return w.post(token, `query($id:ID!){measurementChanges(propertyId:$id,first:1){totalCount edges{node{day}}}}`, map[string]any{"id": id}).Body.String()
	}
	for _, token := range []string{"third-party", "partner", "ada"} {
		unknown := ask(token, "prop_unknown")
		for _, id := range []string{"prop_cleo", "no property"} {
			if got := ask(token, id); got != unknown {
				t.Errorf("%s asks for %q: %s, and for an unknown one: %s", token, id, got, unknown)
			}
		}
	}
	if got := ask("narrowed", "prop_ada"); !strings.Contains(got, "KT-CT-1111") {
		t.Errorf("without the permission: %s, want KT-CT-1111", got)
	}
	if got := ask("consented", "prop_ada"); !strings.Contains(got, "KT-CT-6622") {
		t.Errorf("without a consent: %s, want KT-CT-6622", got)
	}
}
