package domain

import (
	"encoding/hex"
	"io"
	"strings"
	"time"
)

// OccupancyID names a period in which somebody has a property: occ_ and 32
// hexadecimal digits. The digits are a UUID, which is how the EnergyZero dialect
// writes the contract of that period.
type OccupancyID string

const prefixOccupancy = "occ_"

// NewOccupancyID draws a new identifier from chance; its UUID has version 4.
func NewOccupancyID(chance io.Reader) OccupancyID {
	return OccupancyID(prefixOccupancy + strings.TrimPrefix(string(NewUserID(chance)), prefixUser))
}

// ParseOccupancyID reads an identifier as it enters the program, as occ_ and 32
// hexadecimal digits or as the UUID of the same contract.
func ParseOccupancyID(s string) (OccupancyID, error) {
	digits, ok := strings.CutPrefix(s, prefixOccupancy)
	if !ok && len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		digits, ok = s[:8]+s[9:13]+s[14:18]+s[19:23]+s[24:], true
	}
	if digits = strings.ToLower(digits); !ok || len(digits) != 32 {
		return "", malformedID("a contract")
	}
	if _, err := hex.DecodeString(digits); err != nil {
		return "", malformedID("a contract")
	}
	return OccupancyID(prefixOccupancy + digits), nil
}

// UUID returns the identifier in the EnergyZero dialect; empty for the empty one.
func (id OccupancyID) UUID() string {
	digits, ok := strings.CutPrefix(string(id), prefixOccupancy)
	if !ok {
		return ""
	}
	return UserID(prefixUser + digits).UUID()
}

// Occupancy is a period in which a property is an account's. No two of a property
// overlap. Whoever reads as the account's customer reads what is measured in it,
// and nothing of before and after.
type Occupancy struct {
	ID       OccupancyID
	Partner  PartnerID
	Property PropertyID
	Account  AccountNumber
	User     UserID // whose account it is
	// From and Until are the period, [From, Until): the starts of days in the
	// property's zone. A zero From is the beginning of time, a zero Until no end.
	From, Until time.Time
	Zone        string // of the property
}

// Holds reports whether the instant t is in the period.
func (o Occupancy) Holds(t time.Time) bool {
	return !t.Before(o.From) && (o.Until.IsZero() || t.Before(o.Until))
}

// Overlaps reports whether two periods have an instant in common.
func (o Occupancy) Overlaps(p Occupancy) bool {
	return (o.Until.IsZero() || p.From.Before(o.Until)) && (p.Until.IsZero() || o.From.Before(p.Until))
}

// OccupancyFilter says which periods are asked for: those at a property, of an
// account, or of a person; of those that are set, what fits all.
type OccupancyFilter struct {
	Property PropertyID
	Account  AccountNumber
	User     UserID
}
