package intake_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/meterfile"
)

func TestImportNEM12(t *testing.T) {
	w := newWorld(t)
	r, err := w.take(t, "two_days.csv", fixture(t, "two_days.nem12.csv"), intake.Target{By: "command line"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Accepted != 48*4-8 || r.Corrected+r.Unchanged != 0 || r.Days != 4 || r.Channels != 2 || r.NewChannels != 2 || len(r.SupplyPoints) != 1 {
		t.Errorf("got %+v, want 184 readings of 4 days and 2 new channels", r)
	}
	if from, to := interval.FormatMoment(r.From), interval.FormatMoment(r.To); from != "2024-02-29T14:00:00+00:00" || to != "2024-03-02T14:00:00+00:00" {
		t.Errorf("got from %s to %s, want two days of market time", from, to)
	}
	point := r.SupplyPoints[0]
	if point.Name != "AUS_ELECTRICITY:WATTGATE01" || point.Partner != "prt_a" || !point.Created {
		t.Errorf("got supply point %+v, want a new AUS_ELECTRICITY:WATTGATE01 of prt_a", point)
	}
	const want = "AUS_ELECTRICITY:WATTGATE01 E1 CONSUMPTION kwh +10:00: 2024-03-01/1:48 of 48×30 2024-03-02/1:40 of 48×30\n" +
		"AUS_ELECTRICITY:WATTGATE01 B1 GENERATION kwh +10:00: 2024-03-01/1:48 of 48×30 2024-03-02/1:48 of 48×30\n"
	if got := w.stored(t, point.Property); got != want {
		t.Errorf("stored:\n%swant:\n%s", got, want)
	}
	if len(w.entries) != 1 || w.entries[0].Action != "measurements.import" || w.entries[0].By != "command line" || w.entries[0].Partner != "prt_a" ||
		w.entries[0].Object != point.Name || w.entries[0].Detail != `"two_days.csv": stored 184 readings in 4 days of 2 channels` {
		t.Errorf("audit: got %+v, want one entry for the file", w.entries)
	}

	again, err := w.take(t, "two_days.csv", fixture(t, "two_days.nem12.csv"), intake.Target{})
	if err != nil || again.Changed() || again.Unchanged != 184 || again.Summary() != "nothing changed: stored already 184 readings" {
		t.Errorf("again: got %+v and error %v, want nothing changed", again, err)
	}
	if w.days != 4 || len(w.entries) != 1 {
		t.Errorf("again: %d days written and %d audit entries, want 4 and 1 as before", w.days, len(w.entries))
	}

	corrected := strings.Replace(fixture(t, "two_days.nem12.csv"), "400,41,48,N,,", "400,41,48,E52,,", 1)
	corrected = strings.Replace(corrected, "300,20240301,0.180", "300,20240301,0.19", 1)
	third, err := w.take(t, "later.csv", corrected, intake.Target{Partner: "prt_a"})
	if err != nil || third.Accepted != 8 || third.Corrected != 1 || third.Unchanged != 183 || third.Days != 2 {
		t.Errorf("correction: got %+v and error %v, want 8 filled in, 1 corrected, 183 unchanged in 2 days", third, err)
	}
	if got := w.stored(t, point.Property); !strings.Contains(got, "2024-03-01/2:48 of 48×30 2024-03-02/2:48 of 48×30") {
		t.Errorf("stored after the correction:\n%swant revision 2 of both days", got)
	}
}

func TestImportESPI(t *testing.T) {
	w := newWorld(t)
	spring := fixture(t, "spring_day.espi.xml")
	_, err := w.take(t, "spring.xml", spring, intake.Target{})
	refused(t, err, domain.Invalid, "USA_ELECTRICITY:6d1c1c1a-6f7e-4a53-8a0e-3a4b5c6d7e01 is not a supply point that we know: name the property that it is on with --property")

	r, err := w.take(t, "spring.xml", spring, intake.Target{Property: cottage})
	if err != nil || r.Accepted != 23 || r.Days != 1 || r.SupplyPoints[0].Property != cottage {
		t.Errorf("got %+v and error %v, want 23 readings on the cottage", r, err)
	}
	const want = "USA_ELECTRICITY:6d1c1c1a-6f7e-4a53-8a0e-3a4b5c6d7e01 01 CONSUMPTION wh America/New_York: 2024-03-10/1:23 of 23×60\n"
	if got := w.stored(t, cottage); got != want {
		t.Errorf("stored:\n%swant:\n%s", got, want)
	}
	if r, err := w.take(t, "spring.xml", spring, intake.Target{}); err != nil || r.Changed() {
		t.Errorf("again, without --property: got %+v and error %v, want nothing changed", r, err)
	}
}

var placed = regexp.MustCompile(`^[a-z]+\.(csv|xml)(:[0-9]+)?: `)

// refused fails unless err is a domain error with this kind and sentence, after
// the place in the file.
func refused(t *testing.T, err error, kind domain.Kind, want string) {
	t.Helper()
	var e *domain.Error
	if !errors.As(err, &e) || e.Kind != kind || !placed.MatchString(e.Public) || e.Public != want && !strings.HasSuffix(e.Public, ": "+want) {
		t.Errorf("got error %v\nwant      %s (%s)", err, want, kind)
	}
}

func TestTargets(t *testing.T) {
	tests := map[string]struct {
		to   intake.Target
		kind domain.Kind
		want string // empty: taken
	}{
		"nothing, with two partners": {
			intake.Target{},
			domain.Invalid,
			"AUS_ELECTRICITY:WATTGATE01 is new, and there are 2 partners: name its partner with --partner, or its property with --property",
		},
		"a partner":                 {intake.Target{Partner: "prt_b"}, 0, ""},
		"a property":                {intake.Target{Property: home}, 0, ""},
		"a property of the partner": {intake.Target{Property: home, Partner: "prt_a"}, 0, ""},
		"a property of another":     {intake.Target{Property: stranger, Partner: "prt_a"}, domain.Conflict, "property prop_stranger belongs to another partner than prt_a"},
		"a property that is none":   {intake.Target{Property: "prop_x"}, domain.NotFound, "there is no property prop_x"},
		"a partner that is none":    {intake.Target{Partner: "prt_x"}, domain.NotFound, "there is no partner prt_x"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.add(t, "prt_b", domain.Property{ID: stranger, Zone: "UTC"})
			r, err := w.take(t, "f.csv", fixture(t, "two_days.nem12.csv"), test.to)
			if test.want == "" {
				if err != nil || r.Accepted != 184 || test.to.Partner != "" && r.SupplyPoints[0].Partner != test.to.Partner {
					t.Errorf("got %+v and error %v, want 184 readings at %+v", r, err, test.to)
				}
				return
			}
			refused(t, err, test.kind, test.want)
			if w.days+len(w.entries) > 0 || r.Changed() {
				t.Errorf("refused, and yet %d days and %d entries were written", w.days, len(w.entries))
			}
		})
	}
}

// TestKnownSupplyPoint: the NMI is on prt_a's home by now.
func TestKnownSupplyPoint(t *testing.T) {
	w := newWorld(t)
	w.add(t, "prt_b", domain.Property{ID: stranger, Zone: "UTC"})
	file := fixture(t, "two_days.nem12.csv")
	if _, err := w.take(t, "f.csv", file, intake.Target{Property: home}); err != nil {
		t.Fatal(err)
	}
	const point = "supply point AUS_ELECTRICITY:WATTGATE01 "
	for name, test := range map[string]struct {
		to   intake.Target
		want string
	}{
		"found without a word":  {intake.Target{}, ""},
		"its partner":           {intake.Target{Partner: "prt_a"}, ""},
		"its property":          {intake.Target{Property: home}, ""},
		"another partner":       {intake.Target{Partner: "prt_b"}, point + "belongs to another partner than prt_b"},
		"another property":      {intake.Target{Property: cottage}, point + "is on property prop_home, not on prop_cottage"},
		"another's property":    {intake.Target{Property: stranger}, point + "belongs to another partner than prt_b"},
		"a partner of nobody's": {intake.Target{Partner: "prt_x"}, point + "belongs to another partner than prt_x"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := w.take(t, "f.csv", file, test.to)
			if test.want != "" {
				refused(t, err, domain.Conflict, test.want)
			} else if err != nil || r.Changed() {
				t.Errorf("got %+v and error %v, want nothing changed", r, err)
			}
		})
	}
	if _, err := w.take(t, "a.xml", fixture(t, "spring_day.espi.xml"), intake.Target{Property: home}); err != nil {
		t.Fatal(err)
	}
	chicago := strings.ReplaceAll(fixture(t, "spring_day.espi.xml"), "<tzOffset>-18000", "<tzOffset>-21600")
	_, err := w.take(t, "b.xml", chicago, intake.Target{Property: home})
	refused(t, err, domain.Conflict, "register 01 of supply point USA_ELECTRICITY:6d1c1c1a-6f7e-4a53-8a0e-3a4b5c6d7e01 has its days in America/New_York, and the file in America/Chicago")
}

