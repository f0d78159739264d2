package issuance

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/secret"
	"github.com/wattgate/wattgate/internal/throttle"
	"github.com/wattgate/wattgate/internal/token"
)

// Logins issues the tokens that account users get at the customer API, without
// an application (K16). They are signed like all others, have an issuer of their
// own, open that API alone, and end as a family with their refresh token, which
// is not rotated and whose time does not move.
type Logins struct {
	URL       string // iss: the URL of the GraphQL API
	Keys      Signer
	People    People
	Store     LoginStore
	Directory LoginDirectory
	Tokens    Actors           // whose a token is that is to be extended
	Expired   func(error) bool // whether that is why nobody holds one
	All       AllOf            // ends all that speaks for a person
	Denied    DenyList         // of this node
	Secrets   secret.Maker
	Pepper    secret.Pepper
	// Reauthentications bounds how often somebody ends all that speaks for them;
	// nil: nothing does.
	Reauthentications *throttle.Limiter
	// Deaf reports whether this node has not heard of the others for too long: then
	// it makes and ends nothing. nil: there are no others.
	Deaf   func() bool
	Now    func() time.Time
	Chance io.Reader // nil: the system's
}

// Reauthentication is how often somebody may end all that speaks for them.
var Reauthentication = throttle.Limit{Burst: 3, Every: 5 * time.Minute}

// People finds out who somebody is.
type People interface {
	// Prove returns the customer with the e-mail address and the password, and the
	// hash of that; the partner may be empty.
	Prove(ctx context.Context, partner domain.PartnerID, email string, password domain.Secret, from domain.Origin) (domain.User, string, error)
	// MayGuess refuses who has failed too often from an address, and Guessed counts
	// one more failure.
	MayGuess(from domain.Origin) error
	Guessed(from domain.Origin, why error) error
}

// LoginDirectory is the present picture.
type LoginDirectory interface{ Directory() *domain.Directory }

// AllOf ends everything that speaks for a customer of a partner.
type AllOf interface {
	EndTokens(ctx context.Context, partner domain.PartnerID, id domain.UserID, from domain.Origin) error
}

// LoginStore keeps log-ins. The partner is in the predicate of everything that is
// not itself named by a text that works like a password. What ends is denied on
// all nodes in the transaction that ends it, and returned by name.
type LoginStore interface {
	// AddLogin adds a log-in of a customer with its entry of the audit log. It is
	// [domain.NotFound] unless the customer, the partner and the third party stand
	// and what proved it is still so. The oldest of very many ends for it.
	AddLogin(ctx context.Context, l domain.Login, refresh domain.LoginDigest, proof domain.LoginProof, now time.Time, e domain.Entry) (ended []string, err error)
	// FindLogin finds a log-in by its refresh token, over or not, as long as all
	// that it depends on stands and has since it began.
	FindLogin(ctx context.Context, refresh domain.LoginDigest) (domain.Login, error)
	// EndLogin ends the log-in of a refresh token that the caller has; any other is
	// [domain.NotFound].
	EndLogin(ctx context.Context, refresh domain.LoginDigest, by domain.Caller, now time.Time, e domain.Entry) (ended []string, err error)
	// EndLogins ends the log-ins of a customer of the partner.
	EndLogins(ctx context.Context, partner domain.PartnerID, id domain.UserID, thirdParties bool, now time.Time, e domain.Entry) (ended []string, err error)
	// SetLiveKey replaces a customer's key and ends what the one before has brought.
	SetLiveKey(ctx context.Context, partner domain.PartnerID, id domain.UserID, key domain.LoginDigest, now time.Time, e domain.Entry) (ended []string, err error)
	// LiveKeyOwner finds the customer in good standing with a key.
	LiveKeyOwner(ctx context.Context, key domain.LoginDigest) (domain.User, error)
	// AddPreSigned adds a pre-signed token, FindPreSigned finds one that counts, and
	// EndPreSigned ends one, or all of a customer where key is zero, with what it
	// has brought.
	AddPreSigned(ctx context.Context, t domain.PreSigned, e domain.Entry) error
	FindPreSigned(ctx context.Context, key domain.LoginDigest, now time.Time) (domain.PreSigned, error)
	EndPreSigned(ctx context.Context, key domain.LoginDigest, partner domain.PartnerID, id domain.UserID, now time.Time, e domain.Entry) (ended []string, err error)
	// TakeMasquerade takes a token for a look at l.User, once, and adds l, which it
	// completes. Whatever is wrong is [domain.NotFound] and takes nothing.
	TakeMasquerade(ctx context.Context, key domain.LoginDigest, l domain.Login, now time.Time, e domain.Entry) (domain.Login, error)
	// CustomerPassword finds a customer of the partner in good standing by e-mail
	// address; the hash of the password is nobody's business here.
	CustomerPassword(ctx context.Context, partner domain.PartnerID, email string) (domain.User, string, error)
}

