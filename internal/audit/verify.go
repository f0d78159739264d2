package audit

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Report says what came of a verification.
type Report struct {
	Size        int64   // entries
	Root        Hash    // reproduced from the entries
	Checkpoints int     // that were reproduced
	Vouched     int64   // how many entries the newest of them is about
	Faults      []Fault // none: nobody has touched the log
	More        int     // faults that are not listed
}

// Fault is something that is not as it was recorded.
type Fault struct {
	Number  int64 // the entry, from 0; the first one where it is about several
	Problem string
}

// maxFaults bounds the list: a rewritten log is one finding and not a million.
const maxFaults = 100

// page is how many entries are read at once.
const page = 1000

// Verify reproduces the tree from every entry and holds it against the hashes
// stored beside them and against the checkpoints. Entries that are recorded
// meanwhile are left for the next time, so the checkpoints must have been read
// before.
//
// The instants of entries are not expected to ascend: an import has that of its
// beginning, acts at the same time overtake each other, and clocks are set.
func Verify(ctx context.Context, log Log, checkpoints []Checkpoint) (*Report, error) {
	size, err := log.AuditSize(ctx)
	if err != nil {
		return nil, err
	}
	checkpoints = slices.SortedFunc(slices.Values(checkpoints), func(a, b Checkpoint) int { return cmp.Compare(a.Size, b.Size) })
	v := &verifier{report: &Report{Size: size}, witness: checkpoints}
	v.hold()
	for v.seen < size {
		leaves, err := log.AuditLeaves(ctx, Filter{First: v.next, Limit: page})
		if err != nil {
			return nil, err
		}
		if len(leaves) == 0 || leaves[len(leaves)-1].Number < v.next { // numbers below the first one lead nowhere
			break
		}
		for _, l := range leaves[:min(int64(len(leaves)), size-v.seen)] {
			v.leaf(l)
		}
	}
	v.end()
	return v.report, nil
}

// verifier goes through the entries once, with two trees: one of what the
// entries say, for the root, and one of what is stored beside them, so that
// what does not fit is found where it is and not in everything after it.
type verifier struct {
	report  *Report
	witness []Checkpoint // that are still to come
	vouched int64        // size of the last that was reproduced
	seen    int64        // entries
	next    int64        // the number to come
	broken  bool         // an entry is missing: there is no tree of what follows
	failed  bool         // a checkpoint was not reproduced: none after it can be
	said    tree
	kept    tree
}

func (v *verifier) fault(number int64, format string, args ...any) {
	if len(v.report.Faults) == maxFaults {
		v.report.More++
		return
	}
	v.report.Faults = append(v.report.Faults, Fault{number, fmt.Sprintf(format, args...)})
}

// leaf takes the next entry.
func (v *verifier) leaf(l Leaf) {
	switch {
	case l.Number == v.next+1:
		v.fault(v.next, "entry %d is missing", v.next)
	case l.Number > v.next:
		v.fault(v.next, "the entries %d to %d are missing", v.next, l.Number-1)
	case l.Number < v.next:
		v.fault(l.Number, "an entry has the number %d where %d was expected", l.Number, v.next)
	}
	v.broken = v.broken || l.Number != v.next
	v.seen++
	v.next = max(v.next, l.Number+1)
	hash := LeafHash(l.Entry)
	if len(l.Hashes) == 0 || l.Hashes[0] != hash {
		v.fault(l.Number, "entry %d (%s) is not what was recorded", l.Number, l.Entry.ID)
	}
	if v.broken {
		return
	}
	v.said.add(hash)
	v.inner(l, hash)
	v.hold()
}

// inner holds the stored hashes of inner nodes against those below them.
func (v *verifier) inner(l Leaf, hash Hash) {
	if len(l.Hashes) > 0 {
		hash = l.Hashes[0]
	}
	done := v.kept.add(hash)
	if len(done) != len(l.Hashes) {
		v.fault(l.Number, "entry %d has %d hashes where %d belong", l.Number, len(l.Hashes), len(done))
		return
	}
	for level := 1; level < len(done); level++ {
		if done[level] != l.Hashes[level] {
			v.fault(l.Number+1-1<<level, "a hash over the entries %d to %d does not fit them", l.Number+1-1<<level, l.Number)
			// The larger subtrees may fit what is stored; go on with that.
			v.kept.edge[len(v.kept.edge)-1] = l.Hashes[len(done)-1]
			return
		}
	}
}

// hold compares the root with the checkpoints of this size.
func (v *verifier) hold() {
	for len(v.witness) > 0 && v.witness[0].Size == v.said.size {
		c := v.witness[0]
		v.witness = v.witness[1:]
		if v.failed {
			continue
		}
		if c.Root != v.said.root() {
			v.failed = true
			v.fault(v.vouched, "something among the entries %d to %d is not what the checkpoint of %s vouches for", v.vouched, c.Size-1, c.At.Format("2006-01-02 15:04:05Z"))
			continue
		}
		v.vouched = c.Size
		v.report.Checkpoints++
	}
}

// end notes what should have come, and did not.
func (v *verifier) end() {
	v.report.Root, v.report.Vouched = v.said.root(), v.vouched
	if v.broken {
		return
	}
	if v.seen < v.report.Size {
		v.fault(v.seen, "the log has %d entries, and %d can be read", v.report.Size, v.seen)
	}
	if len(v.witness) > 0 {
		c := v.witness[len(v.witness)-1]
		v.fault(v.said.size, "the log ends after %d entries, and the checkpoint of %s vouches for %d: the entries %d to %d are missing",
			v.said.size, c.At.Format("2006-01-02 15:04:05Z"), c.Size, v.said.size, c.Size-1)
	}
}
