package audit

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint says what the log was at an instant.
type Checkpoint struct {
	Size int64
	Root Hash
	At   time.Time // to the second
}

// Signer signs checkpoints as notes (golang.org/x/mod/sumdb/note): a line with
// the origin, one with the size, one with the root in base64, one with the
// instant, and the signature. Whoever knows the verifier's key can check them
// without us.
type Signer struct {
	name string
	hash uint32
	text string // the verifier's key
	key  ed25519.PrivateKey
	list note.Verifiers
}

// NewSigner returns the signer of a seed. The same seed is the same signer.
func NewSigner(seed [32]byte) (*Signer, error) {
	key := ed25519.NewKeyFromSeed(seed[:])
	public := key.Public().(ed25519.PublicKey)
	sum := sha256.Sum256(public)
	s := &Signer{name: "wattgate-audit-" + hex.EncodeToString(sum[:5]), key: key}
	var err error
	if s.text, err = note.NewEd25519VerifierKey(s.name, public); err != nil {
		return nil, err
	}
	v, err := note.NewVerifier(s.text)
	if err != nil {
		return nil, err
	}
	s.hash, s.list = v.KeyHash(), note.VerifierList(v)
	return s, nil
}

// Name returns the origin of the log.
func (s *Signer) Name() string { return s.name }

// KeyHash returns the short name of the key.
func (s *Signer) KeyHash() uint32 { return s.hash }

// Verifier returns the public key as note.NewVerifier reads it.
func (s *Signer) Verifier() string { return s.text }

// Format keeps the key out of whatever is printed.
func (s *Signer) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[signer " + s.name + "]")) }

// Sign signs the text of a note.
func (s *Signer) Sign(text []byte) ([]byte, error) { return ed25519.Sign(s.key, text), nil }

// Note returns the signed text of a checkpoint.
func (s *Signer) Note(c Checkpoint) ([]byte, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n%s\n", s.name, c.Size, c.Root, c.At.UTC().Format(time.RFC3339))
	return note.Sign(&note.Note{Text: text}, s)
}

// ErrCheckpoint means that a text is no checkpoint that this signer has signed.
var ErrCheckpoint = errors.New("not a checkpoint that the key of this installation has signed")

// Open reads what [Signer.Note] wrote.
func (s *Signer) Open(text []byte) (Checkpoint, error) {
	n, err := note.Open(text, s.list)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 5 || lines[0] != s.name || lines[4] != "" {
		return Checkpoint{}, ErrCheckpoint
	}
	var c Checkpoint
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 0 {
		return Checkpoint{}, ErrCheckpoint
	}
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return Checkpoint{}, ErrCheckpoint
	}
	if c.At, err = time.Parse(time.RFC3339, lines[3]); err != nil {
		return Checkpoint{}, ErrCheckpoint
	}
	return c, nil
}

// Notes reads a file of checkpoints, one after the other, and counts what in it
// is none: the rest of one that a crash cut off, or somebody else's.
func (s *Signer) Notes(file []byte) (list []Checkpoint, unreadable int) {
	head := []byte(s.name + "\n")
	for len(file) > 0 {
		end := len(file)
		if i := bytes.Index(file[1:], head); i >= 0 {
			end = i + 1 // a crash may have cut one off in the middle of a line
		}
		if c, err := s.Open(file[:end]); err == nil {
			list = append(list, c)
		} else {
			unreadable++
		}
		file = file[end:]
	}
	return list, unreadable
}

// ErrTouched means that the log does not go on from an earlier checkpoint: what
// was vouched for has changed.
var ErrTouched = errors.New("the audit log does not go on from its last checkpoint; run `wattgate audit verify`")

// Next returns the checkpoint of the log as it is, if it goes on from the last
// one (RFC 6962 §2.1.2): a log that was tampered with is not vouched for. It is
// as cheap for a million entries as for a hundred.
func Next(ctx context.Context, log Log, last Checkpoint, now time.Time) (Checkpoint, error) {
	size, err := log.AuditSize(ctx)
	if err != nil {
		return Checkpoint{}, err
	}
	root, err := Root(ctx, log, size)
	if err != nil {
		return Checkpoint{}, err
	}
	switch {
	case size < last.Size, size == last.Size && size > 0 && root != last.Root:
		return Checkpoint{}, ErrTouched
	case last.Size > 0 && size > last.Size:
		proof, err := tlog.ProveTree(size, last.Size, reader(ctx, log))
		if err != nil {
			return Checkpoint{}, err
		}
		if tlog.CheckTree(proof, size, root, last.Size, last.Root) != nil {
			return Checkpoint{}, ErrTouched
		}
	}
	return Checkpoint{Size: size, Root: root, At: now.UTC().Truncate(time.Second)}, nil
}
