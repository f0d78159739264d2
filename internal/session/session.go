package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/secret"
)

// The bounds of a session.
const (
	Idle     = 30 * time.Minute // without a request
	Absolute = 12 * time.Hour   // since the log-in
	// seenEvery is how exactly the last request is kept: not one write each.
	seenEvery = time.Minute
)

// Digest stands for a session where it is stored: the SHA-256 of its value.
type Digest [sha256.Size]byte

// Session is one log-in of one person at one browser.
type Session struct {
	Digest   Digest
	User     domain.UserID
	AuthTime time.Time // when the person logged in
	SeenAt   time.Time // about when the browser came last
	ProvenAt time.Time // when a member of staff was last proven in full; zero: not yet
}

// Person is who is at a browser, and since when.
type Person struct {
	domain.User
	AuthTime time.Time
	// ProvenAt is when a member of staff was last proven in full, by the second
	// factor or by the password where none is asked for; zero: not yet.
	ProvenAt time.Time
}

// Store keeps sessions.
type Store interface {
	// CustomerPassword finds a customer of the partner by e-mail address, and the
	// hash of the password. Who is staff too, or disabled, alone or with the
	// partner, is NotFound.
	CustomerPassword(ctx context.Context, partner domain.PartnerID, email string) (domain.User, string, error)
	// OnlyPartner returns the partner of the customer with an e-mail address, where
	// only one has it; otherwise it is NotFound.
	OnlyPartner(ctx context.Context, email string) (domain.PartnerID, error)
	// AddSession adds a session, in one transaction with the end of the one that
	// the browser had before, and forgets those that began before the instant. It
	// is NotFound unless hash is still that of the customer's password, and
	// neither the customer nor the partner has been disabled.
	AddSession(ctx context.Context, s Session, hash string, old Digest, before time.Time, e domain.Entry) error
	// FindSession finds a session and its person, unless the person or the
	// partner has been disabled or the person's tokens were revoked since.
	FindSession(ctx context.Context, d Digest) (Session, domain.User, error)
	// SeeSession notes when a session was used last.
	SeeSession(ctx context.Context, d Digest, at time.Time) error
	// EndSession ends a session; one that does not exist is no mistake.
	EndSession(ctx context.Context, d Digest) error
	Staff
}

// Keeper keeps who is logged in.
type Keeper struct {
	Store     Store
	Passwords *secret.Passwords
	Failures  *Failures // of log-ins; nil: no limit
	// SecondFactor says that members of staff need one. Sealer keeps its keys, and
	// Name is what their devices call this installation.
	SecondFactor bool
	Sealer       Sealer
	Name         string
	Now          func() time.Time
	Chance       io.Reader // nil: the system's
}

// ErrNobody means that no living session has the value.
var ErrNobody = &domain.Error{Kind: domain.Unauthenticated, Public: "nobody is logged in"}

// Person returns who is at the browser that sent the value.
func (k *Keeper) Person(ctx context.Context, value domain.Secret) (Person, error) {
	if len(value.Reveal()) != valueLength {
		return Person{}, ErrNobody
	}
	digest := digestOf(value)
	s, u, err := k.Store.FindSession(ctx, digest)
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
		return Person{}, ErrNobody
	}
	if err != nil {
		return Person{}, err
	}
	now := k.Now()
	if !now.Before(s.SeenAt.Add(Idle)) || !now.Before(s.AuthTime.Add(Absolute)) {
		return Person{}, errors.Join(ErrNobody, k.Store.EndSession(ctx, digest))
	}
	if now.Sub(s.SeenAt) >= seenEvery {
		if err := k.Store.SeeSession(ctx, digest, now); err != nil {
			return Person{}, err
		}
	}
	return Person{u, s.AuthTime, s.ProvenAt}, nil
}

// LogOut ends the session with the value, if there is one.
func (k *Keeper) LogOut(ctx context.Context, value domain.Secret) error {
	if value.Empty() {
		return nil
	}
	return k.Store.EndSession(ctx, digestOf(value))
}

// valueLength is that of 256 random bits in base64url.
const valueLength = 43

// newValue draws the value of a session.
func (k *Keeper) newValue() domain.Secret {
	chance := k.Chance
	if chance == nil {
		chance = rand.Reader
	}
	var b [32]byte
	if _, err := io.ReadFull(chance, b[:]); err != nil {
		panic("session: no randomness: " + err.Error())
	}
	return domain.NewSecret(base64.RawURLEncoding.EncodeToString(b[:]))
}

func digestOf(value domain.Secret) Digest { return sha256.Sum256([]byte(value.Reveal())) }
