package token

import (
	"math/bits"
	"strconv"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
)

// appendClaims appends the one text that these claims have: fixed order, no
// space, and every string in the shortest spelling of appendString. readClaims
// reads exactly this.
func appendClaims(dst []byte, c *Claims) []byte {
	dst = appendString(append(dst, `{"iss":`...), c.Issuer)
	dst = appendString(append(dst, `,"sub":`...), c.Subject)
	dst = appendNames(append(dst, `,"aud":`...), uint32(c.Audiences), audienceName)
	dst = strconv.AppendInt(append(dst, `,"exp":`...), c.Expires, 10)
	dst = strconv.AppendInt(append(dst, `,"iat":`...), c.IssuedAt, 10)
	dst = strconv.AppendInt(append(dst, `,"nbf":`...), c.NotBefore, 10)
	dst = appendString(append(dst, `,"jti":`...), c.ID)
	if c.ClientID != "" {
		dst = appendString(append(dst, `,"client_id":`...), string(c.ClientID))
	}
	dst = appendString(append(dst, `,"partner":`...), string(c.Partner))
	dst = appendString(append(dst, `,"scope":`...), c.Scope)
	dst = appendScopes(append(dst, `,"scp":`...), c.Scope)
	dst = appendNames(append(dst, `,"perm":`...), uint32(c.Permissions), permissionName)
	switch {
	case c.Actor != "":
		dst = appendString(append(dst, `,"act":{"sub":`...), string(c.Actor))
		dst = append(dst, '}')
	case c.Staff != "":
		dst = appendString(append(dst, `,"act":{"sub":`...), string(c.Staff))
		dst = append(dst, '}')
	}
	if c.SID != "" {
		dst = appendString(append(dst, `,"sid":`...), c.SID)
	}
	if c.Method != "" {
		dst = appendString(append(dst, `,"gty":`...), string(c.Method))
		dst = strconv.AppendInt(append(dst, `,"tokenUse":"access","origIat":`...), c.OriginallyAt, 10)
	}
	return append(appendBinding(dst, c.Bound), '}')
}

func audienceName(i int) string   { return domain.Audience(i).String() }
func permissionName(i int) string { return domain.Permission(i).String() }

// Text returns what a token with these claims says: one JSON object.
func (c *Claims) Text() string { return string(appendClaims(nil, c)) }

// appendNames appends an array of the names of the bits of a set, in the order
// of their declaration.
func appendNames(dst []byte, set uint32, name func(int) string) []byte {
	dst = append(dst, '[')
	for rest := set; rest != 0; rest &= rest - 1 {
		if rest != set {
			dst = append(dst, ',')
		}
		dst = appendString(dst, name(bits.TrailingZeros32(rest)))
	}
	return append(dst, ']')
}

// appendScopes appends an array of the scopes in a scope.
func appendScopes(dst []byte, scope string) []byte {
	dst = append(dst, '[')
	first := true
	for len(scope) > 0 {
		var one string
		one, scope, _ = strings.Cut(scope, " ")
		if one == "" {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendString(dst, one)
	}
	return append(dst, ']')
}

const hexDigits = "0123456789abcdef"

// appendString appends a JSON string (RFC 8259 §7). It escapes what has to be
// escaped and nothing else.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	done := 0
	for i := range len(s) {
		b := s[i]
		if b >= ' ' && b != '"' && b != '\\' {
			continue
		}
		dst = append(dst, s[done:i]...)
		done = i + 1
		if b < ' ' {
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&15])
		} else {
			dst = append(dst, '\\', b)
		}
	}
	dst = append(dst, s[done:]...)
	return append(dst, '"')
}
