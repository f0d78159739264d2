package usage_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/usage"
)

func revision(r usage.Revision) string {
	return fmt.Sprintf("%s/%s/%s/%d", r.Channel.SupplyPoint.Identifier, r.Channel.Register, r.Day, r.Revision)
}

// A reader that keeps its cursor gets every revision once and in the order of
// each channel, whatever is stored and corrected between two of its questions.
func TestEveryRevisionComesOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &memory{}
		var ids []domain.ChannelID
		for i := range rapid.IntRange(1, 4).Draw(t, "channels") {
			ids = append(ids, m.add(electricity(fmt.Sprint(i/2), fmt.Sprint(i), domain.Consumption, domain.KilowattHour)))
		}
		s := &usage.Service{Store: m, CursorKey: [32]byte{1}}
		first := domain.NewDate(2024, 6, 1)
		want := map[domain.ChannelID][]string{}
		got := map[domain.ChannelID][]string{}
		var cursor string
		ask := func() bool {
			n := rapid.IntRange(0, 5).Draw(t, "first")
			c, err := s.Changes(background, partner, "prop_home", usage.ChangesQuery{After: cursor, First: &n, Count: true})
			if err != nil {
				t.Fatal(err)
			}
			sum, taken := 0, 0
			for _, id := range ids {
				sum, taken = sum+len(want[id]), taken+len(got[id])
			}
			if c.Total != sum || c.HasNext != (taken+len(c.Revisions) < sum) || c.HasPrevious != (cursor != "") || len(c.Revisions) > n {
				t.Fatalf("%d of %d revisions after %d, total %d, next %v, previous %v", len(c.Revisions), sum, taken, c.Total, c.HasNext, c.HasPrevious)
			}
			keep := rapid.IntRange(0, len(c.Revisions)).Draw(t, "kept") // the cursor of any edge is good
			for i, r := range c.Revisions[:keep] {
				got[r.Channel.ID] = append(got[r.Channel.ID], revision(r))
				cursor = c.Cursor(i)
			}
			return c.HasNext || keep < len(c.Revisions)
		}
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			id := rapid.SampledFrom(ids).Draw(t, "channel")
			day := first + domain.Date(rapid.IntRange(0, 3).Draw(t, "day"))
			m.record(id, day)
			want[id] = append(want[id], fmt.Sprintf("%s/%s/%s/%d", m.channels[id-1].SupplyPoint.Identifier, m.channels[id-1].Register, day, len(m.days[id][day])))
			if rapid.Bool().Draw(t, "read") {
				ask()
			}
		}
		for ask() {
		}
		for ask() { // the last page may have been cut
		}
		for _, id := range ids {
			if !slices.Equal(got[id], want[id]) {
				t.Fatalf("channel %d: got %q, want %q", id, got[id], want[id])
			}
		}
	})
}

// record stores a version of a day without readings.
func (m *memory) record(id domain.ChannelID, date domain.Date) {
	m.clock = m.clock.Add(time.Second)
	m.days[id][date] = append(m.days[id][date], domain.Day{Date: date, Revision: int32(len(m.days[id][date]) + 1), RecordedAt: m.clock})
}

func TestChangesComeInTheOrderOfRecording(t *testing.T) {
	m := &memory{clock: time.Date(2024, time.July, 1, 10, 0, 0, 0, time.UTC)}
	a := m.add(electricity("1", "1", domain.Consumption, domain.KilowattHour))
	b := m.add(electricity("2", "1", domain.Consumption, domain.KilowattHour))
	for i := range 600 { // more than one question to the store brings
		m.record([]domain.ChannelID{a, b}[i%3/2], domain.NewDate(2024, 1, 1)+domain.Date(i%50))
	}
	n := usage.MaxChanges
	c, err := (&usage.Service{Store: m}).Changes(background, partner, "prop_home", usage.ChangesQuery{First: &n})
	if err != nil || len(c.Revisions) != 600 || c.HasNext || c.HasPrevious {
		t.Fatalf("got %d revisions, next %v, previous %v (%v), want 600 alone", len(c.Revisions), c.HasNext, c.HasPrevious, err)
	}
	for i, r := range c.Revisions {
		if i > 0 && r.RecordedAt.Before(c.Revisions[i-1].RecordedAt) {
			t.Fatalf("revision %d was recorded at %v, the one before at %v", i, r.RecordedAt, c.Revisions[i-1].RecordedAt)
		}
	}
}

