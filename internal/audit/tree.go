package audit

import (
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// tree is the right edge of a growing tree: the roots of its perfect subtrees,
// the largest first. That is all that it takes to go on and to say the root.
type tree struct {
	size int64
	edge []Hash
}

// add puts a leaf at the end. It returns what it completed: the leaf and the
// subtrees, smaller ones first, the last of which is now at the edge.
func (t *tree) add(leaf Hash) []Hash {
	done := []Hash{leaf}
	for range bits.TrailingZeros64(^uint64(t.size)) {
		leaf = tlog.NodeHash(t.edge[len(t.edge)-1], leaf)
		t.edge = t.edge[:len(t.edge)-1]
		done = append(done, leaf)
	}
	t.edge = append(t.edge, leaf)
	t.size++
	return done
}

// root returns the root (RFC 6962 §2.1).
func (t *tree) root() Hash {
	if len(t.edge) == 0 {
		empty, _ := tlog.TreeHash(0, nil) // reads nothing
		return empty
	}
	h := t.edge[len(t.edge)-1]
	for i := len(t.edge) - 2; i >= 0; i-- {
		h = tlog.NodeHash(t.edge[i], h)
	}
	return h
}
