package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
)

// noon is when the registers of the tests are read, and hours after it.
var noon = time.Date(2024, time.March, 31, 12, 0, 0, 0, time.UTC)

// show has a channel's register show values at hours after noon.
func (w *world) show(t *testing.T, c domain.ChannelID, value int64, hours ...int) {
	t.Helper()
	must(t, w.TakeIn(t.Context(), func(tx intake.Tx) error {
		for _, h := range hours {
			x := domain.Index{At: noon.Add(time.Duration(h) * time.Hour), Value: domain.Decimal{Coefficient: value, Scale: 3}, Quality: domain.Actual}
			if _, _, err := tx.PutIndex(c, x, domain.Provenance{Source: "s"}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// shown lists indices as hour/revision/value, and returns when the last of them
// was recorded.
func (w *world) shown(t *testing.T, c domain.ChannelID, asked domain.IndexRange) (got []string, recorded time.Time) {
	t.Helper()
	must(t, w.Indices(t.Context(), c, asked, func(x domain.Index) error {
		got = append(got, fmt.Sprintf("%d/%d/%d", int(x.At.Sub(noon).Hours()), x.Revision, x.Value.Coefficient))
		recorded = x.RecordedAt
		return nil
	}))
	return got, recorded
}

var indices = []promise{
	{"a channel has its own indices only", func(t *testing.T, w *world) {
		w.show(t, w.alpha.channel.ID, 1, 0, 1)
		w.show(t, w.beta.channel.ID, 2, 1, 2)
		all := domain.IndexRange{From: noon, To: noon.AddDate(0, 0, 1)}
		for id, want := range map[domain.ChannelID][]string{
			w.alpha.channel.ID: {"0/1/1", "1/1/1"}, w.beta.channel.ID: {"1/1/2", "2/1/2"}, 1 << 40: nil,
		} {
			got, _ := w.shown(t, id, all)
			equal(t, fmt.Sprintf("the indices of channel %d", id), got, want)
		}
	}},
	{"indices come in order, forward and in reverse, within the bounds", func(t *testing.T, w *world) {
		c := w.alpha.channel.ID
		w.show(t, c, 1, 5, 0, 2, 1)
		w.show(t, c, 2, 2)
		at := func(hour int) time.Time { return noon.Add(time.Duration(hour) * time.Hour) }
		for sentence, one := range map[string]struct {
			asked domain.IndexRange
			want  []string
		}{
			"all":                         {domain.IndexRange{From: at(0), To: at(6)}, []string{"0/1/1", "1/1/1", "2/2/2", "5/1/1"}},
			"all in reverse":              {domain.IndexRange{From: at(0), To: at(6), Reverse: true}, []string{"5/1/1", "2/2/2", "1/1/1", "0/1/1"}},
			"the end does not belong":     {domain.IndexRange{From: at(1), To: at(5)}, []string{"1/1/1", "2/2/2"}},
			"two of them":                 {domain.IndexRange{From: at(1), To: at(6), Limit: 2}, []string{"1/1/1", "2/2/2"}},
			"the last two":                {domain.IndexRange{From: at(0), To: at(6), Limit: 2, Reverse: true}, []string{"5/1/1", "2/2/2"}},
			"a limit that is not reached": {domain.IndexRange{From: at(0), To: at(1), Limit: 2}, []string{"0/1/1"}},
			"a gap":                       {domain.IndexRange{From: at(3), To: at(5)}, nil},
			"nothing":                     {domain.IndexRange{From: at(5), To: at(0)}, nil},
			"the years 1 to 9999": {
				domain.IndexRange{From: time.Unix(-62_135_596_800, 0), To: time.Unix(253_402_300_800, 0), Limit: 1}, []string{"0/1/1"},
			},
		} {
			got, _ := w.shown(t, c, one.asked)
			equal(t, sentence, got, one.want)
		}
	}},
	{"what a register was known to show is still known", func(t *testing.T, w *world) {
		c := w.alpha.channel.ID
		all := domain.IndexRange{From: noon, To: noon.AddDate(0, 0, 1)}
		w.show(t, c, 1, 0)
		_, first := w.shown(t, c, all)
		w.show(t, c, 2, 1, 0)
		_, second := w.shown(t, c, all)
		for sentence, one := range map[string]struct {
			asOf time.Time
			want []string
		}{
			"now":                   {time.Time{}, []string{"0/2/2", "1/1/2"}},
			"after the correction":  {second, []string{"0/2/2", "1/1/2"}},
			"before the correction": {second.Add(-time.Microsecond), []string{"0/1/1"}},
			"at first":              {first, []string{"0/1/1"}},
			"before it":             {first.Add(-time.Microsecond), nil},
		} {
			asked := all
			asked.AsOf = one.asOf
			got, _ := w.shown(t, c, asked)
			equal(t, sentence, got, one.want)
		}
	}},
}
