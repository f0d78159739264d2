package customer

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/usage"
)

// code is one line of the Kraken dialect's table of errors.
type code struct{ kind, number, message, description string }

// The types of errors (extensions.errorType).
const (
	typeAuthorization = "AUTHORIZATION"
	typeValidation    = "VALIDATION"
	typeApplication   = "APPLICATION"
	typeUnavailable   = "SERVICE_AVAILABILITY"
	typeNotFound      = "NOT_FOUND"
)

// The codes. Numbers of four and more digits are the dialect's; those of three
// are ours, for what it has no number for. Messages of the dialect are exact,
// because clients search them.
var (
	unauthorized = code{
		typeAuthorization, "KT-CT-1111", "Unauthorized.",
		"The token is not accepted for this, or does not hold the permission.",
	}
	noHeader = code{
		typeAuthorization, "KT-CT-1112", "'Authorization' header not provided.",
		"You must provide the AUTHORIZATION header while executing the query/mutation.",
	}
	expired = code{
		typeApplication, "KT-CT-1124", "Signature of the JWT has expired.",
		"The token's time is over: fetch a new one.",
	}
	disabled = code{
		typeUnavailable, "KT-CT-1113", "Disabled GraphQL field requested.",
		"The operator has switched this field off.",
	}
	noSuchDocument = code{
		typeValidation, "KT-CT-404", "PersistedQueryNotFound",
		"No document of this hash is kept for the application: send its text once with the hash.",
	}
	untrusted = code{
		typeAuthorization, "KT-CT-403", "Only trusted documents are run for this application.",
		"Send a document that was added for the application, or its hash.",
	}
	complex        = code{typeValidation, "KT-CT-1188", "Query is too complex.", ""}
	tooManyNodes   = code{typeValidation, "KT-CT-1189", "Query requests too many nodes.", ""}
	invalidInput   = code{typeValidation, "KT-CT-1605", "Invalid input.", ""}
	noSuchField    = code{typeValidation, "KT-CT-1606", "Field not found.", ""}
	notYourAccount = code{
		typeAuthorization, "KT-CT-4177", "Unauthorized.",
		"There is no such account, or it is not yours to see.",
	}
	notYourProperty = code{
		typeAuthorization, "KT-CT-6622", "Unauthorized.",
		"There is no such property, or it is not yours to see.",
	}
	tooFine = code{
		typeValidation, "KT-CT-4710", "Unsupported aggregation interval.",
		"What is stored cannot be given in intervals as short as these, or in ones that do not divide a day.",
	}
	noSuchSupplyPoint = code{
		typeNotFound, "KT-CT-4719", "Supply point not found.",
		"There is no such supply point, or it is not yours to see.",
	}
	noSuchReadingType = code{
		typeApplication, "KT-CT-4721", "Unsupported reading type.",
		"Ask for readings of the type INTERVAL.",
	}
	noReadings = code{
		typeValidation, "KT-CT-4722", "Readings are not configured for this supply point.",
		"It has no register that measures in this way.",
	}
	noSuchMarket = code{
		typeValidation, "KT-CT-4723", "Invalid market name.",
		"A market is named by its country and what is delivered, such as NLD_ELECTRICITY.",
	}
	notYourWebhook = code{
		typeAuthorization, "KT-CT-460", "Unauthorized.",
		"There is no such web hook or delivery, or it is not yours to see.",
	}
	tooManyRequests = code{
		typeAuthorization, "KT-CT-1199", "Too many requests.",
		"There were too many requests. Please try again later.",
	}
	internalError = code{
		typeApplication, "KT-CT-500", "Something went wrong on our side.",
		"It is in our log; trying again may help.",
	}
	unavailable = code{
		typeUnavailable, "KT-CT-503", "The service is not available now.",
		"Try again a little later.",
	}
)

