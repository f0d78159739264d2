package token_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

func TestTimes(t *testing.T) {
	ring := openRing(t, token.EdDSA)
	at := func(iat, nbf, exp time.Duration) token.Claims {
		c := partnerClaims()
		c.IssuedAt, c.NotBefore, c.Expires = noon.Add(iat).Unix(), noon.Add(nbf).Unix(), noon.Add(exp).Unix()
		c.ID = token.NewID(noon.Add(iat), nil)
		return c
	}
	second := noon.Truncate(time.Second)
	tests := map[string]struct {
		c    token.Claims
		now  time.Time
		want error
	}{
		"in its time":                         {at(0, 0, time.Minute), noon, nil},
		"in its last second":                  {at(0, 0, time.Minute), second.Add(time.Minute - time.Nanosecond), nil},
		"at the second of exp":                {at(0, 0, time.Minute), second.Add(time.Minute), token.ErrExpired},
		"later":                               {at(0, 0, time.Minute), second.Add(time.Hour), token.ErrExpired},
		"issued by a clock 60 s ahead":        {at(time.Minute, 0, time.Hour), second, nil},
		"issued by a clock 61 s ahead":        {at(61*time.Second, 0, time.Hour), second.Add(999 * time.Millisecond), token.ErrNotYet},
		"good from 60 s later":                {at(0, time.Minute, time.Hour), second, nil},
		"good from 61 s later":                {at(0, 61*time.Second, time.Hour), second, token.ErrNotYet},
		"a clock that stands at its zero":     {at(0, 0, time.Hour), time.Time{}, token.ErrNotYet},
		"expired and from the future at once": {at(0, time.Hour, time.Minute), second.Add(time.Minute), token.ErrExpired},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := ring.Verify(sign(t, ring, tt.c), tt.now, expect); !errors.Is(err, tt.want) {
				t.Errorf("Verify at %v: %v, want %v", tt.now, err, tt.want)
			}
		})
	}
}

func TestExpectations(t *testing.T) {
	ring := openRing(t, token.ES256)
	raw := sign(t, ring, partnerClaims())
	tests := map[string]struct {
		want token.Expect
		err  error
	}{
		"our issuer":                     {token.Expect{Issuer: issuer}, nil},
		"our issuer and type":            {token.Expect{Issuer: issuer, Type: "at+jwt"}, nil},
		"another issuer":                 {token.Expect{Issuer: "https://auth.example.com"}, token.ErrIssuer},
		"the issuer with a slash":        {token.Expect{Issuer: issuer + "/"}, token.ErrIssuer},
		"no issuer":                      {token.Expect{}, token.ErrIssuer},
		"another type":                   {token.Expect{Issuer: issuer, Type: "JWT"}, token.ErrType},
		"the type in other letters":      {token.Expect{Issuer: issuer, Type: "AT+JWT"}, token.ErrType},
		"the type with its media prefix": {token.Expect{Issuer: issuer, Type: "application/at+jwt"}, token.ErrType},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got, err := ring.Verify(raw, noon, tt.want); !errors.Is(err, tt.err) || (err != nil) != (got == token.Claims{}) {
				t.Errorf("Verify expecting %+v = %+v, %v, want %v", tt.want, got, err, tt.err)
			}
		})
	}
}

