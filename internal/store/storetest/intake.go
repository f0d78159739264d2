package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
)

var intakes = []promise{
	{"a supply point and its channels cannot hang on another partner's objects", func(t *testing.T, w *world) {
		for sentence, p := range map[string]domain.SupplyPoint{
			"beta's property":    {Partner: w.alpha.partner.ID, Property: w.beta.property.ID, Market: "M", Identifier: "1"},
			"an unknown partner": {Partner: "prt_unknown", Market: "M", Identifier: "2"},
		} {
			err := w.TakeIn(t.Context(), func(tx intake.Tx) error {
				_, err := tx.AddSupplyPoint(p)
				return err
			})
			refused(t, sentence, err, domain.NotFound)
		}
		forged := w.beta.point
		forged.Partner = w.alpha.partner.ID
		must(t, w.TakeIn(t.Context(), func(tx intake.Tx) error {
			got, err := tx.AddChannel(domain.Channel{SupplyPoint: forged, Register: "2", Unit: domain.KilowattHour})
			equal(t, "partner of the channel", got.SupplyPoint.Partner, w.beta.partner.ID)
			return err
		}))
	}},
	{"what exists is found, whoever it belongs to", func(t *testing.T, w *world) {
		must(t, w.TakeIn(t.Context(), func(tx intake.Tx) error {
			for _, h := range []house{w.alpha, w.beta} {
				point, err := tx.SupplyPoint(h.point.Market, h.point.Identifier)
				equal(t, "supply point", point, h.point)
				property, err2 := tx.Property(h.property.ID)
				equal(t, "property", property, h.property)
				channels, err3 := tx.Channels(h.point.ID)
				equal(t, "channels", channels, []domain.Channel{h.channel})
				if err := errors.Join(err, err2, err3); err != nil {
					return err
				}
			}
			list, err := tx.Partners()
			equal(t, "partners", list, []domain.Partner{w.alpha.partner, w.beta.partner})
			return err
		}))
	}},
	{"what does not exist is not found, and the transaction goes on", func(t *testing.T, w *world) {
		must(t, w.TakeIn(t.Context(), func(tx intake.Tx) error {
			_, err := tx.SupplyPoint(domain.MarketNLDElectricity, "unknown")
			refused(t, "a supply point", err, domain.NotFound)
			_, err = tx.Property(unknownProperty)
			refused(t, "a property", err, domain.NotFound)
			_, err = tx.Channels(1 << 40)
			refused(t, "the channels of a supply point", err, domain.NotFound)
			_, err = tx.AddChannel(domain.Channel{SupplyPoint: domain.SupplyPoint{ID: 1 << 40}})
			refused(t, "a channel of a supply point", err, domain.NotFound)
			err = tx.PutDay(1<<40, domain.Day{Date: firstDay, Data: []byte("x")}, domain.Provenance{Source: "s"})
			refused(t, "a day of a channel", err, domain.NotFound)
			_, err = tx.AddSupplyPoint(w.alpha.point)
			refused(t, "a supply point again", err, domain.Conflict)
			_, err = tx.AddChannel(w.alpha.channel)
			refused(t, "a channel again", err, domain.Conflict)
			return tx.PutDay(w.alpha.channel.ID, domain.Day{Date: firstDay, Data: []byte("x")}, domain.Provenance{Source: "s"})
		}))
		equal(t, "days", w.read(t, w.alpha.channel.ID, firstDay, firstDay, false), []string{"0/1/x"})
	}},
	{"all of it is stored", func(t *testing.T, w *world) {
		must(t, w.TakeIn(t.Context(), w.fill(t)))
		got, err := w.Channels(t.Context(), w.alpha.scope(), "prop_new")
		must(t, err)
		if len(got) != 1 || got[0].SupplyPoint.Identifier != "NEW" {
			t.Fatalf("got the channels %+v, want one at NEW", got)
		}
		equal(t, "days", w.read(t, got[0].ID, 0, 1<<20, false), []string{"0/1/x"})
	}},
	{"or none of it, and the error comes back", func(t *testing.T, w *world) {
		before := len(w.all(t))
		err := w.TakeIn(t.Context(), func(tx intake.Tx) error { return errors.Join(w.fill(t)(tx), errNo) })
		if !errors.Is(err, errNo) {
			t.Errorf("got the error %v, want its own", err)
		}
		w.nothingNew(t, before)
		err = w.TakeIn(t.Context(), func(tx intake.Tx) error { return errNo })
		if err != errNo { //nolint:errorlint // it must be the very same
			t.Errorf("got the error %v, want its own", err)
		}
	}},
	{"or none of it, where the caller gives up in the middle", func(t *testing.T, w *world) {
		before := len(w.all(t))
		ctx, cancel := context.WithCancel(t.Context())
		err := w.TakeIn(ctx, func(tx intake.Tx) error {
			if err := w.fill(t)(tx); err != nil {
				return err
			}
			cancel()
			_, err := tx.Partners()
			return err
		})
		refused(t, "an import that was given up", err, domain.Unavailable)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got the error %v, want one of the context", err)
		}
		w.nothingNew(t, before)
		must(t, w.TakeIn(t.Context(), w.fill(t))) // the next one works
	}},
	{"a channel's identifier is never used again", func(t *testing.T, w *world) {
		var lost domain.Channel
		_ = w.TakeIn(t.Context(), func(tx intake.Tx) (err error) {
			lost, err = tx.AddChannel(domain.Channel{SupplyPoint: w.alpha.point, Register: "9", Unit: domain.KilowattHour})
			return err
		})
		must(t, w.TakeIn(t.Context(), func(tx intake.Tx) error {
			next, err := tx.AddChannel(domain.Channel{SupplyPoint: w.alpha.point, Register: "8", Unit: domain.KilowattHour})
			if next.ID <= lost.ID {
				t.Errorf("got the channel %d after %d", next.ID, lost.ID)
			}
			return err
		}))
	}},
}

