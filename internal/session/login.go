package session

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/throttle"
)

// FailedLogIns is how often a log-in may fail for one account from one address:
// five times, and then every further try makes the wait longer. Nobody can lock
// out somebody else, who comes from another address.
var FailedLogIns = throttle.Limit{Burst: 5, Every: 30 * time.Second, Most: 30 * time.Minute}

// patience is how long a log-in waits for a free core.
const patience = 5 * time.Second

// failedKeys is how many accounts at addresses are remembered: 1 MiB.
const failedKeys = 1 << 16

// NewFailures returns a limiter for log-ins.
func NewFailures() *throttle.Limiter { return throttle.New(FailedLogIns, failedKeys) }

// ErrWrong is the one answer to a wrong password and to an address that nobody
// has.
var ErrWrong = &domain.Error{Kind: domain.Forbidden, Public: "That e-mail address and password do not belong together."}

// LogIn finds the customer of a partner by e-mail address and password, and
// returns the value of a new session. Whatever the browser had before is ended:
// a value that was planted there is not worth anything afterwards.
func (k *Keeper) LogIn(ctx context.Context, partner domain.PartnerID, email string, password, old domain.Secret, from domain.Origin) (domain.Secret, error) {
	email = strings.TrimSpace(email)
	key := k.key(partner, email, from.Address)
	// One after the other: many tries at once must not pass the limit before the
	// first of them has been counted.
	defer k.turns.take(key)()
	if err := k.refuses(key); err != nil {
		return domain.Secret{}, err
	}
	user, err := k.check(ctx, partner, email, password)
	if errors.Is(err, ErrWrong) {
		return domain.Secret{}, k.failed(key, err)
	}
	if err != nil {
		return domain.Secret{}, err
	}
	now := k.Now()
	value := k.newValue()
	s := Session{Digest: digestOf(value), User: user.ID, AuthTime: now, SeenAt: now}
	err = k.Store.AddSession(ctx, s, digestOf(old), now.Add(-Absolute), domain.Entry{
		ID: domain.NewEntryID(now, k.Chance), At: now, Action: "user.login", Partner: user.Partner, User: user.ID,
		Object: string(user.ID), By: "password", RequestID: from.RequestID, Address: from.Address,
	})
	if err != nil {
		return domain.Secret{}, err
	}
	return value, nil
}

// check holds the password against the customer's. For an address that nobody
// has it takes as long.
func (k *Keeper) check(ctx context.Context, partner domain.PartnerID, email string, password domain.Secret) (domain.User, error) {
	user, hash, err := k.Store.CustomerPassword(ctx, partner, email)
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
		hash, err = "", nil
	}
	if err != nil {
		return domain.User{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	right, err := k.Passwords.Check(ctx, hash, password)
	if err != nil {
		return domain.User{}, &domain.Error{Kind: domain.Unavailable, Public: "too many people log in at once; try again", Err: err}
	}
	if !right {
		return domain.User{}, ErrWrong
	}
	return user, nil
}

// key is an account as it was typed, and the address together.
func (k *Keeper) key(partner domain.PartnerID, email, address string) throttle.Key {
	if k.Failures == nil {
		return 0
	}
	return k.Failures.Key(string(partner)+"\x00"+strings.ToLower(email), throttle.Address(address))
}

func (k *Keeper) refuses(key throttle.Key) error {
	if k.Failures == nil || k.Failures.Wait(key, k.Now()) == 0 {
		return nil
	}
	return k.failed(key, nil)
}

// failed counts a log-in that failed.
func (k *Keeper) failed(key throttle.Key, why error) error {
	if k.Failures == nil {
		return why
	}
	wait := k.Failures.Charge(key, k.Now())
	if wait == 0 {
		return why
	}
	limit := k.Failures.Limit()
	return &domain.Error{
		Kind: domain.Throttled, Public: "That was tried too often. Wait before the next try.",
		Err: &domain.Pause{Limit: "login", Quota: limit.Burst, Window: limit.Window(), Wait: wait, Err: why},
	}
}

// turns lets tries for one account from one address in one by one.
type turns [256]sync.Mutex

func (t *turns) take(key throttle.Key) (leave func()) {
	m := &t[uint64(key)%uint64(len(t))]
	m.Lock()
	return m.Unlock
}
