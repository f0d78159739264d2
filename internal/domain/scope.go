package domain

import "time"

// Scope says whose objects a question may see. It goes into the WHERE of every
// query, so that what is outside it is not found, exactly as if it did not
// exist. The zero Scope sees nothing.
type Scope struct {
	// Partner must match.
	Partner PartnerID
	// User, where it is set, must own the account that the object hangs on.
	User UserID
	// Application, where it is set, sees only supply points of which a consent
	// that its customer gave it allows Need and is active at the instant At, and
	// what they hang on. Without At it sees nothing.
	Application ClientID
	At          time.Time
	Need        Permission
}
