package session

import (
	"context"
	"errors"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
)

// ErrWrong is the one answer to a wrong password and to an address that nobody
// has.
var ErrWrong = &domain.Error{Kind: domain.Forbidden, Public: "That e-mail address and password do not belong together."}

// LogIn finds the customer of a partner by e-mail address and password, and
// returns the value of a new session. Whatever the browser had before is ended:
// a value that was planted there is not worth anything afterwards.
func (k *Keeper) LogIn(ctx context.Context, partner domain.PartnerID, email string, password, old domain.Secret, from domain.Origin) (domain.Secret, error) {
	email = strings.TrimSpace(email)
	t := k.Failures.try(partner, email, from.Address)
	leave, err := k.Failures.enter(ctx, t, k.Now)
	if err != nil {
		return domain.Secret{}, err
	}
	defer leave()
	user, hash, err := k.check(ctx, partner, email, password)
	if errors.Is(err, ErrWrong) {
		return domain.Secret{}, k.Failures.failed(t, k.Now(), err)
	}
	if err != nil {
		return domain.Secret{}, err
	}
	now := k.Now()
	value := k.newValue()
	s := Session{Digest: digestOf(value), User: user.ID, AuthTime: now, SeenAt: now}
	err = k.Store.AddSession(ctx, s, hash, digestOf(old), now.Add(-Absolute), domain.Entry{
		ID: domain.NewEntryID(now, k.Chance), At: now, Action: "user.login", Partner: user.Partner, User: user.ID,
		Object: string(user.ID), By: "password", RequestID: from.RequestID, Address: from.Address,
	})
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
		return domain.Secret{}, k.Failures.failed(t, now, ErrWrong) // it was right, and is not any more
	}
	if err != nil {
		return domain.Secret{}, err
	}
	return value, nil
}

// check holds the password against the customer's, and returns the hash that it
// was held against. For an address that nobody has it takes as long.
func (k *Keeper) check(ctx context.Context, partner domain.PartnerID, email string, password domain.Secret) (domain.User, string, error) {
	user, hash, err := k.Store.CustomerPassword(ctx, partner, email)
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
		hash, err = "", nil
	}
	if err != nil {
		return domain.User{}, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	right, err := k.Passwords.Check(ctx, hash, password)
	if _, ok := errors.AsType[*domain.Error](err); ok {
		return domain.User{}, "", err
	}
	if err != nil {
		return domain.User{}, "", crowded(err)
	}
	if !right {
		return domain.User{}, "", ErrWrong
	}
	return user, hash, nil
}
