package meterfile

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
)

// meter is what the readings of one MeterReading mean.
type meter struct {
	channel    Channel
	multiplier int // power of ten
	length     int // seconds of a reading that does not say; 0: unknown
	quality    domain.Quality
}

// feed says for each entry with interval blocks, in the order of the file,
// what it measures.
type feed struct {
	entries []int32 // index in meters
	meters  []meter
}

func (c *catalog) channels() (*feed, error) {
	if len(c.blocks) == 0 {
		return nil, c.refuse("IntervalBlock", "at least one", "none")
	}
	readings, points := c.finder("MeterReading"), c.finder("UsagePoint")
	types, times := c.finder("ReadingType"), c.finder("LocalTimeParameters")
	f := &feed{entries: make([]int32, len(c.blocks))}
	known := map[int]int32{} // MeterReading -> index in meters
	for n := range c.blocks {
		m, err := readings.meterReadingOf(n)
		if err != nil {
			return nil, err
		}
		i, ok := known[m]
		if !ok {
			meter, err := c.meter(m, points, types, times)
			if err != nil {
				return nil, err
			}
			i = int32(len(f.meters))
			f.meters = append(f.meters, meter)
			known[m] = i
		}
		f.entries[n] = i
	}
	return f, nil
}

// meter puts together what a MeterReading, its usage point, its reading type
// and its time parameters say.
func (c *catalog) meter(m int, points, types, times *finder) (meter, error) {
	u, err := points.usagePointOf(m)
	if err != nil {
		return meter{}, err
	}
	t, err := types.readingTypeOf(m)
	if err != nil {
		return meter{}, err
	}
	l, ok, err := times.localTimeOf(u)
	if err != nil {
		return meter{}, err
	}
	result, err := c.readingType(&c.resources[t])
	if err != nil {
		return meter{}, err
	}
	ch := &result.channel
	if ok {
		if ch.Zone, err = c.zone(&c.resources[l]); err != nil {
			return meter{}, err
		}
	}
	if ch.Market, err = c.market(&c.resources[u], &c.resources[t], ch.Unit); err != nil {
		return meter{}, err
	}
	if ch.Identifier, ok = identity(&c.resources[u], true); !ok {
		return meter{}, &Error{c.name, c.resources[u].line, "UsagePoint", "an id or a self link that ends in letters and digits", quote(c.resources[u].id)}
	}
	if ch.Register, ok = identity(&c.resources[m], false); !ok {
		return meter{}, &Error{c.name, c.resources[m].line, "MeterReading", "a self link or an id that ends in letters and digits", quote(c.resources[m].self)}
	}
	c.own(&result, u, m)
	return result, nil
}

// own gives a channel of a feed that we have written its own names back: ESPI has
// neither the markets nor the kilos of ours. Ours it is where the usage point's
// UUID is, or was made from, the supply point that its title names; the address of the
// meter reading says in which unit it is kept.
func (c *catalog) own(m *meter, point, reading int) {
	title := c.resources[point].point
	market, identifier, ok := splitPoint(title)
	made := string(appendUUID(nil, []byte("UsagePoint\x00"+title)))
	if !ok || m.channel.Identifier != made && m.channel.Identifier != identifier || market.Gas() != m.channel.Market.Gas() {
		return
	}
	m.channel.Market, m.channel.Identifier = market, identifier
	parts := strings.Split(c.resources[reading].self, "/")
	if len(parts) < 2 {
		return
	}
	said := strings.Split(parts[len(parts)-2], "-")
	if len(said) != 4 || m.multiplier < 3-domain.MaxScale {
		return
	}
	for _, unit := range []domain.Unit{domain.KilowattHour, domain.KilovarHour} {
		if said[1] == string(unit) && units[espiUnit(unit)] == m.channel.Unit {
			m.channel.Unit, m.multiplier = unit, m.multiplier-espiPlaces(unit)
			return
		}
	}
}

