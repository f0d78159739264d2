package token

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Settings is what a ring is opened with.
type Settings struct {
	Store  KeyStore
	Cipher Cipher
	Now    func() time.Time
	Chance io.Reader // for the names of keys; nil: the system's
	Policy Policy
	// Open returns what signs with a stored key: for a private half that is kept
	// by a machine elsewhere. Only Sign and Public are asked, from many goroutines
	// at once; ES256 and RS256 get a SHA-256 digest, and ES256 answers in ASN.1 DER
	// (RFC 3279 §2.2.3), EdDSA gets the text. It is asked for every key in the
	// store, those that the ring has made and sealed too, and vouches that nobody
	// planted the key there; after an error the ring does not open, or goes on with
	// the keys it has. nil: the sealed PKCS#8 of the store.
	Open func(StoredKey) (crypto.Signer, error)
}

// Ring holds the signing keys. Signing and verifying take no lock and ask no
// store: the keys are one immutable picture, swapped in whole. A Ring may be
// used from many goroutines at once.
type Ring struct {
	settings  Settings
	keys      atomic.Pointer[keySet]
	changing  sync.Mutex // held while a new picture is made
	scratches sync.Pool  // of *scratch
	rooms     sync.Pool  // of *[]byte, for whole tokens
}

// keySet is all keys at one moment.
type keySet struct {
	active     *key
	byHeader   map[string]*key
	jwks       []byte
	etag       string
	stored     []StoredKey // removed ones too
	generation uint64
}

// OpenRing reads the keys of a store and does what the policy demands by now.
// The very first key is made here and signs at once; it is stored before it is
// used.
func OpenRing(ctx context.Context, s Settings) (*Ring, error) {
	r := &Ring{settings: s}
	r.scratches.New = func() any { return new(scratch) }
	r.rooms.New = func() any { b := make([]byte, 0, 1024); return &b }
	stored, err := s.Store.SigningKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("token: read the signing keys: %w", err)
	}
	r.keys.Store(&keySet{stored: stored})
	changes, err := r.Step(ctx, domain.Entry{By: "schedule", Address: "local"})
	if err == nil && len(changes) == 0 {
		err = r.Reload(ctx)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Reload reads the keys of the store again and puts them into use, all at once.
// After an error the ring goes on with the keys it has.
func (r *Ring) Reload(ctx context.Context) error {
	r.changing.Lock()
	defer r.changing.Unlock()
	stored, err := r.settings.Store.SigningKeys(ctx)
	if err != nil {
		return fmt.Errorf("token: read the signing keys: %w", err)
	}
	set, err := r.setOf(stored)
	if err != nil {
		return err
	}
	r.keys.Store(set)
	return nil
}

// setOf opens stored keys. Those of the present picture are open already.
func (r *Ring) setOf(stored []StoredKey) (*keySet, error) {
	present := r.keys.Load()
	set := &keySet{byHeader: make(map[string]*key, len(stored)), stored: stored, generation: present.generation}
	names := make(map[string]bool, len(stored))
	open := make([]*key, 0, len(stored))
	for _, s := range stored {
		// The map of headers cannot show this: two algorithms under one ID have two.
		if names[s.ID] {
			return nil, fmt.Errorf("token: signing key %q stands twice in the store", s.ID)
		}
		names[s.ID] = true
		if s.State == Removed {
			continue
		}
		k, err := present.open(s, &r.settings)
		if err != nil {
			return nil, fmt.Errorf("token: signing key %q: %w", s.ID, err)
		}
		switch s.State {
		case Active:
			set.active = k // the youngest, since the oldest comes first
		case Published, Retired:
		default:
			return nil, fmt.Errorf("token: signing key %q: %q is not a state", s.ID, s.State)
		}
		open = append(open, k)
		set.byHeader[k.header] = k
	}
	if set.active == nil {
		return nil, errors.New("token: no active key")
	}
	for header := range present.byHeader {
		if set.byHeader[header] == nil {
			set.generation = present.generation + 1
		}
	}
	var err error
	set.jwks, set.etag, err = jwksOf(open)
	return set, err
}

// open returns the key that is open already, or opens it.
func (s *keySet) open(stored StoredKey, by *Settings) (*key, error) {
	k := s.byHeader[headerOf(stored.Algorithm, stored.ID)]
	if k != nil && bytes.Equal(k.stored.Sealed, stored.Sealed) && bytes.Equal(k.stored.Public, stored.Public) {
		return k, nil
	}
	return by.openKey(stored)
}

// JWKS returns the public halves of all keys as a JSON Web Key Set
// (RFC 7517 §5), with its entity tag, quotes included. The bytes are shared and
// must not be changed.
func (r *Ring) JWKS() (body []byte, etag string) {
	set := r.keys.Load()
	return set.jwks, set.etag
}

// Algorithm returns the algorithm that tokens are signed with now.
func (r *Ring) Algorithm() Algorithm { return r.keys.Load().active.algorithm }

// Generation returns a number that grows whenever keys leave the ring. What
// remembers verified tokens asks it: those of an older generation have to be
// verified again.
func (r *Ring) Generation() uint64 { return r.keys.Load().generation }

// scratch is what one signing or verification needs and the next can use again.
type scratch struct {
	text   []byte
	plain  []byte
	digest [32]byte
	raw    [ecdsaLength]byte
}
