package session

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"image/png"
	"io"
	"net/url"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/wattgate/wattgate/internal/domain"
)

// Codes are those that every device makes: six digits of HMAC-SHA-1 over a step
// of 30 seconds (RFC 6238 §4, RFC 4226 §5.3).
const (
	step      = 30 * time.Second
	keyLength = 20 // bytes, RFC 4226 §4 R6
	// recoveryCodes of 80 bits each, which nobody guesses: a digest is enough.
	recoveryCodes  = 10
	recoveryLength = 16
)

var codes = base32.StdEncoding.WithPadding(base32.NoPadding)

// stepOf returns the step, now or one beside it (RFC 6238 §5.2), whose code this
// is, after the last one that was taken; 0: none.
func stepOf(key []byte, code string, now time.Time, last int64) int64 {
	this := now.Unix() / int64(step/time.Second)
	found := int64(0)
	for at := this - 1; at <= this+1; at++ {
		want, err := hotp.GenerateCode(codes.EncodeToString(key), uint64(max(at, 0)))
		if err == nil && equal(want, code) && at > last {
			found = at
		}
	}
	return found
}

// Enrolment is what a person needs to set up a device: a key as text and as a
// picture. It is not kept until the device has shown that it knows it.
type Enrolment struct {
	Key     domain.Secret // base32
	Address domain.Secret // otpauth://
	Picture []byte        // PNG
}

// NewEnrolment draws a key for a person's device.
func (k *Keeper) NewEnrolment(p Person) (Enrolment, error) {
	raw := make([]byte, keyLength)
	chance := k.Chance
	if chance == nil {
		chance = rand.Reader
	}
	if _, err := io.ReadFull(chance, raw); err != nil {
		return Enrolment{}, err
	}
	return k.enrolment(p, codes.EncodeToString(raw))
}

// SameEnrolment returns the enrolment of a key that was drawn before.
func (k *Keeper) SameEnrolment(p Person, key domain.Secret) (Enrolment, error) {
	raw, err := codes.DecodeString(key.Reveal())
	if err != nil || len(raw) != keyLength {
		return Enrolment{}, &domain.Error{Kind: domain.Invalid, Public: "This page is not complete. Open it anew."}
	}
	return k.enrolment(p, key.Reveal())
}

func (k *Keeper) enrolment(p Person, key string) (Enrolment, error) {
	address := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + k.Name + ":" + p.Email, RawQuery: url.Values{
		"secret": {key}, "issuer": {k.Name},
	}.Encode()}
	known, err := otp.NewKeyFromURL(address.String())
	if err != nil {
		return Enrolment{}, err
	}
	picture, err := known.Image(200, 200)
	if err != nil {
		return Enrolment{}, err
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return Enrolment{}, err
	}
	return Enrolment{Key: domain.NewSecret(key), Address: domain.NewSecret(address.String()), Picture: b.Bytes()}, nil
}

// Enrol keeps a second factor whose device has shown a code, and returns the
// recovery codes, which are shown this once, and the session's new value. Who is
// proven in full already does not: a session that was left open must not be made
// fresh by a device of somebody else's.
func (k *Keeper) Enrol(ctx context.Context, p Person, value, key domain.Secret, code string, from domain.Origin) (recovery []string, is domain.Secret, err error) {
	if !p.ProvenAt.IsZero() {
		return nil, is, ErrProven
	}
	raw, err := codes.DecodeString(key.Reveal())
	if err != nil || len(raw) != keyLength {
		return nil, is, &domain.Error{Kind: domain.Invalid, Public: "This page is not complete. Open it anew."}
	}
	is, err = k.guess(ctx, p, from, func() (domain.Secret, error) {
		now := k.Now()
		at := stepOf(raw, code, now, 0)
		if at == 0 {
			return domain.Secret{}, ErrCode
		}
		sealed, err := k.Sealer.Seal(string(p.ID), raw)
		if err != nil {
			return domain.Secret{}, err
		}
		var digests []Digest
		for range recoveryCodes {
			text := k.newRecoveryCode()
			recovery, digests = append(recovery, text), append(digests, sha256.Sum256([]byte(text)))
		}
		is := k.newValue()
		return is, k.Store.AddFactor(ctx, p.ID, Factor{Sealed: sealed, Since: now, LastStep: at}, digests, digestOf(value), digestOf(is), now,
			k.entry(now, "staff.enrol", p.User, "password", from))
	})
	if err != nil {
		return nil, domain.Secret{}, err
	}
	return recovery, is, nil
}

// ErrProven is the answer to somebody who sets up a second factor, and is proven in
// full already.
var ErrProven = &domain.Error{Kind: domain.Conflict, Public: "You have proven who you are already."}

// newRecoveryCode draws 80 bits.
func (k *Keeper) newRecoveryCode() string {
	drawn := digestOf(k.newValue())
	return codes.EncodeToString(drawn[:10])
}
