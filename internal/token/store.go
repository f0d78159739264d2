package token

import (
	"context"

	"github.com/wattgate/wattgate/internal/domain"
)

// KeyStore keeps signing keys at rest, private halves sealed.
type KeyStore interface {
	// SigningKeys lists all keys, oldest first, removed ones too.
	SigningKeys(ctx context.Context) ([]StoredKey, error)
	// ChangeSigningKeys stores what change makes of all keys, and the entries of
	// the audit log that it returns, in one transaction: keys that were not there
	// are added, changed ones updated, none is deleted. An error of change changes
	// nothing and comes back as it is. change may run twice.
	ChangeSigningKeys(ctx context.Context, change func(old []StoredKey) ([]StoredKey, []domain.Entry, error)) error
}
