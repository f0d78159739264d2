// Package registry answers one question: which applications, partners, users
// and roles are there?
package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/secret"
)

// Registry changes what there is, and holds the present picture of it for the
// token path. A change has taken effect on this node when it returns.
type Registry struct {
	Store       Store
	Pepper      secret.Pepper
	Environment secret.Environment
	Passwords   *secret.Passwords
	Denied      DenyList // of this node; nil: there is none
	Now         func() time.Time
	Chance      io.Reader
	// Lead is how long other nodes may go on issuing tokens before they hear of a
	// revocation, and how far their clocks may be apart: a revocation reaches that
	// far ahead. 0: there are no other nodes.
	Lead time.Duration
	// Mark is when the latest token was issued, whatever the clock says now.
	Mark Mark

	picture atomic.Pointer[domain.Directory]
	refresh sync.Mutex
	uses    uses
	flush   sync.Mutex // one at a time
	stored  int64      // of the mark; microseconds
	stale   atomic.Bool
}

// DenyList is what refuses tokens on this node.
type DenyList interface {
	Add(r domain.Revocation, now time.Time)
}

// By says who makes a change and from where, for the audit log.
type By struct {
	User   domain.UserID // a member of staff, where one acts
	Means  string        // the permission that allows it, or: command line
	Origin domain.Origin
}

// Directory returns the present picture. It is never nil after [Registry.Refresh].
func (r *Registry) Directory() *domain.Directory { return r.picture.Load() }

// Refresh reads the picture anew. Two at once read one after the other, so that
// an older picture never replaces a newer one.
func (r *Registry) Refresh(ctx context.Context) error {
	r.refresh.Lock()
	defer r.refresh.Unlock()
	return r.reload(ctx)
}

func (r *Registry) reload(ctx context.Context) error {
	d, err := r.Store.Directory(ctx)
	if err != nil {
		return fmt.Errorf("read the directory: %w", err)
	}
	// In this order: who has the new picture and an instant from before gets a
	// token that is dead already, and never one of the old picture that is alive.
	r.picture.Store(d)
	r.reachMarks(d)
	r.stale.Store(false)
	return nil
}

// Stale reports whether a change could not be followed by a new picture, so that
// the present one still holds applications back.
func (r *Registry) Stale() bool { return r.stale.Load() }

// maxChange bounds how long a change may wait for other nodes: a revocation
// reaches ahead from when it was decided.
const maxChange = 5 * time.Second

// ending runs a change that ends tokens of the applications that it is about.
// While it is under way none of them gets a token: the picture says so before
// the instant up to which tokens are dead is taken, and every token's own
// instant was taken before its picture was looked at ([domain.Origin]). So a
// token made with what is being ended always has an instant that is dead. That
// instant may be ahead of the clock ([Mark]).
func (r *Registry) ending(ctx context.Context, about func(*domain.Listing) bool, change func(ctx context.Context, dead time.Time) error) error {
	return r.endingFor(ctx, about, "", change)
}

// endingFor is ending for a change that also ends what customers of a partner get
// by logging in by themselves: none of them gets anything meanwhile.
func (r *Registry) endingFor(ctx context.Context, about func(*domain.Listing) bool, partner domain.PartnerID, change func(ctx context.Context, dead time.Time) error) error {
	r.refresh.Lock()
	defer r.refresh.Unlock()
	now := r.picture.Load()
	held := &domain.Directory{Applications: maps.Clone(now.Applications), Revoked: now.Revoked, Partners: now.Partners, Roles: now.Roles}
	if partner != "" {
		held.Partners = maps.Clone(now.Partners)
		if held.Partners == nil {
			held.Partners = map[domain.PartnerID]domain.PartnerStanding{}
		}
		hold := held.Partners[partner]
		hold.Held = true
		held.Partners[partner] = hold
	}
	for id, app := range now.Applications {
		if about(app) {
			hold := *app
			hold.Held = true
			held.Applications[id] = &hold
		}
	}
	r.picture.Store(held)
	r.stale.Store(true)
	err := r.decide(ctx, change)
	return errors.Join(err, r.reload(context.WithoutCancel(ctx)))
}

// decide takes the instant up to which tokens are dead, and makes the change.
// Where there are other nodes that is beyond all that any of them has issued or
// will issue before it hears of this, and the change is given up rather than
// made too late for that.
func (r *Registry) decide(ctx context.Context, change func(ctx context.Context, dead time.Time) error) error {
	if r.Lead == 0 {
		return change(ctx, r.Mark.end(r.Now()))
	}
	ctx, cancel := context.WithTimeout(ctx, maxChange)
	defer cancel()
	now := r.Now()
	issued, err := r.Store.Mark(ctx)
	if err != nil {
		return err
	}
	if issued.After(now) { // by a clock that is ahead, or was
		now = issued
	}
	return change(ctx, r.Mark.end(now.Add(r.Lead)))
}

// entry starts an entry of the audit log.
func (r *Registry) entry(by By, action, object string, partner domain.PartnerID, detail string) domain.Entry {
	return domain.Entry{
		ID: domain.NewEntryID(r.Now(), r.Chance), At: r.Now(), Action: action, Object: object, Partner: partner,
		User: by.User, By: by.Means, RequestID: by.Origin.RequestID, Address: by.Origin.Address, Detail: detail,
	}
}

// invalid is the caller's mistake, in a sentence.
func invalid(format string, args ...any) error {
	return &domain.Error{Kind: domain.Invalid, Public: fmt.Sprintf(format, args...)}
}
