package sqlite

import (
	"context"
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// failure turns an error into one that every room understands. What has a kind
// already keeps it. SQL texts and paths are for the operator only.
func failure(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if theirs, ok := errors.AsType[callersError](err); ok {
		return theirs.err
	}
	if _, ok := errors.AsType[*domain.Error](err); ok {
		return fmt.Errorf("%s: %w", doing, err)
	}
	err = fmt.Errorf("%s: %w", doing, err)
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) && sqlite.ErrCode(err) == sqlite.ResultInterrupt {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	if passes(err) {
		return unavailable(err)
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

// passes reports whether the same request may succeed later.
func passes(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errClosed) {
		return true
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull, sqlite.ResultIOErr, sqlite.ResultBusy, sqlite.ResultLocked, sqlite.ResultReadOnly,
		sqlite.ResultCantOpen, sqlite.ResultNoMem, sqlite.ResultInterrupt:
		return true
	}
	return false
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
