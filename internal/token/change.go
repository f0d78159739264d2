package token

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Change is one step of one key, as the audit log names it.
type Change struct {
	Action string // key.publish, key.activate, key.retire or key.drop
	Key    StoredKey
}

// The actions of changes.
const (
	actionPublish  = "key.publish"
	actionActivate = "key.activate"
	actionRetire   = "key.retire"
	actionDrop     = "key.drop"
)

// changesOf lists what is different, in the order of the keys. A key that is
// active from its first moment was published and activated.
func changesOf(old, next []StoredKey) []Change {
	var list []Change
	for i, k := range next {
		was := ""
		if i < len(old) {
			was = old[i].State
		}
		if was == k.State {
			continue
		}
		if was == "" {
			list = append(list, Change{actionPublish, k})
		}
		switch k.State {
		case Active:
			list = append(list, Change{actionActivate, k})
		case Retired:
			list = append(list, Change{actionRetire, k})
		case Removed:
			list = append(list, Change{actionDrop, k})
		}
	}
	return list
}

// detail says for the audit log what a change means.
func (c Change) detail() string {
	at := func(what string, t time.Time) string {
		return string(c.Key.Algorithm) + ", " + what + " " + t.UTC().Format(time.RFC3339)
	}
	switch c.Action {
	case actionPublish:
		return at("signs from", c.Key.ActiveFrom)
	case actionRetire:
		return at("removed after", c.Key.RemovedAt)
	}
	return string(c.Key.Algorithm)
}

// Step does what the policy demands by now, and returns what it changed. Where
// that is nothing it asks no store. as is who does it, for the audit log.
func (r *Ring) Step(ctx context.Context, as domain.Entry) ([]Change, error) {
	stored := r.keys.Load().stored
	if len(changesOf(stored, r.settings.Policy.Next(stored, r.settings.Now()))) == 0 {
		return nil, nil
	}
	return r.change(ctx, as, r.settings.Policy.Next)
}

// Rotate publishes a new key, which signs when its time has come. If one is
// published already it changes nothing.
func (r *Ring) Rotate(ctx context.Context, as domain.Entry) ([]Change, error) {
	return r.change(ctx, as, r.settings.Policy.Rotate)
}

// RotateNow makes a new key that signs at once, and removes all others: every
// token there is dies. Verifiers that cache JWKS do not know the new key, and
// still believe the old ones, until they fetch it again.
func (r *Ring) RotateNow(ctx context.Context, as domain.Entry) ([]Change, error) {
	return r.change(ctx, as, r.settings.Policy.RotateNow)
}

// change stores what decide makes of the keys and then puts it into use. The
// new picture is complete before it is stored, so that nothing can fail between.
func (r *Ring) change(ctx context.Context, as domain.Entry, decide func([]StoredKey, time.Time) []StoredKey) ([]Change, error) {
	r.changing.Lock()
	defer r.changing.Unlock()
	now := r.settings.Now().UTC().Truncate(time.Microsecond) // as stores keep it
	var set *keySet
	var changes []Change
	fresh := &maker{ring: r, now: now}
	// Drawing an RSA key takes long: not within the transaction, as far as can be known before.
	if _, err := fresh.fill(decide(r.keys.Load().stored, now)); err != nil {
		return nil, err
	}
	err := r.settings.Store.ChangeSigningKeys(ctx, func(old []StoredKey) ([]StoredKey, []domain.Entry, error) {
		next, err := fresh.fill(decide(old, now))
		if err != nil {
			return nil, nil, err
		}
		if set, err = r.setOf(next); err != nil {
			return nil, nil, err
		}
		changes = changesOf(old, next)
		return next, r.entries(as, changes), nil
	})
	if err == nil && set == nil {
		err = errors.New("the store changed nothing")
	}
	if err != nil {
		return nil, fmt.Errorf("token: change the signing keys: %w", err)
	}
	r.keys.Store(set)
	return changes, nil
}

func (r *Ring) entries(as domain.Entry, changes []Change) []domain.Entry {
	list := make([]domain.Entry, len(changes))
	for i, c := range changes {
		e := as
		e.At = r.settings.Now()
		e.ID, e.Action, e.Object, e.Detail = domain.NewEntryID(e.At, r.settings.Chance), c.Action, c.Key.ID, c.detail()
		list[i] = e
	}
	return list
}

// maker makes the keys that a decision wants, each of them once, however often
// the decision is taken.
type maker struct {
	ring *Ring
	now  time.Time
	made []StoredKey
}

// fill puts keys where there are none yet.
func (m *maker) fill(keys []StoredKey) ([]StoredKey, error) {
	keys, used := slices.Clone(keys), 0
	for i := range keys {
		k := &keys[i]
		if k.ID != "" {
			continue
		}
		if used == len(m.made) {
			s := m.ring.settings
			made, err := newStoredKey(k.Algorithm, m.now, s.Chance, s.Cipher)
			if err != nil {
				return nil, fmt.Errorf("token: make a signing key: %w", err)
			}
			m.made = append(m.made, made)
		}
		made := m.made[used]
		k.ID, k.Sealed, k.Public = made.ID, made.Sealed, made.Public
		used++
	}
	return keys, nil
}
