package secret

import (
	"context"
	"crypto/subtle"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/wattgate/wattgate/internal/domain"
)

// The cost of a new password hash: OWASP's first choice for argon2id, about
// 40 ms and 19 MiB.
const (
	memory     = 19 * 1024 // KiB
	passes     = 2
	threads    = 1
	saltLength = 16
	hashLength = 32
)

// maxPassword is the longest password in bytes. It bounds the work and is far
// above what people type.
const maxPassword = 1024

// Passwords hashes and checks the passwords of people. It checks no more of them
// at once than there are cores: each takes 19 MiB, and a burst of log-ins must
// wait rather than exhaust the memory. It hashes one at a time beside them: who
// replaces a password that somebody is guessing does not stand in the guesser's
// queue.
type Passwords struct {
	chance  io.Reader
	slots   chan struct{}
	waiting atomic.Int64  // for a slot
	setting chan struct{} // of who sets a password
}

// queue is how many may wait for each core, about 40 ms each. Whoever comes after
// them is better told to come again.
const queue = 4

// crowded refuses a check without a wait.
var crowded = &domain.Error{
	Kind: domain.Unavailable, Public: "Too many people log in at once. Try again in a moment.",
	Err: &domain.Pause{Limit: "passwords", Quota: queue, Window: time.Second, Wait: time.Second},
}

// NewPasswords returns a Passwords for a number of cores, at least one, with
// salts drawn from chance, nil meaning the system's.
func NewPasswords(cores int, chance io.Reader) *Passwords {
	return &Passwords{chance: chance, slots: make(chan struct{}, max(cores, 1)), setting: make(chan struct{}, 1)}
}

// Hash waits for the hash before it and returns what [HashPassword] does, or the
// context's error.
func (p *Passwords) Hash(ctx context.Context, password domain.Secret) (string, error) {
	if err := take(ctx, p.setting); err != nil {
		return "", err
	}
	defer func() { <-p.setting }()
	return HashPassword(p.chance, password)
}

// Check waits for a core and returns what [CheckPassword] does, or the
// context's error. Where too many wait already it is [domain.Unavailable] at
// once, with a [domain.Pause]. For a user who does not exist, or has no password, pass the
// empty hash: the answer is no and takes as long.
func (p *Passwords) Check(ctx context.Context, hash string, password domain.Secret) (bool, error) {
	if err := p.enter(ctx); err != nil {
		return false, err
	}
	defer p.leave()
	return CheckPassword(hash, password), nil
}

// HashDrawn hashes a password that was drawn at random with at least 96 bits.
// Nobody can try that many, so a slow hash would protect nothing (the same
// holds for client secrets), and the cost is the least that argon2id has.
func (p *Passwords) HashDrawn(password domain.Secret) (string, error) {
	return hashPassword(p.chance, password, 64, 1)
}

func (p *Passwords) enter(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		if err := ctx.Err(); err != nil {
			p.leave()
			return err
		}
		return nil
	default:
	}
	defer p.waiting.Add(-1)
	if p.waiting.Add(1) > queue*int64(cap(p.slots)) {
		return crowded
	}
	return take(ctx, p.slots)
}

// take takes a slot, or returns the context's error.
func take(ctx context.Context, slots chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Passwords) leave() { <-p.slots }

// HashPassword returns the argon2id hash of a password in the PHC string
// format, with a salt of 16 bytes drawn from chance. A password of no bytes or
// of more than 1,024 is [domain.Invalid]. [Passwords.Hash] bounds how many run
// at once.
func HashPassword(chance io.Reader, password domain.Secret) (string, error) {
	return hashPassword(chance, password, memory, passes)
}

func hashPassword(chance io.Reader, password domain.Secret, memory, passes uint32) (string, error) {
	switch n := len(password.Reveal()); {
	case n == 0:
		return "", &domain.Error{Kind: domain.Invalid, Public: "a password must not be empty"}
	case n > maxPassword:
		return "", &domain.Error{Kind: domain.Invalid, Public: "a password must not be longer than 1,024 bytes"}
	}
	h := phc{memory: memory, passes: passes, threads: threads, salt: make([]byte, saltLength)}
	mustRead(chance, h.salt)
	h.hash = h.of(password, hashLength)
	return h.String(), nil
}

// CheckPassword reports whether a hash in the PHC string format is that of the
// password. For an empty or damaged hash it does the work of a true one and
// says no, so that the time does not tell who exists.
func CheckPassword(hash string, password domain.Secret) bool {
	if len(password.Reveal()) > maxPassword {
		return false // before the hash is looked at: the same for everybody
	}
	full := phc{
		memory: memory, passes: passes, threads: threads,
		salt: make([]byte, saltLength), hash: make([]byte, hashLength),
	}
	h, err := parsePHC(hash)
	if err != nil {
		h = full
	}
	same := subtle.ConstantTimeCompare(h.of(password, len(h.hash)), h.hash) == 1
	if !same && h.memory < memory { // one that was drawn: no is said as late as to anybody
		full.of(password, hashLength)
	}
	return same && err == nil
}

// of hashes a password with the cost and the salt of h.
func (h phc) of(password domain.Secret, length int) []byte {
	return argon2.IDKey([]byte(password.Reveal()), h.salt, h.passes, h.memory, h.threads, uint32(length))
}
