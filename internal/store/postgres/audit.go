package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/audit"
	"github.com/wattgate/wattgate/internal/domain"
)

const (
	entryColumns = `id, at, action, partner, client, person, object, allowed_by, request_id, address, detail`
	hashSize     = len(audit.Hash{})
)

// Record adds an entry to the audit log; it is durable when Record returns.
// Many at once share one write to the disk.
func (s *Store) Record(ctx context.Context, e domain.Entry) error {
	return s.Recording(ctx, e)()
}

// Recording is Record, for whoever has something else to do meanwhile.
func (s *Store) Recording(ctx context.Context, e domain.Entry) (durable func() error) {
	j := newJob(ctx, func(ctx context.Context, c conn) error { return s.record(ctx, c, e) }, silent)
	err := s.writer.submit(j)
	return func() error {
		if err == nil {
			err = s.writer.await(j)
		}
		return failure(ctx, "record an act", err)
	}
}

// record is part of the transaction of the act. It puts the entry at the end of
// the log and of the tree; the writer sends the entries of a batch together. In a
// transaction beside the writer's it waits for its turn, and all others then wait
// for the end of that transaction: whoever takes long records last.
func (s *Store) record(ctx context.Context, c conn, e domain.Entry) error {
	const sql = `
		INSERT INTO audit_log (seq, ` + entryColumns + `, hashes)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`
	if e.ID == "" {
		return errors.New("an entry of the audit log needs an identifier")
	}
	e.Address = s.alias(e.Address)
	e = storable(e)
	t := s.tree.of(c)
	if err := t.look(ctx, c); err != nil {
		return err
	}
	number := t.size
	hashes, err := audit.Grow(number, e, func(indexes []int64) ([]audit.Hash, error) { return t.hashes(ctx, c, indexes) })
	if err != nil {
		return err
	}
	stored := make([]byte, 0, len(hashes)*hashSize)
	for _, h := range hashes {
		stored = append(stored, h[:]...)
	}
	t.pending.Queue(sql,
		number+1, e.ID, micros(e.At), e.Action, e.Partner, e.Client, e.User, e.Object, e.By, e.RequestID, e.Address, e.Detail, stored).Exec(kept)
	t.grown(number, hashes)
	if t != &s.tree {
		return t.flush(ctx, c)
	}
	return nil
}

// storable replaces what PostgreSQL stores in no text. An act is recorded
// whatever somebody has written into a name, and the hash is about what is
// stored.
func storable(e domain.Entry) domain.Entry {
	for _, text := range []*string{&e.ID, &e.Action, (*string)(&e.Partner), (*string)(&e.Client), (*string)(&e.User), &e.Object, &e.By, &e.RequestID, &e.Address, &e.Detail} {
		*text = strings.ReplaceAll(strings.ToValidUTF8(*text, "\uFFFD"), "\x00", "\uFFFD")
	}
	return e
}

// Entries returns up to limit entries in the order of recording: from the
// beginning, or those that follow the entry with the identifier after.
func (s *Store) Entries(ctx context.Context, after string, limit int) (list []domain.Entry, err error) {
	const sql = `SELECT ` + entryColumns + ` FROM audit_log WHERE seq > $1 ORDER BY seq LIMIT $2`
	const place = `SELECT seq FROM audit_log WHERE id = $1`
	err = s.readAt(ctx, "read the audit log", func(ctx context.Context, c conn) error {
		seq := int64(0)
		if after != "" {
			seq, err = one(ctx, c, "this entry", scanNumber, place, after)
			if err != nil {
				return err
			}
		}
		list, err = all(ctx, c, scanEntry, sql, seq, limit)
		return err
	})
	return list, err
}

// AuditSize returns how many entries there are.
func (s *Store) AuditSize(ctx context.Context) (size int64, err error) {
	err = s.read(ctx, "measure the audit log", func(ctx context.Context, c conn) error {
		size, err = one(ctx, c, "the audit log", scanNumber, `SELECT max(seq) FROM audit_log`) // NULL reads as 0
		return err
	})
	return size, err
}

// AuditHashes returns hashes of the tree by their index.
func (s *Store) AuditHashes(ctx context.Context, indexes []int64) (list []audit.Hash, err error) {
	err = s.read(ctx, "read the tree of the audit log", func(ctx context.Context, c conn) error {
		list, err = auditHashes(ctx, c, indexes)
		return err
	})
	return list, err
}

