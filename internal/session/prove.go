package session

import (
	"context"
	"errors"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
)

// LogInAnywhere is [Keeper.LogIn] for a customer who does not say whose they are:
// the partner is that of the only customer with the address.
func (k *Keeper) LogInAnywhere(ctx context.Context, email string, password, old domain.Secret, from domain.Origin) (domain.Secret, error) {
	partner, err := k.Store.OnlyPartner(ctx, strings.TrimSpace(email))
	if e, ok := errors.AsType[*domain.Error](err); err != nil && (!ok || e.Kind != domain.NotFound) {
		return domain.Secret{}, err
	}
	return k.LogIn(ctx, partner, email, password, old, from)
}

// Prove finds the customer who has an e-mail address and a password, for a program
// without a browser. The partner may be empty: then it is that of the only
// customer with the address. Limits, work and refusal are those of
// [Keeper.LogIn]: who fails here waits there, too. It returns the hash that the
// password was held against.
//
// Whoever asks for a second factor at a log-in asks here: nothing else takes a
// password from a program.
func (k *Keeper) Prove(ctx context.Context, partner domain.PartnerID, email string, password domain.Secret, from domain.Origin) (domain.User, string, error) {
	email = strings.TrimSpace(email)
	if partner == "" {
		var err error
		partner, err = k.Store.OnlyPartner(ctx, email)
		if e, ok := errors.AsType[*domain.Error](err); err != nil && (!ok || e.Kind != domain.NotFound) {
			return domain.User{}, "", err
		}
	}
	t := k.Failures.try(partner, email, from.Address)
	leave, err := k.Failures.enter(ctx, t, k.Now)
	if err != nil {
		return domain.User{}, "", err
	}
	defer leave()
	user, hash, err := k.check(ctx, partner, email, password)
	if errors.Is(err, ErrWrong) {
		return domain.User{}, "", k.Failures.failed(t, k.Now(), err)
	}
	return user, hash, err
}