// fill stores one of everything.
func (w *world) fill(t *testing.T) func(intake.Tx) error {
	e := w.entry("measurements.import")
	return func(tx intake.Tx) error {
		p := domain.Property{ID: "prop_new", Partner: w.alpha.partner.ID, Zone: "+10:00"}
		if err := tx.AddProperty(p); err != nil {
			return err
		}
		point, err := tx.AddSupplyPoint(domain.SupplyPoint{Partner: p.Partner, Property: p.ID, Market: domain.MarketAUSElectricity, Identifier: "NEW"})
		if err != nil {
			return err
		}
		c, err := tx.AddChannel(domain.Channel{SupplyPoint: point, Register: "E1", Unit: domain.KilowattHour, Zone: "+10:00"})
		if err != nil {
			return err
		}
		for _, id := range []domain.ChannelID{c.ID, w.alpha.channel.ID} {
			if err := tx.PutDay(id, domain.Day{Date: firstDay, Data: []byte("x")}, domain.Provenance{Source: "file"}); err != nil {
				return err
			}
		}
		return tx.Record(e)
	}
}

// nothingNew checks that fill has left nothing behind.
func (w *world) nothingNew(t *testing.T, entries int) {
	t.Helper()
	_, err := w.Property(t.Context(), w.alpha.scope(), "prop_new")
	refused(t, "a property that was not stored", err, domain.NotFound)
	must(t, w.TakeIn(t.Context(), func(tx intake.Tx) error {
		_, err := tx.SupplyPoint(domain.MarketAUSElectricity, "NEW")
		refused(t, "a supply point that was not stored", err, domain.NotFound)
		return nil
	}))
	equal(t, "number of days", len(w.read(t, w.alpha.channel.ID, 0, 1<<20, false)), 0)
	got, err := w.Extent(t.Context(), w.alpha.channel.ID)
	must(t, err)
	equal(t, "the channel's extent", got, domain.Extent{})
	equal(t, "entries of the audit log", len(w.all(t)), entries)
}
