package token_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/token"
)

func TestPayload(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	input := "e30." + base64.RawURLEncoding.EncodeToString([]byte("text"))
	signature := ed25519.Sign(private, []byte(input))
	good := input + "." + base64.RawURLEncoding.EncodeToString(signature)
	if got, err := token.Payload(good, public); err != nil || string(got) != "text" {
		t.Errorf("got %q and %v, want the text", got, err)
	}
	for name, raw := range map[string]string{
		"another payload":   strings.Replace(good, "e30.", "e30.A", 1),
		"two parts":         input,
		"four parts":        good + ".",
		"padding":           good + "==",
		"a line break":      good[:len(good)-3] + "\n" + good[len(good)-3:],
		"more than 8 KiB":   "e30." + strings.Repeat("A", 8<<10) + ".AA",
		"nothing":           "",
		"without signature": input + ".",
	} {
		if got, err := token.Payload(raw, public); err == nil || got != nil {
			t.Errorf("%s: got %q and %v, want a refusal", name, got, err)
		}
	}
	if _, err := token.Payload(good, p384.Public()); err == nil || token.SignedBy(p384.Public(), []byte(input), signature) {
		t.Error("a key of a kind that we do not have was taken")
	}
	if !token.SignedBy(public, []byte(input), signature) || token.SignedBy(public, []byte(input+"x"), signature) {
		t.Error("SignedBy does not tell a signature from another")
	}
}
