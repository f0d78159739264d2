package sqlite

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/wattgate/wattgate/internal/domain"
)

// customers are all who may be impersonated, in memory: 24 bytes each, where
// looking one up in the file takes three times as long as signing the token. What
// was changed is read again after every transaction of ours, before anybody hears
// that it is done. Until everything has been read once the file is asked.
type customers struct {
	mu       sync.RWMutex
	read     bool
	seq      int64 // of person_changed, up to which this is true
	of       map[[16]byte]int32
	partners []domain.PartnerID
}

// impersonable are the rows; the identifier is checked by whoever adds to it.
const impersonable = ` FROM person
	WHERE customer = 1 AND staff = 0 AND disabled = 0
		AND EXISTS (SELECT 1 FROM partner WHERE partner.id = person.partner AND partner.disabled = 0)`

// ImpersonableCustomer finds a customer of the partner who is not also staff;
// neither of the two is disabled. Only the identifiers and the kind are told.
func (s *Store) ImpersonableCustomer(ctx context.Context, partner domain.PartnerID, id domain.UserID) (domain.User, error) {
	const sql = `SELECT 1` + impersonable + ` AND id = ?1 AND partner = ?2`
	if err := ctx.Err(); err != nil {
		return domain.User{}, failure(ctx, "find a customer", err)
	}
	found, known := s.customers.has(partner, id)
	if !known {
		err := s.read(ctx, "find a customer", func(conn *sqlite.Conn) error { return exists(conn, aUser, sql, id, partner) })
		if err != nil {
			return domain.User{}, err
		}
		found = true
	}
	if !found {
		return domain.User{}, failure(ctx, "find a customer", notFound(aUser))
	}
	return domain.User{ID: id, Partner: partner, Customer: true}, nil
}

// has reports whether the partner has that customer; known is false where the
// file has to be asked.
func (c *customers) has(partner domain.PartnerID, id domain.UserID) (found, known bool) {
	key, ok := keyOf(string(id))
	c.mu.RLock()
	defer c.mu.RUnlock()
	if !c.read || !ok {
		return false, false
	}
	p, found := c.of[key]
	return found && c.partners[p] == partner, true
}

// keyOf is what an identifier of a user is in few bytes, where it is written as
// ours are.
func keyOf(id string) (key [16]byte, ok bool) {
	digits, ok := strings.CutPrefix(id, "usr_")
	if !ok || len(digits) != 2*len(key) || digits != strings.ToLower(digits) {
		return key, false
	}
	var text [2 * len(key)]byte
	copy(text[:], digits)
	_, err := hex.Decode(key[:], text[:])
	return key, err == nil
}

// readCustomers reads all of them once, beside everything else.
func (s *Store) readCustomers(ctx context.Context) error {
	fresh := customers{of: map[[16]byte]int32{}}
	err := s.readAt(ctx, "read the customers", func(conn *sqlite.Conn) (err error) {
		if fresh.seq, err = lastChange(conn); err != nil {
			return err
		}
		return fresh.add(conn, `SELECT id, partner`+impersonable)
	})
	if err != nil {
		return err
	}
	return s.read(ctx, "read the customers", func(conn *sqlite.Conn) error {
		c := &s.customers
		c.mu.Lock()
		defer c.mu.Unlock()
		c.of, c.partners, c.seq = fresh.of, fresh.partners, fresh.seq
		// What was committed meanwhile has found nothing to change.
		err := c.change(conn)
		c.read = err == nil
		return err
	})
}

// keptChanges is how many rows of person_changed there are at most (migration
// 0010): enough for whatever one transaction changes, but for the largest imports.
const keptChanges = 100_000

var errTooFar = errors.New("more has changed than is kept")

// lastChange is the newest number of person_changed, 0 before the first.
func lastChange(conn *sqlite.Conn) (int64, error) {
	return one(conn, "the changes of people", scanNumber, `SELECT max(seq) FROM person_changed`)
}

// add takes in the rows of a query for id and partner.
func (c *customers) add(conn *sqlite.Conn, sql string, args ...any) error {
	return sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{Args: args, ResultFunc: func(row *sqlite.Stmt) error {
		key, ok := keyOf(row.ColumnText(0))
		if !ok {
			return nil // no such identifier is asked for here either
		}
		partner := domain.PartnerID(row.ColumnText(1))
		p := slices.Index(c.partners, partner)
		if p < 0 {
			p = len(c.partners)
			c.partners = append(c.partners, partner)
		}
		c.of[key] = int32(p)
		return nil
	}})
}

// follow reads again what has changed. The lock is held meanwhile: whoever asks
// now gets to know what is committed now. Where it fails, the file is asked from
// then on: that is slower, and as right.
func (c *customers) follow(conn *sqlite.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read = c.read && c.change(conn) == nil
}

func (c *customers) change(conn *sqlite.Conn) error {
	last, err := lastChange(conn)
	if err != nil || last == c.seq {
		return err
	}
	if last-c.seq > keptChanges {
		return errTooFar
	}
	changed, err := all(conn, func(row *sqlite.Stmt) (string, error) { return row.ColumnText(0), nil },
		`SELECT DISTINCT id FROM person_changed WHERE seq > ?1 AND seq <= ?2`, c.seq, last)
	if err != nil {
		return err
	}
	for _, id := range changed {
		if err := c.again(conn, id); err != nil {
			return err
		}
	}
	c.seq = last
	return nil
}

// again reads one person, or all people of a partner.
func (c *customers) again(conn *sqlite.Conn, id string) error {
	if key, ok := keyOf(id); ok {
		delete(c.of, key)
		return c.add(conn, `SELECT id, partner`+impersonable+` AND id = ?1`, id)
	}
	if p := slices.Index(c.partners, domain.PartnerID(id)); p >= 0 {
		for key, of := range c.of {
			if of == int32(p) {
				delete(c.of, key)
			}
		}
	}
	return c.add(conn, `SELECT id, partner`+impersonable+` AND partner = ?1`, id)
}