// codes lists all of them: what @errors may name, and what possibleErrors tells.
var codes = slices.Concat([]code{
	unauthorized, noHeader, expired, complex, tooManyNodes, tooManyRequests, invalidInput, noSuchField,
	notYourAccount, notYourProperty, notYourCustomer, notYourWebhook, tooFine, noSuchSupplyPoint, noSuchReadingType, noReadings, noSuchMarket, internalError, unavailable, disabled, noSuchDocument, untrusted,
}, tokenCodes)

// extensions are what an error carries beside its message.
type extensions struct {
	Type        string            `json:"errorType"`
	Code        string            `json:"errorCode"`
	Description string            `json:"errorDescription"`
	Class       string            `json:"errorClass,omitempty"`
	Validation  []validationError `json:"validationErrors,omitempty"`
	Reason      string            `json:"reason,omitempty"`     // expired: a new token helps
	RetryAfter  int               `json:"retryAfter,omitempty"` // seconds
	Docs        string            `json:"docs,omitempty"`
	Apollo      string            `json:"code,omitempty"` // that client's own word
}

type validationError struct {
	Message   string   `json:"message"`
	InputPath []string `json:"inputPath"`
}

// hidden is an error about an object that the caller is not to learn anything
// about, also not whether it exists.
type hidden struct {
	code
	cause error
}

func (h *hidden) Error() string { return h.cause.Error() }
func (h *hidden) Unwrap() error { return h.cause }

// hide gives what is not found, or cannot even be an identifier, the code that
// stands for both. Other errors stay as they are.
func hide(err error, as code) error {
	if e, ok := errors.AsType[*domain.Error](err); ok && (e.Kind == domain.NotFound || e.Kind == domain.Invalid) {
		return &hidden{as, err}
	}
	return err
}

// notFound reports whether what was asked for is not there for the caller.
func notFound(err error) bool {
	e, ok := errors.AsType[*domain.Error](err)
	return ok && e.Kind == domain.NotFound
}

// panicked is what a resolver's panic becomes.
func panicked(v any) error {
	return fmt.Errorf("panic: %v\n%s", v, debug.Stack())
}

// codeOf finds the code of an error; sentence is what is wrong with the
// request, where it is.
func codeOf(err error) (c code, sentence string) {
	if h, ok := errors.AsType[*hidden](err); ok {
		return h.code, ""
	}
	if t, ok := errors.AsType[*tooMuch](err); ok {
		return t.code, t.sentence
	}
	e, ok := errors.AsType[*domain.Error](err)
	if !ok {
		e = &domain.Error{Kind: domain.Internal}
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			e.Kind = domain.Unavailable
		}
	}
	switch e.Kind {
	case domain.Internal:
		return internalError, ""
	case domain.Invalid, domain.Conflict:
		if errors.Is(err, usage.ErrTooMany) {
			return tooManyNodes, e.Public
		}
		if errors.Is(err, usage.ErrTooFine) {
			return tooFine, ""
		}
		if errors.Is(err, usage.ErrNoReadings) {
			return noReadings, ""
		}
		return invalidInput, e.Public
	case domain.Unauthenticated:
		switch {
		case errors.Is(err, authn.ErrNoToken):
			return noHeader, ""
		case errors.Is(err, authn.ErrExpired):
			return expired, ""
		}
		return unauthorized, ""
	case domain.Forbidden, domain.NotFound:
		return unauthorized, ""
	case domain.Unavailable:
		return unavailable, ""
	case domain.Throttled:
		return tooManyRequests, ""
	}
	return internalError, ""
}

// extension is the key under which a presented error keeps its extensions
// until the transport writes them.
const extension = "wattgate"

