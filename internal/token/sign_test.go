package token_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

func TestRoundTrip(t *testing.T) {
	plain, quoted, bare := partnerClaims(), userClaims(), userClaims()
	quoted.SID, quoted.Issuer = "a\"b\\c\x00\x1f\n/é\u2028", "https://\"ü\"/"
	bare.Actor, bare.SID, bare.Scope, bare.Permissions = "", "", "", 0
	all := partnerClaims()
	all.Audiences, all.Permissions = domain.AllAudiences(), domain.AllPermissions()
	spaced := partnerClaims()
	spaced.Scope = " openid  offline openid "
	later := partnerClaims() // issued with a clock that was set back, after a revocation
	later.ID = token.NewID(noon.Add(time.Hour), nil)
	for name, c := range map[string]token.Claims{
		"an instant of issue ahead of the clock": later,
		"an application's":                       plain, "an impersonation with texts to escape": quoted, "a user's with nothing in it": bare,
		"all sets full": all, "a scope with odd spaces": spaced,
	} {
		for _, a := range algorithms {
			t.Run(name+" "+string(a), func(t *testing.T) {
				ring := openRing(t, a)
				raw := sign(t, ring, c)
				got, err := ring.Verify(raw, noon, token.Expect{Issuer: c.Issuer, Type: "at+jwt"})
				if err != nil || got != c {
					t.Errorf("Verify(%s) = %+v, %v, want %+v", raw, got, err, c)
				}
			})
		}
	}
}

func TestHeaderHasExactlyThreeFieldsInOrder(t *testing.T) {
	for _, a := range algorithms {
		raw := sign(t, openRing(t, a), partnerClaims())
		if got := string(unb64(t, strings.Split(raw, ".")[0])); got != header(a) {
			t.Errorf("header = %s, want %s", got, header(a))
		}
	}
}

func TestClaimsOnTheWire(t *testing.T) {
	ring := openRing(t, token.EdDSA)
	tests := map[string]struct {
		c    token.Claims
		want string
	}{
		"partner token": {partnerClaims(), `{"iss":"https://auth.example.nl","sub":"app_k3f9m2xq7c4dabcd","aud":["auth","customer"],` +
			`"exp":1795262700,"iat":1795262400,"nbf":1795262400,"jti":"AAZgyBmjUkAAAAAAAAAAAAAAAAA","client_id":"app_k3f9m2xq7c4dabcd",` +
			`"partner":"prt_hollandspower","scope":"openid offline","scp":["openid","offline"],` +
			`"perm":["CAN_QUERY_PROPERTY","CAN_VIEW_DETAILED_USAGE","CAN_VIEW_PERSONAL_DATA","CAN_IMPERSONATE"]}`},
		"impersonation token": {userClaims(), `{"iss":"https://auth.example.nl","sub":"usr_0c1a3b5e7f204a639a516f0c2d9be714","aud":["customer"],` +
			`"exp":1795262700,"iat":1795262400,"nbf":1795262400,"jti":"AAZgyBmjUkAAAAAAAAAAAAAAAAA","client_id":"app_k3f9m2xq7c4dabcd",` +
			`"partner":"prt_hollandspower","scope":"query:property view:detailed-usage query:user-details",` +
			`"scp":["query:property","view:detailed-usage","query:user-details"],` +
			`"perm":["CAN_QUERY_PROPERTY","CAN_VIEW_DETAILED_USAGE","CAN_VIEW_PERSONAL_DATA"],` +
			`"act":{"sub":"app_k3f9m2xq7c4dabcd"},"sid":"aud_2abc"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := payload(t, sign(t, ring, tt.c)); got != tt.want {
				t.Errorf("claims\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestSignAppends(t *testing.T) {
	ring := openRing(t, token.EdDSA)
	c := partnerClaims()
	got, err := ring.Sign([]byte("Bearer "), &c)
	if err != nil || string(got) != "Bearer "+sign(t, ring, c) {
		t.Errorf("Sign = %q, %v, want the token after what was there", got, err)
	}
}

func TestClaimsThatCannotBeSigned(t *testing.T) {
	tests := map[string]func(c *token.Claims){
		"no issuer":                           func(c *token.Claims) { c.Issuer = "" },
		"an issuer that is not UTF-8":         func(c *token.Claims) { c.Issuer = "\xff" },
		"no subject":                          func(c *token.Claims) { c.Subject = "" },
		"a subject of another kind":           func(c *token.Claims) { c.Subject = "prt_x" },
		"another application as subject":      func(c *token.Claims) { c.Subject = "app_other" },
		"a user by UUID":                      func(c *token.Claims) { c.Subject = "0c1a3b5e-7f20-4a63-9a51-6f0c2d9be714" },
		"a user in capitals":                  func(c *token.Claims) { c.Subject = "usr_0C1A3B5E7F204A639A516F0C2D9BE714" },
		"somebody acts as an application":     func(c *token.Claims) { c.Subject = string(c.ClientID) },
		"another application acts":            func(c *token.Claims) { c.Actor = "app_other" },
		"somebody acts without an entry":      func(c *token.Claims) { c.SID = "" },
		"an entry and nobody acts":            func(c *token.Claims) { c.Actor = "" },
		"no client":                           func(c *token.Claims) { c.ClientID = "" },
		"a user as client":                    func(c *token.Claims) { c.ClientID = domain.ClientID(c.Subject) },
		"no partner":                          func(c *token.Claims) { c.Partner = "" },
		"no audience":                         func(c *token.Claims) { c.Audiences = 0 },
		"an audience that does not exist":     func(c *token.Claims) { c.Audiences |= 1 << 7 },
		"a permission that does not exist":    func(c *token.Claims) { c.Permissions |= 1 << 31 },
		"a quote in the scope":                func(c *token.Claims) { c.Scope = `a"b` },
		"a line break in the scope":           func(c *token.Claims) { c.Scope = "a\nb" },
		"a letter beyond ASCII in the scope":  func(c *token.Claims) { c.Scope = "é" },
		"no expiry":                           func(c *token.Claims) { c.Expires = 0 },
		"an expiry in milliseconds":           func(c *token.Claims) { c.Expires *= 1000 },
		"expired when issued":                 func(c *token.Claims) { c.Expires = c.IssuedAt },
		"no time of issue":                    func(c *token.Claims) { c.IssuedAt = 0 },
		"a time of issue before 1970":         func(c *token.Claims) { c.IssuedAt = -1 },
		"no beginning":                        func(c *token.Claims) { c.NotBefore = 0 },
		"no jti":                              func(c *token.Claims) { c.ID = "" },
		"a jti of an earlier second":          func(c *token.Claims) { c.ID = token.NewID(noon.Add(-time.Second), nil) },
		"a jti that is not ours":              func(c *token.Claims) { c.ID = "0c1a3b5e-7f20-4a63-9a51-6f0c2d9be714" },
		"more than fits into eight kibibytes": func(c *token.Claims) { c.Scope = strings.Repeat("x", 6000) },
	}
	ring := openRing(t, token.EdDSA)
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			c := userClaims()
			change(&c)
			if got, err := ring.Sign(nil, &c); !errors.Is(err, token.ErrClaims) || len(got) != 0 {
				t.Errorf("Sign(%+v) = %s, %v, want ErrClaims", c, got, err)
			}
		})
	}
}