func TestChangesThatWereAgreedTo(t *testing.T) {
	m := village(t, consent(func(c *domain.Consent) { c.HistoryFrom = date(t, "2024-04-03") }))
	s := agreedService(m)
	days := func(after string) (got []string, c usage.Changes) {
		c, err := s.Changes(background, agreed, "prop_home", usage.ChangesQuery{After: after, Count: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range c.Revisions {
			got = append(got, revision(r))
		}
		if after == "" && c.Total != len(got) {
			t.Errorf("%d revisions, counted as %d", len(got), c.Total)
		}
		return got, c
	}
	got, c := days("")
	if want := []string{"a/1/2024-04-03/1", "a/1/2024-04-04/1", "a/1/2024-04-05/1"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q: one supply point, from the agreed day on", got, want)
	}
	// What comes once does not come again when a consent ends and another begins.
	cursor := c.Cursor(2)
	m.consents[0].SupplyPoints = []domain.SupplyPointRef{pointB}
	if got, _ := days(cursor); len(got) != 3 || got[0] != "b/1/2024-04-03/1" {
		t.Errorf("after the other supply point was agreed to: %q, want its three days", got)
	}
	m.consents[0].SupplyPoints = []domain.SupplyPointRef{pointA, pointB}
	if got, _ := days(cursor); len(got) != 3 || got[0] != "b/1/2024-04-03/1" {
		t.Errorf("after both were agreed to: %q, want the other's three days", got)
	}
	m.consents[0].RevokedAt = today
	if _, err := s.Changes(background, agreed, "prop_home", usage.ChangesQuery{After: cursor}); kind(err) != domain.NotFound {
		t.Errorf("without a consent: %v, want not found", err)
	}
}

func TestBadQuestionsForChanges(t *testing.T) {
	m := street(t)
	s := &usage.Service{Store: m, CursorKey: [32]byte{1}}
	n := func(n int) *int { return &n }
	page, err := s.Changes(background, partner, "prop_home", usage.ChangesQuery{First: n(1)})
	if err != nil {
		t.Fatal(err)
	}
	good := page.Cursor(0)
	other := &usage.Service{Store: m, CursorKey: [32]byte{2}}
	foreign, err := other.Changes(background, partner, "prop_home", usage.ChangesQuery{First: n(1)})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	readings := ask(t, s, usage.Query{})
	tests := map[string]usage.ChangesQuery{
		"a negative first":      {First: n(-1)},
		"first above the limit": {First: n(usage.MaxChanges + 1)},
		"no cursor":             {After: "x"},
		"an old cursor":         {After: base64.StdEncoding.EncodeToString([]byte("arrayconnection:3"))},
		"one of another key":    {After: foreign.Cursor(0)},
		"one of measurements":   {After: readings.Cursor(0)},
	}
	for i := range raw {
		bent := slices.Clone(raw)
		bent[i] ^= 1
		tests[fmt.Sprintf("byte %d is another", i)] = usage.ChangesQuery{After: base64.RawURLEncoding.EncodeToString(bent)}
		tests[fmt.Sprintf("it ends at byte %d", i)] = usage.ChangesQuery{After: base64.RawURLEncoding.EncodeToString(raw[:i])}
	}
	delete(tests, "it ends at byte 0") // that is none
	for name, q := range tests {
		if c, err := s.Changes(background, partner, "prop_home", q); kind(err) != domain.Invalid || len(c.Revisions) > 0 {
			t.Errorf("%s: %d revisions and %v, want invalid", name, len(c.Revisions), err)
		}
	}
	if _, err := s.Measurements(background, partner, "prop_home", usage.Query{After: good}); kind(err) != domain.Invalid {
		t.Errorf("a cursor of changes for measurements: %v, want invalid", err)
	}
	if _, err := s.Changes(background, partner, "prop_home", usage.ChangesQuery{After: good}); err != nil {
		t.Errorf("the cursor as it was given: %v", err)
	}
}

func FuzzChangesCursor(f *testing.F) {
	m := street(f)
	s := &usage.Service{Store: m, CursorKey: [32]byte{1}}
	all, err := s.Changes(background, partner, "prop_home", usage.ChangesQuery{})
	if err != nil {
		f.Fatal(err)
	}
	given := map[string]int{"": 0} // and how many revisions stand before
	for i := range all.Revisions {
		given[all.Cursor(i)] = i + 1
		f.Add(all.Cursor(i))
	}
	f.Add("AQ")
	f.Add(all.Cursor(0)[:9] + "\n" + all.Cursor(0)[9:])
	f.Fuzz(func(t *testing.T, cursor string) {
		c, err := s.Changes(background, partner, "prop_home", usage.ChangesQuery{After: cursor})
		before, ours := given[cursor]
		if ours && (err != nil || len(c.Revisions) != len(all.Revisions)-before) {
			t.Fatalf("our cursor %q: %d revisions and %v, want %d", cursor, len(c.Revisions), err, len(all.Revisions)-before)
		}
		if !ours && (kind(err) != domain.Invalid || len(c.Revisions) > 0) {
			t.Fatalf("cursor %q: %d revisions and %v, want invalid", cursor, len(c.Revisions), err)
		}
	})
}
