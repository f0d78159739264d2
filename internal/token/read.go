package token

import (
	"math/bits"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
)

// readClaims reads what appendClaims writes and nothing else: a claim that is
// unknown, stands twice, or stands elsewhere, a space, another spelling of a
// string or a number are all refused. The texts are cut out of s, not copied.
func readClaims(s string) (Claims, bool) {
	r := reader{rest: s}
	var c Claims
	c.Issuer = r.text(`{"iss":`)
	c.Subject = r.text(`,"sub":`)
	c.Audiences = domain.Audiences(r.names(`,"aud":`, uint32(domain.AllAudiences()), audienceName))
	c.Expires = r.number(`,"exp":`)
	c.IssuedAt = r.number(`,"iat":`)
	c.NotBefore = r.number(`,"nbf":`)
	c.ID = r.text(`,"jti":`)
	if r.sees(`,"client_id":`) {
		c.ClientID = domain.ClientID(r.text(`,"client_id":`))
		r.failed = r.failed || c.ClientID == ""
	}
	c.Partner = domain.PartnerID(r.text(`,"partner":`))
	c.Scope = r.text(`,"scope":`)
	r.scopes(`,"scp":`, c.Scope)
	c.Permissions = domain.Permissions(r.names(`,"perm":`, uint32(domain.AllPermissions()), permissionName))
	if r.sees(`,"act":`) {
		actor := r.text(`,"act":{"sub":`)
		r.take(`}`)
		r.failed = r.failed || actor == ""
		if strings.HasPrefix(actor, "usr_") {
			c.Staff = domain.UserID(actor)
		} else {
			c.Actor = domain.ClientID(actor)
		}
	}
	if r.sees(`,"sid":`) {
		c.SID = r.text(`,"sid":`)
		r.failed = r.failed || c.SID == ""
	}
	if r.sees(`,"gty":`) {
		c.Method = domain.LoginMethod(r.text(`,"gty":`))
		r.take(`,"tokenUse":"access"`)
		c.OriginallyAt = r.number(`,"origIat":`)
		r.failed = r.failed || c.Method == ""
	}
	c.Bound = r.binding()
	r.take(`}`)
	if r.failed || r.rest != "" {
		return Claims{}, false
	}
	return c, true
}

// reader takes one expected piece after the other from the front of a text. It
// remembers that a piece was not there.
type reader struct {
	rest   string
	failed bool
}

func (r *reader) sees(piece string) bool { return strings.HasPrefix(r.rest, piece) }

func (r *reader) take(piece string) {
	rest, ok := strings.CutPrefix(r.rest, piece)
	r.rest, r.failed = rest, r.failed || !ok
}

// number reads a key and a number of at most eleven digits, without a sign or
// a leading zero.
func (r *reader) number(key string) int64 {
	r.take(key)
	var n int64
	i := 0
	for i < len(r.rest) && i < 11 && r.rest[i] >= '0' && r.rest[i] <= '9' {
		n = n*10 + int64(r.rest[i]-'0')
		i++
	}
	r.failed = r.failed || i == 0 || r.rest[0] == '0'
	r.rest = r.rest[i:]
	return n
}

// names reads a key and an array of names, in the order of their declaration,
// into a set within all.
func (r *reader) names(key string, all uint32, name func(int) string) (set uint32) {
	r.take(key)
	r.take(`[`)
	for i := range bits.Len32(all) {
		open := `"`
		if set != 0 {
			open = `,"`
		}
		rest, opened := strings.CutPrefix(r.rest, open)
		rest, named := strings.CutPrefix(rest, name(i))
		rest, closed := strings.CutPrefix(rest, `"`)
		if opened && named && closed {
			r.rest = rest
			set |= 1 << i
		}
	}
	r.take(`]`)
	return set
}

// scopes reads a key and the array that appendScopes makes of a scope.
func (r *reader) scopes(key, scope string) {
	r.take(key)
	r.take(`[`)
	first := true
	for len(scope) > 0 {
		var one string
		one, scope, _ = strings.Cut(scope, " ")
		if one == "" {
			continue
		}
		if !first {
			r.take(`,`)
		}
		first = false
		r.take(`"`)
		r.take(one)
		r.take(`"`)
	}
	r.take(`]`)
}

// text reads a key and a string as appendString spells it.
func (r *reader) text(key string) string {
	r.take(key)
	r.take(`"`)
	end := strings.IndexByte(r.rest, '"')
	if end < 0 {
		r.failed = true
		return ""
	}
	s := r.rest[:end]
	if plain(s) {
		r.rest = r.rest[end+1:]
		return s
	}
	return r.escapedText()
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == '\\' {
			return false
		}
	}
	return true
}

// escapedText reads the rest of a string that has an escape in it: \" and \\,
// and \u00 with two lower-case digits for a control character.
func (r *reader) escapedText() string {
	var b strings.Builder
	for !r.failed && r.rest != "" {
		switch c := r.rest[0]; {
		case c == '"':
			r.rest = r.rest[1:]
			return b.String()
		case c < ' ':
			r.failed = true
		case c != '\\':
			b.WriteByte(c)
			r.rest = r.rest[1:]
		case r.sees(`\"`) || r.sees(`\\`):
			b.WriteByte(r.rest[1])
			r.rest = r.rest[2:]
		default:
			b.WriteByte(r.control())
		}
	}
	r.failed = true
	return ""
}

func (r *reader) control() byte {
	r.take(`\u00`)
	if r.failed || len(r.rest) < 2 {
		r.failed = true
		return 0
	}
	high, low := strings.IndexByte(hexDigits, r.rest[0]), strings.IndexByte(hexDigits, r.rest[1])
	if high < 0 || high > 1 || low < 0 { // 0x20 and above stand for themselves
		r.failed = true
		return 0
	}
	r.rest = r.rest[2:]
	return byte(high<<4 | low)
}