// FuzzClaims signs claims with any text in them. What can be signed reads as
// the same claims here, and as the same JSON with the standard library.
func FuzzClaims(f *testing.F) {
	f.Add(issuer, "aud_2", "openid offline", uint8(3), uint32(5))
	f.Add("\x00\"\\\x7f\u2028", "é\\u0041", "a  b", uint8(7), uint32(127))
	f.Add("\xff", "", "", uint8(0), uint32(0))
	ring := openRing(f, token.EdDSA)
	f.Fuzz(func(t *testing.T, iss, sid, scope string, audiences uint8, permissions uint32) {
		c := userClaims()
		c.Issuer, c.SID, c.Scope = iss, sid, scope
		c.Audiences, c.Permissions = domain.Audiences(audiences), domain.Permissions(permissions)
		raw, err := ring.Sign(nil, &c)
		if err != nil {
			if len(raw) != 0 || !errors.Is(err, token.ErrClaims) {
				t.Fatalf("Sign(%+v) = %q, %v: want nothing beside ErrClaims", c, raw, err)
			}
			return
		}
		if got, err := ring.Verify(string(raw), noon, token.Expect{Issuer: iss}); err != nil || got != c {
			t.Fatalf("Verify(%s) = %+v, %v, want %+v", raw, got, err, c)
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(payload(t, string(raw))), &got); err != nil {
			t.Fatalf("%s: %v", payload(t, string(raw)), err)
		}
		want := map[string]any{
			"iss": iss, "sub": c.Subject, "aud": anys(c.Audiences.Names()), "exp": float64(c.Expires), "iat": float64(c.IssuedAt),
			"nbf": float64(c.NotBefore), "jti": c.ID, "client_id": string(c.ClientID), "partner": string(c.Partner),
			"scope": scope, "scp": anys(strings.Fields(scope)), "perm": anys(c.Permissions.Names()),
			"act": map[string]any{"sub": string(c.Actor)}, "sid": sid,
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("claims as JSON\n got %v\nwant %v", got, want)
		}
	})
}

func anys(list []string) []any {
	out := make([]any, 0, len(list))
	for _, s := range list {
		out = append(out, s)
	}
	return out
}
