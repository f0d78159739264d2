package intake

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// Rejection is a line that is not taken, and why.
type Rejection struct {
	Line   int    `json:"line"` // from 1
	Reason string `json:"reason"`
}

// MaxRejections is how many lines a report lists; the rest is counted.
const MaxRejections = 1000

// RejectionOf returns the line of a file that an error of [Importer] is about,
// and false where it is about none.
func RejectionOf(err error) (Rejection, bool) {
	if e, ok := errors.AsType[*lineError](err); ok {
		return Rejection{e.line, e.refusal.Public}, true
	}
	if e, ok := errors.AsType[*meterfile.Error](err); ok {
		return Rejection{e.Line, fmt.Sprintf("field %s: want %s, got %s", e.Field, e.Want, e.Got)}, true
	}
	return Rejection{}, false
}

// lineError is a line whose channel has no place here. What is wrong with the
// line itself is a [meterfile.Error].
type lineError struct {
	file    string
	line    int
	refusal *domain.Error
}

// Error returns the sentence for whoever sent the file.
func (e *lineError) Error() string { return fmt.Sprintf("%s:%d: %s", e.file, e.line, e.refusal.Public) }

// Unwrap returns the cause, which goes to the log only.
func (e *lineError) Unwrap() error { return e.refusal.Err }

// As makes it a [domain.Error] whose public sentence says where in the file.
func (e *lineError) As(target any) bool {
	t, ok := target.(**domain.Error)
	if ok {
		*t = &domain.Error{Kind: e.refusal.Kind, Public: e.Error(), Err: e.refusal.Err}
	}
	return ok
}

// refused returns an error as a refusal of what was sent, and false where it is
// our own matter.
func refused(err error) (*domain.Error, bool) {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok {
		return nil, false
	}
	switch e.Kind {
	case domain.Invalid, domain.NotFound, domain.Conflict, domain.Forbidden:
		return e, true
	case domain.Internal, domain.Unavailable, domain.Unauthenticated, domain.Throttled:
	}
	return nil, false
}

// located says of which file a refusal is.
func located(err error, file string) error {
	if e, ok := refused(err); ok {
		return &domain.Error{Kind: e.Kind, Public: file + ": " + e.Public, Err: e.Err}
	}
	return err
}

// rejects are the lines of a file that are left out, where the rest of it is
// taken. The nil one takes none: the first mistake is the whole file's.
type rejects struct {
	list  []Rejection
	count int64
	whole error // concerns the whole file after all
}

// take leaves a line out, if that is what the error asks for.
func (r *rejects) take(err error) bool {
	if r == nil || r.whole != nil {
		return false
	}
	line, ok := RejectionOf(err)
	if ok {
		r.add(line.Line, line.Reason)
	}
	return ok
}

func (r *rejects) add(line int, reason string) {
	if r.count++; len(r.list) < MaxRejections {
		r.list = append(r.list, Rejection{line, reason})
	}
}

// fatal makes an error the whole file's, also where lines are left out.
func (r *rejects) fatal(err error) error {
	if r != nil && err != nil {
		r.whole = err
	}
	return err
}

// sorted returns the lines in the order of the file: a day is judged when it is
// whole, behind its lines.
func (r *rejects) sorted() []Rejection {
	slices.SortStableFunc(r.list, func(a, b Rejection) int { return cmp.Compare(a.Line, b.Line) })
	return r.list
}