// identity returns the name of a resource: the UUID of its entry's id or the
// last part of its address. The UUID of a usage point is worldwide; a meter
// reading needs only be told from its neighbours, and its id is not unique in
// every real feed.
func identity(r *resource, preferID bool) (string, bool) {
	id := strings.ToLower(r.id[strings.LastIndexByte(r.id, ':')+1:])
	address := r.self[strings.LastIndexByte(r.self, '/')+1:]
	names := []string{address, id}
	if preferID {
		names = []string{id, address}
	}
	for _, n := range names {
		if plain(n) {
			return n, true
		}
	}
	return "", false
}

// code returns an element's text, and where to complain about it.
func (c *catalog) code(r *resource, name string) (string, func(want string) error) {
	v, ok := r.code(name)
	refuse := func(want string) error {
		line, got := v.line, quote(v.text)
		if !ok {
			line, got = r.line, "no such element"
		}
		return &Error{c.name, line, r.kind + "." + name, want, got}
	}
	return v.text, refuse
}

// units are the units of REQ.21's UnitSymbolKind that a meter of ours can have.
var units = map[string]domain.Unit{"42": domain.CubicMetre, "72": domain.WattHour, "73": domain.VarHour}

// refusedUnits says what we are asked to read otherwise.
var refusedUnits = map[string]string{
	"5": "ampere", "29": "volt", "31": "joule", "33": "hertz", "38": "watt, which is demand", "61": "volt-ampere",
	"63": "var, which is demand", "65": "power factor", "67": "volt squared", "69": "ampere squared", "71": "volt-ampere hours",
	"80": "currency", "106": "ampere hours", "111": "a count", "119": "cubic feet", "128": "US gallons", "132": "BTU",
	"134": "litres", "169": "therms",
}

// readingType reads what a ReadingType says of its values.
func (c *catalog) readingType(r *resource) (meter, error) {
	var m meter
	uom, refuse := c.code(r, "uom")
	unit, ok := units[uom]
	if !ok {
		want := "72 (Wh), 73 (VArh) or 42 (m3)"
		if name := refusedUnits[uom]; name != "" {
			want += fmt.Sprintf("; %s is %s", uom, name)
		}
		return m, refuse(want)
	}
	m.channel.Unit = unit
	switch flow, refuse := c.code(r, "flowDirection"); flow {
	case "", "0", "1": // not said, not applicable, forward
	case "19":
		m.channel.Direction = domain.Generation
	default:
		return m, refuse("1 (forward, delivered to the customer) or 19 (reverse)")
	}
	switch kind, refuse := c.code(r, "accumulationBehaviour"); kind {
	case "", "0", "4": // 4: the energy of the interval itself
	default:
		return m, refuse("4 (delta data); the others are index readings, sums or powers")
	}
	var err error
	if text, refuse := c.code(r, "powerOfTenMultiplier"); text != "" {
		if m.multiplier, err = strconv.Atoi(text); err != nil || m.multiplier < -domain.MaxScale || m.multiplier > domain.MaxScale {
			return m, refuse(fmt.Sprintf("a number from -%d to %d", domain.MaxScale, domain.MaxScale))
		}
	}
	if text, refuse := c.code(r, "intervalLength"); text != "" {
		if m.length, err = strconv.Atoi(text); err != nil || m.length < 0 {
			return m, refuse("a number of seconds")
		}
	}
	m.quality = domain.Actual
	if text, refuse := c.code(r, "defaultQuality"); text != "" {
		if m.quality, ok = qualities[text]; !ok {
			return m, refuse(wantQuality)
		}
	}
	return m, nil
}

// market reads the service of a usage point, which the unit must fit.
func (c *catalog) market(u, t *resource, unit domain.Unit) (domain.Market, error) {
	kind, refuse := c.code(u, "ServiceCategory.kind")
	_, misfit := c.code(t, "uom")
	switch kind {
	case "0":
		if unit == domain.CubicMetre {
			return "", misfit("72 (Wh) or 73 (VArh), as the service is electricity")
		}
		return domain.MarketUSAElectricity, nil
	case "1":
		if unit == domain.VarHour {
			return "", misfit("42 (m3) or 72 (Wh), as the service is gas")
		}
		return domain.MarketUSAGas, nil
	}
	return "", refuse("0 (electricity) or 1 (gas)")
}
