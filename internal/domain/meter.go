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

// DayRange says which days of a channel are asked for.
type DayRange struct {
	First, Last Date // both included
	Reverse     bool // the last one first
	// AsOf asks for what was known then: what was recorded later is left out,
	// and what it replaced is given instead. Zero: what is known now.
	AsOf time.Time
}

// IndexRange says which indices of a channel's register are asked for.
type IndexRange struct {
	From, To time.Time // [From, To)
	Reverse  bool      // the last one first
	// AsOf asks for what was known then, as that of a [DayRange].
	AsOf  time.Time
	Limit int // how many at most; 0: all
}

// Extent says how far a channel's days go. RecordedAt is zero where it has none,
// and then the rest means nothing.
type Extent struct {
	First, Last Date // days with data
	// Complete is the watermark: every day from First to this one is there
	// with all its intervals. It is the day before First where not even that is.
	Complete   Date
	RecordedAt time.Time // when something was recorded last
}

// Change is one revision of a day. No two of a channel have the same RecordedAt
// and Day, which is their order.
type Change struct {
	RecordedAt time.Time
	Day        Date
	Revision   int32
}

// Provenance says where a revision came from, and why it replaced another.
type Provenance struct {
	Source string // a file, or who sent it
	Reason string // may be empty
}

// Index is what a register showed at an instant.
type Index struct {
	At         time.Time
	Value      Decimal // in the channel's unit
	Quality    Quality
	Revision   int32 // from 1, grows by 1 with each change
	RecordedAt time.Time
}

// Batch is something sent by somebody who may send it again, because they did
// not hear the answer.
type Batch struct {
	Sender     string // whose names of batches these are
	ID         string // the sender's name for it
	Digest     [32]byte
	ReceivedAt time.Time
	Result     []byte // the answer, to be given again
}

// SealRule says which months are closed.
type SealRule struct {
	// Quiet: nothing of the month was recorded after it.
	Quiet time.Time
	// Late: a month that ended before it is closed even where days are missing.
	Late Date
}
