package postgres

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/audit"
)

// tree is the right edge of the audit log's tree, kept from one entry to the
// next so that an entry costs one statement. Other nodes put entries into the
// same log: in each transaction the edge is held against the newest entry before
// the first one follows it. Whoever appends holds the lock of all changes, so
// that nothing comes in between until the end of the transaction.
type tree struct {
	known bool
	size  int64
	edge  [maxLevels]audit.Hash // by level: the newest subtree that is complete
	node  [maxLevels]int64      // its number among those of the level
	// foreign looks at what others may have done to the database; nil: nobody looks.
	foreign *guard

	pending pgx.Batch // entries that the writer has not sent yet

	mu sync.Mutex
	tx conn // of the writer's batch: whoever appends in another one has a tree of its own
}

// maxLevels is more than a tree can have whose entries are counted in an int64.
const maxLevels = 64

// begin is told of the transaction in which the writer appends from now on.
func (t *tree) begin(_ context.Context, c conn) error {
	t.mu.Lock()
	t.tx = c
	t.mu.Unlock()
	t.known, t.pending = false, pgx.Batch{}
	return nil
}

// forget makes the next entry look at the newest one again, and at all others
// that it needs. What was not sent is given up.
func (t *tree) forget() {
	t.known, t.size, t.node, t.pending = false, 0, [maxLevels]int64{}, pgx.Batch{}
}

// of returns the tree for a transaction: this one for the writer's batch, a new
// one beside it.
func (t *tree) of(c conn) *tree {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tx == c {
		return t
	}
	return &tree{foreign: t.foreign}
}

// look takes the lock, finds out how many entries there are and whether the edge
// is still theirs. All of it is one message: each statement sees what was
// committed when it began, and the first waits for those who append before us.
func (t *tree) look(ctx context.Context, c conn) error {
	const newest = `SELECT seq, hashes FROM audit_log ORDER BY seq DESC LIMIT 1`
	if t.known {
		return nil
	}
	var b pgx.Batch
	b.Queue(takeTurn)
	var last []node
	b.Queue(newest).Query(func(rows pgx.Rows) (err error) {
		last, err = pgx.CollectRows(rows, scanNode)
		return err
	})
	if t.foreign != nil && t.foreign.due() {
		t.foreign.queue(&b)
	}
	if err := c.SendBatch(ctx, &b).Close(); err != nil {
		return err
	}
	if len(last) == 0 {
		t.forget()
	} else {
		t.follow(last[0])
	}
	t.known = true
	return nil
}

// flush sends the entries that are pending, all in one message. Nobody reads them
// before: what the next one needs of them is at the edge.
func (t *tree) flush(ctx context.Context, c conn) error {
	if t.pending.Len() == 0 {
		return nil
	}
	b := t.pending
	t.pending = pgx.Batch{}
	return clashes("this entry of the audit log exists", c.SendBatch(ctx, &b).Close())
}

// takeTurn waits until no other transaction changes identity or appends.
var takeTurn = fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", changesLock)

// follow keeps the edge where it is that of the newest entry, and forgets all
// but that otherwise.
func (t *tree) follow(last node) {
	same := t.size == last.seq
	for level, h := range last.hashes {
		same = same && t.edge[level] == h && t.node[level] == last.seq>>level
	}
	if !same {
		t.forget()
		t.grown(last.seq-1, last.hashes)
	}
}

// hashes are earlier hashes of the tree, by their index.
func (t *tree) hashes(ctx context.Context, c conn, indexes []int64) ([]audit.Hash, error) {
	list := make([]audit.Hash, len(indexes))
	var missing, places []int64
	for i, index := range indexes {
		number, level := audit.Place(index)
		// number is that of the entry that completed the subtree.
		if t.node[level] == (number+1)>>level {
			list[i] = t.edge[level]
			continue
		}
		missing, places = append(missing, index), append(places, int64(i))
	}
	if len(missing) == 0 {
		return list, nil
	}
	read, err := auditHashes(ctx, c, missing)
	if err != nil {
		return nil, err
	}
	for i, place := range places {
		list[place] = read[i]
	}
	return list, nil
}

// grown keeps what the entry of a number, from 0, has completed.
func (t *tree) grown(number int64, done []audit.Hash) {
	t.size = number + 1
	for level, h := range done {
		t.edge[level], t.node[level] = h, (number+1)>>level
	}
}