// espi makes a feed of hours for a home that says no zone; times are in UTC.
func espi(readings ...string) string {
	return `<feed><entry><id>urn:uuid:aa</id><UsagePoint><ServiceCategory><kind>0</kind></ServiceCategory></UsagePoint></entry>
<entry><id>1</id><MeterReading/></entry><entry><ReadingType><uom>72</uom></ReadingType></entry><entry>
` + strings.Join(readings, "\n") + `
</entry></feed>`
}

// at makes a block of one reading.
func at(t *testing.T, moment string, seconds int, value string) string {
	t.Helper()
	start, err := time.Parse(time.RFC3339, moment)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("<IntervalBlock><IntervalReading><timePeriod><duration>%d</duration><start>%d</start></timePeriod><value>%s</value></IntervalReading></IntervalBlock>",
		seconds, start.Unix(), value)
}

func TestDays(t *testing.T) {
	hour := func(moment, value string) string { return at(t, moment, 3600, value) }
	const head = "USA_ELECTRICITY:aa 1 CONSUMPTION wh America/Los_Angeles:"
	tests := map[string]struct {
		readings []string
		want     string // what is stored, or the refusal
	}{
		"days in pieces, and in the zone of the property": {
			[]string{hour("2024-01-01T07:00:00Z", "1"), hour("2024-01-01T08:00:00Z", "2"), hour("2024-01-01T09:00:00Z", "3")},
			head + " 2023-12-31/1:1 of 24×60 2024-01-01/1:2 of 24×60\n",
		},
		"the day of autumn": {
			[]string{at(t, "2024-11-03T07:00:00Z", 90000, "25"), at(t, "2024-11-04T08:00:00Z", 86400, "24")},
			head + " 2024-11-03/1:1 of 1×1440 2024-11-04/1:1 of 1×1440\n",
		},
		"the same reading twice": {
			[]string{hour("2024-01-01T08:00:00Z", "1"), hour("2024-01-01T08:00:00Z", "1.0")}, head + " 2024-01-01/1:1 of 24×60\n",
		},
		"the same one once more, much later": {
			[]string{hour("2024-01-01T08:00:00Z", "1"), hour("2024-01-02T08:00:00Z", "1"), hour("2024-01-01T08:00:00Z", "1")},
			head + " 2024-01-01/1:1 of 24×60 2024-01-02/1:1 of 24×60\n",
		},
		"the rest of a day, much later": {
			[]string{hour("2024-01-01T08:00:00Z", "1"), hour("2024-01-02T08:00:00Z", "1"), hour("2024-01-01T09:00:00Z", "1")},
			head + " 2024-01-01/1:2 of 24×60 2024-01-02/1:1 of 24×60\n",
		},
		"another value at once": {
			[]string{hour("2024-01-01T08:00:00Z", "1"), hour("2024-01-01T08:00:00Z", "2")},
			"f.xml:4: field start: want one reading for each interval, got a second one for 2024-01-01T00:00:00-08:00, 2 ACTUAL after 1 ACTUAL",
		},
		"another value much later": {
			[]string{hour("2024-01-01T08:00:00Z", "1"), hour("2024-01-02T08:00:00Z", "1"), hour("2024-01-01T08:00:00Z", "2")},
			"f.xml:5: field start: want one reading for each interval, got a second one for 2024-01-01T00:00:00-08:00, 2 ACTUAL after 1 ACTUAL",
		},
		"two lengths in a day": {
			[]string{hour("2024-01-01T08:00:00Z", "1"), at(t, "2024-01-01T09:00:00Z", 900, "1")},
			"f.xml:4: field duration: want 60 minutes like the rest of 2024-01-01, got 15 minutes",
		},
		"two lengths in a day, much later": {
			[]string{hour("2024-01-01T08:00:00Z", "1"), hour("2024-01-02T08:00:00Z", "1"), at(t, "2024-01-01T09:00:00Z", 900, "1")},
			"f.xml:5: field duration: want 60 minutes like the rest of 2024-01-01, got 15 minutes",
		},
		"an hour that begins at a quarter": {
			[]string{hour("2024-01-01T08:15:00Z", "1")},
			"f.xml:3: field start: want a multiple of 60 minutes after midnight in America/Los_Angeles, got 2024-01-01T00:15:00-08:00",
		},
		"a day that begins at noon": {
			[]string{at(t, "2024-01-01T20:00:00Z", 86400, "1")},
			"f.xml:3: field start: want a day that begins at midnight in America/Los_Angeles, got 2024-01-01T12:00:00-08:00",
		},
		"the future": {
			[]string{hour("2026-11-06T13:00:00Z", "1")},
			"f.xml:3: field start: want readings that have been taken, got the future, 2026-11-06T13:00:00+00:00",
		},
		"forty years ago": {
			[]string{hour("1986-11-05T12:00:00Z", "1")}, head + " 1986-11-05/1:1 of 24×60\n",
		},
		"more than forty years ago": {
			[]string{hour("1986-11-05T11:00:00Z", "1")},
			"f.xml:3: field start: want readings of the last 40 years, got 1986-11-05T11:00:00+00:00",
		},
		"digits beside each other": {
			[]string{hour("2024-01-01T08:00:00Z", "9999999"), hour("2024-01-01T09:00:00Z", "0.000000001")}, head + " 2024-01-01/1:2 of 24×60\n",
		},
		"a value that no sum could hold": {
			[]string{hour("2024-01-01T08:00:00Z", "9223372036854775807")},
			"f.xml:3: field value: want a number between -10000000 and 10000000 with at most 9 decimal places, also after × 10^0, got \"9223372036854775807\"",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			before := w.stored(t, home)
			_, err := w.take(t, "f.xml", espi(test.readings...), intake.Target{Property: home})
			if !strings.HasPrefix(test.want, "f.xml") {
				if got := w.stored(t, home); err != nil || got != test.want {
					t.Errorf("got error %v and stored:\n%swant:\n%s", err, got, test.want)
				}
				return
			}
			refused(t, err, domain.Invalid, test.want)
			if got := w.stored(t, home); got != before {
				t.Errorf("refused, and yet stored:\n%s", got)
			}
		})
	}
}

