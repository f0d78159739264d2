package oauth

// GrantTokenExchange is the grant_type of RFC 8693 §2.1.
const GrantTokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange"

// The token types of an exchange (RFC 8693 §3).
const (
	// TokenTypeAccess is an access token of this server.
	TokenTypeAccess = "urn:ietf:params:oauth:token-type:access_token"
	// TokenTypeUserID is no token but the identifier of a user: the subject of
	// an impersonation is named, and the actor's token says who may name it.
	TokenTypeUserID = "urn:wattgate:params:oauth:token-type:user-id"
)
