package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// News returns a number that is another one after each change of what nodes keep
// in memory. It is read from the database that takes changes, so that it is no
// older than the answer.
func (s *Store) News(ctx context.Context) (n int64, err error) {
	err = s.readNews(ctx, "ask for news", func(ctx context.Context, c conn) error {
		n, err = one(ctx, c, "the news", pgx.RowTo[int64], `SELECT n FROM news WHERE id = 1`)
		return err
	})
	return n, err
}

// Agree returns what the installation has under a name; the first node to ask
// says what that is.
func (s *Store) Agree(ctx context.Context, name, value string) (agreed string, err error) {
	err = s.change(ctx, "agree with the other nodes", func(ctx context.Context, c conn) error {
		err := run(ctx, c, `INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, value)
		if err != nil {
			return err
		}
		agreed, err = one(ctx, c, "this agreement", pgx.RowTo[string], `SELECT value FROM installation WHERE name = $1`, name)
		return err
	})
	return agreed, err
}

// Agreed returns what the installation has under a name; empty: nothing yet.
func (s *Store) Agreed(ctx context.Context, name string) (agreed string, err error) {
	err = s.read(ctx, "ask what the nodes agreed on", func(ctx context.Context, c conn) error {
		list, err := all(ctx, c, pgx.RowTo[string], `SELECT value FROM installation WHERE name = $1`, name)
		if len(list) > 0 {
			agreed = list[0]
		}
		return err
	})
	return agreed, err
}
