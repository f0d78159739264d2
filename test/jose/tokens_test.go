package jose

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/test/demo"
)

func TestMain(m *testing.M) { os.Exit(demo.Main(m)) }

// TestTokensOfEveryAlgorithm fetches tokens from a server of each algorithm, as
// a client does, and lets the libraries read them with the keys that it serves.
func TestTokensOfEveryAlgorithm(t *testing.T) {
	for _, algorithm := range []string{"ES256", "EdDSA", "RS256"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			s := demo.Start(t, "--token-alg", algorithm)
			keys := get(t, s.Env["WATTGATE_AUTH_URL"]+"/.well-known/jwks.json", "")
			own := fetch(t, s, "/oauth2/token")
			client, agreed, identity := consent(t, s)
			read, refused := 0, 0
			for name, c := range map[string]struct{ raw, subject, audience string }{
				"an application's":                    {own, s.Env["PARTNER_CLIENT_ID"], "customer"},
				"an application's, of the other door": {fetch(t, s, "/token/"), s.Env["PARTNER_CLIENT_ID"], "customer"},
				"a customer's":                        {impersonate(t, s, own), s.Env["CUSTOMER_USER_ID"], "customer"},
				"a consenting customer's":             {agreed, s.Env["CUSTOMER_USER_ID"], "customer"},
				"an ID":                               {identity, s.Env["CUSTOMER_USER_ID"], client},
			} {
				want := expectation{algorithm, s.Env["WATTGATE_AUTH_URL"], c.audience}
				for library, reader := range readers {
					read++
					got, err := reader(c.raw, keys, want)
					if err != nil {
						t.Errorf("%s reads %s token: %v", library, name, err)
						continue
					}
					if got.issuer != want.issuer || got.subject != c.subject || !slices.Contains(got.audience, c.audience) ||
						!got.expires.After(got.issued) || time.Until(got.expires) > time.Hour {
						t.Errorf("%s reads %s token: got %+v", library, name, got)
					}
				}
				refused += refuse(t, c.raw, keys, want)
			}
			t.Logf("counted: %s: %d tokens read, %d tampered or misdirected ones refused", algorithm, read, refused)
		})
	}
}

// refuse demands that every library refuses what is not our token any more, so
// that none of them was asked in a way that lets anything pass. It returns how
// many refusals that was.
func refuse(t *testing.T, raw string, keys []byte, want expectation) int {
	t.Helper()
	part := strings.Split(raw, ".")
	header := func(change map[string]any) string {
		return edit(t, part[0], change) + "." + part[1] + "." + part[2]
	}
	body := func(change map[string]any) string {
		return part[0] + "." + edit(t, part[1], change) + "." + part[2]
	}
	n := 0
	for name, c := range map[string]struct {
		raw  string
		want expectation
	}{
		"another subject":              {body(map[string]any{"sub": "app_another"}), want},
		"a longer life":                {body(map[string]any{"exp": time.Now().Add(24 * time.Hour).Unix()}), want},
		"one permission more":          {body(map[string]any{"perm": []string{"CAN_SUBMIT_MEASUREMENTS"}}), want},
		"a signature with a bit wrong": {part[0] + "." + part[1] + "." + flip(t, part[2]), want},
		"the end of the signature cut": {raw[:len(raw)-4], want},
		"no signature":                 {part[0] + "." + part[1] + ".", want},
		"alg none":                     {edit(t, part[0], map[string]any{"alg": "none"}) + "." + part[1] + ".", want},
		"another kid":                  {header(map[string]any{"kid": "2026-11-another"}), want},
		"another type":                 {header(map[string]any{"typ": "other"}), want},
		"HS256 under the public key":   {header(map[string]any{"alg": "HS256"}), want},
		"another issuer expected":      {raw, expectation{want.algorithm, "https://elsewhere.example.com", want.audience}},
		"another audience expected":    {raw, expectation{want.algorithm, want.issuer, "elsewhere"}},
	} {
		for library, read := range readers {
			n++
			if got, err := read(c.raw, keys, c.want); err == nil {
				t.Errorf("%s takes a token with %s: %+v", library, name, got)
			}
		}
	}
	return n
}

// edit changes members of a part that is JSON in base64url.
func edit(t *testing.T, part string, change map[string]any) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	members := map[string]any{}
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	for name, value := range change {
		members[name] = value
	}
	if text, err = json.Marshal(members); err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func flip(t *testing.T, part string) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	return base64.RawURLEncoding.EncodeToString(b)
}
