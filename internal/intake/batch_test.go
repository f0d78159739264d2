package intake_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/meterfile"
)

const csvHead = "supply_point,register,direction,start_local,start_utc,minutes,value,unit,quality\n"

// amsterdam writes a line of CSV about the cottage's meter.
func amsterdam(start time.Time, minutes int, value string) string {
	zone, err := interval.Zone("Europe/Amsterdam")
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("NLD_ELECTRICITY:871,1,CONSUMPTION,%s,%s,%d,%s,kwh,ACTUAL\n",
		start.In(zone).Format(time.RFC3339), start.UTC().Format(time.RFC3339), minutes, value)
}

// winter is a midnight in Amsterdam.
var winter = time.Date(2024, 1, 14, 23, 0, 0, 0, time.UTC)

// quarters are the first quarters of an hour of a day.
func quarters(day, n int, value string) (lines []string) {
	for i := range n {
		lines = append(lines, amsterdam(winter.AddDate(0, 0, day).Add(time.Duration(i)*15*time.Minute), 15, value))
	}
	return lines
}

func csv(lines ...string) string { return csvHead + strings.Join(lines, "") }

// newVillage is a world whose cottage has a meter, NLD_ELECTRICITY:871; another
// partner's has NLD_ELECTRICITY:872.
func newVillage(tb testing.TB) *world {
	tb.Helper()
	w := newWorld(tb)
	w.add(tb, "prt_b", domain.Property{ID: stranger, Zone: "Europe/Amsterdam"})
	err := w.Store.TakeIn(tb.Context(), func(tx intake.Tx) error {
		_, err := tx.AddSupplyPoint(domain.SupplyPoint{Partner: "prt_a", Property: cottage, Market: domain.MarketNLDElectricity, Identifier: "871", Zone: "Europe/Amsterdam"})
		_, err2 := tx.AddSupplyPoint(domain.SupplyPoint{Partner: "prt_b", Property: stranger, Market: domain.MarketNLDElectricity, Identifier: "872", Zone: "Europe/Amsterdam"})
		return errors.Join(err, err2)
	})
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

// member is how an application of prt_a submits.
var member = intake.Target{Partner: "prt_a", Known: true, By: "CAN_SUBMIT_MEASUREMENTS", Client: "app_meter"}

// submit takes a batch.
func (w *world) submit(tb testing.TB, b intake.Batch, content string, to intake.Target) (intake.Report, error) {
	tb.Helper()
	b.Digest = sha256.Sum256([]byte(content))
	im := &intake.Importer{Store: w, Now: func() time.Time { return noon }}
	return im.Take(tb.Context(), b, intake.File{Name: "batch.csv", Content: strings.NewReader(content), Size: int64(len(content))}, to, nil)
}

func inCSV(id string) intake.Batch {
	return intake.Batch{Sender: "app_meter", ID: id, Format: meterfile.CSV}
}

func partly(id string) intake.Batch {
	b := inCSV(id)
	b.Partial = true
	return b
}

func TestTakeOnce(t *testing.T) {
	w := newVillage(t)
	to := member
	to.Reason = "meter exchanged"
	content := csv(quarters(0, 4, "0.25")...)
	r, err := w.submit(t, inCSV("one"), content, to)
	if err != nil || r.Accepted != 4 || r.Repeated || r.Days != 1 || r.NewChannels != 1 {
		t.Fatalf("got %+v and error %v, want 4 readings of a new channel", r, err)
	}
	if len(w.entries) != 1 || w.entries[0].Detail != `"app_meter:one": stored 4 readings in 1 day of 1 channel; reason: "meter exchanged"` || w.entries[0].Client != "app_meter" {
		t.Errorf("audit: got %+v, want one entry that names sender, batch and reason", w.entries)
	}
	if w.sources["app_meter:one"] != 1 {
		t.Errorf("got days from %v, want one from app_meter:one", w.sources)
	}
	stored := w.stored(t, cottage)

	again, err := w.submit(t, inCSV("one"), content, to)
	if err != nil || !again.Repeated || again.Accepted != 4 || again.Unchanged != 0 || w.days != 1 || len(w.entries) != 1 {
		t.Errorf("again: got %+v and error %v after %d days in all, want the answer that was given", again, err, w.days)
	}
	byAnother := inCSV("one")
	byAnother.Sender = "app_other"
	if r, err := w.submit(t, byAnother, content, to); err != nil || r.Repeated || r.Unchanged != 4 {
		t.Errorf("another sender's batch of the same name: got %+v and error %v, want it taken, unchanged", r, err)
	}
	unexplained, inPart := to, partly("one")
	unexplained.Reason = ""
	for name, test := range map[string]struct {
		batch   intake.Batch
		content string
		to      intake.Target
	}{
		"other content":  {inCSV("one"), csv(quarters(0, 5, "0.25")...), to},
		"another mode":   {inPart, content, to},
		"another reason": {inCSV("one"), content, unexplained},
	} {
		_, err := w.submit(t, test.batch, test.content, test.to)
		e, ok := errors.AsType[*domain.Error](err)
		if _, line := intake.RejectionOf(err); !ok || e.Kind != domain.Conflict || e.Public != `batch "one" has come before with other content` || line {
			t.Errorf("%s: got error %v, want a conflict of no line", name, err)
		}
	}
	if _, err := w.submit(t, inCSV("two"), csv(append(quarters(0, 1, "9"), amsterdam(winter, 7, "1"))...), to); err == nil {
		t.Error("a wrong batch was taken")
	}
	if got := w.stored(t, cottage); got != stored || len(w.entries) != 1 {
		t.Errorf("after refusals and repetitions: got %d entries and stored:\n%swant as before:\n%s", len(w.entries), got, stored)
	}
	if r, err := w.submit(t, inCSV("two"), csv(quarters(1, 1, "9")...), to); err != nil || r.Accepted != 1 {
		t.Errorf("a refused batch, mended: got %+v and error %v, want it taken", r, err)
	}
}

// TestStrangers: a batch takes nothing but what its partner has already, and
// does not tell who else has anything.
func TestStrangers(t *testing.T) {
	w := newVillage(t)
	before := w.stored(t, cottage)
	for name, point := range map[string]string{"another partner's": "872", "nobody's": "873"} {
		content := csv(append(quarters(0, 2, "1"), strings.Replace(amsterdam(winter, 15, "1"), ":871", ":"+point, 1))...)
		_, err := w.submit(t, inCSV("one"), content, member)
		want := intake.Rejection{Line: 4, Reason: "NLD_ELECTRICITY:" + point + " is not a supply point that we know"}
		if got, ok := intake.RejectionOf(err); !ok || got != want {
			t.Errorf("%s: got error %v, want %+v", name, err, want)
		}
		if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != domain.Invalid || e.Public != "batch.csv:4: "+want.Reason {
			t.Errorf("%s: got %v, want its sentence with the place", name, e)
		}
	}
	if got := w.stored(t, cottage); got != before {
		t.Errorf("refused, and yet stored:\n%s", got)
	}
	nem := strings.Replace(fixture(t, "two_days.nem12.csv"), "WATTGATE01", "NOBODYS001", 1)
	b := intake.Batch{Sender: "app_meter", ID: "nem", Format: meterfile.NEM12}
	_, err := w.submit(t, b, nem, member)
	if got, ok := intake.RejectionOf(err); !ok || !strings.HasSuffix(got.Reason, " is not a supply point that we know") {
		t.Errorf("a new NMI: got error %v, want it unknown: only an import makes supply points", err)
	}
}

func TestPartly(t *testing.T) {
	line := func(n int, minutes int, value string) string {
		return amsterdam(winter.Add(time.Duration(n)*15*time.Minute), minutes, value)
	}
	const meter = "NLD_ELECTRICITY:871 1 CONSUMPTION kwh Europe/Amsterdam:"
	tests := map[string]struct {
		before, lines []string
		accepted      int64
		rejected      []intake.Rejection
		stored        string
	}{
		"nothing wrong": {nil, quarters(0, 3, "1"), 3, nil, meter + " 2024-01-15/1:3 of 96×15\n"},
		"lines that cannot be read": {
			nil,
			[]string{line(0, 15, "1"), line(1, 15, "NaN"), "x\n", line(2, 15, "2")},
			2,
			[]intake.Rejection{{3, `field value: want a number between -10000000 and 10000000 with at most 9 decimal places, got "NaN"`}, {4, "field line: want 9 fields, as in the head, got 1"}},
			meter + " 2024-01-15/1:2 of 96×15\n",
		},
		"strangers among them": {
			nil,
			[]string{strings.Replace(line(0, 15, "1"), ":871", ":872", 1), line(0, 15, "1"), strings.Replace(line(1, 15, "1"), ":871", ":872", 1)},
			1,
			[]intake.Rejection{{2, "NLD_ELECTRICITY:872 is not a supply point that we know"}, {4, "NLD_ELECTRICITY:872 is not a supply point that we know"}},
			meter + " 2024-01-15/1:1 of 96×15\n",
		},
		"another value at once, and much later": {
			nil,
			[]string{line(0, 15, "1"), line(0, 15, "2"), line(96, 15, "1"), line(0, 15, "3"), line(1, 15, "3")},
			3,
			[]intake.Rejection{
				{3, "field start: want one reading for each interval, got a second one for 2024-01-15T00:00:00+01:00, 2 ACTUAL after 1 ACTUAL"},
				{5, "field start: want one reading for each interval, got a second one for 2024-01-15T00:00:00+01:00, 3 ACTUAL after 1 ACTUAL"},
			},
			meter + " 2024-01-15/1:2 of 96×15 2024-01-16/1:1 of 96×15\n",
		},
		"another length in a day": {
			nil,
			[]string{line(0, 15, "1"), line(4, 60, "4"), line(1, 15, "1")},
			2,
			[]intake.Rejection{{3, "field duration: want 15 minutes like the rest of 2024-01-15, got 60 minutes"}},
			meter + " 2024-01-15/1:2 of 96×15\n",
		},
		"another length than what is stored": {
			quarters(0, 4, "1"),
			[]string{line(0, 60, "4"), line(96, 15, "1"), line(8, 60, "4")},
			1,
			[]intake.Rejection{
				{2, "field readings: want ones that go into the stored day 2024-01-15, got readings of 60 minutes cannot go into a day of 15 minutes unless they are all there: 1 of 24 are"},
				{4, "field readings: want ones that go into the stored day 2024-01-15, got readings of 60 minutes cannot go into a day of 15 minutes unless they are all there: 1 of 24 are"},
			},
			meter + " 2024-01-15/1:4 of 96×15 2024-01-16/1:1 of 96×15\n",
		},
		"a wrong line that opens its day": {
			nil,
			[]string{amsterdam(winter.Add(15*time.Minute), 60, "4"), line(0, 15, "1"), line(1, 15, "1")},
			2,
			[]intake.Rejection{{2, "field start: want a multiple of 60 minutes after midnight in Europe/Amsterdam, got 2024-01-15T00:15:00+01:00"}},
			meter + " 2024-01-15/1:2 of 96×15\n",
		},
		"a line twice, and both too late": {
			quarters(0, 4, "1"),
			[]string{line(0, 60, "4"), line(0, 60, "4")},
			0,
			[]intake.Rejection{
				{2, "field readings: want ones that go into the stored day 2024-01-15, got readings of 60 minutes cannot go into a day of 15 minutes unless they are all there: 1 of 24 are"},
				{3, "field readings: want ones that go into the stored day 2024-01-15, got readings of 60 minutes cannot go into a day of 15 minutes unless they are all there: 1 of 24 are"},
			},
			meter + " 2024-01-15/1:4 of 96×15\n",
		},
		"nothing right, of a new register": {
			nil,
			[]string{strings.Replace(amsterdam(winter.Add(time.Minute), 15, "1"), ",1,C", ",2,C", 1)},
			0,
			[]intake.Rejection{{2, "field start: want a multiple of 15 minutes after midnight in Europe/Amsterdam, got 2024-01-15T00:01:00+01:00"}},
			"",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newVillage(t)
			if test.before != nil {
				if _, err := w.submit(t, inCSV("before"), csv(test.before...), member); err != nil {
					t.Fatal(err)
				}
			}
			r, err := w.submit(t, partly("one"), csv(test.lines...), member)
			if err != nil || r.Accepted != test.accepted || r.Corrected+r.Unchanged != 0 || !slices.Equal(r.Rejections, test.rejected) || r.Rejected != int64(len(test.rejected)) {
				t.Errorf("got %+v and error %v, want %d accepted and rejected:\n%+v", r, err, test.accepted, test.rejected)
			}
			if got := w.stored(t, cottage); got != test.stored {
				t.Errorf("stored:\n%swant:\n%s", got, test.stored)
			}
			again, err := w.submit(t, partly("one"), csv(test.lines...), member)
			if err != nil || !again.Repeated || !slices.Equal(again.Rejections, test.rejected) {
				t.Errorf("again: got %+v and error %v, want the same answer", again, err)
			}
			// All or nothing names the first of them, and changes nothing.
			_, err = w.submit(t, inCSV("strictly"), csv(test.lines...), member)
			first, ok := intake.RejectionOf(err)
			if ok != (len(test.rejected) > 0) || ok && !slices.Contains(test.rejected, first) {
				t.Errorf("strictly: got error %v, want one of %+v", err, test.rejected)
			}
		})
	}
}

