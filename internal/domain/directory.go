package domain

import "time"

// Directory is everything that the token path needs to know, as one immutable
// picture: it is built aside and swapped in whole, so that issuing and checking
// a token takes no lock and no database.
type Directory struct {
	Applications map[ClientID]*Listing
	// Revoked holds the users with a reason to refuse their tokens: disabled
	// ones (the far future) and those with an instant up to which all are dead.
	Revoked map[UserID]time.Time
	// Partners holds those with a reason to refuse what their customers' own
	// log-ins bring; of others there is nothing to say.
	Partners map[PartnerID]PartnerStanding
	Roles    map[RoleName]Permissions
}

// Listing is one application in the directory, with what its role, its
// partner and its secrets add.
type Listing struct {
	Application
	Permissions Permissions // of its role, now
	Secrets     []StoredSecret
	Closed      bool      // the application or its partner is disabled
	Held        bool      // a change that ends tokens is under way: none is made meanwhile
	DeadUntil   time.Time // tokens issued at or before this instant are dead
}

// PartnerStanding is why the tokens of a partner's customers are refused.
type PartnerStanding struct {
	Closed    bool      // the partner is disabled
	Held      bool      // a change that ends tokens is under way: nobody logs in meanwhile
	DeadUntil time.Time // tokens issued at or before this instant are dead
}

// Application finds an application, or nil.
func (d *Directory) Application(id ClientID) *Listing { return d.Applications[id] }
