package domain

import "time"

// Caller is who is asking, as far as it has been proven.
type Caller struct {
	Partner     PartnerID
	Client      ClientID // the application that holds the token
	User        UserID   // the subject, where the token speaks for a user
	Actor       ClientID // who impersonates, where somebody does (act.sub of RFC 8693 §4.1)
	Act         string   // the act's entry in the audit log (sid)
	Permissions Permissions
	Audiences   Audiences
	Scope       string
	Reach       Reach
	TokenID     string // jti
	Expires     time.Time
	Bound       Confirmation // what the token is bound to, and the caller has proven to hold
	FAPI        bool         // the application is in FAPI mode
	TrustedOnly bool         // the application runs trusted documents alone
	Own         bool         // the application is its partner's own: no customer is asked
	// Login is how the account user has logged in at the customer API, where that is
	// where the token comes from: then Client is empty, unless a third party has it or
	// an application has made what they logged in by.
	Login LoginMethod
	Staff UserID // the member of staff who looks on, where one does
}

// LooksOn reports whether a member of staff looks on as the user: they change
// nothing.
func (c Caller) LooksOn() bool { return c.Login == LoginMasquerade }

// Themself reports whether the account user is there: logged in by what only they
// have, at the customer API, for no third party.
func (c Caller) Themself() bool {
	return c.Client == "" && (c.Login == LoginPassword || c.Login == LoginAPIKey)
}

// Impersonated reports whether somebody acts as the subject.
func (c Caller) Impersonated() bool { return c.Actor != "" }

// Entry is one line of the audit log: who did what to what, by which
// permission, from where. It is data that people ask for, and it never holds a
// secret or a token.
type Entry struct {
	ID        string // aud_ and a sortable text
	At        time.Time
	Action    string // noun.verb: application.create, user.impersonate
	Partner   PartnerID
	Client    ClientID // the acting application, if one acts
	User      UserID   // the acting member of staff, if one acts
	Object    string   // the identifier of what was acted upon
	By        string   // the permission that allowed it, or where it came from: command line
	RequestID string
	Address   string
	Detail    string // a short sentence, such as what changed
}

// Origin is where a request came from, as the audit log keeps it.
type Origin struct {
	RequestID string
	Address   string
	// Proven is the key or certificate that the request has proven to hold. What
	// tokens it brings are bound to it.
	Proven Confirmation
	// Token says that it asks for a token, and not about one.
	Token bool
	// At is when it arrived, by the clock.
	At time.Time
	// Order is the instant of issue of what the request brings, in the order of
	// issues and revocations: whatever a picture allows was asked for before the
	// picture was replaced, so that a revocation with a later instant ends all of
	// it. It is At, unless the clock was set back: then it may be ahead of it.
	// Where it is zero it is At.
	Order time.Time
}
