package session

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Fresh is how long a member of staff who was proven in full need not be proven
// again for what is dangerous.
const Fresh = 10 * time.Minute

// Staff keeps what members of staff log in with.
type Staff interface {
	// StaffPasswords lists the members of staff with an e-mail address, the
	// platform's and those of every partner, with the hashes of their passwords.
	// Who is disabled, alone or with the partner, is not among them.
	StaffPasswords(ctx context.Context, email string) ([]Credential, error)
	// StaffPassword returns the hash of the password of one of them.
	StaffPassword(ctx context.Context, id domain.UserID) (string, error)
	// AddStaffSession is AddSession for a member of staff.
	AddStaffSession(ctx context.Context, s Session, hash string, old Digest, before time.Time, e domain.Entry) error
	// FindFactor finds the second factor of a person.
	FindFactor(ctx context.Context, id domain.UserID) (Factor, error)
	// AddFactor gives a person a second factor, with digests of recovery codes, and
	// proves the session by it under a new digest. Conflict: there is one already.
	AddFactor(ctx context.Context, id domain.UserID, f Factor, recovery []Digest, was, is Digest, at time.Time, e domain.Entry) error
	// Prove notes that the person of a session was proven in full, and gives the
	// session a new digest. What it was proven by is used up in the same
	// transaction; Conflict: it was used up before.
	Prove(ctx context.Context, id domain.UserID, by Proof, was, is Digest, at time.Time, e domain.Entry) error
}

// Credential is a member of staff and the hash of the password.
type Credential struct {
	domain.User
	Hash string
}

// Factor is a second factor: the sealed key of time-based codes, and the latest
// step whose code was taken.
type Factor struct {
	Sealed   []byte
	Since    time.Time
	LastStep int64
}

// Proof is what proves a person beside the session: the code of a step, a
// recovery code, or, where both are zero, the password.
type Proof struct {
	Step     int64
	Recovery Digest
}

// Sealer keeps keys at rest.
type Sealer interface {
	Seal(name string, plain []byte) ([]byte, error)
	Open(name string, sealed []byte) ([]byte, error)
}

// staffScope stands for the partner in the limits of log-ins of staff, who do
// not say where they belong.
const staffScope = domain.PartnerID("staff")

// LogInStaff finds a member of staff by e-mail address and password, and returns
// the value of a new session. Where a second factor is needed, the session is
// worth nothing until [Keeper.ProveCode] or [Keeper.Enrol].
func (k *Keeper) LogInStaff(ctx context.Context, email string, password, old domain.Secret, from domain.Origin) (domain.Secret, error) {
	email = strings.TrimSpace(email)
	t := k.Failures.try(staffScope, email, from.Address)
	leave, err := k.Failures.enter(ctx, t, k.Now)
	if err != nil {
		return domain.Secret{}, err
	}
	defer leave()
	c, err := k.credential(ctx, email, password)
	if errors.Is(err, ErrWrong) {
		return domain.Secret{}, k.Failures.failed(t, k.Now(), err)
	}
	if err != nil {
		return domain.Secret{}, err
	}
	now := k.Now()
	value := k.newValue()
	s := Session{Digest: digestOf(value), User: c.ID, AuthTime: now, SeenAt: now}
	if !k.SecondFactor {
		s.ProvenAt = now
	}
	err = k.Store.AddStaffSession(ctx, s, c.Hash, digestOf(old), now.Add(-Absolute), k.entry(now, "staff.login", c.User, "password", from))
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
		return domain.Secret{}, k.Failures.failed(t, now, ErrWrong) // it was right, and is not any more
	}
	if err != nil {
		return domain.Secret{}, err
	}
	return value, nil
}

func (k *Keeper) entry(now time.Time, action string, u domain.User, by string, from domain.Origin) domain.Entry {
	return domain.Entry{
		ID: domain.NewEntryID(now, k.Chance), At: now, Action: action, Partner: u.Partner, User: u.ID,
		Object: string(u.ID), By: by, RequestID: from.RequestID, Address: from.Address,
	}
}

// credential finds whose address and password these are. For an address that
// nobody has it takes as long as for one that somebody has.
func (k *Keeper) credential(ctx context.Context, email string, password domain.Secret) (Credential, error) {
	list, err := k.Store.StaffPasswords(ctx, email)
	if err != nil {
		return Credential{}, err
	}
	if len(list) == 0 {
		list = []Credential{{}}
	}
	for _, c := range list {
		right, err := k.right(ctx, c.Hash, password)
		if err != nil {
			return Credential{}, err
		}
		if right {
			return c, nil
		}
	}
	return Credential{}, ErrWrong
}

