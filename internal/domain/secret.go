package domain

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a clear secret on its way in or out. It cannot be printed: not by
// any verb of fmt, not in JSON, not by slog, not when it is buried in another
// struct. The pointer keeps reflection away from the text, which a plain
// string type in an unexported field would give up.
type Secret struct{ s *string }

// NewSecret wraps a clear text.
func NewSecret(s string) Secret { return Secret{s: &s} }

// Reveal returns the clear text. Every call is a place to look at in a review.
func (s Secret) Reveal() string {
	if s.s == nil {
		return ""
	}
	return *s.s
}

// Empty reports whether there is no text.
func (s Secret) Empty() bool { return s.s == nil || *s.s == "" }

const hidden = "[secret]"

// Format prints [secret] for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue logs [secret].
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText writes [secret] into JSON and its relatives.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
