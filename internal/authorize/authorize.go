package authorize

import (
	"io"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// The bounds of what waits.
const (
	CodeLifetime      = 60 * time.Second // RFC 6749 §4.1.2 says ten minutes at most
	PushedLifetime    = 60 * time.Second // RFC 9126 §2.2
	ChallengeLifetime = 10 * time.Minute // for logging in and deciding
	DeviceLifetime    = 10 * time.Minute // RFC 8628 §3.2
	DeviceInterval    = 5 * time.Second  // RFC 8628 §3.2
	RefreshLifetime   = 30 * 24 * time.Hour
	// KrakenRefreshLifetime is that of a lasting refresh token, which /token/ gives
	// to confidential applications.
	KrakenRefreshLifetime = 7 * 24 * time.Hour
)

// Params is an authorization request as it came, each parameter at most once
// (RFC 6749 §3.1) but audience and resource.
type Params struct {
	ResponseType, ClientID, RedirectURI, Scope, State, Nonce string
	CodeChallenge, CodeChallengeMethod                       string
	RequestURI                                               string // of a pushed request (RFC 9126 §4)
	ResponseMode, Prompt, MaxAge                             string // OpenID Connect Core §3.1.2.1
	Audience, Resource                                       []string
	DPoPKey                                                  string // dpop_jkt (RFC 9449 §10)
	// Browser says that a browser brought it, and not the application itself: an
	// application in FAPI mode pushes its requests.
	Browser bool
}

// Request is an authorization request that has passed every check.
type Request struct {
	Client    domain.ClientID
	Partner   domain.PartnerID
	Redirect  string // exactly one of the application's URIs; empty: a device
	Scope     string // as asked
	Audience  []string
	Resource  []string
	State     string
	DPoPKey   string // the thumbprint of the key that the code is for (RFC 9449 §10); empty: any
	Nonce     string // OpenID Connect Core §3.1.2.1
	Challenge string // PKCE code_challenge, S256 (RFC 7636 §4.2); empty: a device
	Device    string // the digest of the device code; empty: no device
	Prompt    string // OpenID Connect Core §3.1.2.1: none alone, or login, consent, select_account; the login page obeys
	MaxAge    string // how many seconds ago the person may have logged in at most; digits; empty: any time
	At        time.Time
}

// Decision is what a person answers on the consent page.
type Decision struct {
	Account      domain.AccountNumber // empty: all of the person's
	SupplyPoints []domain.SupplyPointRef
	Finest       time.Duration
	HistoryFrom  domain.Date
	ValidUntil   time.Time
	Purpose      string
	AuthTime     time.Time // when the person logged in
}

// Grant is what a code, a refresh token or a device code becomes.
type Grant struct {
	Family  string // of the refresh tokens; also the token's sid
	Client  domain.ClientID
	Partner domain.PartnerID
	User    domain.UserID
	Consent domain.ConsentID // empty: authorization is skipped for the application
	Scope   string
	// Permissions is what was allowed: no token of the family holds more, even
	// where the application's role does by then.
	Permissions domain.Permissions
	Audience    []string
	Resource    []string
	Nonce       string
	AuthTime    time.Time
	Offline     bool // offline_access or offline was asked: a refresh token goes with it
	// Bound is the key that renewing takes, of a public application that proved to
	// hold one (RFC 9449 §5).
	Bound domain.Confirmation
	// Lasting says that the refresh token, the one that this is of or the first one
	// that it gets, is not rotated.
	Lasting bool
}

// Refused is an authorization request that is refused. With Redirect the person
// is sent back with the code (RFC 6749 §4.1.2.1); without it the redirect URI or
// the application cannot be trusted, and the person is shown a page.
type Refused struct {
	Redirect, State string
	Code            string // invalid_request, access_denied, unsupported_response_type, invalid_scope ...
	Description     string
}

// Error returns the code and the sentence.
func (r *Refused) Error() string { return r.Code + ": " + r.Description }

// DeviceAnswer is what a device shows to its person (RFC 8628 §3.2).
type DeviceAnswer struct {
	DeviceCode domain.Secret
	UserCode   string // eight letters of BCDFGHJKLMNPQRSTVWXZ, with a dash in the middle
	Lifetime   time.Duration
	Interval   time.Duration
}

// Offer is what a person is asked on the consent page.
type Offer struct {
	Application domain.Application
	Permissions domain.Permissions // what the application gets to do
	Accounts    []domain.Account
	Points      []OfferedPoint
	// Skip says that there is nothing to ask: authorization is skipped for this
	// request of the application. [Desk.Allow] takes the zero Decision then, but for AuthTime.
	Skip bool
}

// OfferedPoint is one supply point of the person's.
type OfferedPoint struct {
	domain.SupplyPointRef
	Account  domain.AccountNumber
	Property domain.PropertyID
	Label    string
	Address  []string
	Postcode string
}

// Filter chooses consents: those of an application, of a person, or those that
// the person has given to the application. Without either it chooses none.
type Filter struct {
	Application domain.ClientID
	User        domain.UserID
	After       domain.ConsentID // those that follow it; empty: from the newest on
	Limit       int              // 0: 100
}

// DenyList is told of families that have ended, before the answer.
type DenyList interface {
	Add(r domain.Revocation, now time.Time)
}

// Desk answers authorization requests.
type Desk struct {
	Store     Store
	Directory interface{ Directory() *domain.Directory }
	Denied    DenyList // of this node; the same that authn.Tokens has
	// Targets says what is wrong with audiences and resources that are asked of
	// granted audiences: the method of that name of issuance.Issuer. nil: they are
	// looked at when the token is issued.
	Targets func(granted domain.Audiences, audience, resource []string) error
	Issuer  string // iss of the answer (RFC 9207)
	Now     func() time.Time
	Chance  io.Reader // nil: the system's
}