// TestPartlyNEM12 leaves out a day, and all that is not the batch's.
func TestPartlyNEM12(t *testing.T) {
	w := newVillage(t)
	file := fixture(t, "two_days.nem12.csv")
	if _, err := w.take(t, "f.csv", file, intake.Target{Property: home}); err != nil {
		t.Fatal(err)
	}
	wrong := strings.Replace(file, "0.306", "-0.306", 1)
	if wrong == file {
		t.Fatal("the fixture has another value by now")
	}
	b := intake.Batch{Sender: "app_meter", ID: "one", Format: meterfile.NEM12, Partial: true}
	r, err := w.submit(t, b, wrong, member)
	if err != nil || r.Rejected != 1 || r.Unchanged != 184-48 && r.Unchanged != 184-40 || r.Changed() {
		t.Errorf("got %+v and error %v, want all but a day, unchanged", r, err)
	}
	b.ID = "two"
	if _, err := w.submit(t, b, strings.TrimSuffix(file, "900\r\n"), member); err == nil {
		t.Error("a file that was cut off was taken in part")
	}
}

// racing is a store in which another node takes every batch a moment before.
type racing struct {
	*world
	left int // how often it still does
}

func (r *racing) TakeIn(ctx context.Context, f func(intake.Tx) error) error {
	return r.Store.TakeIn(ctx, func(tx intake.Tx) error { return f(racingTx{tx, r}) })
}

