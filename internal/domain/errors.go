package domain

import (
	"fmt"
	"strconv"
)

// Kind says what went wrong in words that every surface can translate. The
// zero Kind is Internal, which shows nothing to the caller.
type Kind uint8

// The kinds. A surface switches over all of them; a test counts them.
const (
	// Internal is our fault; the caller learns nothing but that.
	Internal Kind = iota
	// Invalid means that the request can never succeed as it stands.
	Invalid
	// Unauthenticated means that nobody is known to be asking.
	Unauthenticated
	// Forbidden means that the caller is known and may not do this.
	Forbidden
	// NotFound means that the object does not exist for this caller. Another
	// partner's object and an unknown one are the same to all surfaces.
	NotFound
	// Conflict means that the request contradicts what is stored.
	Conflict
	// Unavailable means that the same request may succeed later.
	Unavailable
	// Throttled means that the caller has tried too often and may come again
	// after a while, which a [Pause] names.
	Throttled
	kinds // how many there are
)

// Kinds returns how many kinds there are, for tests of completeness.
func Kinds() int { return int(kinds) }

// String returns the kind's name, for logs.
func (k Kind) String() string {
	switch k {
	case Internal:
		return "internal"
	case Invalid:
		return "invalid"
	case Unauthenticated:
		return "unauthenticated"
	case Forbidden:
		return "forbidden"
	case NotFound:
		return "not found"
	case Conflict:
		return "conflict"
	case Unavailable:
		return "unavailable"
	case Throttled:
		return "throttled"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Error has a kind for machines, a sentence for the caller and a cause for the
// operator. Public may be shown to anybody; Err goes to the log only.
type Error struct {
	Kind   Kind
	Public string
	Err    error
}

// Error returns the operator's text: the public sentence and the cause.
func (e *Error) Error() string {
	switch {
	case e.Err == nil:
		return e.Public
	case e.Public == "":
		return e.Err.Error()
	}
	return e.Public + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Quote quotes what somebody wrote, cut after 40 characters: an answer must not
// grow with the mistake.
func Quote(s string) string {
	const most = 40
	if runes := []rune(s[:min(len(s), 4*most)]); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return strconv.Quote(s)
}