// Why nobody is logged in. What is not there, is over and belongs to somebody
// else are one answer each, except where the text itself proves whose it is.
var (
	ErrAPIKey         = refusedLogin("the API key is not accepted")
	ErrPreSigned      = refusedLogin("the pre-signed token is not accepted")
	ErrRefresh        = refusedLogin("the refresh token is not accepted")
	ErrRefreshExpired = refusedLogin("the refresh token has expired")
	ErrMasquerade     = refusedLogin("the masquerade token is not accepted")
	// ErrGone means that what was right a moment ago is not any more.
	ErrGone = refusedLogin("that was right, and is not any more")
)

func refusedLogin(why string) *domain.Error {
	return &domain.Error{Kind: domain.Forbidden, Public: why}
}

// LoggedIn is what somebody has got.
type LoggedIn struct {
	Token   domain.Secret
	Payload string        // what the token says: a JSON object
	Refresh domain.Secret // none where somebody looks on
	Until   time.Time     // of the refresh token
}

// Refresh tokens and pre-signed ones begin with these.
const (
	prefixLogin     secret.Environment = "wg_login_"
	prefixPreSigned secret.Environment = "wg_presigned_"
)

// ByPassword logs a customer in. The partner may be empty.
func (ls *Logins) ByPassword(ctx context.Context, partner domain.PartnerID, email string, password domain.Secret, from domain.Origin) (LoggedIn, error) {
	picture, err := ls.begin()
	if err != nil {
		return LoggedIn{}, err
	}
	u, hash, err := ls.People.Prove(ctx, partner, email, password, from)
	if err != nil {
		return LoggedIn{}, err
	}
	return ls.start(ctx, picture, domain.Login{
		Partner: u.Partner, User: u.ID, Method: domain.LoginPassword, Permissions: domain.CustomerPermissions,
	}, domain.LoginRefresh, domain.LoginProof{PasswordHash: hash}, from)
}

// ByKey logs a customer in by the live secret key.
func (ls *Logins) ByKey(ctx context.Context, key domain.Secret, from domain.Origin) (LoggedIn, error) {
	picture, err := ls.begin()
	if err != nil {
		return LoggedIn{}, err
	}
	if err := ls.People.MayGuess(from); err != nil {
		return LoggedIn{}, err
	}
	digest := domain.LoginDigest(ls.Pepper.Digest(key.Reveal()))
	u, err := ls.Store.LiveKeyOwner(ctx, digest)
	if missing(err) || !ls.Secrets.WellFormed(key.Reveal()) && err == nil {
		return LoggedIn{}, ls.People.Guessed(from, ErrAPIKey)
	}
	if err != nil {
		return LoggedIn{}, err
	}
	return ls.start(ctx, picture, domain.Login{
		Partner: u.Partner, User: u.ID, Method: domain.LoginAPIKey, Permissions: domain.CustomerPermissions,
	}, domain.LoginRefresh, domain.LoginProof{Key: digest}, from)
}

