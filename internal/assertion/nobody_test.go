package assertion_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wattgate/wattgate/internal/assertion"
)

// TestTheZeroKeysAcceptNothing of any algorithm, at the price of a wrong
// signature.
func TestTheZeroKeysAcceptNothing(t *testing.T) {
	for alg, signer := range signers(t) {
		raw := sign(t, alg, jose.JSONWebKey{Key: signer, KeyID: "k"}, nil, text(t, claims(nil)))
		// An RSA signature that is not below the modulus is refused unlooked at,
		// and whether it is depends on the key: this one is below any.
		cut := strings.LastIndexByte(raw, '.') + 1
		raw = raw[:cut] + "AA" + raw[cut+2:]
		if got, err := (assertion.Keys{}).Verify(raw, want); err == nil || got != (assertion.Claims{}) || !strings.Contains(err.Error(), "no key of the client") {
			t.Errorf("%s: got %+v and %v, want no key", alg, got, err)
		}
		others, err := assertion.ParseKeys(keySet(t, jose.JSONWebKey{Key: signers(t)[alg].Public(), KeyID: "k", Algorithm: string(alg)}))
		if err != nil {
			t.Fatal(err)
		}
		quickest := func(k assertion.Keys) time.Duration {
			best := time.Hour
			for range 100 {
				begin := time.Now()
				if _, err := k.Verify(raw, want); err == nil {
					t.Fatalf("%s: a wrong signature is accepted", alg)
				}
				best = min(best, time.Since(begin))
			}
			return best
		}
		if none, wrong := quickest(assertion.Keys{}), quickest(others); none < wrong/3 || none > wrong*3 {
			t.Errorf("%s: no key costs %v, a wrong signature %v", alg, none, wrong)
		}
	}
}

// TestRFC7519Section2NumericDate: seconds may have a fraction, and are a number.
func TestRFC7519Section2NumericDate(t *testing.T) {
	key := signers(t)[jose.ES256]
	keys, err := assertion.ParseKeys(keySet(t, jose.JSONWebKey{Key: key.Public(), KeyID: "k"}))
	if err != nil {
		t.Fatal(err)
	}
	at := now.Unix()
	for name, c := range map[string]struct {
		exp, more string
		want      time.Duration // after now; 0: refused
	}{
		"whole":                           {fmt.Sprint(at + 60), "", time.Minute},
		"with a fraction":                 {fmt.Sprint(at+60) + ".5", "", time.Minute + 500*time.Millisecond},
		"with a fraction of zero":         {fmt.Sprint(at+60) + ".000", "", time.Minute},
		"with more digits than we keep":   {fmt.Sprint(at+60) + ".5000000001", "", time.Minute + 500*time.Millisecond},
		"with an exponent":                {fmt.Sprintf("%d.%de9", (at+60)/1e9, (at+60)%1e9), "", time.Minute},
		"iat and nbf with fractions":      {fmt.Sprint(at + 60), fmt.Sprintf(`,"iat":%d.25,"nbf":%d.75`, at, at), time.Minute},
		"a moment ago":                    {fmt.Sprint(at-1) + ".999", "", 0},
		"now":                             {fmt.Sprint(at) + ".0", "", 0},
		"a moment ahead":                  {fmt.Sprint(at) + ".001", "", time.Millisecond},
		"a moment beyond the longest":     {fmt.Sprint(at+360) + ".1", "", 0},
		"a text":                          {fmt.Sprintf("%q", fmt.Sprint(at+60)), "", 0},
		"null":                            {"null", "", 0},
		"beyond any calendar":             {"1e300", "", 0},
		"a list":                          {"[1]", "", 0},
		"nbf a moment beyond what is due": {fmt.Sprint(at + 100), fmt.Sprintf(`,"nbf":%d.1`, at+60), 0},
	} {
		payload := fmt.Sprintf(`{"iss":"app_a","sub":"app_a","aud":%q,"jti":"x","exp":%s%s}`, issuer, c.exp, c.more)
		got, err := keys.Verify(sign(t, jose.ES256, jose.JSONWebKey{Key: key, KeyID: "k"}, nil, payload), want)
		if (err == nil) != (c.want > 0) || err == nil && got.Expires.Sub(now).Round(time.Microsecond) != c.want {
			t.Errorf("%s: %s: got %v, %v; want %v", name, payload, got.Expires, err, now.Add(c.want))
		}
	}
}