func (k *Keeper) right(ctx context.Context, hash string, password domain.Secret) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	right, err := k.Passwords.Check(ctx, hash, password)
	if _, ok := errors.AsType[*domain.Error](err); !ok && err != nil {
		err = crowded(err)
	}
	return right, err
}

// ErrCode is the one answer to a code that is wrong, used or too old.
var ErrCode = &domain.Error{Kind: domain.Forbidden, Public: "That code is not right, or was used already. Wait for the next one."}

// ErrPassword is the answer to a wrong password of somebody who is logged in.
var ErrPassword = &domain.Error{Kind: domain.Forbidden, Public: "That is not your password."}

// HasFactor reports whether the person has a second factor.
func (k *Keeper) HasFactor(ctx context.Context, p Person) (bool, error) {
	_, err := k.Store.FindFactor(ctx, p.ID)
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
		return false, nil
	}
	return err == nil, err
}

// ProveCode proves the person of a session by a code of the device, or by a
// recovery code, and returns the session's new value.
func (k *Keeper) ProveCode(ctx context.Context, p Person, value domain.Secret, code string, from domain.Origin) (domain.Secret, error) {
	return k.guess(ctx, p, from, func() (domain.Secret, error) {
		f, err := k.Store.FindFactor(ctx, p.ID)
		if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
			return domain.Secret{}, ErrCode
		}
		if err != nil {
			return domain.Secret{}, err
		}
		key, err := k.Sealer.Open(string(p.ID), f.Sealed)
		if err != nil {
			return domain.Secret{}, err
		}
		code = strings.Map(compact, code)
		if len(code) != recoveryLength {
			if err := k.Failures.code(p.ID, k.Now()); err != nil {
				return domain.Secret{}, err
			}
		}
		by, how := Proof{Step: stepOf(key, code, k.Now(), f.LastStep)}, "code"
		if by.Step == 0 {
			if len(code) != recoveryLength {
				return domain.Secret{}, ErrCode
			}
			by.Recovery, how = sha256.Sum256([]byte(code)), "recovery code"
		}
		is, err := k.proven(ctx, p, value, by, how, from)
		if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.Conflict {
			return domain.Secret{}, ErrCode
		}
		return is, err
	})
}

// ProvePassword proves the person of a session by the password once more, where
// no second factor is needed, and returns the session's new value.
func (k *Keeper) ProvePassword(ctx context.Context, p Person, value, password domain.Secret, from domain.Origin) (domain.Secret, error) {
	if k.SecondFactor {
		return domain.Secret{}, ErrCode
	}
	return k.guess(ctx, p, from, func() (domain.Secret, error) {
		hash, err := k.Store.StaffPassword(ctx, p.ID)
		if err != nil {
			return domain.Secret{}, err
		}
		right, err := k.right(ctx, hash, password)
		if err != nil {
			return domain.Secret{}, err
		}
		if !right {
			return domain.Secret{}, ErrPassword
		}
		return k.proven(ctx, p, value, Proof{}, "password", from)
	})
}

// guess runs a try of somebody who is logged in, within the limits of log-ins.
func (k *Keeper) guess(ctx context.Context, p Person, from domain.Origin, f func() (domain.Secret, error)) (domain.Secret, error) {
	t := k.Failures.try(staffScope, "proof of "+string(p.ID), from.Address)
	leave, err := k.Failures.enter(ctx, t, k.Now)
	if err != nil {
		return domain.Secret{}, err
	}
	defer leave()
	is, err := f()
	if errors.Is(err, ErrCode) || errors.Is(err, ErrPassword) {
		return domain.Secret{}, k.Failures.failed(t, k.Now(), err)
	}
	return is, err
}

// proven gives the session a new value: what somebody may have learned of the
// old one is worth nothing for what is dangerous.
func (k *Keeper) proven(ctx context.Context, p Person, value domain.Secret, by Proof, how string, from domain.Origin) (domain.Secret, error) {
	now, is := k.Now(), k.newValue()
	return is, k.Store.Prove(ctx, p.ID, by, digestOf(value), digestOf(is), now, k.entry(now, "staff.prove", p.User, how, from))
}

// IsFresh reports whether a member of staff was proven in full a short time ago.
func (p Person) IsFresh(now time.Time) bool {
	return !p.ProvenAt.IsZero() && now.Before(p.ProvenAt.Add(Fresh))
}

// compact leaves out what people put between the characters of a code.
func compact(r rune) rune {
	switch {
	case r == ' ' || r == '-':
		return -1
	case r >= 'a' && r <= 'z':
		return r - 'a' + 'A'
	}
	return r
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
