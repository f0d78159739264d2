package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/wattgate/wattgate/internal/domain"
)

// The codes of PostgreSQL (appendix A of its manual) that say something to us.
const (
	codeUnique         = "23505"
	codeForeignKey     = "23503"
	codeSerialization  = "40001"
	codeDeadlock       = "40P01"
	codeReadOnly       = "25006"
	codeLockTimeout    = "55P03"
	codeQueryCanceled  = "57014"
	codeDuplicateTable = "42P07"
	codeDuplicateType  = "42710" // that of a table's rows
	codeBadText        = "22021" // a NUL, or what is not UTF-8
	codeBadJSONText    = "22P05"
	codeTooLong        = "54000" // for an index
)

// failure turns an error into one that every room understands. What has a kind
// already keeps it. SQL texts and addresses are for the operator only.
func failure(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[lostError](err); ok {
		return unavailable(fmt.Errorf("%s: %w", doing, err)) // whatever was said on a lost connection
	}
	if theirs, ok := errors.AsType[callersError](err); ok {
		return theirs.err
	}
	if _, ok := errors.AsType[*domain.Error](err); ok {
		return fmt.Errorf("%s: %w", doing, err)
	}
	err = fmt.Errorf("%s: %w", doing, err)
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) && (lost(err) || code(err) == codeQueryCanceled) {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	if passes(err) {
		return unavailable(err)
	}
	switch code(err) {
	case codeBadText, codeBadJSONText:
		return &domain.Error{Kind: domain.Invalid, Public: "a text has a character that cannot be stored", Err: err}
	case codeTooLong:
		return &domain.Error{Kind: domain.Invalid, Public: "a text is too long to be stored", Err: err}
	}
	return &domain.Error{Kind: domain.Internal, Err: err}
}

// callersError is what a caller's own function returned. It goes back as it came.
type callersError struct{ err error }

func (e callersError) Error() string { return e.err.Error() }
func (e callersError) Unwrap() error { return e.err }

func callers(err error) error {
	if err == nil {
		return nil
	}
	return callersError{err}
}

// code is the server's code for an error; empty where it is not the server's.
func code(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// passes reports whether the same request may succeed later.
func passes(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errClosed) {
		return true
	}
	switch code(err) {
	case codeSerialization, codeDeadlock, codeReadOnly, codeLockTimeout, codeQueryCanceled:
		return true
	}
	return lost(err)
}

// repeats reports whether a transaction that failed so before it was to be
// committed may simply be run again.
func repeats(err error) bool {
	if c := code(err); c == codeSerialization || c == codeDeadlock {
		return true
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if _, ok := errors.AsType[callersError](err); ok {
		// The network that a caller's own function speaks of is another one.
		_, ok := errors.AsType[lostError](err)
		return ok
	}
	return lost(err)
}

// lost reports whether the server is gone, or does not take us at the moment:
// connection exceptions (08), passwords and databases that are others now (28,
// 3D), insufficient resources (53), operators who stop it (57P), failures of the
// system beneath (58), and all that the network says.
func lost(err error) bool {
	if c := code(err); c != "" {
		return slices.ContainsFunc([]string{"08", "28", "3D", "53", "57P", "58"}, func(class string) bool { return strings.HasPrefix(c, class) })
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	_, ok := errors.AsType[lostError](err)
	return ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// lostError is an error on a connection that is closed since. Not every such
// error of the driver says so.
type lostError struct{ err error }

func (e lostError) Error() string { return "the connection to the database was lost: " + e.err.Error() }
func (e lostError) Unwrap() error { return e.err }

// closing marks an error where the connection did not survive it.
func closing(c *pgx.Conn, err error) error {
	if err == nil || !c.IsClosed() {
		return err
	}
	if _, ok := errors.AsType[unsettledError](err); ok {
		return err // says more
	}
	return lostError{err}
}

func unavailable(err error) error {
	return &domain.Error{Kind: domain.Unavailable, Public: "this cannot be stored or read at the moment", Err: err}
}

// notFound is the same for what does not exist and for what belongs to
// somebody else.
func notFound(what string) error {
	return &domain.Error{Kind: domain.NotFound, Public: what + " is not known"}
}

// stored is the error of a value in the database that this program cannot
// read. What was wrong with it is no caller's business.
func stored(err error) error {
	if err == nil {
		return nil
	}
	return &domain.Error{Kind: domain.Internal, Err: err}
}
