package oauth

// Introspection is what an authorization server says about an active token
// (RFC 7662 §2.2). Times are seconds since 1970-01-01 UTC.
type Introspection struct {
	Scope     string
	ClientID  string
	Subject   string
	Expires   int64
	IssuedAt  int64
	NotBefore int64
	Audience  []string
	Issuer    string
	ID        string // jti
	JKT       string // cnf.jkt, of a token that is bound to a key (RFC 9449 §6.2)
	X5T       string // cnf.x5t#S256, of one that is bound to a certificate (RFC 8705 §3.2)
	Actor     string // act.sub, where somebody acts as the subject (RFC 8693 §4.1)
	Partner   string // ours, beside the registry
}