// TestForgedTokens is what RFC 8725 §2 lists and what else we could think of.
// The attacker has a good token, all public keys, and for the last group a
// true key with which to sign what we never would.
func TestForgedTokens(t *testing.T) {
	ring := openRing(t, token.ES256, token.EdDSA, token.RS256)
	good := sign(t, ring, userClaims())
	parts := strings.Split(good, ".")
	head, body, signature := parts[0], parts[1], parts[2]
	claims := payload(t, good)
	with := func(header string) string { return b64(header) + "." + body + "." + signature }
	signed := func(payload string) string { return forge(token.ES256, header(token.ES256), payload) }
	kid := `"kid":"2026-11-es"`
	swap := func(from, to string) string {
		if !strings.Contains(claims, from) {
			t.Fatalf("%q is not in %s", from, claims)
		}
		return signed(strings.Replace(claims, from, to, 1))
	}
	if _, err := ring.Verify(signed(claims), noon, expect); err != nil {
		t.Fatalf("the forger cannot even make a good token: %v", err)
	}
	raw := unb64(t, signature)
	s := new(big.Int).SetBytes(raw[32:])
	twin := b64(string(append(slices.Clone(raw[:32]), s.Sub(elliptic.P256().Params().N, s).FillBytes(make([]byte, 32))...)))
	public := stored[token.ES256]().Public
	pemText := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	hs256 := func(key []byte) string {
		input := b64(`{"alg":"HS256",`+kid+`,"typ":"at+jwt"}`) + "." + body
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(input))
		return input + "." + b64(string(mac.Sum(nil)))
	}

	tests := map[string]struct {
		raw  string
		want error
	}{
		"alg none":                     {with(`{"alg":"none",` + kid + `,"typ":"at+jwt"}`), token.ErrUnknownKey},
		"alg none without signature":   {b64(`{"alg":"none","typ":"at+jwt"}`) + "." + body + ".", token.ErrUnknownKey},
		"alg None":                     {with(`{"alg":"None",` + kid + `,"typ":"at+jwt"}`), token.ErrUnknownKey},
		"another alg for the key":      {with(`{"alg":"EdDSA",` + kid + `,"typ":"at+jwt"}`), token.ErrUnknownKey},
		"HS256 with the public key":    {hs256(public), token.ErrUnknownKey},
		"HS256 with its PEM":           {hs256([]byte(pemText)), token.ErrUnknownKey},
		"the header of the EdDSA key":  {with(header(token.EdDSA)), token.ErrSignature},
		"the header of the RSA key":    {with(header(token.RS256)), token.ErrSignature},
		"typ JWT":                      {with(`{"alg":"ES256",` + kid + `,"typ":"JWT"}`), token.ErrUnknownKey},
		"no typ":                       {with(`{"alg":"ES256",` + kid + `}`), token.ErrUnknownKey},
		"no kid":                       {with(`{"alg":"ES256","typ":"at+jwt"}`), token.ErrUnknownKey},
		"an unknown kid":               {with(`{"alg":"ES256","kid":"2026-11-xx","typ":"at+jwt"}`), token.ErrUnknownKey},
		"a kid that is a path":         {with(`{"alg":"ES256","kid":"../../dev/null","typ":"at+jwt"}`), token.ErrUnknownKey},
		"a kid that is a number":       {with(`{"alg":"ES256","kid":1,"typ":"at+jwt"}`), token.ErrUnknownKey},
		"crit":                         {with(`{"alg":"ES256",` + kid + `,"typ":"at+jwt","crit":["exp"]}`), token.ErrUnknownKey},
		"jku":                          {with(`{"alg":"ES256",` + kid + `,"typ":"at+jwt","jku":"https://evil.example"}`), token.ErrUnknownKey},
		"jwk":                          {with(`{"alg":"ES256",` + kid + `,"typ":"at+jwt","jwk":{"kty":"EC"}}`), token.ErrUnknownKey},
		"x5u":                          {with(`{"alg":"ES256",` + kid + `,"typ":"at+jwt","x5u":"https://evil.example"}`), token.ErrUnknownKey},
		"x5c":                          {with(`{"alg":"ES256",` + kid + `,"typ":"at+jwt","x5c":[]}`), token.ErrUnknownKey},
		"b64 false":                    {with(`{"alg":"ES256",` + kid + `,"typ":"at+jwt","b64":false}`), token.ErrUnknownKey},
		"kid twice":                    {with(`{"alg":"ES256",` + kid + `,` + kid + `,"typ":"at+jwt"}`), token.ErrUnknownKey},
		"alg twice":                    {with(`{"alg":"none","alg":"ES256",` + kid + `,"typ":"at+jwt"}`), token.ErrUnknownKey},
		"a space in the header":        {with(`{"alg":"ES256", ` + kid + `,"typ":"at+jwt"}`), token.ErrUnknownKey},
		"nothing":                      {"", token.ErrMalformed},
		"two dots":                     {"..", token.ErrUnknownKey},
		"no signature part":            {head + "." + body, token.ErrMalformed},
		"an empty signature":           {head + "." + body + ".", token.ErrSignature},
		"a fourth part":                {good + ".", token.ErrMalformed},
		"a JWE's five parts":           {good + "..", token.ErrMalformed},
		"JSON in place of a token":     {`{"payload":"` + body + `","signature":"` + signature + `"}`, token.ErrMalformed},
		"nine kibibytes":               {good + strings.Repeat("A", 9<<10), token.ErrMalformed},
		"one byte over the bound":      {good + strings.Repeat("A", token.MaxLength+1-len(good)), token.ErrMalformed},
		"a space before it":            {" " + good, token.ErrUnknownKey},
		"a line feed after it":         {good + "\n", token.ErrMalformed},
		"padding after the signature":  {good + "==", token.ErrMalformed},
		"padding after the header":     {head + "=." + body + "." + signature, token.ErrUnknownKey},
		"padding after the claims":     {head + "." + body + "=." + signature, token.ErrSignature},
		"spare bits in the signature":  {good[:len(good)-1] + spare(good[len(good)-1]), token.ErrMalformed},
		"plain base64 in place of url": {head + "." + body + "." + strings.Repeat("+", 86), token.ErrMalformed},
		"a line break in the claims":   {head + "." + body[:9] + "\n" + body[9:] + "." + signature, token.ErrSignature},
		"a line break in the signature": {
			head + "." + body + "." + signature[:9] + "\n" + signature[9:], token.ErrMalformed,
		},
		"other claims":                {head + "." + b64(strings.Replace(claims, "CAN_QUERY", "CAN_QUERX", 1)) + "." + signature, token.ErrSignature},
		"no claims":                   {head + ".." + signature, token.ErrSignature},
		"a signature one byte short":  {head + "." + body + "." + b64(string(raw[:63])), token.ErrSignature},
		"a signature one byte longer": {head + "." + body + "." + b64(string(raw)+"\x00"), token.ErrSignature},
		"a signature in DER":          {head + "." + body + "." + b64(string(token.AppendDER(nil, raw))), token.ErrSignature},
		"a signature of zeros":        {head + "." + body + "." + b64(strings.Repeat("\x00", 64)), token.ErrSignature},
		"the twin with n-s":           {head + "." + body + "." + twin, token.ErrSignature},
		"another key under our kid":   {forgeWith(t, head+"."+body), token.ErrSignature},

		"signed: another issuer":          {swap(issuer, issuer+".evil.example"), token.ErrIssuer},
		"signed: expired":                 {swap(`"exp":1795262700`, `"exp":1795262400`), token.ErrMalformed},
		"signed: no exp":                  {swap(`"exp":1795262700,`, ``), token.ErrMalformed},
		"signed: exp null":                {swap(`1795262700`, `null`), token.ErrMalformed},
		"signed: exp as a string":         {swap(`1795262700`, `"1795262700"`), token.ErrMalformed},
		"signed: exp as a float":          {swap(`1795262700`, `1795262700.5`), token.ErrMalformed},
		"signed: exp with an exponent":    {swap(`1795262700`, `17952627e2`), token.ErrMalformed},
		"signed: exp with a leading zero": {swap(`1795262700`, `01795262700`), token.ErrMalformed},
		"signed: exp of twelve digits":    {swap(`1795262700`, `179526270000`), token.ErrMalformed},
		"signed: a negative exp":          {swap(`1795262700`, `-1795262700`), token.ErrMalformed},
		"signed: exp twice":               {swap(`,"iat"`, `,"exp":9795262700,"iat"`), token.ErrMalformed},
		"signed: sub twice":               {swap(`,"aud"`, `,"sub":"usr_0c1a3b5e7f204a639a516f0c2d9be715","aud"`), token.ErrMalformed},
		"signed: a claim at the end twice": {
			signed(strings.TrimSuffix(claims, "}") + `,"sid":"aud_2abc"}`), token.ErrMalformed,
		},
		"signed: an unknown claim":        {swap(`,"aud"`, `,"admin":true,"aud"`), token.ErrMalformed},
		"signed: no sub":                  {swap(`"sub":"usr_0c1a3b5e7f204a639a516f0c2d9be714",`, ``), token.ErrMalformed},
		"signed: empty sub":               {swap(`"usr_0c1a3b5e7f204a639a516f0c2d9be714"`, `""`), token.ErrMalformed},
		"signed: sub of a partner":        {swap(`"usr_0c1a3b5e7f204a639a516f0c2d9be714"`, `"prt_hollandspower"`), token.ErrMalformed},
		"signed: somebody acts as an app": {swap(`"usr_0c1a3b5e7f204a639a516f0c2d9be714"`, `"app_k3f9m2xq7c4dabcd"`), token.ErrMalformed},
		"signed: aud as a string":         {swap(`["customer"]`, `"customer"`), token.ErrMalformed},
		"signed: aud empty":               {swap(`["customer"]`, `[]`), token.ErrMalformed},
		"signed: aud unknown":             {swap(`["customer"]`, `["bank"]`), token.ErrMalformed},
		"signed: aud twice the same":      {swap(`["customer"]`, `["customer","customer"]`), token.ErrMalformed},
		"signed: aud out of order":        {swap(`["customer"]`, `["customer","auth"]`), token.ErrMalformed},
		"signed: aud without a comma":     {swap(`["customer"]`, `["auth""customer"]`), token.ErrMalformed},
		"signed: aud with a comma more":   {swap(`["customer"]`, `["customer",]`), token.ErrMalformed},
		"signed: an unknown permission":   {swap(`"CAN_QUERY_PROPERTY"`, `"OAUTH_MANAGER"`), token.ErrMalformed},
		"signed: scp wider than scope":    {swap(`"scp":[`, `"scp":["manage:customers",`), token.ErrMalformed},
		"signed: scp narrower than scope": {swap(`"scp":["query:property",`, `"scp":[`), token.ErrMalformed},
		"signed: act of somebody else":    {swap(`{"sub":"app_k3f9m2xq7c4dabcd"}`, `{"sub":"app_other"}`), token.ErrMalformed},
		"signed: act without a name":      {swap(`{"sub":"app_k3f9m2xq7c4dabcd"}`, `{"sub":""}`), token.ErrMalformed},
		"signed: act with more in it":     {swap(`{"sub":"app_k3f9m2xq7c4dabcd"}`, `{"sub":"app_k3f9m2xq7c4dabcd","act":{}}`), token.ErrMalformed},
		"signed: act and no sid":          {swap(`,"sid":"aud_2abc"`, ``), token.ErrMalformed},
		"signed: a jti that is not ours":  {swap(`"jti":"A`, `"jti":"B`), token.ErrMalformed},
		"signed: another spelling":        {swap(`usr_0`, `\u0075sr_0`), token.ErrMalformed},
		"signed: an escape we never use":  {swap(`aud_2abc`, `aud\/2abc`), token.ErrMalformed},
		"signed: a raw control character": {swap(`aud_2abc`, "aud\t2abc"), token.ErrMalformed},
		"signed: not UTF-8":               {swap(`aud_2abc`, "aud\xff2abc"), token.ErrMalformed},
		"signed: a space":                 {swap(`,"aud"`, `, "aud"`), token.ErrMalformed},
		"signed: something after it":      {signed(claims + "{}"), token.ErrMalformed},
		"signed: cut short":               {signed(claims[:len(claims)-1]), token.ErrMalformed},
		"signed: empty":                   {signed(""), token.ErrMalformed},
		"signed: an array":                {signed("[" + claims + "]"), token.ErrMalformed},
		"signed: null":                    {signed("null"), token.ErrMalformed},
		"signed: claims with padding":     {forgeEncoded(token.ES256, head, body+"="), token.ErrMalformed},
		"signed: claims with a line feed": {forgeEncoded(token.ES256, head, body[:8]+"\n"+body[8:]), token.ErrMalformed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ring.Verify(tt.raw, noon, expect)
			if !errors.Is(err, tt.want) || (got != token.Claims{}) {
				t.Errorf("Verify(%.2000s) = %+v, %v, want %v", tt.raw, got, err, tt.want)
			}
			if err != nil && len(tt.raw) > 20 && strings.Contains(err.Error(), tt.raw[:20]) {
				t.Errorf("the error quotes the token: %v", err)
			}
		})
	}
}

