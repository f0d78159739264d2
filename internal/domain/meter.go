package domain

import (
	"fmt"
	"strings"
	"time"
)

// Property is a place with supply points.
type Property struct {
	ID       PropertyID
	Partner  PartnerID
	Account  AccountNumber // empty: nobody lives there as far as we know
	Label    string
	Address  []string
	Postcode string
	Zone     string // IANA name or a fixed offset such as +10:00
}

// Market is a territory and a utility, for example NLD_ELECTRICITY.
type Market string

// The markets that supply points of ours are in.
const (
	MarketAUSElectricity Market = "AUS_ELECTRICITY"
	MarketNLDElectricity Market = "NLD_ELECTRICITY"
	MarketNLDGas         Market = "NLD_GAS"
	MarketUSAElectricity Market = "USA_ELECTRICITY"
	MarketUSAGas         Market = "USA_GAS"
)

// Gas reports whether the market delivers gas.
func (m Market) Gas() bool { return strings.HasSuffix(string(m), "_GAS") }

// SupplyPoint is where the grid ends. It is named by its market and the
// identifier that the market uses: an EAN, an NMI, an MPAN.
type SupplyPoint struct {
	ID         int64 // the store's own key, never shown
	Partner    PartnerID
	Property   PropertyID
	Market     Market
	Identifier string
	Zone       string
}

// Name returns MARKET:identifier.
func (p SupplyPoint) Name() string { return string(p.Market) + ":" + p.Identifier }

// Direction says which way the energy flows, as the customer sees it.
type Direction uint8

// The directions.
const (
	Consumption Direction = iota
	Generation
)

// String returns CONSUMPTION or GENERATION.
func (d Direction) String() string {
	if d == Generation {
		return "GENERATION"
	}
	return "CONSUMPTION"
}

// Unit is a unit of measurement as it goes over the wire, in lower case.
type Unit string

// The units.
const (
	KilowattHour Unit = "kwh"
	WattHour     Unit = "wh"
	CubicMetre   Unit = "m3"
	KilovarHour  Unit = "kvarh"
	VarHour      Unit = "varh"
)

// Energy reports whether the unit measures what is delivered, rather than
// reactive energy, which is read by naming its register.
func (u Unit) Energy() bool { return u == KilowattHour || u == WattHour || u == CubicMetre }

// ParseUnit reads a unit in any case.
func ParseUnit(s string) (Unit, error) {
	switch u := Unit(strings.ToLower(s)); u {
	case KilowattHour, WattHour, CubicMetre, KilovarHour, VarHour:
		return u, nil
	}
	return "", &Error{Kind: Invalid, Public: fmt.Sprintf("%s is not a unit we know (kWh, Wh, m3, kvarh, varh)", Quote(s))}
}

// ChannelID is the store's key of a channel: never reused, never shown.
type ChannelID int64

// Channel is one stream of intervals: supply point, register, direction, unit.
// Its zone, not the caller's, says where its days begin.
type Channel struct {
	ID          ChannelID
	SupplyPoint SupplyPoint
	Register    string
	Direction   Direction
	Unit        Unit
	Zone        string
}

// Quality says how a value came about.
type Quality uint8

// The qualities. Missing is no value at all; inside the program only, no API
// sends it.
const (
	Missing Quality = iota
	Actual
	Estimate
	Substituted
	qualities // how many there are
)

// Valid reports whether q is one of the qualities.
func (q Quality) Valid() bool { return q < qualities }

// String returns the quality's name in files and the database.
func (q Quality) String() string {
	switch q {
	case Missing:
		return "MISSING"
	case Actual:
		return "ACTUAL"
	case Estimate:
		return "ESTIMATE"
	case Substituted:
		return "SUBSTITUTED"
	}
	return fmt.Sprintf("quality %d", uint8(q))
}

// Day is the version of one local day of a channel as it is stored.
type Day struct {
	Date       Date
	Revision   int32 // from 1, grows by 1 with each change
	RecordedAt time.Time
	Data       []byte // a packed day, see package interval
}
