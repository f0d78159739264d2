package session

import (
	"context"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/throttle"
)

// FailedLogIns is how often a log-in may fail for one account from one address:
// five times, and then every further try makes the wait longer. Nobody can lock
// out somebody else, who comes from another address.
var FailedLogIns = throttle.Limit{Burst: 5, Every: 30 * time.Second, Most: 30 * time.Minute}

// FailedFromAddress is how often log-ins may fail from one address, whoever they
// are for: a look at a password costs as much where there is no such account.
// Further tries do not make the wait longer, because others may share the address.
var FailedFromAddress = throttle.Limit{Burst: 20, Every: 3 * time.Second}

// CodesOfAPerson is how often six digits may be tried for one person, from all
// addresses together: who tries them has the password, and a million are not many for
// somebody with a network of addresses. The person is not locked out meanwhile: a
// recovery code, which nobody guesses, is not counted.
var CodesOfAPerson = throttle.Limit{Burst: 30, Every: time.Minute}

// How many accounts at addresses, and addresses, are remembered: 1 MiB and
// 256 KiB.
const (
	accountKeys = 1 << 16
	addressKeys = 1 << 14
)

// patience is how long a log-in waits for its turn, and then for a free core.
const patience = 5 * time.Second

// Failures limits the log-ins that fail. It may be used from many goroutines at
// once.
type Failures struct {
	accounts, addresses *throttle.Limiter
	codes               *throttle.Limiter // of a person's second factor
	// turns let tries from one address in one by one: many at once must not pass
	// the limits before the first of them has been counted, nor take all cores.
	turns [256]chan struct{}
}

// NewFailures returns limits that nobody has reached.
func NewFailures() *Failures {
	f := &Failures{accounts: throttle.New(FailedLogIns, accountKeys), addresses: throttle.New(FailedFromAddress, addressKeys), codes: throttle.New(CodesOfAPerson, addressKeys)}
	for i := range f.turns {
		f.turns[i] = make(chan struct{}, 1)
	}
	return f
}

// try is a log-in as the limits see it.
type try struct{ account, address throttle.Key }

// try makes the keys of an account as it was typed at an address, and of the
// address alone.
func (f *Failures) try(partner domain.PartnerID, email, address string) try {
	if f == nil {
		return try{}
	}
	from := throttle.Address(address)
	return try{f.accounts.Key(string(partner)+"\x00"+strings.ToLower(email), from), f.addresses.Key("", from)}
}

// enter refuses a try that is over a limit, and waits for its turn otherwise, but
// not past the context.
func (f *Failures) enter(ctx context.Context, t try, now func() time.Time) (leave func(), err error) {
	if f == nil {
		return func() {}, nil
	}
	if err := f.refuses(t, now()); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	turn := f.turns[uint64(t.address)%uint64(len(f.turns))]
	select {
	case turn <- struct{}{}:
	case <-ctx.Done():
		return nil, crowded(ctx.Err())
	}
	leave = func() { <-turn }
	if err := f.refuses(t, now()); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// refuses says whether a try has to wait, the right password too.
func (f *Failures) refuses(t try, now time.Time) error {
	if wait := f.addresses.Wait(t.address, now); wait > 0 {
		return throttled("login-address", FailedFromAddress, wait, nil)
	}
	if f.accounts.Wait(t.account, now) == 0 {
		return nil
	}
	return throttled("login", FailedLogIns, f.accounts.Charge(t.account, now), nil)
}

// failed counts a log-in that was looked at and failed.
func (f *Failures) failed(t try, now time.Time, why error) error {
	if f == nil {
		return why
	}
	if wait := f.addresses.Charge(t.address, now); wait > 0 {
		return throttled("login-address", FailedFromAddress, wait, why)
	}
	if wait := f.accounts.Charge(t.account, now); wait > 0 {
		return throttled("login", FailedLogIns, wait, why)
	}
	return why
}

// code counts a try of six digits, before they are looked at.
func (f *Failures) code(id domain.UserID, now time.Time) error {
	if f == nil {
		return nil
	}
	if wait := f.codes.Charge(f.codes.Key(string(id), nil), now); wait > 0 {
		return throttled("login-code", CodesOfAPerson, wait, nil)
	}
	return nil
}

func throttled(name string, limit throttle.Limit, wait time.Duration, why error) error {
	return &domain.Error{
		Kind: domain.Throttled, Public: "That was tried too often. Wait before the next try.",
		Err: &domain.Pause{Limit: name, Quota: limit.Burst, Window: limit.Window(), Wait: max(wait, time.Second), Err: why},
	}
}

// crowded is the answer to who has waited long enough.
func crowded(why error) error {
	return &domain.Error{
		Kind: domain.Unavailable, Public: "Too many people log in at once. Try again in a moment.",
		Err: &domain.Pause{Limit: "login-turn", Quota: 1, Window: patience, Wait: patience, Err: why},
	}
}

// MayGuess refuses who has failed too often from an address, before a text is
// looked at that nobody can guess: no such try makes the others cheaper.
func (k *Keeper) MayGuess(from domain.Origin) error {
	if k.Failures == nil {
		return nil
	}
	t := k.Failures.try("", "", from.Address)
	if wait := k.Failures.addresses.Wait(t.address, k.Now()); wait > 0 {
		return throttled("login-address", FailedFromAddress, wait, nil)
	}
	return nil
}

// Guessed counts such a text that was wrong, and returns why, or that it was one
// too many.
func (k *Keeper) Guessed(from domain.Origin, why error) error {
	if k.Failures == nil {
		return why
	}
	t := k.Failures.try("", "", from.Address)
	if wait := k.Failures.addresses.Charge(t.address, k.Now()); wait > 0 {
		return throttled("login-address", FailedFromAddress, wait, why)
	}
	return why
}