func TestEightKibibytesAreTheBoundOnBothSides(t *testing.T) {
	ring := openRing(t, token.EdDSA)
	last := payload(t, sign(t, ring, userClaims()))
	lengths := map[bool]int{}
	for n := range 200 {
		c := userClaims()
		c.SID = strings.Repeat("x", 5450+n)
		raw := forge(token.EdDSA, header(token.EdDSA), strings.Replace(last, userClaims().SID, c.SID, 1))
		fits := len(raw) <= token.MaxLength
		lengths[fits]++
		_, signed := ring.Sign(nil, &c)
		_, verified := ring.Verify(raw, noon, expect)
		if fits != (signed == nil) || fits != (verified == nil) || !fits && !errors.Is(verified, token.ErrMalformed) {
			t.Fatalf("%d bytes: Sign %v, Verify %v", len(raw), signed, verified)
		}
	}
	if lengths[true] == 0 || lengths[false] == 0 {
		t.Fatalf("the lengths do not reach over the bound: %v", lengths)
	}
}

func TestMalleatedEdDSASignature(t *testing.T) {
	// RFC 8032 §8.4: S plus the order of the group is the same S to a careless verifier.
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	ring := openRing(t, token.EdDSA)
	raw := sign(t, ring, partnerClaims())
	dot := strings.LastIndexByte(raw, '.')
	signature := unb64(t, raw[dot+1:])
	s := slices.Clone(signature[32:])
	slices.Reverse(s)
	sum := new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
	slices.Reverse(sum)
	forged := raw[:dot+1] + b64(string(append(signature[:32:32], sum...)))
	if _, err := ring.Verify(forged, noon, expect); !errors.Is(err, token.ErrSignature) {
		t.Errorf("Verify = %v, want ErrSignature", err)
	}
}

