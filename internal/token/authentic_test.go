package token_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/token"
)

// TestAuthentic: the time does not matter, everything else does.
func TestAuthentic(t *testing.T) {
	ring := openRing(t, token.EdDSA)
	for name, iat := range map[string]time.Time{"now": noon, "long ago": noon.AddDate(-9, 0, 0), "from a wrong clock": noon.AddDate(9, 0, 0)} {
		c := partnerClaims()
		c.IssuedAt, c.NotBefore, c.Expires, c.ID = iat.Unix(), iat.Unix(), iat.Unix()+60, token.NewID(iat, nil)
		raw := sign(t, ring, c)
		if got, err := ring.Authentic(raw); err != nil || got != c {
			t.Errorf("%s: Authentic = %+v, %v, want %+v", name, got, err, c)
		}
		claims := strings.IndexByte(raw, '.') + 20
		for what, forged := range map[string]string{"cut": raw[:len(raw)-4], "changed": raw[:claims] + "x" + raw[claims+1:], "empty": "", "garbage": "a.b.c"} {
			if got, err := ring.Authentic(forged); err == nil || got != (token.Claims{}) {
				t.Errorf("%s, %s: Authentic = %+v, %v", name, what, got, err)
			}
		}
	}
}
