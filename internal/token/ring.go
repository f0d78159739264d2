package token

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Settings is what a ring is opened with.
type Settings struct {
	Store     KeyStore
	Cipher    Cipher
	Now       func() time.Time
	Chance    io.Reader // for the names of keys; nil: the system's
	Algorithm Algorithm // of the tokens that are signed; empty: ES256
}

// Ring holds the signing keys. Signing and verifying take no lock and ask no
// store: the keys are one immutable picture, swapped in whole. A Ring may be
// used from many goroutines at once.
type Ring struct {
	settings  Settings
	keys      atomic.Pointer[keySet]
	scratches sync.Pool // of *scratch
}

// keySet is all keys at one moment.
type keySet struct {
	active   *key
	byHeader map[string]*key
	jwks     []byte
	etag     string
}

// errNoActiveKey is what a set without a key to sign with is refused with.
var errNoActiveKey = errors.New("token: no active key")

// OpenRing reads the keys of a store. Where none of the wanted algorithm is
// active it makes one, and stores it before it is used. Keys of other
// algorithms still verify.
func OpenRing(ctx context.Context, s Settings) (*Ring, error) {
	s.Algorithm = cmp.Or(s.Algorithm, ES256)
	r := &Ring{settings: s}
	r.scratches.New = func() any { return new(scratch) }
	switch err := r.Reload(ctx); {
	case err == nil:
		return r, nil
	case !errors.Is(err, errNoActiveKey):
		return nil, err
	}
	k, err := newStoredKey(s.Algorithm, s.Now(), s.Chance, s.Cipher)
	if err != nil {
		return nil, fmt.Errorf("token: make a signing key: %w", err)
	}
	if err := s.Store.AddSigningKey(ctx, k); err != nil {
		return nil, fmt.Errorf("token: store a signing key: %w", err)
	}
	if err := r.Reload(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Reload reads the keys of the store again and puts them into use, all at once.
// After an error the ring goes on with the keys it has.
func (r *Ring) Reload(ctx context.Context) error {
	stored, err := r.settings.Store.SigningKeys(ctx)
	if err != nil {
		return fmt.Errorf("token: read the signing keys: %w", err)
	}
	set := &keySet{byHeader: make(map[string]*key, len(stored))}
	all := make([]*key, 0, len(stored))
	for _, s := range stored {
		k, err := openKey(s, r.settings.Cipher)
		if err != nil {
			return fmt.Errorf("token: signing key %q: %w", s.ID, err)
		}
		// The map cannot show this: two algorithms under one ID have two headers.
		for _, other := range all {
			if other.id == k.id {
				return fmt.Errorf("token: signing key %q stands twice in the store", s.ID)
			}
		}
		switch s.State {
		case Active:
			if s.Algorithm == r.settings.Algorithm {
				set.active = k // the youngest, since the oldest comes first
			}
		case Published, Retired:
		default:
			return fmt.Errorf("token: signing key %q: %q is not a state", s.ID, s.State)
		}
		all = append(all, k)
		set.byHeader[k.header] = k
	}
	if set.active == nil {
		return errNoActiveKey
	}
	if set.jwks, set.etag, err = jwksOf(all); err != nil {
		return err
	}
	r.keys.Store(set)
	return nil
}

// JWKS returns the public halves of all keys as a JSON Web Key Set
// (RFC 7517 §5), with its entity tag, quotes included. The bytes are shared and
// must not be changed.
func (r *Ring) JWKS() (body []byte, etag string) {
	set := r.keys.Load()
	return set.jwks, set.etag
}

// Algorithm returns the algorithm that tokens are signed with.
func (r *Ring) Algorithm() Algorithm { return r.settings.Algorithm }

// scratch is what one signing or verification needs and the next can use again.
type scratch struct {
	text   []byte
	plain  []byte
	digest [32]byte
	raw    [ecdsaLength]byte
}