// auditHashes reads them with one statement: each lies with the entry that
// completed its subtree.
func auditHashes(ctx context.Context, c conn, indexes []int64) ([]audit.Hash, error) {
	numbers := make([]int64, len(indexes))
	for i, index := range indexes {
		number, _ := audit.Place(index)
		numbers[i] = number + 1
	}
	read, err := all(ctx, c, scanNode, `SELECT seq, hashes FROM audit_log WHERE seq = ANY ($1)`, numbers)
	if err != nil {
		return nil, err
	}
	bySeq := make(map[int64][]audit.Hash, len(read))
	for _, n := range read {
		bySeq[n.seq] = n.hashes
	}
	list := make([]audit.Hash, len(indexes))
	for i, index := range indexes {
		number, level := audit.Place(index)
		hashes := bySeq[number+1]
		if level >= len(hashes) {
			return nil, stored(fmt.Errorf("entry %d of the audit log has %d hashes, and one of level %d is asked for", number, len(hashes), level))
		}
		list[i] = hashes[level]
	}
	return list, nil
}

// AuditLeaves returns entries in the order of recording. In the pattern for
// actions * and ? stand for others; classes of letters are not known here.
func (s *Store) AuditLeaves(ctx context.Context, f audit.Filter) (list []audit.Leaf, err error) {
	const columns = entryColumns + `, seq, hashes`
	const chosen = `
		FROM audit_log WHERE seq > $1
		AND ($2 = '' OR action LIKE $2) AND ($3 = '' OR partner = $3)
		AND ($4 = '' OR client = $4 OR object = $4) AND ($5 = '' OR person = $5 OR object = $5)
		AND ($6 = '' OR object = $6) AND ($7 = '' OR address = $7)
		AND ($8::bigint = 0 OR at >= $8) AND ($9::bigint = 0 OR at < $9) AND ($11::bigint = 0 OR seq <= $11)`
	sql := `SELECT ` + columns + chosen + ` ORDER BY seq LIMIT $10`
	if f.Newest {
		sql = `SELECT * FROM (SELECT ` + columns + chosen + ` ORDER BY seq DESC LIMIT $10) AS newest ORDER BY seq`
	}
	err = s.read(ctx, "read the audit log", func(ctx context.Context, c conn) error {
		list, err = all(ctx, c, scanLeaf, sql,
			f.First, like(f.Action), f.Partner, f.Client, f.User, f.Object, f.Address, micros(f.From), micros(f.To), f.Limit, f.Before)
		return err
	})
	return list, err
}

// like writes a glob pattern as one of LIKE.
func like(glob string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`, `*`, `%`, `?`, `_`).Replace(glob)
}

func scanLeaf(row pgx.CollectableRow) (l audit.Leaf, err error) {
	var hashes []byte
	err = row.Scan(append(entryFields(&l.Entry), &l.Number, &hashes)...)
	l.Number--
	l.Hashes = parseHashes(hashes)
	return l, err
}

// node is an entry's place in the tree: its number from 1, and the hashes that it
// completed.
type node struct {
	seq    int64
	hashes []audit.Hash
}

func scanNode(row pgx.CollectableRow) (n node, err error) {
	var hashes []byte
	err = row.Scan(&n.seq, &hashes)
	n.hashes = parseHashes(hashes)
	n.hashes = n.hashes[:min(len(n.hashes), maxLevels)]
	return n, err
}

// parseHashes reads the hashes of an entry; none where they are not whole.
func parseHashes(b []byte) []audit.Hash {
	if len(b)%hashSize != 0 {
		return nil
	}
	list := make([]audit.Hash, len(b)/hashSize)
	for i := range list {
		list[i] = audit.Hash(b[i*hashSize:])
	}
	return list
}

func scanEntry(row pgx.CollectableRow) (e domain.Entry, err error) {
	err = row.Scan(entryFields(&e)...)
	return e, err
}

// entryFields are where the columns of an entry go.
func entryFields(e *domain.Entry) []any {
	return []any{&e.ID, at(&e.At), &e.Action, &e.Partner, &e.Client, &e.User, &e.Object, &e.By, &e.RequestID, &e.Address, &e.Detail}
}
