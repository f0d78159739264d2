package issuance

import (
	"context"
	"errors"
	"time"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/secret"
)

// Refusals of who is known, and may not do this.
var (
	// ErrNotThemself is for what only account users do who have logged in.
	ErrNotThemself = refusedLogin("this needs a token that the account user has got with their e-mail address and password")
	// ErrNotYours is for a refresh token that is unknown, or somebody else's.
	ErrNotYours = refusedLogin("the refresh token is not yours to end")
	// ErrNotTheirs is for a user that is unknown, or another partner's.
	ErrNotTheirs = refusedLogin("there is no such user, or they are not yours")
	// ErrPresign is for who may not make pre-signed tokens, or not for this user.
	ErrPresign = refusedLogin("there is no such user, or no token can be made for them")
	// What is wrong with a token that a third party wants to be extended.
	ErrExtendExpired = refusedLogin("the token to be extended has expired")
	ErrExtendForeign = refusedLogin("the token to be extended is none of ours")
	ErrExtendNobody  = refusedLogin("the token to be extended is no account user's")
	ErrExtend        = refusedLogin("only a third party gets a long-lived refresh token")
)

// End ends the log-in of a refresh token of the caller's own, on this node when
// it returns: the refresh token and all access tokens that came of it. One that
// has ended already stays so.
func (ls *Logins) End(ctx context.Context, caller domain.Caller, refresh domain.Secret, from domain.Origin) (until time.Time, err error) {
	if _, err := ls.begin(); err != nil {
		return time.Time{}, err
	}
	digest, wellFormed := digestOf(refresh, prefixLogin)
	if !wellFormed || caller.Impersonated() || caller.LooksOn() || caller.User != "" && caller.Login == "" {
		return time.Time{}, ErrNotYours
	}
	if caller.Login == domain.LoginThirdParty {
		caller.User = "" // of its own, and not of the user's
	}
	now := ls.Now()
	ended, err := ls.Store.EndLogin(ctx, digest, caller, now, ls.entry("login.end", of(caller), "its holder", from))
	if missing(err) {
		return time.Time{}, ErrNotYours
	}
	if err != nil {
		return time.Time{}, err
	}
	ls.deny(ended, now)
	return now, nil
}

// EndAllOf ends all log-ins of a user by e-mail address, those of third parties
// included: of the account users themselves, and of customers whom the caller,
// an application of their partner, could act as.
func (ls *Logins) EndAllOf(ctx context.Context, caller domain.Caller, email string, from domain.Origin) error {
	if _, err := ls.begin(); err != nil {
		return err
	}
	u, err := ls.subject(ctx, caller, email)
	if err != nil {
		return err
	}
	now := ls.Now()
	e := ls.entry("user.logout", of(caller), "invalidateRefreshTokensForUser", from)
	e.Object = string(u.ID)
	ended, err := ls.Store.EndLogins(ctx, caller.Partner, u.ID, true, now, e)
	if missing(err) {
		return ErrNotTheirs
	}
	if err != nil {
		return err
	}
	ls.deny(ended, now)
	return nil
}

// subject finds the user that somebody may log out: themself, or a customer whom
// the application could act as. An unknown one, another partner's and somebody
// else are one answer.
func (ls *Logins) subject(ctx context.Context, caller domain.Caller, email string) (domain.User, error) {
	if !caller.Themself() && !mayActAs(caller) {
		return domain.User{}, ErrNotTheirs
	}
	u, _, err := ls.Store.CustomerPassword(ctx, caller.Partner, email)
	if missing(err) || err == nil && caller.Themself() && u.ID != caller.User {
		return domain.User{}, ErrNotTheirs
	}
	return u, err
}

// mayActAs reports whether an application by itself may act as its partner's
// customers.
func mayActAs(caller domain.Caller) bool {
	return caller.User == "" && caller.Client != "" && caller.Reach == domain.ReachPartner && !caller.FAPI &&
		authz.Check(caller, authz.Permit{Need: domain.CanImpersonate}) == nil
}

