package customer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/server/customer"
	"github.com/wattgate/wattgate/internal/store/sqlite"
	"github.com/wattgate/wattgate/internal/usage"
)

// twins serve the same readings twice: one writes pages by plans, the other lets
// gqlgen resolve every value. Their answers must be the same bytes.
type twins struct{ hot, plain *world }

var theTwins = sync.OnceValues(makeTwins)

func newTwins(t testing.TB) *twins {
	t.Helper()
	w, err := theTwins()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// makeTwins stores two weeks around the end of summer time with all that can be
// in them: gaps, estimates, corrections, whole days, gas, indices, and a register
// whose name needs escaping.
func makeTwins() (*twins, error) {
	ctx := context.Background()
	clock := time.Date(2024, 11, 10, 12, 0, 0, 123_456_000, time.UTC)
	store, err := sqlite.Open(ctx, ":memory:", sqlite.Options{Now: func() time.Time { clock = clock.Add(time.Hour); return clock }})
	if err != nil {
		return nil, err
	}
	entry := func(id string) domain.Entry {
		return domain.Entry{ID: id, At: now, Action: "test.build", By: "test"}
	}
	err = errors.Join(
		store.AddPartner(ctx, domain.Partner{ID: stroom, Name: "Stroom", CreatedAt: now}, entry("aud_1")),
		store.AddUser(ctx, domain.User{
			ID: ada, Partner: stroom, Customer: true, Email: "ada@example.org", FirstName: "Ada", Surname: "Dam",
			BirthDate: domain.NewDate(1984, 2, 29), CustomerNumber: "C-1", CreatedAt: now,
		}, "x", &domain.Account{Number: "A-ADA", Partner: stroom, User: ada}, entry("aud_2")),
		store.AddProperty(ctx, domain.Property{ID: "prop_ada", Partner: stroom, Account: "A-ADA", Zone: "Europe/Amsterdam"}, entry("aud_3")),
		store.AddProperty(ctx, domain.Property{ID: "prop_empty", Partner: stroom, Account: "A-ADA", Zone: "Europe/Amsterdam"}, entry("aud_4")),
		store.TakeIn(ctx, measureAll), store.TakeIn(ctx, correct),
	)
	if err != nil {
		return nil, err
	}
	service := &usage.Service{Store: store, CursorKey: [32]byte{7}, Now: func() time.Time { return now }}
	w := &twins{&world{store: store, usage: service}, &world{store: store, usage: service}}
	config := customer.Config{Usage: service, Authenticate: authenticate, Now: func() time.Time { return now }}
	config.Log = w.hot.log
	if w.hot.api, err = customer.New(config); err != nil {
		return nil, err
	}
	config.Log = w.plain.log
	w.plain.api, err = customer.Plain(config)
	return w, err
}

var allChannels = []struct {
	market    domain.Market
	point     string
	register  string
	direction domain.Direction
	unit      domain.Unit
	minutes   int
	zone      string
}{
	{domain.MarketNLDElectricity, "871690000000000000", "1", domain.Consumption, domain.KilowattHour, 30, "Europe/Amsterdam"},
	{domain.MarketNLDElectricity, "871690000000000000", `E<"2">é\`, domain.Generation, domain.WattHour, 15, "Europe/Amsterdam"},
	{domain.MarketNLDElectricity, "871690000000000000", "day", domain.Consumption, domain.KilowattHour, interval.WholeDay, "Europe/Amsterdam"},
	{domain.MarketNLDElectricity, "871690000000000000", "far", domain.Consumption, domain.KilowattHour, 60, "Australia/Lord_Howe"},
	{domain.MarketNLDGas, "871690000000000009", "7", domain.Consumption, domain.CubicMetre, 60, "Europe/Amsterdam"},
}

func measureAll(tx intake.Tx) error {
	for n := range allChannels {
		if err := fill(tx, n, domain.NewDate(2024, 10, 20), domain.NewDate(2024, 11, 2), 0); err != nil {
			return err
		}
	}
	return nil
}

// correct stores a few days again, so that they have a second revision.
func correct(tx intake.Tx) error {
	return errors.Join(
		fill(tx, 0, domain.NewDate(2024, 10, 26), domain.NewDate(2024, 10, 27), 5),
		fill(tx, 2, domain.NewDate(2024, 10, 27), domain.NewDate(2024, 10, 27), 5),
	)
}

func fill(tx intake.Tx, n int, first, last domain.Date, more int64) error {
	of := allChannels[n]
	point, err := tx.SupplyPoint(of.market, of.point)
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
		point, err = tx.AddSupplyPoint(domain.SupplyPoint{
			Partner: stroom, Property: "prop_ada", Zone: "Europe/Amsterdam", Market: of.market, Identifier: of.point,
		})
	}
	if err != nil {
		return err
	}
	c := domain.Channel{SupplyPoint: point, Register: of.register, Direction: of.direction, Unit: of.unit, Zone: of.zone}
	if known, err := tx.Channels(point.ID); err == nil && more > 0 {
		for _, k := range known {
			if k.Register == of.register {
				c = k
			}
		}
	} else if c, err = tx.AddChannel(c); err != nil {
		return err
	}
	loc, err := interval.Zone(of.zone)
	if err != nil {
		return err
	}
	var day interval.Day
	for d := first; d <= last; d++ {
		if d == domain.NewDate(2024, 10, 23) && n%2 == 0 {
			continue // a day that is not there at all
		}
		start, end := interval.Span(d, loc)
		count := 1
		if of.minutes != interval.WholeDay {
			count = interval.Count(start, end, of.minutes)
		}
		day.Reset(start, of.minutes, uint8(int(d)%5), count)
		for i := range count {
			v := domain.Decimal{Coefficient: int64(d)%100*int64(i+1) - 300 + more, Scale: uint8(int(d) % 5)}
			switch {
			case i%11 == 5 || int(d)%6 == 1 && i < 4:
				continue
			case i%7 == 3:
				err = day.Set(i, v, domain.Estimate)
			case i%13 == 2 && n == 3:
				err = day.Set(i, domain.Decimal{Coefficient: 1234567890123 + int64(i), Scale: 18}, domain.Substituted)
			default:
				err = day.Set(i, v, domain.Actual)
			}
			if err != nil {
				err = day.Set(i, domain.Decimal{Coefficient: 7}, domain.Actual)
			}
			if err != nil {
				return err
			}
		}
		data, err := day.Append(nil)
		if err == nil {
			err = tx.PutDay(c.ID, domain.Day{Date: d, Data: data}, domain.Provenance{Source: "test"})
		}
		if err == nil {
			_, _, err = tx.PutIndex(c.ID, domain.Index{
				At: start.Add(17 * time.Minute), Value: domain.Decimal{Coefficient: int64(d) * 13, Scale: 2}, Quality: domain.Actual,
			}, domain.Provenance{Source: "test"})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// same asks both and compares all that they say.
func (w *twins) same(t interface{ Fatalf(string, ...any) }, token, query string, variables any) string {
	hot, plain := w.hot.post(token, query, variables), w.plain.post(token, query, variables)
	if hot.Body.String() != plain.Body.String() {
		at := 0
		for at < min(hot.Body.Len(), plain.Body.Len()) && hot.Body.Bytes()[at] == plain.Body.Bytes()[at] {
			at++
		}
		from := max(0, at-200)
		t.Fatalf("%s %s with %v: they differ at %d:\nhot   …%.400s\nplain …%.400s", token, query, variables, at, hot.Body.String()[from:], plain.Body.String()[from:])
	}
	for _, name := range []string{"Content-Type", "Content-Length", "Cache-Control", "Vary"} {
		if hot.Code != plain.Code || hot.Header().Get(name) != plain.Header().Get(name) {
			t.Fatalf("%s: %d %s %q, want %d %q", query, hot.Code, name, hot.Header().Get(name), plain.Code, plain.Header().Get(name))
		}
	}
	for _, log := range [][]string{w.hot.logged, w.plain.logged} {
		if len(log) > 0 {
			t.Fatalf("%s: a fault of ours: %s", query, log[0])
		}
	}
	return hot.Body.String()
}

// The selections of the manuals, and every shape that clients give them. All of
// them go by plans.
var shapes = map[string]struct {
	query     string
	variables map[string]any
	holds     string
}{
	"the documented example": {
		query: `query($number:String!,$first:Int,$utilityFilters:[UtilityFiltersInput],$startOn:Date,$endOn:Date,$startAt:DateTime,$endAt:DateTime,$timezone:String,$after:String){
			account(accountNumber:$number){properties{id measurements(first:$first utilityFilters:$utilityFilters startOn:$startOn endOn:$endOn startAt:$startAt endAt:$endAt timezone:$timezone after:$after){
				edges{node{value unit ... on IntervalMeasurementType{startAt endAt} metaData{statistics{costExclTax{costCurrency estimatedAmount} value description label type}}}}
				pageInfo{hasNextPage hasPreviousPage startCursor endCursor}}}}}`,
		variables: map[string]any{
			"number": "A-ADA", "first": 1000, "startAt": "2024-10-01T00:00:00.000", "timezone": "Europe/Amsterdam",
			"utilityFilters": []any{map[string]any{"electricityFilters": map[string]any{"readingDirection": "CONSUMPTION", "registerId": "1"}}},
		},
		holds: `"statistics":null`,
	},
	"all fields": {query: `{property(id:"prop_ada"){measurements(first:400,utilityFilters:[{electricityFilters:{registerId:"1"}}]){__typename totalCount edgeCount availableUntil hasMoreGaps emptyReason
		gaps{startAt endAt __typename} pageInfo{__typename startCursor endCursor hasNextPage hasPreviousPage}
		edges{__typename cursor node{__typename source value unit readAt revision updatedAt ... on IntervalMeasurementType{startAt endAt durationInSeconds accumulation}
		metaData{__typename typedSource{source} extras{label value description} statistics{value} utilityFilters{__typename ... on ElectricityFiltersOutput{readingDirection registerId readingQuality readingFrequencyType marketSupplyPointId deviceId}}}}}}}}`, holds: `"revision":2`},
	"several channels": {query: `{property(id:"prop_ada"){measurements(first:900,utilityFilters:[{electricityFilters:{readingDirection:null}},{gasFilters:{}}]){edges{cursor node{value unit readAt
		metaData{utilityFilters{... on ElectricityFiltersOutput{registerId readingDirection readingQuality} ... on GasFiltersOutput{registerId marketSupplyPointId readingFrequencyType deviceId}}}}}}}}`, holds: `E<\"2\">é\\`},
	"a register that needs escaping": {query: `query($r:String){property(id:"prop_ada"){measurements(first:9,utilityFilters:[{electricityFilters:{readingDirection:GENERATION,registerId:$r}}]){edges{node{value unit metaData{utilityFilters{... on ElectricityFiltersOutput{registerId}}}}}}}}`, variables: map[string]any{"r": `E<"2">é\`}, holds: `\"2\"`},
	"aliases and duplicates":         {query: `{property(id:"prop_ada"){m:measurements(first:3){e:edges{n:node{v:value value w:value value}} edges{node{value} node{unit value}} edges{cursor}} again:measurements(last:2){edges{c:cursor}}}}`},
	"fragments": {query: `query{property(id:"prop_ada"){measurements(first:3){...page edges{...edge}}}} fragment page on MeasurementConnection{pageInfo{...info} edges{node{...span}}} fragment info on PageInfo{endCursor}
		fragment edge on MeasurementEdge{node{unit ...span ... on MeasurementInterface{value}}} fragment span on IntervalMeasurementType{startAt value}`},
	"a variable leaves fields out": {query: `query($a:Boolean!,$b:Boolean=true){property(id:"prop_ada"){measurements(first:3){edgeCount @skip(if:$a) edges @include(if:$b){cursor @skip(if:$a) node{value unit @include(if:$a) ... @skip(if:$b){readAt}}}}}}`, variables: map[string]any{"a": true}},
	"and lets them in":             {query: `query($a:Boolean!,$b:Boolean=true){property(id:"prop_ada"){measurements(first:3){edgeCount @skip(if:$a) edges @include(if:$b){cursor @skip(if:$a) node{value unit @include(if:$a) ... @skip(if:$b){readAt}}}}}}`, variables: map[string]any{"a": false, "b": false}},
	"no node of this kind":         {query: `{property(id:"prop_ada"){measurements(first:2){edges{node{... on MeasurementType{value}}}}}}`, holds: `{"node":{}}`},
	"nothing but its type":         {query: `{property(id:"prop_ada"){measurements(first:2){edges{node{__typename}}}}}`, holds: `IntervalMeasurementType`},
	"two connections":              {query: `{property(id:"prop_ada"){a:measurements(first:50){edges{node{value}}} b:measurements(last:50,timezone:"Asia/Tokyo"){edges{node{value readAt}}}}}`, holds: `+09:00`},
	"first 0":                      {query: `{property(id:"prop_ada"){measurements(first:0){totalCount edgeCount pageInfo{startCursor hasNextPage} edges{node{value}}}}}`, holds: `"edges":[]`},
	"both null":                    {query: `query($f:Int,$l:Int){property(id:"prop_ada"){measurements(first:$f,last:$l){edgeCount edges{node{value}}}}}`, variables: map[string]any{"f": nil, "l": nil}},
	"one object for a list":        {query: `query($u:[UtilityFiltersInput]){property(id:"prop_ada"){measurements(first:3,utilityFilters:$u){edges{node{value unit}}}}}`, variables: map[string]any{"u": map[string]any{"gasFilters": map[string]any{}}}, holds: `"m3"`},
	"a point in time":              {query: `{property(id:"prop_ada"){measurements(first:30,utilityFilters:[{electricityFilters:{readingFrequencyType:POINT_IN_TIME}},{gasFilters:{readingFrequencyType:POINT_IN_TIME}}]){edges{cursor node{__typename value unit readAt source revision updatedAt metaData{extras{value} statistics{value} utilityFilters{__typename}}}}}}}`, holds: `"MeasurementType"`},
	"days":                         {query: `{property(id:"prop_ada"){measurements(utilityFilters:[{electricityFilters:{readingFrequencyType:DAY_INTERVAL,registerId:"1"}}]){edges{node{value revision updatedAt ... on IntervalMeasurementType{startAt endAt durationInSeconds} metaData{extras{label value description} utilityFilters{... on ElectricityFiltersOutput{readingFrequencyType}}}}}}}}`, holds: `"INTERVALS"`},
	"DAILY":                        {query: `{property(id:"prop_ada"){measurements(utilityFilters:[{electricityFilters:{readingFrequencyType:DAILY,registerId:"1"}}]){edges{node{value}}}}}`},
	"as of":                        {query: `{property(id:"prop_ada"){measurements(first:500,asOf:"2024-11-10T14:30:00Z"){availableUntil edges{node{value revision updatedAt}}}}}`},
	"estimates alone":              {query: `{property(id:"prop_ada"){measurements(last:70,utilityFilters:[{electricityFilters:{registerId:"1",readingQuality:ESTIMATE}}]){edges{node{value metaData{utilityFilters{... on ElectricityFiltersOutput{readingQuality}}}}}}}}`, holds: `"ESTIMATE"`},
	"nothing there":                {query: `{property(id:"prop_empty"){measurements{emptyReason availableUntil gaps{startAt} edges{node{value}} pageInfo{startCursor}}}}`, holds: `NO_READINGS_YET`},
	"before everything":            {query: `{property(id:"prop_ada"){measurements(endOn:"2020-01-01"){emptyReason edges{node{value}}}}}`, holds: `OUTSIDE_SUPPLY_PERIOD`},
}

func TestPlansGiveTheSameBytes(t *testing.T) {
	w := newTwins(t)
	for title, c := range shapes {
		got := w.same(t, "partner", c.query, c.variables)
		if strings.HasPrefix(got, `{"errors"`) || !strings.Contains(got, c.holds) {
			t.Errorf("%s: got %.600s, want no errors and %s", title, got, c.holds)
		}
		variables := map[string]any{"b": true} // the default
		for k, v := range c.variables {
			variables[k] = v
		}
		if ok, err := customer.Compiles(w.hot.api, c.query, variables); !ok || err != nil {
			t.Errorf("%s: it has no plan (%v)", title, err)
		}
	}
}

// What is refused is refused with the same words at the same places.
func TestPlansRefuseTheSame(t *testing.T) {
	w := newTwins(t)
	const page = `{measurements(first:2){edges{cursor node{value}}}}`
	for title, c := range map[string]struct{ token, query, holds string }{
		"no permission":       {"narrowed", `{property(id:"prop_ada")` + page + `}`, `"path":["property","measurements"]`},
		"nobody":              {"", `{property(id:"prop_ada")` + page + `}`, "1112"},
		"another's":           {"watt", `{property(id:"prop_ada")` + page + `}`, "6622"},
		"an unknown field":    {"partner", `{property(id:"prop_ada"){measurements{edges{node{value price}}}}}`, "price"},
		"an unknown fragment": {"partner", `{property(id:"prop_ada"){measurements{edges{node{...none}}}}}`, "none"},
		"a wrong page":        {"partner", `{property(id:"prop_ada"){id measurements(first:-1){edges{node{value}}}}}`, "negative"},
		"a wrong cursor":      {"partner", `{property(id:"prop_ada"){a:measurements(first:1){edges{node{value}}} b:measurements(after:"x"){edges{node{value}}}}}`, `"path":["property","b"]`},
		"both ends":           {"partner", `{property(id:"prop_ada"){measurements(first:1,last:1){edges{node{value}}}}}`, "exclude"},
	} {
		if got := w.same(t, c.token, c.query, nil); !strings.HasPrefix(got, `{"errors"`) || !strings.Contains(got, c.holds) {
			t.Errorf("%s: got %s, want errors with %s", title, got, c.holds)
		}
	}
}

// TestFuzzedSelectionsGiveTheSameBytes draws selections from the schema itself, so
// that a field that is new there is drawn as well.
func TestFuzzedSelectionsGiveTheSameBytes(t *testing.T) {
	w := newTwins(t)
	answered := 0
	rapid.Check(t, func(t *rapid.T) {
		d := &drawing{T: t, schema: w.hot.api.Schema()}
		query, variables := d.document()
		if got := w.same(t, "partner", query, variables); strings.HasPrefix(got, `{"data"`) {
			answered++
		}
	})
	if answered < 50 {
		t.Errorf("%d documents were answered, want 50 at the least", answered)
	}
}

// drawing draws a document about measurements.
type drawing struct {
	*rapid.T
	schema    *ast.Schema
	fragments []string
	parts     int
}

func (d *drawing) document() (string, map[string]any) {
	var pages []string
	for i := range rapid.IntRange(1, 2).Draw(d.T, "connections") {
		pages = append(pages, fmt.Sprintf("p%d:measurements(%s)%s", i, d.arguments(), d.selection("MeasurementConnection", 0)))
	}
	query := `query($yes:Boolean!,$no:Boolean!){property(id:"prop_ada"){` + strings.Join(pages, " ") + "}} " + strings.Join(d.fragments, " ")
	if !strings.Contains(query, "$yes)") {
		query = strings.Replace(query, "$yes:Boolean!,", "", 1)
	}
	if !strings.Contains(query, "$no)") {
		query = strings.Replace(strings.Replace(query, ",$no:Boolean!", "", 1), "($no:Boolean!)", "", 1)
	}
	return query, map[string]any{"yes": true, "no": false}
}

func (d *drawing) one(title string, list ...string) string {
	return rapid.SampledFrom(list).Draw(d.T, title)
}

func (d *drawing) arguments() string {
	return d.one("page", "first:60", "last:60", "first:7", "last:7", "first:0", "first:100", "") +
		d.one("span", "", " startOn:\"2024-10-27\"", " endAt:\"2024-10-28T00:00:00Z\"", " endOn:\"2024-10-01\"") +
		d.one("zone", "", " timezone:\"Asia/Kolkata\"", " timezone:\"Australia/Lord_Howe\"") +
		" utilityFilters:[" + d.one("filter", "", `{electricityFilters:{registerId:"1"}}`, `{electricityFilters:{readingDirection:GENERATION}}`,
		`{electricityFilters:{registerId:"day"}}`, `{electricityFilters:{registerId:"far"}}`,
		`{gasFilters:{}}`, `{electricityFilters:{readingFrequencyType:HOUR_INTERVAL}},{gasFilters:{}}`,
		`{electricityFilters:{readingFrequencyType:DAY_INTERVAL registerId:"1"}}`, `{electricityFilters:{readingFrequencyType:POINT_IN_TIME}},{gasFilters:{readingFrequencyType:POINT_IN_TIME}}`,
		`{electricityFilters:{readingQuality:ACTUAL registerId:"1"}}`) + "]"
}

// selection draws the selection set of a type.
func (d *drawing) selection(of string, depth int) string {
	def := d.schema.Types[of]
	var parts []string
	for range rapid.IntRange(1, 4).Draw(d.T, "parts") {
		d.parts++
		switch kind := rapid.IntRange(0, 9).Draw(d.T, "kind"); {
		case kind == 0 && depth < 6:
			condition := d.condition(def)
			if condition != "" && rapid.Bool().Draw(d.T, "unconditional") {
				condition = "on " + condition
			} else {
				condition = ""
			}
			parts = append(parts, "... "+condition+d.directive()+d.selection(d.narrowed(of, condition), depth+1))
		case kind == 1 && depth < 6:
			condition := d.condition(def)
			body := d.selection(condition, depth+1)
			d.fragments = append(d.fragments, fmt.Sprintf("fragment f%d on %s%s", len(d.fragments), condition, body))
			parts = append(parts, fmt.Sprintf("...f%d%s", len(d.fragments)-1, d.directive()))
		case kind == 2 || len(def.Fields) == 0 || d.parts > 60:
			parts = append(parts, d.one("name", "__typename", "t:__typename"))
		default:
			parts = append(parts, d.field(def, depth))
		}
	}
	return "{" + strings.Join(parts, " ") + "}"
}

// condition draws a type on which a fragment within another can be.
func (d *drawing) condition(def *ast.Definition) string {
	list := []string{def.Name}
	for _, possible := range d.schema.GetPossibleTypes(def) {
		list = append(list, possible.Name)
	}
	return d.one("condition", list...)
}

func (d *drawing) narrowed(of, condition string) string {
	if name, ok := strings.CutPrefix(condition, "on "); ok {
		return name
	}
	return of
}

func (d *drawing) directive() string {
	return d.one("directive", "", "", "", "@skip(if:$yes)", "@skip(if:$no)", "@include(if:$yes)", "@include(if:$no)", "@include(if:false)")
}

// field draws a field. An alias stands for the same field everywhere, so that
// fields of one name can be merged.
func (d *drawing) field(def *ast.Definition, depth int) string {
	f := rapid.SampledFrom(def.Fields).Draw(d.T, "field")
	if strings.HasPrefix(f.Name, "__") {
		return "__typename"
	}
	text := d.one("alias", "", "", "a_"+f.Name+":") + f.Name + d.directive()
	if of := d.schema.Types[f.Type.Name()]; of.IsCompositeType() {
		text += d.selection(of.Name, depth+1)
	}
	return text
}

// FuzzSelections lets the fuzzer draw.
func FuzzSelections(f *testing.F) {
	w := newTwins(f)
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		d := &drawing{T: t, schema: w.hot.api.Schema()}
		query, variables := d.document()
		w.same(t, "partner", query, variables)
	}))
}
