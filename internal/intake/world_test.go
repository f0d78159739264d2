package intake_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

var noon = time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)

const (
	home     = domain.PropertyID("prop_home") // of prt_a
	cottage  = domain.PropertyID("prop_cottage")
	stranger = domain.PropertyID("prop_stranger") // of prt_b
)

// world is a store with partner prt_a and its home in Los Angeles and cottage
// in Amsterdam. It runs every change twice, as a store may, and keeps what was
// written.
type world struct {
	*sqlite.Store
	locked  int // how often the writer was asked for
	days    int // put
	indexes int // of registers, put
	amended int
	sources map[string]int // of days
	entries []domain.Entry
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), ":memory:", sqlite.Options{Now: func() time.Time { return noon }})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	w := &world{Store: s}
	w.add(tb, "prt_a", domain.Property{ID: home, Zone: "America/Los_Angeles"}, domain.Property{ID: cottage, Zone: "Europe/Amsterdam"})
	return w
}

func (w *world) add(tb testing.TB, partner domain.PartnerID, properties ...domain.Property) {
	tb.Helper()
	entry := func() domain.Entry {
		return domain.Entry{ID: domain.NewEntryID(noon, nil), At: noon, Action: "test.world"}
	}
	err := w.AddPartner(tb.Context(), domain.Partner{ID: partner, Name: string(partner)}, entry())
	for _, p := range properties {
		p.Partner = partner
		err = errors.Join(err, w.AddProperty(tb.Context(), p, entry()))
	}
	if err != nil {
		tb.Fatal(err)
	}
}

var errOnceMore = errors.New("once more")

func (w *world) TakeIn(ctx context.Context, f func(intake.Tx) error) error {
	w.locked++
	err := w.Store.TakeIn(ctx, func(tx intake.Tx) error { return cmp.Or(f(tx), errOnceMore) })
	if !errors.Is(err, errOnceMore) {
		return err
	}
	return w.Store.TakeIn(ctx, func(tx intake.Tx) error { return f(spy{tx, w}) })
}

type spy struct {
	intake.Tx
	w *world
}

func (s spy) PutDay(c domain.ChannelID, d domain.Day, from domain.Provenance) error {
	s.w.days++
	if s.w.sources == nil {
		s.w.sources = map[string]int{}
	}
	s.w.sources[from.Source]++
	return s.Tx.PutDay(c, d, from)
}

func (s spy) PutIndex(c domain.ChannelID, i domain.Index, from domain.Provenance) (domain.Index, bool, error) {
	s.w.indexes++
	return s.Tx.PutIndex(c, i, from)
}

func (s spy) AmendDay(c domain.ChannelID, d domain.Day) error {
	s.w.amended++
	return s.Tx.AmendDay(c, d)
}

func (s spy) Record(e domain.Entry) error {
	s.w.entries = append(s.w.entries, e)
	return s.Tx.Record(e)
}

// take imports a text under a name.
func (w *world) take(tb testing.TB, name, content string, to intake.Target) (intake.Report, error) {
	tb.Helper()
	im := &intake.Importer{Store: w, Now: func() time.Time { return noon }}
	return im.Import(tb.Context(), intake.File{Name: name, Content: strings.NewReader(content), Size: int64(len(content))}, to, nil)
}

// stored lists a property's channels and what is stored of them.
func (w *world) stored(tb testing.TB, property domain.PropertyID) string {
	tb.Helper()
	scope := domain.Scope{Partner: "prt_a"}
	channels, err := w.Channels(tb.Context(), scope, property)
	if err != nil {
		tb.Fatal(err)
	}
	var b strings.Builder
	for _, c := range channels {
		fmt.Fprintf(&b, "%s %s %s %s %s:", c.SupplyPoint.Name(), c.Register, c.Direction, c.Unit, c.Zone)
		err := w.Days(tb.Context(), c.ID, domain.DayRange{First: domain.NewDate(1980, 1, 1), Last: domain.NewDate(2030, 1, 1)}, func(d domain.Day) error {
			var day interval.Day
			if err := day.Decode(d.Data); err != nil {
				return err
			}
			fmt.Fprintf(&b, " %s/%d:%d of %d×%d", d.Date, d.Revision, day.Present(), len(day.Values), day.Minutes)
			return nil
		})
		if err != nil {
			tb.Fatal(err)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func fixture(tb testing.TB, name string) string {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join("..", "meterfile", "testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return string(content)
}
