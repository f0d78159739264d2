// Package oauth answers one question: what are RFC 6749's words?
package oauth

// The grant types that Wattgate knows (RFC 6749 §4, RFC 8693 §2.1).
const (
	GrantClientCredentials = "client_credentials"
)

// Code is an error code of the token endpoint (RFC 6749 §5.2) or of a resource
// (RFC 6750 §3.1).
type Code string

// The codes.
const (
	InvalidRequest         Code = "invalid_request"
	InvalidClient          Code = "invalid_client"
	InvalidGrant           Code = "invalid_grant"
	UnauthorizedClient     Code = "unauthorized_client"
	UnsupportedGrantType   Code = "unsupported_grant_type"
	InvalidScope           Code = "invalid_scope"
	InvalidTarget          Code = "invalid_target" // RFC 8707 §2
	InvalidToken           Code = "invalid_token"
	InsufficientScope      Code = "insufficient_scope"
	NotFound               Code = "not_found" // ours, beside the registry
	ServerError            Code = "server_error"
	TemporarilyUnavailable Code = "temporarily_unavailable"
	SlowDown               Code = "slow_down" // RFC 8628 §3.5, and ours beside status 429
)

// Error is a refusal in the words of the protocol. Description may be shown to
// the caller; Err goes to the log only.
type Error struct {
	Code        Code
	Description string
	// About is the code whose explanation error_uri leads to, where that is
	// another than Code: several causes may have to share one code.
	About Code
	Err   error
}

// Error returns the operator's text.
func (e *Error) Error() string {
	s := string(e.Code)
	if e.Description != "" {
		s += ": " + e.Description
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Token is an issued access token, before a dialect writes it down.
type Token struct {
	Access   string // the compact JWS
	Bearer   string // the same after "Bearer ", as the headers that carry it say it
	Lifetime int64  // in seconds
	Scope    string // as the answer echoes it
	Issued   string // issued_token_type, of an exchange only (RFC 8693 §2.2.1)
}
