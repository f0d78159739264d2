package audit

import (
	"context"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/wattgate/wattgate/internal/domain"
)

// Hash is the hash of a leaf or of an inner node of the tree: SHA-256.
type Hash = tlog.Hash

// Leaf is an entry at its place in the log.
type Leaf struct {
	Number int64 // from 0, without a gap
	Entry  domain.Entry
	// Hashes are those stored with the entry: its own, and those of the perfect
	// subtrees that it completes, smaller ones first.
	Hashes []Hash
}

// Log is the stored log.
type Log interface {
	// AuditSize returns how many entries there are.
	AuditSize(ctx context.Context) (int64, error)
	// AuditHashes returns stored hashes by their index (tlog.StoredHashIndex).
	AuditHashes(ctx context.Context, indexes []int64) ([]Hash, error)
	// AuditLeaves returns the entries that a filter lets through, in the order
	// of recording.
	AuditLeaves(ctx context.Context, f Filter) ([]Leaf, error)
}

// Filter chooses entries. What is empty lets everything through.
type Filter struct {
	Action  string // a glob pattern: user.*
	Partner domain.PartnerID
	Client  domain.ClientID // as who acts or as the object
	User    domain.UserID   // as who acts or as the object
	Object  string
	Address string    // as it stands in the log: a pseudonym
	From    time.Time // at or after
	To      time.Time // before
	First   int64     // the number at which to begin
	Before  int64     // the number before which to end; 0: at the newest
	Newest  bool      // of those let through the last ones, otherwise the first
	Limit   int       // at most so many; it must be given
}

// version names the canonical form. A change of the form is another version:
// the hashes of what is stored stay as they are.
const version = "wattgate audit entry 1\n"

// Canonical returns the bytes that the hash of an entry is about: the version,
// and each field as its length in bytes, a colon, its bytes and a line feed. The
// instant is in microseconds since 1970, 0 for none.
func Canonical(e domain.Entry) []byte {
	at := int64(0)
	if !e.At.IsZero() {
		at = e.At.UnixMicro()
	}
	b := make([]byte, 0, 512)
	b = append(b, version...)
	for _, field := range [...]string{
		e.ID, strconv.FormatInt(at, 10), e.Action, string(e.Partner), string(e.Client), string(e.User), e.Object,
		e.By, e.RequestID, e.Address, e.Detail,
	} {
		b = strconv.AppendInt(b, int64(len(field)), 10)
		b = append(b, ':')
		b = append(b, field...)
		b = append(b, '\n')
	}
	return b
}

// LeafHash returns the hash of an entry (RFC 6962 §2.1).
func LeafHash(e domain.Entry) Hash { return tlog.RecordHash(Canonical(e)) }

// Grow returns the hashes that are stored with an entry when it becomes the one
// with the given number. It reads as many earlier ones as subtrees are
// completed: one on average, and never more than the logarithm of the number.
func Grow(number int64, e domain.Entry, read func(indexes []int64) ([]Hash, error)) ([]Hash, error) {
	return tlog.StoredHashesForRecordHash(number, LeafHash(e), tlog.HashReaderFunc(read))
}

// Place returns with which entry a stored hash lies, and which of its hashes it is.
func Place(index int64) (number int64, level int) {
	level, n := tlog.SplitStoredHashIndex(index)
	return (n+1)<<level - 1, level
}

// Root returns the root of the first size entries, from stored hashes.
func Root(ctx context.Context, log Log, size int64) (Hash, error) {
	return tlog.TreeHash(size, reader(ctx, log))
}

func reader(ctx context.Context, log Log) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]Hash, error) { return log.AuditHashes(ctx, indexes) })
}
