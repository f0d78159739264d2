package token_test

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/token"
)

// bare signs as many bytes as Sign does, with nothing around it.
func bare(a token.Algorithm) func() {
	signer := private(a)
	input := make([]byte, 820)
	return func() {
		message, opts := input, crypto.SignerOpts(crypto.Hash(0))
		if a != token.EdDSA {
			digest := sha256.Sum256(input)
			message, opts = digest[:], crypto.SHA256
		}
		if _, err := signer.Sign(rand.Reader, message, opts); err != nil {
			panic(err)
		}
	}
}

func TestAllocationsOfOurs(t *testing.T) {
	for _, a := range algorithms {
		t.Run(string(a), func(t *testing.T) {
			ring, c := openRing(t, a), partnerClaims()
			runs := 300
			if a == token.RS256 {
				runs = 30
			}
			crypto := testing.AllocsPerRun(runs, bare(a))
			all := testing.AllocsPerRun(runs, func() {
				if _, err := ring.Sign(nil, &c); err != nil {
					t.Error(err)
				}
			})
			if all-crypto > 4 {
				t.Errorf("Sign allocates %v times, the signature alone %v: ours are %v, want at most 4", all, crypto, all-crypto)
			}
			t.Logf("ours: %v beside %v", all-crypto, crypto)
		})
	}
}

func benchmarkSign(b *testing.B, a token.Algorithm) {
	ring, c := openRing(b, a), partnerClaims()
	dst := make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.Sign(dst, &c); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkBare(b *testing.B, a token.Algorithm) {
	do := bare(a)
	b.ReportAllocs()
	for b.Loop() {
		do()
	}
}

func benchmarkVerify(b *testing.B, a token.Algorithm) {
	ring := openRing(b, a)
	raw := sign(b, ring, userClaims())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.Verify(raw, noon, expect); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSignES256(b *testing.B)   { benchmarkSign(b, token.ES256) }
func BenchmarkBareES256(b *testing.B)   { benchmarkBare(b, token.ES256) }
func BenchmarkSignEdDSA(b *testing.B)   { benchmarkSign(b, token.EdDSA) }
func BenchmarkBareEdDSA(b *testing.B)   { benchmarkBare(b, token.EdDSA) }
func BenchmarkSignRS256(b *testing.B)   { benchmarkSign(b, token.RS256) }
func BenchmarkBareRS256(b *testing.B)   { benchmarkBare(b, token.RS256) }
func BenchmarkVerifyES256(b *testing.B) { benchmarkVerify(b, token.ES256) }
func BenchmarkVerifyEdDSA(b *testing.B) { benchmarkVerify(b, token.EdDSA) }
func BenchmarkVerifyRS256(b *testing.B) { benchmarkVerify(b, token.RS256) }

// BenchmarkVerifyForeign is what a stranger's token costs: no signature is
// computed for it.
func BenchmarkVerifyForeign(b *testing.B) {
	ring := openRing(b, token.ES256)
	raw := sign(b, ring, userClaims())
	raw = b64(`{"alg":"ES256","kid":"foreign","typ":"JWT"}`) + raw[strings.IndexByte(raw, '.'):]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.Verify(raw, noon, expect); err == nil {
			b.Fatal("verifies")
		}
	}
}

func BenchmarkNewID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		token.NewID(noon, nil)
	}
}
