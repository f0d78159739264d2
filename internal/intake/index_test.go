package intake_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// indexes lists what the registers of a property showed.
func (w *world) indexed(tb testing.TB, property domain.PropertyID) string {
	tb.Helper()
	channels, err := w.Channels(tb.Context(), domain.Scope{Partner: "prt_a"}, property)
	if err != nil {
		tb.Fatal(err)
	}
	var b strings.Builder
	for _, c := range channels {
		err := w.Indices(tb.Context(), c.ID, domain.IndexRange{From: time.Unix(0, 0), To: noon}, func(i domain.Index) error {
			fmt.Fprintf(&b, "%s %s/%d:%s %s\n", c.Register, i.At.UTC().Format(time.RFC3339), i.Revision, i.Value, i.Quality)
			return nil
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	return b.String()
}

// TestIndexes takes what a register showed, once and again, corrected and
// contradicting itself.
func TestIndexes(t *testing.T) {
	w := newVillage(t)
	first, second := amsterdam(winter, 0, "1000.5"), amsterdam(winter.Add(90*time.Minute), 0, "1001")
	r, err := w.submit(t, inCSV("one"), csv(first, second, first), member)
	if err != nil || r.Accepted != 2 || r.Indexes != 2 || r.Days != 0 || r.Summary() != "stored 2 register reads of 1 channel" {
		t.Errorf("got %+v, %q and error %v, want 2 register reads", r, r.Summary(), err)
	}
	if !r.From.Equal(winter) || !r.To.Equal(winter.Add(90*time.Minute)) || len(w.entries) != 1 {
		t.Errorf("got from %v to %v and %d entries, want the two instants and one", r.From, r.To, len(w.entries))
	}
	r, err = w.submit(t, inCSV("two"), csv(first, strings.Replace(second, "ACTUAL", "ESTIMATE", 1)), member)
	if err != nil || r.Unchanged != 1 || r.Corrected != 1 || !r.Changed() {
		t.Errorf("corrected: got %+v and error %v, want one of the two", r, err)
	}
	r, err = w.submit(t, inCSV("three"), csv(append(quarters(0, 2, "1"), amsterdam(winter.Add(24*time.Hour), 0, "1002"))...), member)
	if want := "stored 2 readings in 1 day and 1 register read of 1 channel"; err != nil || r.Summary() != want || r.Accepted != 3 {
		t.Errorf("with intervals: got %q and error %v, want %q", r.Summary(), err, want)
	}
	const want = "1 2024-01-14T23:00:00Z/1:1000.5 ACTUAL\n1 2024-01-15T00:30:00Z/2:1001 ESTIMATE\n1 2024-01-15T23:00:00Z/1:1002 ACTUAL\n"
	if got := w.indexed(t, cottage); got != want {
		t.Errorf("stored:\n%swant:\n%s", got, want)
	}

	wrong := map[string]struct{ line, reason string }{
		"another value": {amsterdam(winter, 0, "7"), "field start: want one index for each instant, got a second one for 2024-01-14T23:00:00+00:00, 7 ACTUAL after 1000.5 ACTUAL"},
		"the future":    {amsterdam(noon.Add(48*time.Hour), 0, "7"), "field start: want readings that have been taken, got the future, 2026-11-07T12:00:00+00:00"},
		"another age":   {amsterdam(noon.AddDate(-40, 0, -1), 0, "7"), "field start: want readings of the last 40 years, got 1986-11-04T12:00:00+00:00"},
	}
	for name, test := range wrong {
		_, err := w.submit(t, inCSV(name), csv(first, test.line), member)
		if got, ok := intake.RejectionOf(err); !ok || got != (intake.Rejection{Line: 3, Reason: test.reason}) {
			t.Errorf("%s: got error %v, want line 3: %s", name, err, test.reason)
		}
		r, err := w.submit(t, partly(name), csv(first, test.line), member)
		if err != nil || r.Unchanged != 1 || r.Rejected != 1 || r.Rejections[0] != (intake.Rejection{Line: 3, Reason: test.reason}) {
			t.Errorf("%s, in part: got %+v and error %v, want one of two", name, r, err)
		}
	}
	if got := w.indexed(t, cottage); got != want {
		t.Errorf("after refusals, stored:\n%swant:\n%s", got, want)
	}
}

// TestLocalTimes refuses an hour that a summer begins without, and offsets that
// a zone does not have.
func TestLocalTimes(t *testing.T) {
	for name, test := range map[string]struct{ local, utc, reason string }{
		"the hour that was left out": {
			"2024-03-31T02:30:00+01:00", "2024-03-31T01:30:00Z",
			"field start: want a local time of Europe/Amsterdam, got 2024-03-31T02:30:00+01:00, which does not exist in Europe/Amsterdam",
		},
		"another zone's": {
			"2024-01-15T00:00:00+02:00", "2024-01-14T22:00:00Z",
			"field start: want a local time of Europe/Amsterdam, got 2024-01-15T00:00:00+02:00, which does not exist in Europe/Amsterdam",
		},
		"the hour that comes twice, first":  {"2024-10-27T02:30:00+02:00", "2024-10-27T00:30:00Z", ""},
		"the hour that comes twice, second": {"2024-10-27T02:30:00+01:00", "2024-10-27T01:30:00Z", ""},
		"the end of a leap year":            {"2024-12-31T23:45:00+01:00", "2024-12-31T22:45:00Z", ""},
	} {
		w := newVillage(t)
		line := fmt.Sprintf("NLD_ELECTRICITY:871,1,CONSUMPTION,%s,%s,15,1,kwh,ACTUAL\n", test.local, test.utc)
		_, err := w.submit(t, inCSV("one"), csv(line), member)
		got, _ := intake.RejectionOf(err)
		if test.reason == "" && err != nil || test.reason != "" && got != (intake.Rejection{Line: 2, Reason: test.reason}) {
			t.Errorf("%s: got error %v, want %q", name, err, test.reason)
		}
		if _, err := w.take(t, "f.csv", csv(line), intake.Target{}); (err == nil) != (test.reason == "") {
			t.Errorf("%s, as a file: got error %v, want %q", name, err, test.reason)
		}
	}
}

// TestLocalTimesOfARun: a run of lines may go over the change of the clock, and
// then its offset is wrong from there on.
func TestLocalTimesOfARun(t *testing.T) {
	w := newVillage(t)
	before := time.Date(2024, 3, 31, 0, 30, 0, 0, time.UTC)
	var lines []string
	for i := range 4 {
		at := before.Add(time.Duration(i) * 15 * time.Minute)
		lines = append(lines, fmt.Sprintf("NLD_ELECTRICITY:871,1,CONSUMPTION,%s,%s,15,1,kwh,ACTUAL\n",
			at.In(time.FixedZone("", 3600)).Format(time.RFC3339), at.Format(time.RFC3339)))
	}
	_, err := w.take(t, "f.csv", csv(lines...), intake.Target{})
	const want = "field start: want a local time of Europe/Amsterdam, got 2024-03-31T02:00:00+01:00, which does not exist in Europe/Amsterdam"
	if got, ok := intake.RejectionOf(err); !ok || got != (intake.Rejection{Line: 4, Reason: want}) {
		t.Errorf("got error %v, want line 4: %s", err, want)
	}
	if _, err := w.take(t, "f.csv", csv(lines[:2]...), intake.Target{}); err != nil {
		t.Errorf("those before it: got error %v", err)
	}
}

// TestTooManyRegisters: files give a supply point a bounded number of channels.
func TestTooManyRegisters(t *testing.T) {
	w := newVillage(t)
	var lines []string
	for i := range 201 {
		lines = append(lines, strings.Replace(amsterdam(winter, 15, "1"), ",1,C", fmt.Sprintf(",R%d,C", i), 1))
	}
	r, err := w.submit(t, partly("one"), csv(lines...), member)
	want := "supply point NLD_ELECTRICITY:871 has 200 registers already, and no room for R200"
	if err != nil || r.NewChannels != 200 || r.Rejected != 1 || r.Rejections[0].Reason != want {
		t.Errorf("got %d channels, %+v and error %v, want 200 and %q", r.NewChannels, r.Rejections, err, want)
	}
}

// TestOtherFormats: a batch is of the format that it says.
func TestOtherFormats(t *testing.T) {
	w := newVillage(t)
	for _, f := range []meterfile.Format{meterfile.CSV, meterfile.NDJSON, meterfile.ESPI, meterfile.NEM12, meterfile.CDR} {
		for name, content := range map[string]string{"nothing": "", "something else": "hello\n"} {
			b := inCSV(name)
			b.Format = f
			_, err := w.submit(t, b, content, member)
			if got, ok := intake.RejectionOf(err); !ok || got.Line < 1 || got.Reason == "" {
				t.Errorf("%s as %s: got error %v, want a refusal of a line", name, f, err)
			}
			b.Partial = true
			r, err := w.submit(t, b, content, member)
			if _, refused := intake.RejectionOf(err); refused == (f == meterfile.NDJSON && content != "") || r.Accepted > 0 {
				t.Errorf("%s as %s, in part: got %+v and error %v, want nothing taken", name, f, r, err)
			}
		}
	}
	if w.days+w.indexes+len(w.entries) > 0 { // lines of NDJSON that are all rejected are a batch all the same
		t.Error("refused, and yet something was written")
	}
}
