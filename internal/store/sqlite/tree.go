package sqlite

import (
	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/audit"
)

// tree is the right edge of the audit log's tree, kept from one entry to the
// next so that an entry costs one statement. Only the goroutine that writes
// knows it, and forgets it as soon as anything went another way than forward.
type tree struct {
	known   bool
	version int64 // of the database: another one means that somebody else wrote
	size    int64
	// foreign looks at what others may have done to the database; nil: nobody can.
	foreign func(*sqlite.Conn) error
	edge    [64]audit.Hash // by level: the newest subtree that is complete
	newest  [64]int64      // its number among those of the level
}

// begin forgets the edge where another connection has changed the database.
func (t *tree) begin(conn *sqlite.Conn) error {
	version, err := one(conn, "the database", scanNumber, `PRAGMA data_version`)
	if err != nil {
		return err
	}
	if version != t.version {
		t.forget()
		if t.foreign != nil {
			if err := t.foreign(conn); err != nil {
				return err
			}
		}
		t.version = version
	}
	return nil
}

func (t *tree) forget() { t.known, t.size, t.newest = false, 0, [64]int64{} }

// length is how many entries there are.
func (t *tree) length(conn *sqlite.Conn) (int64, error) {
	if t.known {
		return t.size, nil
	}
	return auditSize(conn)
}

// hashes are earlier hashes of the tree, by their index.
func (t *tree) hashes(conn *sqlite.Conn, indexes []int64) ([]audit.Hash, error) {
	list := make([]audit.Hash, len(indexes))
	for i, index := range indexes {
		number, level := audit.Place(index)
		// number is that of the entry that completed the subtree.
		if t.known && t.newest[level] == (number+1)>>level {
			list[i] = t.edge[level]
			continue
		}
		read, err := auditHashes(conn, indexes[i:i+1])
		if err != nil {
			return nil, err
		}
		list[i] = read[0]
	}
	return list, nil
}

// grown keeps what the entry of a number, from 0, has completed.
func (t *tree) grown(number int64, done []audit.Hash) {
	if !t.known {
		t.forget()
	}
	t.known, t.size = true, number+1
	for level, h := range done {
		t.edge[level], t.newest[level] = h, (number+1)>>level
	}
}