// Reauthenticate ends everything that was issued to the account user before, on
// this node when it returns, the token that asks for it included: what they have
// got by logging in, or with thirdParties all that speaks for them: what third
// parties have got, what applications were allowed, browsers and what was made by
// acting as them. It returns when that was.
func (ls *Logins) Reauthenticate(ctx context.Context, caller domain.Caller, thirdParties bool, from domain.Origin) (time.Time, error) {
	if _, err := ls.begin(); err != nil {
		return time.Time{}, err
	}
	if !caller.Themself() {
		return time.Time{}, ErrNotThemself
	}
	now := ls.Now()
	if thirdParties {
		if err := ls.mayReauthenticate(caller, now); err != nil {
			return time.Time{}, err
		}
		return now, ls.All.EndTokens(ctx, caller.Partner, caller.User, from)
	}
	ended, err := ls.Store.EndLogins(ctx, caller.Partner, caller.User, false, now, ls.entry("user.reauthenticate", of(caller), "the customer", from))
	if err != nil {
		return time.Time{}, err
	}
	ls.deny(ended, now)
	return now, nil
}

// mayReauthenticate bounds how often one person makes all nodes read everything
// again.
func (ls *Logins) mayReauthenticate(caller domain.Caller, now time.Time) error {
	limiter := ls.Reauthentications
	if limiter == nil {
		return nil
	}
	key := limiter.Key(string(caller.User), nil)
	if wait := limiter.Wait(key, now); wait > 0 {
		return &domain.Error{Kind: domain.Throttled, Public: "That was asked too often. Wait before the next time.", Err: &domain.Pause{
			Limit: "reauthentication", Quota: Reauthentication.Burst, Window: Reauthentication.Window(), Wait: max(wait, time.Second),
		}}
	}
	limiter.Charge(key, now)
	return nil
}

// NewKey replaces the live secret key of an account user who has logged in with
// the password, and returns the new one, which is shown once. What the old one
// has brought ends.
func (ls *Logins) NewKey(ctx context.Context, caller domain.Caller, from domain.Origin) (domain.Secret, error) {
	if _, err := ls.begin(); err != nil {
		return domain.Secret{}, err
	}
	if caller.Login != domain.LoginPassword { // a stolen key does not lock its owner out
		return domain.Secret{}, ErrNotThemself
	}
	key, now := ls.Secrets.New(), ls.Now()
	ended, err := ls.Store.SetLiveKey(ctx, caller.Partner, caller.User, ls.Pepper.Digest(key.Reveal()), now, ls.entry("user.key", of(caller), "the customer", from))
	if err != nil {
		return domain.Secret{}, err
	}
	ls.deny(ended, now)
	return key, nil
}

// Extend makes a long-lived refresh token of an account user's token, for a third
// party: an application by itself, that reaches all customers of the user's
// partner. What it brings never holds more than the application does, and ends
// with it.
func (ls *Logins) Extend(ctx context.Context, caller domain.Caller, kraken string, from domain.Origin) (LoggedIn, error) {
	picture, err := ls.begin()
	if err != nil {
		return LoggedIn{}, err
	}
	if caller.User != "" || caller.Client == "" || caller.Reach != domain.ReachPartner || caller.FAPI {
		return LoggedIn{}, ErrExtend
	}
	user, err := ls.Tokens.Held(kraken, domain.AudienceCustomer, domain.Confirmation{})
	switch {
	case ls.Expired != nil && ls.Expired(err):
		return LoggedIn{}, ErrExtendExpired
	case unauthenticated(err):
		return LoggedIn{}, ErrExtendForeign
	case err != nil:
		return LoggedIn{}, err
	case user.Partner != caller.Partner: // as good as one that we never made
		return LoggedIn{}, ErrExtendForeign
	case !user.Themself():
		return LoggedIn{}, ErrExtendNobody
	}
	permissions := authz.Combine(caller.Permissions, user.Permissions)
	if permissions == 0 {
		return LoggedIn{}, ErrExtend
	}
	return ls.start(ctx, picture, domain.Login{
		Partner: caller.Partner, User: user.User, Client: caller.Client, Method: domain.LoginThirdParty, Permissions: permissions,
	}, domain.LoginRefreshLong, domain.LoginProof{}, from)
}

