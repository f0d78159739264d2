package token

import "context"

// KeyStore keeps signing keys at rest, private halves sealed.
type KeyStore interface {
	// SigningKeys lists all keys, oldest first.
	SigningKeys(ctx context.Context) ([]StoredKey, error)
	// AddSigningKey adds a key.
	AddSigningKey(ctx context.Context, k StoredKey) error
}
