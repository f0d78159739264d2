// Package registry answers one question: which applications, partners, users
// and roles are there?
package registry

import (
	"context"
	"fmt"
	"io"
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
	Now         func() time.Time
	Chance      io.Reader

	picture atomic.Pointer[domain.Directory]
	refresh sync.Mutex
	uses    uses
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
	d, err := r.Store.Directory(ctx)
	if err != nil {
		return fmt.Errorf("read the directory: %w", err)
	}
	r.picture.Store(d)
	return nil
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
