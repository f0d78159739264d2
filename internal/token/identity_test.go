package token_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

func identity() token.Identity {
	c := userClaims()
	return token.Identity{
		Issuer: issuer, Subject: domain.UserID(c.Subject), Audience: c.ClientID, Expires: c.Expires, IssuedAt: c.IssuedAt,
		AuthTime: c.IssuedAt - 5, Nonce: `n"<`, SID: "fam_2",
	}
}

// TestOpenIDConnectCoreSection2IDTokens signs an ID token with every algorithm.
// It is the active key's, says what it was told, and is no access token.
func TestOpenIDConnectCoreSection2IDTokens(t *testing.T) {
	for _, a := range algorithms {
		ring := openRing(t, a)
		id := identity()
		raw, err := ring.SignID(&id)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(raw, ".")
		if got, want := string(unb64(t, parts[0])), strings.Replace(header(a), "at+jwt", "JWT", 1); got != want {
			t.Errorf("%s: header = %s, want %s", a, got, want)
		}
		var got token.Identity
		if err := json.Unmarshal(unb64(t, parts[1]), &got); err != nil || !reflect.DeepEqual(got, id) {
			t.Errorf("%s: says %+v, %v; want %+v", a, got, err, id)
		}
		if _, err := ring.Verify(raw, noon, token.Expect{Issuer: issuer}); !errors.Is(err, token.ErrUnknownKey) {
			t.Errorf("%s: as an access token: got %v", a, err)
		}
	}
}

func TestIDTokensThatCannotBe(t *testing.T) {
	ring := openRing(t, token.EdDSA)
	for name, change := range map[string]func(id *token.Identity){
		"no issuer":           func(id *token.Identity) { id.Issuer = "" },
		"no subject":          func(id *token.Identity) { id.Subject = "" },
		"no audience":         func(id *token.Identity) { id.Audience = "" },
		"no time of issue":    func(id *token.Identity) { id.IssuedAt = 0 },
		"expired when issued": func(id *token.Identity) { id.Expires = id.IssuedAt },
	} {
		id := identity()
		change(&id)
		if got, err := ring.SignID(&id); !errors.Is(err, token.ErrClaims) || got != "" {
			t.Errorf("%s: SignID = %q, %v; want ErrClaims", name, got, err)
		}
	}
}

// TestTheTwoKindsOfSID keeps acts and families apart: a family's token has
// nobody who acts, and an act's has.
func TestTheTwoKindsOfSID(t *testing.T) {
	ring := openRing(t, token.EdDSA)
	for name, c := range map[string]struct {
		act  bool
		sid  string
		want bool
	}{
		"an act": {true, "aud_2", true}, "a family": {false, "fam_2", true}, "neither": {false, "", true},
		"an act that is a family": {true, "fam_2", false}, "a family that is an act": {false, "aud_2", false}, "an act without an entry": {true, "", false},
	} {
		claims := userClaims()
		if claims.SID = c.sid; !c.act {
			claims.Actor = ""
		}
		raw, err := ring.Sign(nil, &claims)
		if (err == nil) != c.want {
			t.Errorf("%s: Sign = %s, %v; want %t", name, raw, err, c.want)
		}
		if err != nil {
			continue
		}
		if got, err := ring.Verify(string(raw), noon, token.Expect{Issuer: issuer}); err != nil || got != claims {
			t.Errorf("%s: Verify = %+v, %v; want %+v", name, got, err, claims)
		}
	}
}
