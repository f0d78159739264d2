// Package oauth answers one question: what are RFC 6749's words?
package oauth

// The grant types that Wattgate knows (RFC 6749 §4, RFC 8628 §3.4, RFC 8693 §2.1).
const (
	GrantClientCredentials = "client_credentials"
	GrantAuthorizationCode = "authorization_code"
	GrantRefreshToken      = "refresh_token"
	GrantDeviceCode        = "urn:ietf:params:oauth:grant-type:device_code"
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
	InvalidDPoPProof       Code = "invalid_dpop_proof" // RFC 9449 §12.2
	UseDPoPNonce           Code = "use_dpop_nonce"     // RFC 9449 §12.2
	SlowDown               Code = "slow_down"          // RFC 8628 §3.5, and ours beside status 429

	// Of the authorization endpoint (RFC 6749 §4.1.2.1).
	AccessDenied            Code = "access_denied" // of the token endpoint for a device, too (RFC 8628 §3.5)
	UnsupportedResponseType Code = "unsupported_response_type"
	InvalidRequestURI       Code = "invalid_request_uri" // RFC 9101 §6.1
	LoginRequired           Code = "login_required"      // OpenID Connect Core §3.1.2.6
	ConsentRequired         Code = "consent_required"
	InteractionRequired     Code = "interaction_required"

	// Of the token endpoint, for a device that waits (RFC 8628 §3.5).
	AuthorizationPending Code = "authorization_pending"
	ExpiredToken         Code = "expired_token"
)

// Error is a refusal in the words of the protocol. Description may be shown to
// the caller; Err goes to the log only.
type Error struct {
	Code        Code
	Description string
	// Challenge is the WWW-Authenticate of a resource that wants a proof; the
	// status is 401 then (RFC 9449 §7.1). Nonce is what the next proof is to have
	// (RFC 9449 §8), for the header DPoP-Nonce. Either may be empty.
	Challenge, Nonce string
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
	Bearer   string // the same after "Bearer " or "DPoP ", as the headers that carry it say it
	DPoP     bool   // it is bound to a key: token_type is DPoP (RFC 9449 §5)
	Lifetime int64  // in seconds
	Scope    string // as the answer echoes it
	Issued   string // issued_token_type, of an exchange only (RFC 8693 §2.2.1)
	// Refresh is the refresh token that goes with it (RFC 6749 §6); empty: none.
	Refresh string
	// IDToken says who logged in (OpenID Connect Core §3.1.3.3), where a person
	// did and openid was asked.
	IDToken string
}
