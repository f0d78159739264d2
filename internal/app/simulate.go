package app

import (
	"context"
	"errors"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/interval"
)

// simulate brings both households up to yesterday.
func (a *App) simulate(ctx context.Context, d *Demo) error {
	homes := []struct {
		partner    domain.PartnerID
		property   domain.PropertyID
		identifier string
		first      domain.Date
		seed       uint64
	}{
		{d.Partner, d.PropertyID, d.HouseholdSupplyPoint, d.HouseholdFirst, 1},
		{d.OtherPartner, d.OtherPropertyID, d.OtherHouseholdSupply, d.OtherHouseholdFirst, 2},
	}
	zone, err := interval.Zone(demoZone)
	if err != nil {
		return err
	}
	yesterday := interval.DateAt(a.world.Now(), zone) - 1
	return a.store.TakeIn(ctx, func(tx intake.Tx) error {
		for _, h := range homes {
			home := &household{seed: h.seed, zone: zone, first: h.first}
			consumption, generation, err := demoChannels(tx, h.partner, h.property, h.identifier)
			if err != nil {
				return err
			}
			if err := move(tx, home, consumption.ID, generation.ID, yesterday); err != nil {
				return err
			}
		}
		return nil
	})
}

// demoChannels finds or adds the supply point with its two channels.
func demoChannels(tx intake.Tx, partner domain.PartnerID, property domain.PropertyID, identifier string) (consumption, generation domain.Channel, err error) {
	point, err := tx.SupplyPoint(domain.MarketNLDElectricity, identifier)
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
		point, err = tx.AddSupplyPoint(domain.SupplyPoint{
			Partner: partner, Property: property, Market: domain.MarketNLDElectricity, Identifier: identifier, Zone: demoZone,
		})
	}
	if err != nil {
		return consumption, generation, err
	}
	channels, err := tx.Channels(point.ID)
	if err != nil {
		return consumption, generation, err
	}
	find := func(register string, direction domain.Direction) (domain.Channel, error) {
		for _, c := range channels {
			if c.Register == register {
				return c, nil
			}
		}
		return tx.AddChannel(domain.Channel{
			SupplyPoint: point, Register: register, Direction: direction, Unit: domain.KilowattHour, Zone: demoZone,
		})
	}
	if consumption, err = find("1.8.0", domain.Consumption); err != nil { // OBIS: energy taken from the grid
		return consumption, generation, err
	}
	generation, err = find("2.8.0", domain.Generation) // OBIS: energy given to the grid
	return consumption, generation, err
}

// move stores the days that are not there yet, up to the last.
func move(tx intake.Tx, h *household, consumption, generation domain.ChannelID, last domain.Date) error {
	var c, g interval.Day
	for date := last; date >= h.first; date-- {
		if !h.day(date, &c, &g) {
			continue
		}
		stored, err := tx.Day(consumption, date)
		if err != nil {
			return err
		}
		if stored.Revision > 0 {
			return nil // all before it is there too: days arrive in whole transactions
		}
		for _, channel := range []struct {
			id  domain.ChannelID
			day *interval.Day
		}{{consumption, &c}, {generation, &g}} {
			packed, err := channel.day.Append(nil)
			if err != nil {
				return err
			}
			if err := tx.PutDay(channel.id, domain.Day{Date: date, Data: packed}, domain.Provenance{Source: "demo"}); err != nil {
				return err
			}
		}
	}
	return nil
}