func unauthenticated(err error) bool {
	e, ok := errors.AsType[*domain.Error](err)
	return ok && e.Kind == domain.Unauthenticated
}

// PreSign makes a token that logs a customer in for some things, for a number of
// days. The caller could act as the customer.
func (ls *Logins) PreSign(ctx context.Context, caller domain.Caller, email string, days int, permissions domain.Permissions, from domain.Origin) (domain.Secret, error) {
	if _, err := ls.begin(); err != nil {
		return domain.Secret{}, err
	}
	if !mayActAs(caller) {
		return domain.Secret{}, ErrPresign
	}
	lifetime := time.Duration(days) * 24 * time.Hour
	if days < 1 || days > int(domain.PreSignedMost/(24*time.Hour)) {
		return domain.Secret{}, &domain.Error{Kind: domain.Invalid, Public: "a pre-signed token is for 1 to 30 days"}
	}
	u, _, err := ls.Store.CustomerPassword(ctx, caller.Partner, email)
	if missing(err) {
		return domain.Secret{}, ErrPresign
	}
	if err != nil {
		return domain.Secret{}, err
	}
	text := secret.New(ls.Chance, prefixPreSigned)
	digest, _ := digestOf(text, prefixPreSigned)
	e := ls.entry("user.presign", of(caller), domain.CanImpersonate.String(), from)
	e.Object = string(u.ID)
	err = ls.Store.AddPreSigned(ctx, domain.PreSigned{
		Digest: digest, Partner: caller.Partner, User: u.ID, Client: caller.Client,
		Permissions: authz.Combine(permissions, domain.CustomerPermissions), Until: ls.Now().Add(lifetime),
	}, e)
	if missing(err) {
		return domain.Secret{}, ErrPresign
	}
	return text, err
}

// EndPreSigned ends a pre-signed token, whoever has it, with what it has brought.
func (ls *Logins) EndPreSigned(ctx context.Context, key domain.Secret, from domain.Origin) error {
	if _, err := ls.begin(); err != nil {
		return err
	}
	if err := ls.People.MayGuess(from); err != nil {
		return err
	}
	digest, wellFormed := digestOf(key, prefixPreSigned)
	if !wellFormed {
		return ls.People.Guessed(from, ErrPreSigned)
	}
	err := ls.endPreSigned(ctx, digest, "", ls.entry("presigned.end", domain.Login{}, "its holder", from))
	if missing(err) {
		return ls.People.Guessed(from, ErrPreSigned)
	}
	return err
}

// EndPreSignedOf ends all pre-signed tokens of a user by e-mail address, whom the
// caller may log out.
func (ls *Logins) EndPreSignedOf(ctx context.Context, caller domain.Caller, email string, from domain.Origin) error {
	if _, err := ls.begin(); err != nil {
		return err
	}
	u, err := ls.subject(ctx, caller, email)
	if errors.Is(err, ErrNotTheirs) {
		return ErrPreSigned
	}
	if err != nil {
		return err
	}
	e := ls.entry("presigned.end", of(caller), "invalidatePreSignedTokensForUser", from)
	e.Object = string(u.ID)
	return ls.endPreSigned(ctx, domain.LoginDigest{}, u.ID, e)
}

func (ls *Logins) endPreSigned(ctx context.Context, key domain.LoginDigest, user domain.UserID, e domain.Entry) error {
	now := ls.Now()
	ended, err := ls.Store.EndPreSigned(ctx, key, e.Partner, user, now, e)
	if err != nil {
		return err
	}
	ls.deny(ended, now)
	return nil
}

// of starts a log-in of whom a caller speaks for, for an entry of the audit log.
func of(caller domain.Caller) domain.Login {
	return domain.Login{Family: caller.Act, Partner: caller.Partner, User: caller.User, Client: caller.Client}
}