// ByPreSigned logs a customer in for what a pre-signed token allows. What it
// brings lives no longer than it does, and ends with the application that made it.
func (ls *Logins) ByPreSigned(ctx context.Context, key domain.Secret, from domain.Origin) (LoggedIn, error) {
	picture, err := ls.begin()
	if err != nil {
		return LoggedIn{}, err
	}
	if err := ls.People.MayGuess(from); err != nil {
		return LoggedIn{}, err
	}
	digest, wellFormed := digestOf(key, prefixPreSigned)
	now := ls.Now()
	t, err := ls.Store.FindPreSigned(ctx, digest, now)
	if missing(err) || !wellFormed && err == nil {
		return LoggedIn{}, ls.People.Guessed(from, ErrPreSigned)
	}
	if err != nil {
		return LoggedIn{}, err
	}
	return ls.start(ctx, picture, domain.Login{
		Partner: t.Partner, User: t.User, Client: t.Client, Method: domain.LoginPreSigned, Permissions: t.Permissions,
	}, min(domain.LoginRefresh, t.Until.Sub(now)), domain.LoginProof{Key: digest}, from)
}

// Renew makes another access token for a refresh token, which stays as it is.
func (ls *Logins) Renew(ctx context.Context, refresh domain.Secret, from domain.Origin) (LoggedIn, error) {
	picture, err := ls.begin()
	if err != nil {
		return LoggedIn{}, err
	}
	digest, wellFormed := digestOf(refresh, prefixLogin)
	if !wellFormed {
		return LoggedIn{}, ErrRefresh
	}
	l, err := ls.Store.FindLogin(ctx, digest)
	if missing(err) {
		return LoggedIn{}, ErrRefresh
	}
	if err != nil {
		return LoggedIn{}, err
	}
	if !ls.Now().Before(l.Until) {
		return LoggedIn{}, ErrRefreshExpired
	}
	if err := stands(picture, l); err != nil {
		return LoggedIn{}, err
	}
	return ls.issue(l, refresh, from)
}

// Masquerade lets a member of staff look on as a user, with a token that works
// once. What it brings cannot be renewed and changes nothing.
func (ls *Logins) Masquerade(ctx context.Context, key domain.Secret, user domain.UserID, from domain.Origin) (LoggedIn, error) {
	picture, err := ls.begin()
	if err != nil {
		return LoggedIn{}, err
	}
	if err := ls.People.MayGuess(from); err != nil {
		return LoggedIn{}, err
	}
	now := ls.Now()
	l := domain.Login{
		Family: domain.NewFamily(ls.Chance), User: user, Method: domain.LoginMasquerade,
		Permissions: domain.CustomerPermissions, StartedAt: later(from.At, from.Order),
	}
	digest := domain.LoginDigest(sha256.Sum256([]byte(key.Reveal())))
	l, err = ls.Store.TakeMasquerade(ctx, digest, l, now, ls.entry("user.login", l, "masquerade", from))
	if missing(err) {
		return LoggedIn{}, ls.People.Guessed(from, ErrMasquerade)
	}
	if err != nil {
		return LoggedIn{}, err
	}
	if err := stands(picture, l); err != nil {
		return LoggedIn{}, err
	}
	return ls.issue(l, domain.Secret{}, from)
}

// begin returns the picture from before anything is looked up: whoever is held in
// it gets nothing, see [registry.Registry].
func (ls *Logins) begin() (*domain.Directory, error) {
	if ls.Deaf != nil && ls.Deaf() {
		return nil, errDeafLogin
	}
	return ls.Directory.Directory(), nil
}

var (
	errDeafLogin = &domain.Error{Kind: domain.Unavailable, Public: "this server has not heard of the others for too long; try again"}
	errHeldLogin = &domain.Error{Kind: domain.Unavailable, Public: "this is being changed; try again"}
)

