package authorize

import (
	"context"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Digest is the SHA-256 of a code, a challenge, a refresh token, a device code
// or a user code, which is all that is kept of one.
type Digest [32]byte

// Kind is why a request waits.
type Kind string

// The kinds.
const (
	KindPushed    Kind = "pushed"    // RFC 9126
	KindChallenge Kind = "challenge" // its person logs in and decides
)

// Outcome is what happened to something that works once.
type Outcome uint8

// The outcomes.
const (
	// Unknown was never issued, or to another application, or is forgotten.
	Unknown Outcome = iota
	// Expired came too late.
	Expired
	// Dead belongs to a family or a consent that has ended, or to an application,
	// a partner or a person who is disabled or was since.
	Dead
	// Reused was taken before. Its family has ended with this, if it had not before.
	Reused
	// Fresh is taken now, and never again.
	Fresh
	// Waiting is a device whose person has not decided.
	Waiting
	// Early is Waiting, asked for too soon; the pause has grown.
	Early
	// Declined is a device whose person has said no.
	Declined
)

// Code is a code as it is kept: the digest and what its taker must know.
type Code struct {
	Digest    Digest
	Redirect  string // exactly as it was asked
	Challenge string // of PKCE, S256
	DPoPKey   string // the thumbprint of the key that it is for; empty: any
	Until     time.Time
}

// Approval is a decision that is stored whole or not at all.
type Approval struct {
	Challenge Digest // is taken
	Consent   *domain.Consent
	Grant     Grant  // starts a family
	Code      *Code  // nil: a device
	Device    Digest // of the device, without a code
	Now       time.Time
	// At is when the decision arrived, and the family starts: what is revoked up to
	// a later instant takes the family along, whatever the clock did ([domain.Origin]).
	// Zero: Now.
	At    time.Time
	Until time.Time // of the family, as long as nothing comes of it
	Entry domain.Entry
	// FirstOnly leaves the entry out where the person has a family of the
	// application's already: authorization is skipped.
	FirstOnly bool
}

// Rotation takes a refresh token and puts another in its place.
type Rotation struct {
	Client   domain.ClientID
	Old, New Digest
	Now      time.Time
	Until    time.Time    // of the new one
	Reuse    domain.Entry // where the old one was used before
}

// Store keeps what waits, what was allowed, and the refresh tokens. Every verb
// that takes something says so in its name, and takes it in one transaction.
// Entries of the audit log are written in the same one; where the store knows
// more of what an entry is about than its caller, it fills in partner,
// application and object.
//
// A family that ends is denied ([domain.RevokeFamily]) in the transaction that
// ends it, which tells other nodes.
type Store interface {
	// KeepRequest keeps a request until an instant, and forgets what is over. Of one
	// device it keeps the newest [DeviceChallenges].
	KeepRequest(ctx context.Context, kind Kind, key Digest, r Request, until, now time.Time) error
	// FindRequest finds a request that waits; otherwise [domain.NotFound].
	FindRequest(ctx context.Context, kind Kind, key Digest, now time.Time) (Request, error)
	// TakeRequest takes a request of an application, once; otherwise [domain.NotFound].
	TakeRequest(ctx context.Context, kind Kind, key Digest, client domain.ClientID, now time.Time) (Request, error)
	// Approve takes a challenge and stores what was decided. A consent takes the
	// place of all that the person has allowed the application before, which ends,
	// and its entry names those; the families that end with them are returned. A
	// challenge that waits no more, a device that is decided or over, an
	// application that is disabled, and a person who is no customer of the
	// partner's in good standing are [domain.NotFound].
	Approve(ctx context.Context, a Approval) (ended []string, err error)
	// Decline takes a challenge and returns its request; a device is declined.
	Decline(ctx context.Context, challenge Digest, now time.Time, e domain.Entry) (Request, error)

	// ConsumeCode takes a code, whoever presents it. A code that was taken before
	// ends its family, with the entry. The Grant is set for Fresh and Reused.
	ConsumeCode(ctx context.Context, code Digest, now time.Time, reuse domain.Entry) (Grant, Code, Outcome, error)
	// AddRefresh adds the first refresh token of g.Family, if that lives; otherwise
	// [domain.NotFound]. All its refresh tokens are bound to the key g.Bound, where
	// there is one; this one lasts if g.Lasting.
	AddRefresh(ctx context.Context, g Grant, refresh Digest, until, now time.Time) error
	// FindRefresh looks at a refresh token of an application and changes nothing.
	FindRefresh(ctx context.Context, refresh Digest, client domain.ClientID, now time.Time) (Grant, Outcome, error)
	// RotateRefresh compares and sets: of many at once with one old token one is
	// Fresh, and all others are Reused. The new one never lasts.
	RotateRefresh(ctx context.Context, r Rotation) (Grant, Outcome, error)
	// EndFamily ends the family of a refresh token of an application, used or
	// not, and returns its name; none where there is nothing to end.
	EndFamily(ctx context.Context, refresh Digest, client domain.ClientID, now time.Time, e domain.Entry) (family string, err error)

	// KeepDevice keeps a device until an instant. A user code that is taken is
	// [domain.Conflict].
	KeepDevice(ctx context.Context, device, userCode Digest, r Request, pause time.Duration, until, now time.Time) error
	// FindDevice finds a device that waits for its person; otherwise [domain.NotFound].
	FindDevice(ctx context.Context, userCode Digest, now time.Time) (device Digest, r Request, err error)
	// PollDevice asks for the decision, and takes it. more is by how much the
	// pause grows for whoever is too early, up to [DeviceIntervalMost]; within a
	// second of the last time it does not grow, and nothing is written.
	PollDevice(ctx context.Context, device Digest, client domain.ClientID, more time.Duration, now time.Time, reuse domain.Entry) (Grant, Outcome, error)

	// CustomersPoints lists a customer's accounts and supply points within the scope.
	CustomersPoints(ctx context.Context, scope domain.Scope) ([]domain.Account, []OfferedPoint, error)
	// Consents lists consents, newest first.
	Consents(ctx context.Context, f Filter) ([]domain.Consent, error)
	// EndConsent ends a consent of the partner's that by.User has given and that
	// by.Client has, of which one may be empty and stands for any; otherwise it is
	// [domain.NotFound]. It returns the families that end with it. One that has ended already stays as it is,
	// without another entry.
	EndConsent(ctx context.Context, id domain.ConsentID, by domain.Caller, now time.Time, e domain.Entry) (families []string, err error)
}