type racingTx struct {
	intake.Tx
	r *racing
}

func (r racingTx) PutBatch(b domain.Batch) error {
	if r.r.left == 0 {
		return r.Tx.PutBatch(b)
	}
	r.r.left--
	return &domain.Error{Kind: domain.Conflict, Public: "this batch is known"}
}

// TestRace: whoever finds that the batch has come twice at once looks again, once.
func TestRace(t *testing.T) {
	content := csv(quarters(0, 2, "1")...)
	for left, want := range []bool{true, true, false} {
		w := newVillage(t)
		im := &intake.Importer{Store: &racing{w, left}, Now: func() time.Time { return noon }}
		b := inCSV("one")
		b.Digest = sha256.Sum256([]byte(content))
		r, err := im.Take(t.Context(), b, intake.File{Name: "batch.csv", Content: strings.NewReader(content), Size: int64(len(content))}, member, nil)
		if (err == nil && r.Accepted == 2) != want || (w.stored(t, cottage) != "") != want {
			t.Errorf("lost %d times: got %+v, error %v and stored %q, want it taken: %t", left, r, err, w.stored(t, cottage), want)
		}
	}
}

// TestTooManyChannels: a batch with more than is remembered is refused before
// anybody waits for the writer.
func TestTooManyChannels(t *testing.T) {
	w := newVillage(t)
	line := amsterdam(winter, 15, "1")
	var b strings.Builder
	b.WriteString(csvHead)
	for i := range 100_001 {
		b.WriteString(strings.Replace(line, ",1,C", fmt.Sprintf(",R%d,C", i), 1))
	}
	_, err := w.submit(t, inCSV("one"), b.String(), member)
	want := intake.Rejection{Line: 100_002, Reason: "field channel: want at most 100000 channels, got another one"}
	if got, ok := intake.RejectionOf(err); !ok || got != want || w.locked > 0 {
		t.Errorf("got error %v after asking %d times for the writer, want %+v", err, w.locked, want)
	}
}

