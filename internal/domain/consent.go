package domain

import "time"

// ConsentStatus says whether a consent still allows anything.
type ConsentStatus string

// The statuses. In Green Button's Authorization, active is 1 and the others 0.
const (
	ConsentActive  ConsentStatus = "active"
	ConsentRevoked ConsentStatus = "revoked"
	ConsentExpired ConsentStatus = "expired"
)

// SupplyPointRef names a supply point by its market and the identifier that the
// market uses.
type SupplyPointRef struct {
	Market     Market
	Identifier string
}

// Consent is what a customer has allowed an application to read: the supply
// points by market and identifier, no finer than a resolution, nothing from
// before a day, until an instant. Of each it opens what its permissions allow,
// whatever else the application may do.
type Consent struct {
	ID           ConsentID
	Application  ClientID
	Partner      PartnerID // of both the application and the customer
	User         UserID
	Account      AccountNumber // empty: all of the customer's
	Permissions  Permissions   // what the customer was shown
	SupplyPoints []SupplyPointRef
	Finest       time.Duration // the finest resolution that may be read; 0: as measured
	HistoryFrom  Date          // the first day that may be read
	ValidUntil   time.Time     // from then on it is expired
	Purpose      string
	CreatedAt    time.Time
	RevokedAt    time.Time // zero: not revoked
}

// Status is what the consent allows at the instant now.
func (c Consent) Status(now time.Time) ConsentStatus {
	switch {
	case !c.RevokedAt.IsZero():
		return ConsentRevoked
	case !now.Before(c.ValidUntil):
		return ConsentExpired
	}
	return ConsentActive
}