// present turns any error into what the caller is shown. It is the only place
// that does.
func (a *API) present(ctx context.Context, err error) *gqlerror.Error {
	field := graphql.GetFieldContext(ctx)
	if field == nil {
		return a.presentRequest(ctx, err)
	}
	path := field.Path()
	input := inputPath(err, path)
	if len(input) > 0 {
		// An argument is read before the guard is asked. To whom the field is
		// closed, nothing is said about its arguments.
		if refused := a.guard.check(ctx, field); refused != nil {
			err, input = refused, nil
		} else if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != domain.Invalid {
			err = &domain.Error{Kind: domain.Invalid, Public: "the value does not fit the type of " + strings.Join(input, ".")}
		}
	}
	if argument, ok := errors.AsType[usage.Argument](err); ok {
		input = strings.Split(string(argument), ".")
	}
	if at, ok := errors.AsType[*atInput](err); ok {
		input = at.path
	}
	c, sentence := codeOf(err)
	askerOf(ctx).tell(err)
	shown := a.write(err, c, sentence, input)
	shown.Path = path
	for at := field; at != nil; at = at.Parent {
		if at.Field.Field != nil && at.Field.Position != nil {
			shown.Locations = []gqlerror.Location{{Line: at.Field.Position.Line, Column: at.Field.Position.Column}}
			break
		}
	}
	return shown
}

// presentRequest is present for a document that is not executed: what the
// parser and the validator say about it is the caller's own.
func (a *API) presentRequest(ctx context.Context, err error) *gqlerror.Error {
	e, ok := errors.AsType[*gqlerror.Error](err)
	if !ok || e.Err != nil {
		c, sentence := codeOf(err)
		if c == internalError || c == unavailable {
			askerOf(ctx).tell(err)
		}
		return a.write(err, c, sentence, nil)
	}
	c := invalidInput
	switch {
	case strings.HasPrefix(e.Rule, "FieldsOnCorrectType"):
		c = noSuchField
	case e.Rule == "MaxIntrospectionDepth":
		c = complex
	}
	shown := a.write(err, c, brief(e.Message), inputPath(e, nil))
	shown.Locations = e.Locations
	return shown
}

// brief cuts what is long: a message quotes the document.
func brief(message string) string {
	const most = 400
	if len(message) <= most {
		return message
	}
	return strings.ToValidUTF8(message[:most], "") + "…"
}

// write fills in a code's texts. Where there is a sentence about the request
// it is the message, because that is what people read first. The cause, which
// may be nil, says how long to wait.
func (a *API) write(cause error, c code, sentence string, input []string) *gqlerror.Error {
	x := extensions{Type: c.kind, Code: c.number, Description: c.description}
	if a.Docs != "" {
		x.Docs = a.Docs + "#" + c.number
	}
	if pause, ok := errors.AsType[*domain.Pause](cause); ok && c == tooManyRequests {
		x.RetryAfter = seconds(pause.Wait)
	}
	switch c {
	case expired:
		x.Reason = "expired"
	case noSuchDocument:
		x.Apollo = "PERSISTED_QUERY_NOT_FOUND"
	}
	message := c.message
	if c.kind == typeValidation && c != noSuchDocument { // whose message clients compare
		if sentence != "" {
			message, x.Description = sentence, c.message
		}
		if input == nil {
			input = []string{}
		}
		x.Class, x.Validation = typeValidation, []validationError{{message, input}}
	}
	return &gqlerror.Error{Message: message, Extensions: map[string]any{extension: x}}
}

// inputPath returns what an error's path has beyond its field's: the argument,
// or the variable, and the way into it.
func inputPath(err error, field ast.Path) []string {
	e, ok := errors.AsType[*gqlerror.Error](err)
	if !ok || len(e.Path) <= len(field) {
		return nil
	}
	var names []string
	for i, step := range e.Path[len(field):] {
		switch step := step.(type) {
		case ast.PathName:
			if field == nil && i == 0 && step == "variable" {
				continue // gqlparser's word before every variable
			}
			names = append(names, string(step))
		case ast.PathIndex:
			names = append(names, fmt.Sprint(int(step)))
		}
	}
	return names
}