// TestManyRejections lists a thousand lines and counts the rest.
func TestManyRejections(t *testing.T) {
	w := newVillage(t)
	r, err := w.submit(t, partly("one"), csv(slices.Repeat([]string{"x\n"}, 1500)...), member)
	if err != nil || r.Rejected != 1500 || len(r.Rejections) != intake.MaxRejections || r.Rejections[999].Line != 1001 {
		t.Errorf("got %d rejected, %d listed and error %v, want 1500 and 1000", r.Rejected, len(r.Rejections), err)
	}
}

func TestReasons(t *testing.T) {
	w := newVillage(t)
	for name, reason := range map[string]string{"long": strings.Repeat("x", 201), "of two lines": "a\nb", "no text": "\xff"} {
		to := member
		to.Reason = reason
		_, err := w.submit(t, inCSV("one"), csv(quarters(0, 1, "1")...), to)
		if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != domain.Invalid || w.locked > 0 {
			t.Errorf("a reason that is %s: got error %v, want it refused", name, err)
		}
	}
}

// TestRepeatedLines: a reading that is said once more changes nothing and counts
// as such, beside the first one or far from it, as a whole or in part.
func TestRepeatedLines(t *testing.T) {
	a, b, c := amsterdam(winter, 15, "1"), amsterdam(winter.Add(48*time.Hour), 15, "1"), amsterdam(winter.Add(15*time.Minute), 15, "2")
	for sentence, lines := range map[string][]string{
		"side by side":          {a, a, c, b},
		"with one between them": {a, c, a, b},
		"with a day between":    {a, c, b, a},
		"of another meter's":    {a, strings.Replace(b, ":871", ":873", 1), c, a, b},
	} {
		for mode, name := range map[string]func(string) intake.Batch{"whole": inCSV, "part": partly} {
			w := newVillage(t)
			kept := lines
			if mode == "whole" {
				kept = slices.DeleteFunc(slices.Clone(lines), func(s string) bool { return strings.Contains(s, ":873") })
			}
			r, err := w.submit(t, name("one"), csv(kept...), member)
			if err != nil || r.Accepted != 3 || r.Corrected != 0 || r.Unchanged != 1 {
				t.Errorf("%s, in %s: got %+v and error %v, want 3 accepted and 1 unchanged", sentence, mode, r, err)
			}
		}
	}
}

