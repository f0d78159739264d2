package postgres

import (
	"context"
	"reflect"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

// SigningKeys lists all keys, oldest first, removed ones too.
func (s *Store) SigningKeys(ctx context.Context) (list []token.StoredKey, err error) {
	err = s.readNews(ctx, "list the signing keys", func(ctx context.Context, c conn) error {
		list, err = signingKeys(ctx, c)
		return err
	})
	return list, err
}

func signingKeys(ctx context.Context, c conn) ([]token.StoredKey, error) {
	const sql = `
		SELECT id, algorithm, created_at, state, active_from, retired_at, removed_at, sealed, public
		FROM signing_key ORDER BY created_at, n`
	return all(ctx, c, scanKey, sql)
}

// ChangeSigningKeys stores what change makes of all keys: new ones are added,
// changed ones updated, none is deleted. Of a key that is there its name,
// algorithm, birth and public half never change.
func (s *Store) ChangeSigningKeys(ctx context.Context, change func([]token.StoredKey) ([]token.StoredKey, []domain.Entry, error)) error {
	return s.change(ctx, "change the signing keys", func(ctx context.Context, c conn) error {
		old, err := signingKeys(ctx, c)
		if err != nil {
			return err
		}
		list, entries, err := change(slices.Clone(old))
		if err != nil {
			return callers(err)
		}
		for _, k := range list {
			if err := putSigningKey(ctx, c, old, k); err != nil {
				return err
			}
		}
		for _, e := range entries {
			if err := s.record(ctx, c, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// putSigningKey adds a key, or updates it where it is among the old ones.
func putSigningKey(ctx context.Context, c conn, old []token.StoredKey, k token.StoredKey) error {
	const add = `
		INSERT INTO signing_key (id, state, active_from, retired_at, removed_at, sealed, algorithm, created_at, public)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	const update = `
		UPDATE signing_key SET state = $2, active_from = $3, retired_at = $4, removed_at = $5, sealed = $6
		WHERE id = $1`
	sealed := append([]byte{}, k.Sealed...) // none at all is an empty one, never NULL
	public := append([]byte{}, k.Public...)
	values := []any{k.ID, k.State, micros(k.ActiveFrom), micros(k.RetiredAt), micros(k.RemovedAt), sealed}
	i := slices.IndexFunc(old, func(o token.StoredKey) bool { return o.ID == k.ID })
	switch {
	case i < 0:
		return insert(ctx, c, "a key with this identifier exists", add, append(values, string(k.Algorithm), micros(k.CreatedAt), public)...)
	case reflect.DeepEqual(old[i], k):
		return nil
	}
	return run(ctx, c, update, values...)
}

func scanKey(row pgx.CollectableRow) (k token.StoredKey, err error) {
	err = row.Scan(&k.ID, &k.Algorithm, at(&k.CreatedAt), &k.State, at(&k.ActiveFrom), at(&k.RetiredAt), at(&k.RemovedAt), &k.Sealed, &k.Public)
	if len(k.Sealed) == 0 {
		k.Sealed = nil
	}
	return k, err
}
