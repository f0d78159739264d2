package domain

import "time"

// LoginMethod is how an account user has come to a token of the customer API
// (gty). Tokens of the authorization server have none.
type LoginMethod string

// The methods.
const (
	LoginPassword   LoginMethod = "EMAIL-AND-PASSWORD"
	LoginAPIKey     LoginMethod = "API-KEY"
	LoginPreSigned  LoginMethod = "PRE-SIGNED-KEY"
	LoginThirdParty LoginMethod = "LONG-LIVED-REFRESH-TOKEN" // an application, for which the user got it
	LoginMasquerade LoginMethod = "MASQUERADE"               // a member of staff looks on as the user
)

// Known reports whether there is such a method.
func (m LoginMethod) Known() bool {
	switch m {
	case LoginPassword, LoginAPIKey, LoginPreSigned, LoginThirdParty, LoginMasquerade:
		return true
	}
	return false
}

// How long what comes from a log-in lives.
const (
	LoginLifetime      = time.Hour            // an access token
	LoginRefresh       = 7 * 24 * time.Hour   // a refresh token, which is not rotated
	LoginRefreshLong   = 180 * 24 * time.Hour // a third party's
	MasqueradeLifetime = time.Hour            // from the token of staff to the end of the look
	PreSignedMost      = 30 * 24 * time.Hour
)

// LoginDigest stands for a text that works like a password where it is stored.
type LoginDigest [32]byte

// Login is one log-in of an account user at the customer API: a family of
// tokens, which ends as a whole.
type Login struct {
	Family      string // sid of its access tokens
	Partner     PartnerID
	User        UserID
	Client      ClientID // the third party that has it, or who made the pre-signed token; empty: the user alone
	Staff       UserID   // who looks on, of a masquerade; empty there: the platform's operator
	Method      LoginMethod
	Permissions Permissions // its tokens never hold more
	StartedAt   time.Time   // in the order of issues and revocations ([Origin])
	Until       time.Time   // nothing of it lives longer than this, or an access token from just before
}

// LoginProof is what a log-in was proven by. It must still be so when the log-in
// is stored.
type LoginProof struct {
	PasswordHash string      // of the person
	Key          LoginDigest // of the live secret key or the pre-signed token; zero: none
}

// PreSigned is a token that logs a customer in for some things, until an instant,
// as often as it comes.
type PreSigned struct {
	Digest      LoginDigest
	Partner     PartnerID
	User        UserID
	Client      ClientID // who made it
	Permissions Permissions
	Until       time.Time
}

// Masquerade is a token that lets a member of staff look on as a customer, once.
type Masquerade struct {
	Digest  LoginDigest
	Partner PartnerID
	User    UserID
	Staff   UserID // empty: the platform's operator
	Until   time.Time
}