// TestRightLinesAlone: what is taken in part is what is taken of a file without
// the lines that were rejected, whatever is wrong with these.
func TestRightLinesAlone(t *testing.T) {
	spoil := []func(string) string{
		func(s string) string { return s },
		func(s string) string { return strings.Replace(s, ",kwh,", ",,", 1) },
		func(s string) string { return strings.Replace(s, "kwh", "m3", 1) },
		func(s string) string { return strings.Replace(s, ":871", ":872", 1) },
		func(s string) string { return strings.Replace(s, ":00Z", ":01Z", 1) },
		func(s string) string { return strings.Replace(s, "ACTUAL", "", 1) },
		func(s string) string { return strings.Replace(s, "2024-", "2034-", 2) },
		func(s string) string { return strings.Replace(s, ",1,C", ",2,C", 1) },
		func(string) string { return "\"\n" },
	}
	w := newVillage(t)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		if run++; detector && run > 15 {
			return
		}
		meters := [2]string{fmt.Sprintf("P%d", run), fmt.Sprintf("S%d", run)}
		var lines []string
		for range rapid.IntRange(1, 30).Draw(rt, "lines") {
			minutes := rapid.SampledFrom([]int{15, 15, 15, 60}).Draw(rt, "minutes")
			start := winter.Add(time.Duration(rapid.IntRange(0, 200).Draw(rt, "start")) * time.Duration(rapid.SampledFrom([]int{15, minutes}).Draw(rt, "step")) * time.Minute)
			line := amsterdam(start, minutes, fmt.Sprint(rapid.IntRange(1, 3).Draw(rt, "value")))
			lines = append(lines, rapid.SampledFrom(spoil).Draw(rt, "wrong")(line))
		}
		seed := csv(quarters(0, rapid.IntRange(0, 96).Draw(rt, "stored"), "1")...)
		for _, meter := range meters {
			if err := w.Store.TakeIn(t.Context(), func(tx intake.Tx) error {
				_, err := tx.AddSupplyPoint(domain.SupplyPoint{Partner: "prt_a", Property: cottage, Market: domain.MarketNLDElectricity, Identifier: meter, Zone: "Europe/Amsterdam"})
				return err
			}); err != nil {
				rt.Fatal(err)
			}
			if _, err := w.submit(t, inCSV("seed "+meter), strings.ReplaceAll(seed, ":871", ":"+meter), member); err != nil {
				rt.Fatal(err)
			}
		}
		r, err := w.submit(t, partly(meters[0]), strings.ReplaceAll(csv(lines...), ":871", ":"+meters[0]), member)
		if err != nil {
			rt.Fatal(err)
		}
		wrong := map[int]bool{}
		for _, reject := range r.Rejections {
			if wrong[reject.Line] {
				rt.Errorf("line %d is rejected twice", reject.Line)
			}
			wrong[reject.Line] = true
		}
		var right []string
		for i, line := range lines {
			if !wrong[i+2] {
				right = append(right, line)
			}
		}
		s, err := w.submit(t, inCSV(meters[1]), strings.ReplaceAll(csv(right...), ":871", ":"+meters[1]), member)
		if err != nil || s.Accepted != r.Accepted || s.Corrected != r.Corrected || s.Unchanged != r.Unchanged || s.NewChannels != r.NewChannels {
			rt.Errorf("in part: %+v\nthe right lines alone: %+v, error %v", r, s, err)
		}
		if got, want := w.storedOf(t, meters[0]), w.storedOf(t, meters[1]); got != want {
			rt.Errorf("in part:\n%sthe right lines alone:\n%s", got, want)
		}
	})
}

// storedOf lists what is stored of one of the cottage's meters, without its name.
func (w *world) storedOf(tb testing.TB, meter string) string {
	tb.Helper()
	var b strings.Builder
	for line := range strings.Lines(w.stored(tb, cottage)) {
		if rest, ok := strings.CutPrefix(line, "NLD_ELECTRICITY:"+meter+" "); ok {
			b.WriteString(rest)
		}
	}
	return b.String()
}

// BenchmarkTakeCSV takes a year of quarters of an hour of one meter.
func BenchmarkTakeCSV(b *testing.B) {
	var lines []string
	for day := range 365 {
		lines = append(lines, quarters(day, 92, fmt.Sprintf("0.%03d", day))...)
	}
	content := csv(lines...)
	w := newVillage(b)
	n := 0
	for b.Loop() {
		n++
		if _, err := w.submit(b, inCSV(fmt.Sprint(n)), content, member); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(lines)*n)/b.Elapsed().Seconds()/1e6, "M/s")
}