// stands refuses a log-in that a picture holds back.
func stands(d *domain.Directory, l domain.Login) error {
	partner := d.Partners[l.Partner]
	switch {
	case partner.Held:
		return errHeldLogin
	case partner.Closed:
		return ErrGone
	case l.Client == "":
		return nil
	}
	app := d.Application(l.Client)
	switch {
	case app == nil || app.Closed:
		return ErrGone
	case app.Held:
		return errHeldLogin
	}
	return nil
}

// start stores a new log-in and issues its first token.
func (ls *Logins) start(ctx context.Context, picture *domain.Directory, l domain.Login, lifetime time.Duration, proof domain.LoginProof, from domain.Origin) (LoggedIn, error) {
	if err := stands(picture, l); err != nil {
		return LoggedIn{}, err
	}
	now := ls.Now()
	l.Family, l.StartedAt, l.Until = domain.NewFamily(ls.Chance), later(from.At, from.Order), now.Add(lifetime)
	refresh := secret.New(ls.Chance, prefixLogin)
	digest := domain.LoginDigest(sha256.Sum256([]byte(refresh.Reveal())))
	ended, err := ls.Store.AddLogin(ctx, l, digest, proof, now, ls.entry("user.login", l, string(l.Method), from))
	if missing(err) {
		return LoggedIn{}, ErrGone
	}
	if err != nil {
		return LoggedIn{}, err
	}
	ls.deny(ended, now)
	return ls.issue(l, refresh, from)
}

// issue signs an access token of a log-in, which ends with it at the latest.
func (ls *Logins) issue(l domain.Login, refresh domain.Secret, from domain.Origin) (LoggedIn, error) {
	now := from.At.Unix()
	c := token.Claims{
		Issuer: ls.URL, Subject: string(l.User), Audiences: domain.AudienceSet(domain.AudienceCustomer),
		IssuedAt: now, NotBefore: now, Expires: min(now+int64(domain.LoginLifetime/time.Second), l.Until.Unix()),
		ID: token.NewID(later(from.At, from.Order), ls.chance()), ClientID: l.Client, Partner: l.Partner,
		Scope: scopeOf(l.Permissions), Permissions: l.Permissions, SID: l.Family,
		Method: l.Method, OriginallyAt: l.StartedAt.Unix(), Staff: l.Staff,
	}
	if c.Expires <= c.IssuedAt {
		return LoggedIn{}, ErrRefreshExpired
	}
	text, err := ls.Keys.SignText("", &c)
	if err != nil {
		return LoggedIn{}, &domain.Error{Kind: domain.Internal, Err: err}
	}
	return LoggedIn{Token: domain.NewSecret(text), Payload: c.Text(), Refresh: refresh, Until: l.Until}, nil
}

// deny refuses on this node what has ended.
func (ls *Logins) deny(families []string, now time.Time) {
	for _, family := range families {
		ls.Denied.Add(domain.RevokeFamily(family, now), now)
	}
}

// entry starts an entry of the audit log about a log-in.
func (ls *Logins) entry(action string, l domain.Login, by string, from domain.Origin) domain.Entry {
	now := ls.Now()
	return domain.Entry{
		ID: domain.NewEntryID(now, ls.Chance), At: now, Action: action, Partner: l.Partner, Client: l.Client, User: l.User,
		Object: string(l.User), By: by, RequestID: from.RequestID, Address: from.Address, Detail: l.Family,
	}
}

func (ls *Logins) chance() io.Reader {
	if ls.Chance == nil {
		return rand.Reader
	}
	return ls.Chance
}

// digestOf returns what is stored of a text, and false where it was never ours.
func digestOf(text domain.Secret, prefix secret.Environment) (domain.LoginDigest, bool) {
	return sha256.Sum256([]byte(text.Reveal())), secret.WellFormed(text.Reveal(), prefix)
}

// missing reports whether something is not there.
func missing(err error) bool {
	e, ok := errors.AsType[*domain.Error](err)
	return ok && e.Kind == domain.NotFound
}