func TestRSASignaturesOfAnotherPadding(t *testing.T) {
	ring := openRing(t, token.RS256)
	input := b64(header(token.RS256)) + "." + strings.Split(sign(t, ring, partnerClaims()), ".")[1]
	digest := sha256.Sum256([]byte(input))
	pss, err := rsa.SignPSS(rand.Reader, private(token.RS256).(*rsa.PrivateKey), 5, digest[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Verify(input+"."+b64(string(pss)), noon, expect); !errors.Is(err, token.ErrSignature) {
		t.Errorf("PSS in place of PKCS #1 v1.5: %v, want ErrSignature", err)
	}
}

func TestSingleEditsNeverVerify(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\x00\xff"
	edits := map[token.Algorithm]int{token.EdDSA: 20_000, token.ES256: 5_000, token.RS256: 5_000}
	for _, a := range algorithms {
		t.Run(string(a), func(t *testing.T) {
			ring := openRing(t, a)
			good := sign(t, ring, userClaims())
			chance := mathrand.New(mathrand.NewPCG(1, 2))
			for range edits[a] {
				at, b := chance.IntN(len(good)), alphabet[chance.IntN(len(alphabet))]
				forged := good[:at] + string([]byte{b}) + good[at+1:]
				switch chance.IntN(4) {
				case 0:
					forged = good[:at] + good[at+1:]
				case 1:
					forged = good[:at] + string([]byte{b}) + good[at:]
				}
				if forged == good {
					continue
				}
				if got, err := ring.Verify(forged, noon, expect); err == nil || (got != token.Claims{}) {
					t.Fatalf("edited at %d with %q it verifies: %s", at, b, forged)
				}
			}
		})
	}
}

// spare returns a character that differs from c only in bits that 64 bytes do
// not use.
func spare(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)|1])
}