// TestAnotherLength: a day may change its resolution, but only as a whole.
func TestAnotherLength(t *testing.T) {
	w := newWorld(t)
	take := func(readings ...string) (intake.Report, error) {
		return w.take(t, "f.xml", espi(readings...), intake.Target{Property: home})
	}
	if _, err := take(at(t, "2024-01-01T08:00:00Z", 3600, "1")); err != nil {
		t.Fatal(err)
	}
	_, err := take(at(t, "2024-01-01T08:00:00Z", 1800, "1"))
	refused(t, err, domain.Invalid, "f.xml:3: field readings: want ones that go into the stored day 2024-01-01, got "+
		"readings of 30 minutes cannot go into a day of 60 minutes unless they are all there: 1 of 48 are")
	r, err := take(at(t, "2024-01-01T08:00:00Z", 86400, "24"))
	if err != nil || r.Corrected != 1 {
		t.Errorf("a whole day: got %+v and error %v, want one correction", r, err)
	}
}

// TestMalformedFilesDoNotLock: they are refused before the writer is asked for.
func TestMalformedFilesDoNotLock(t *testing.T) {
	w := newWorld(t)
	good := fixture(t, "two_days.nem12.csv")
	for name, content := range map[string]string{
		"cut off":        strings.TrimSuffix(good, "900\r\n"),
		"a wrong value":  strings.Replace(good, "0.306", "x", 1),
		"in the future":  strings.ReplaceAll(good, "300,2024", "300,2027"),
		"no file of any": "hello",
	} {
		_, err := w.take(t, "f.csv", content, intake.Target{})
		var e *meterfile.Error
		if !errors.As(err, &e) || w.locked > 0 {
			t.Errorf("%s: got error %v after asking %d times for the writer, want a refusal without", name, err, w.locked)
		}
	}
}

func TestProgress(t *testing.T) {
	w := newWorld(t)
	im := &intake.Importer{Store: w, Now: func() time.Time { return noon }}
	content := fixture(t, "two_days.nem12.csv")
	last := int64(-1)
	_, err := im.Import(t.Context(), intake.File{Name: "f.csv", Content: strings.NewReader(content), Size: int64(len(content))}, intake.Target{}, func(n int64) {
		if n < last || n > int64(len(content)) {
			t.Errorf("progress went from %d to %d of %d", last, n, len(content))
		}
		last = n
	})
	if err != nil || last != int64(len(content)) {
		t.Errorf("got error %v and progress %d, want none and %d", err, last, len(content))
	}
}

func TestCancelled(t *testing.T) {
	w := newWorld(t)
	im := &intake.Importer{Store: w, Now: func() time.Time { return noon }}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	content := fixture(t, "two_days.nem12.csv")
	_, err := im.Import(ctx, intake.File{Name: "f.csv", Content: strings.NewReader(content), Size: int64(len(content))}, intake.Target{}, nil)
	if !errors.Is(err, context.Canceled) || w.days > 0 {
		t.Errorf("got error %v and %d days, want cancelled and none", err, w.days)
	}
}
