package postgres

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

// SecretUses returns when each secret of an application was last used, how many
// tokens it brought, and in which of the last [domain.UseHours]. Secrets that
// were never used are not in it.
func (s *Store) SecretUses(ctx context.Context, id domain.ClientID) (uses map[domain.SecretID]domain.SecretUse, err error) {
	const totals = `
		SELECT u.secret, u.last_used, u.tokens FROM secret_use u JOIN secret s ON s.id = u.secret
		WHERE s.client = $1`
	const hours = `
		SELECT h.secret, h.hour, h.tokens FROM secret_hour h JOIN secret s ON s.id = h.secret
		WHERE s.client = $1 ORDER BY h.hour`
	err = s.readAt(ctx, "read the use of secrets", func(ctx context.Context, c conn) error {
		uses, err = countedUses[domain.SecretID](ctx, c, totals, hours, id)
		if err == nil && len(uses) == 0 {
			return exists(ctx, c, anApplication, `SELECT 1 FROM application WHERE id = $1`, id)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return uses, nil
}

// CountUses adds to those counts, in one transaction.
func (s *Store) CountUses(ctx context.Context, uses map[domain.SecretID]domain.SecretUse) error {
	const total = `
		INSERT INTO secret_use AS u (secret, last_used, tokens) VALUES ($1, $2, $3)
		ON CONFLICT (secret) DO UPDATE SET
			last_used = greatest(u.last_used, excluded.last_used), tokens = u.tokens + excluded.tokens`
	const hour = `
		INSERT INTO secret_hour AS h (secret, hour, tokens) VALUES ($1, $2, $3)
		ON CONFLICT (secret, hour) DO UPDATE SET tokens = h.tokens + excluded.tokens`
	const forget = `DELETE FROM secret_hour WHERE hour <= $1`
	return s.changeSilently(ctx, "count the use of secrets", func(ctx context.Context, c conn) error {
		return count(ctx, c, uses, total, hour, forget)
	})
}

// CountOwnUses adds to how often applications came with a key or certificate of
// their own, in one transaction.
func (s *Store) CountOwnUses(ctx context.Context, uses map[domain.ClientID]domain.SecretUse) error {
	const total = `
		INSERT INTO application_use AS u (application, last_used, tokens) VALUES ($1, $2, $3)
		ON CONFLICT (application) DO UPDATE SET
			last_used = greatest(u.last_used, excluded.last_used), tokens = u.tokens + excluded.tokens`
	const hour = `
		INSERT INTO application_hour AS h (application, hour, tokens) VALUES ($1, $2, $3)
		ON CONFLICT (application, hour) DO UPDATE SET tokens = h.tokens + excluded.tokens`
	const forget = `DELETE FROM application_hour WHERE hour <= $1`
	return s.changeSilently(ctx, "count the use of keys", func(ctx context.Context, c conn) error {
		return count(ctx, c, uses, total, hour, forget)
	})
}

// OwnUse returns that of one application; the zero value where it never did.
func (s *Store) OwnUse(ctx context.Context, id domain.ClientID) (use domain.SecretUse, err error) {
	const totals = `SELECT application, last_used, tokens FROM application_use WHERE application = $1`
	const hours = `SELECT application, hour, tokens FROM application_hour WHERE application = $1 ORDER BY hour`
	err = s.readAt(ctx, "read the use of keys", func(ctx context.Context, c conn) error {
		found, err := countedUses[domain.ClientID](ctx, c, totals, hours, id)
		if err == nil && len(found) == 0 {
			return exists(ctx, c, anApplication, `SELECT 1 FROM application WHERE id = $1`, id)
		}
		use = found[id]
		return err
	})
	return use, err
}

// count stores a batch, and forgets the hours that are too old when its latest
// one has come. All its statements travel together: a node counts for thousands
// of secrets at once, while the others wait for their turn.
func count[K ~string](ctx context.Context, c conn, uses map[K]domain.SecretUse, total, hour, forget string) error {
	var latest int64
	batch := &pgx.Batch{}
	for _, id := range slices.Sorted(maps.Keys(uses)) {
		use := uses[id]
		batch.Queue(total, id, micros(use.LastUsed), use.Tokens)
		for _, h := range use.Hours {
			batch.Queue(hour, id, h.Hour, h.Tokens)
			latest = max(latest, h.Hour)
		}
	}
	if latest > 0 {
		batch.Queue(forget, latest-domain.UseHours)
	}
	if batch.Len() == 0 {
		return nil
	}
	return clashes("", c.SendBatch(ctx, batch).Close())
}

// countedUses reads totals and hours, by what they are of. Its second statement
// has the hours in order.
func countedUses[K ~string](ctx context.Context, c conn, totals, hours string, id domain.ClientID) (map[K]domain.SecretUse, error) {
	uses := map[K]domain.SecretUse{}
	_, err := all(ctx, c, func(row pgx.CollectableRow) (of K, err error) {
		var use domain.SecretUse
		err = row.Scan(&of, at(&use.LastUsed), &use.Tokens)
		uses[of] = use
		return of, err
	}, totals, id)
	if err != nil {
		return nil, err
	}
	_, err = all(ctx, c, func(row pgx.CollectableRow) (of K, err error) {
		var h domain.HourUse
		err = row.Scan(&of, &h.Hour, &h.Tokens)
		use := uses[of]
		use.Hours = append(use.Hours, h)
		uses[of] = use
		return of, err
	}, hours, id)
	return uses, err
}
