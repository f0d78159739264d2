package intake

import (
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// find looks up what the target names, before anything is placed.
func (a *apply) find() error {
	if a.to.Property == "" {
		return nil
	}
	property, err := a.Property(a.to.Property)
	if notFound(err) {
		return &domain.Error{Kind: domain.NotFound, Public: "there is no property " + string(a.to.Property)}
	}
	if err != nil {
		return err
	}
	if a.to.Partner != "" && a.to.Partner != property.Partner {
		return conflict("property %s belongs to another partner than %s", property.ID, a.to.Partner)
	}
	a.property = property
	return nil
}

// owner returns the partner for what a file creates without a property.
func (a *apply) owner(c meterfile.Channel) (domain.PartnerID, error) {
	if a.partner != "" {
		return a.partner, nil
	}
	partners, err := a.Partners()
	if err != nil {
		return "", err
	}
	for _, p := range partners {
		if p.ID == a.to.Partner || a.to.Partner == "" && len(partners) == 1 {
			a.partner = p.ID
			return p.ID, nil
		}
	}
	if a.to.Partner != "" {
		return "", &domain.Error{Kind: domain.NotFound, Public: "there is no partner " + string(a.to.Partner)}
	}
	return "", invalid("%s:%s is new, and there are %d partners: name its partner with --partner, or its property with --property",
		c.Market, c.Identifier, len(partners))
}

// place finds or makes the supply point and the channel of a file's channel.
func (a *apply) place(c meterfile.Channel) (domain.Channel, *time.Location, error) {
	point, created, err := a.supplyPoint(c)
	if err != nil {
		return domain.Channel{}, nil, err
	}
	channel, err := a.channel(c, point, a.rejects == nil)
	if err != nil {
		return domain.Channel{}, nil, err
	}
	a.mention(point, created)
	a.report.Channels++
	zone, err := interval.Zone(channel.Zone)
	return channel, zone, err
}

// supplyPoint finds the supply point of a channel, or adds it where the target
// allows that.
func (a *apply) supplyPoint(c meterfile.Channel) (p domain.SupplyPoint, created bool, err error) {
	p, err = a.SupplyPoint(c.Market, c.Identifier)
	switch {
	case a.to.Known && (notFound(err) || err == nil && p.Partner != a.to.Partner):
		return p, false, unknown(c)
	case err == nil:
		return p, false, a.mayTake(p)
	case !notFound(err):
		return p, false, err
	}
	property := a.property
	if property.ID == "" {
		if property, err = a.newProperty(c); err != nil {
			return p, false, err
		}
	}
	zone := c.Zone
	if zone == "" {
		zone = property.Zone
	}
	p, err = a.AddSupplyPoint(domain.SupplyPoint{
		Partner: property.Partner, Property: property.ID, Market: c.Market, Identifier: c.Identifier, Zone: zone,
	})
	return p, true, err
}

// unknown is the answer for a supply point that nobody has and for one that is
// somebody else's.
func unknown(c meterfile.Channel) error {
	return invalid("%s:%s is not a supply point that we know", c.Market, c.Identifier)
}

// mayTake refuses a known supply point that is not where the target says.
func (a *apply) mayTake(p domain.SupplyPoint) error {
	partner := a.to.Partner
	if a.property.ID != "" {
		partner = a.property.Partner
	}
	if partner != "" && p.Partner != partner {
		return conflict("supply point %s belongs to another partner than %s", p.Name(), partner)
	}
	if a.property.ID != "" && p.Property != a.property.ID {
		return conflict("supply point %s is on property %s, not on %s", p.Name(), p.Property, a.property.ID)
	}
	return nil
}

// newProperty adds the property of a new NMI. Identifiers of ESPI mean nothing
// outside their file, so nobody would find such a property again.
func (a *apply) newProperty(c meterfile.Channel) (domain.Property, error) {
	if c.Market != domain.MarketAUSElectricity {
		return domain.Property{}, invalid("%s:%s is not a supply point that we know: name the property that it is on with --property",
			c.Market, c.Identifier)
	}
	partner, err := a.owner(c)
	if err != nil {
		return domain.Property{}, err
	}
	p := domain.Property{ID: domain.NewPropertyID(a.chance), Partner: partner, Label: c.Identifier, Zone: c.Zone}
	return p, a.AddProperty(p)
}

// mention puts a supply point into the report, once.
func (a *apply) mention(p domain.SupplyPoint, created bool) {
	name := p.Name()
	if a.mentioned == nil {
		a.mentioned = map[string]bool{}
	}
	if a.mentioned[name] {
		return
	}
	a.mentioned[name] = true
	a.report.SupplyPoints = append(a.report.SupplyPoints, SupplyPoint{name, p.Partner, p.Property, created})
}

// maxRegisters bounds how many channels files may give a supply point.
const maxRegisters = 200

// channel finds or adds a channel of a supply point. The days of a known one
// are cut already: a file that would cut them elsewhere is refused.
// A new one has no ID where it is not added.
func (a *apply) channel(c meterfile.Channel, p domain.SupplyPoint, add bool) (domain.Channel, error) {
	channels, err := a.Channels(p.ID)
	if err != nil {
		return domain.Channel{}, err
	}
	for _, known := range channels {
		if known.Register != c.Register || known.Direction != c.Direction || known.Unit != c.Unit {
			continue
		}
		if c.Zone != "" && c.Zone != known.Zone {
			return known, conflict("register %s of supply point %s has its days in %s, and the file in %s",
				c.Register, p.Name(), known.Zone, c.Zone)
		}
		return known, nil
	}
	if len(channels) >= maxRegisters {
		return domain.Channel{}, conflict("supply point %s has %d registers already, and no room for %s", p.Name(), len(channels), c.Register)
	}
	zone := c.Zone
	if zone == "" {
		zone = p.Zone
	}
	channel := domain.Channel{SupplyPoint: p, Register: c.Register, Direction: c.Direction, Unit: c.Unit, Zone: zone}
	if !add {
		return channel, nil
	}
	a.report.NewChannels++
	return a.AddChannel(channel)
}

// settle adds the channel of a stream where lines are left out: the first that
// is taken makes it. line is where it stands.
func (a *apply) settle(s *stream, line int) error {
	if s.channel.ID != 0 {
		return nil
	}
	c := s.channel
	channel, err := a.channel(meterfile.Channel{Register: c.Register, Direction: c.Direction, Unit: c.Unit, Zone: c.Zone}, c.SupplyPoint, true)
	if e, ok := refused(err); ok {
		return &lineError{s.file, line, e}
	}
	if err == nil {
		s.channel = channel
	}
	return err
}
