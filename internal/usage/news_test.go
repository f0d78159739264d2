package usage_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/usage"
)

// What a channel has recorded at an instant is a piece of the feed of its
// property, and its cursor goes on behind that piece.
func TestWhatWasRecordedAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &memory{}
		var ids []domain.ChannelID
		for i := range rapid.IntRange(1, 4).Draw(t, "channels") {
			ids = append(ids, m.add(electricity(fmt.Sprint(i/2), fmt.Sprint(i), domain.Consumption, domain.KilowattHour)))
		}
		s := &usage.Service{Store: m, CursorKey: [32]byte{1}}
		feed := func(after string) (list []usage.Revision) {
			n := usage.MaxChanges
			c, err := s.Changes(background, partner, "prop_home", usage.ChangesQuery{After: after, First: &n})
			if err != nil || c.HasNext {
				t.Fatalf("all changes: %v, %v", c.HasNext, err)
			}
			return c.Revisions
		}
		steps := func(most int) {
			for range rapid.IntRange(0, most).Draw(t, "steps") {
				m.record(rapid.SampledFrom(ids).Draw(t, "channel"), domain.NewDate(2024, 6, 1)+domain.Date(rapid.IntRange(0, 3).Draw(t, "day")))
			}
		}
		steps(20)
		latest, err := s.Latest(background, partner, "prop_home")
		if err != nil {
			t.Fatal(err)
		}
		before := len(feed(""))
		steps(10)
		all := feed("")
		if got := feed(latest); !slices.EqualFunc(got, all[before:], same) {
			t.Fatalf("behind the latest: %d revisions, want the %d that followed", len(got), len(all)-before)
		}
		for i := 0; i < len(all); {
			end := i + 1
			for end < len(all) && all[end].Channel.ID == all[i].Channel.ID && all[end].RecordedAt.Equal(all[i].RecordedAt) {
				end++
			}
			r, err := s.Recorded(background, partner, "prop_home", all[i].Channel.ID, all[i].RecordedAt)
			if err != nil || len(r.Changes) != end-i {
				t.Fatalf("got %v, %v, want the %d revisions from %d on", r.Changes, err, end-i, i)
			}
			for k, c := range r.Changes {
				if c != all[i+k].Change {
					t.Fatalf("got %v, want %v", c, all[i+k].Change)
				}
			}
			if got := feed(r.Cursor()); !slices.EqualFunc(got, all[end:], same) {
				t.Fatalf("behind revision %d: %d revisions, want %d", end-1, len(got), len(all)-end)
			}
			i = end
		}
	})
}

func same(a, b usage.Revision) bool { return a.Change == b.Change && a.Channel.ID == b.Channel.ID }

func TestRecordedOfOthers(t *testing.T) {
	m := &memory{}
	id := m.add(electricity("1", "1", domain.Consumption, domain.KilowattHour))
	m.record(id, domain.NewDate(2024, 6, 1))
	s := &usage.Service{Store: m, CursorKey: [32]byte{1}}
	weak := partner
	weak.Permissions = domain.PermissionSet(domain.CanQueryProperty)
	for name, c := range map[string]struct {
		caller   domain.Caller
		property domain.PropertyID
		channel  domain.ChannelID
		want     domain.Kind
	}{
		"another channel":        {partner, "prop_home", id + 1, domain.NotFound},
		"another property":       {partner, "prop_other", id, domain.NotFound},
		"without the permission": {weak, "prop_home", id, domain.Forbidden},
		"nobody":                 {domain.Caller{}, "prop_home", id, domain.Forbidden},
	} {
		_, err := s.Recorded(background, c.caller, c.property, c.channel, m.days[id][domain.NewDate(2024, 6, 1)][0].RecordedAt)
		if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != c.want {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}
