package token

import "github.com/wattgate/wattgate/internal/domain"

// problemOfBinding takes one key or one certificate, by its thumbprint in its one
// spelling (RFC 7800 §3, RFC 9449 §6.1, RFC 8705 §3.1).
func (c *Claims) problemOfBinding() string {
	if !c.Bound.Valid() {
		return "cnf is neither jkt nor x5t#S256, or not the thumbprint of anything"
	}
	return ""
}

// The two openings of a confirmation.
const (
	jktOpens = `,"cnf":{"jkt":`
	x5tOpens = `,"cnf":{"x5t#S256":`
)

// appendBinding appends cnf, which is the last claim.
func appendBinding(dst []byte, c domain.Confirmation) []byte {
	switch c.Method {
	case domain.ConfirmKey:
		dst = append(dst, jktOpens...)
	case domain.ConfirmCertificate:
		dst = append(dst, x5tOpens...)
	default:
		return dst
	}
	return append(appendString(dst, c.Thumbprint), '}')
}

// binding reads what appendBinding writes.
func (r *reader) binding() (c domain.Confirmation) {
	switch {
	case r.sees(jktOpens):
		c = domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: r.text(jktOpens)}
	case r.sees(x5tOpens):
		c = domain.Confirmation{Method: domain.ConfirmCertificate, Thumbprint: r.text(x5tOpens)}
	default:
		return c
	}
	r.take(`}`)
	return c
}