// forgeWith signs with a key that nobody knows.
func forgeWith(t *testing.T, input string) string {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(input))
	der, err := ecdsa.SignASN1(rand.Reader, k, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	raw, err := token.RawOfDER(der)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s.%s", input, b64(string(raw[:])))
}

// FuzzVerify reads any text as a token. What verifies is exactly what the ring
// would sign: EdDSA signatures are deterministic, so signing the claims again
// gives the same text, byte for byte.
func FuzzVerify(f *testing.F) {
	ring := openRing(f, token.EdDSA)
	for _, c := range []token.Claims{partnerClaims(), userClaims()} {
		good := sign(f, ring, c)
		f.Add(good)
		f.Add(good + ".")
		f.Add(good[:len(good)-1])
	}
	f.Add("..")
	f.Add(b64(header(token.EdDSA)) + "..")
	f.Fuzz(func(t *testing.T, raw string) { verifiesOnlyWhatWeSign(t, ring, raw) })
}

// FuzzSignedClaims signs any text with the true key, so that it gets as far as
// the reader of the claims. Still only our own spelling is taken.
func FuzzSignedClaims(f *testing.F) {
	ring := openRing(f, token.EdDSA)
	bound, certified := partnerClaims(), userClaims()
	bound.Bound = domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: thumb}
	certified.Bound = domain.Confirmation{Method: domain.ConfirmCertificate, Thumbprint: thumb}
	looks := loginClaims()
	looks.Method, looks.Staff = domain.LoginMasquerade, "usr_1c1a3b5e7f204a639a516f0c2d9be714"
	for _, c := range []token.Claims{partnerClaims(), userClaims(), bound, certified, loginClaims(), looks} {
		good := payload(f, sign(f, ring, c))
		f.Add(good)
		f.Add(strings.Replace(good, `["`, `[ "`, 1))
		f.Add(strings.Replace(good, "aud_2abc", `\"\\\u001f`, 1))
		f.Add(strings.Replace(good, "https:", `\"\\\u001fhttps:`, 1))
	}
	f.Fuzz(func(t *testing.T, claims string) {
		verifiesOnlyWhatWeSign(t, ring, forge(token.EdDSA, header(token.EdDSA), claims))
	})
}

func verifiesOnlyWhatWeSign(t *testing.T, ring *token.Ring, raw string) {
	t.Helper()
	c, err := ring.Verify(raw, noon, token.Expect{Issuer: issuer, Login: loginIssuer})
	if err != nil {
		if (c != token.Claims{}) {
			t.Fatalf("Verify(%q): claims %+v beside the error %v", raw, c, err)
		}
		return
	}
	if again := sign(t, ring, c); again != raw {
		t.Fatalf("Verify took\n%q, the ring would sign\n%q", raw, again)
	}
}
