package token_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"slices"
	"testing"

	"github.com/wattgate/wattgate/internal/token"
)

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func TestDERToRaw(t *testing.T) {
	n := elliptic.P256().Params().N
	minus := func(k int64) *big.Int { return new(big.Int).Sub(n, big.NewInt(k)) }
	low := new(big.Int).Rsh(n, 1)
	tests := map[string]struct{ r, s, want *big.Int }{
		"small numbers":          {big.NewInt(1), big.NewInt(2), big.NewInt(2)},
		"the greatest low s":     {big.NewInt(127), low, low},
		"the least high s":       {big.NewInt(128), new(big.Int).Add(low, big.NewInt(1)), low},
		"the greatest s":         {minus(1), minus(1), big.NewInt(1)},
		"leading zeros in s":     {minus(255), minus(65536), big.NewInt(65536)},
		"r with the highest bit": {new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(3), big.NewInt(3)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			der, err := asn1.Marshal(struct{ R, S *big.Int }{tt.r, tt.s})
			if err != nil {
				t.Fatal(err)
			}
			want := append(tt.r.FillBytes(make([]byte, 32)), tt.want.FillBytes(make([]byte, 32))...)
			raw, err := token.RawOfDER(der)
			if err != nil || !bytes.Equal(raw[:], want) {
				t.Errorf("RawOfDER(%x) = %x, %v, want %x", der, raw, err, want)
			}
		})
	}
}

func TestDERThatIsNotStrict(t *testing.T) {
	tests := map[string]string{
		"empty":                      "",
		"one byte":                   "30",
		"not a sequence":             "3106020101020102",
		"a good one with more":       "300602010102010200",
		"a length too long":          "3007020101020102",
		"a length too short":         "3005020101020102",
		"a length in the long form":  "308106020101020102",
		"one integer":                "3003020101",
		"three integers":             "3009020101020102020103",
		"an integer of no bytes":     "300502000201020000",
		"r of no bytes":              "30050200020102",
		"r zero":                     "3006020100020102",
		"s zero":                     "3006020101020100",
		"r negative":                 "3006020181020102",
		"a zero too many":            "300702020001020102",
		"an integer beyond the end":  "3006020101020902",
		"another tag":                "3006020101030102",
		"r of 33 bytes and no zero":  "30260221" + "01" + hex.EncodeToString(bytes.Repeat([]byte{0xff}, 32)) + "020102",
		"r of 34 bytes":              "30270222" + "0080" + hex.EncodeToString(bytes.Repeat([]byte{0xff}, 32)) + "020102",
		"an integer without a value": "300402010102",
	}
	for name, text := range tests {
		der, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if raw, err := token.RawOfDER(der); err == nil {
			t.Errorf("%s: RawOfDER(%s) = %x, want an error", name, text, raw)
		}
	}
}

// FuzzDER compares the two conversions with encoding/asn1: what is taken is
// what the standard library reads, and a signature survives there and back.
func FuzzDER(f *testing.F) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	der, err := ecdsa.SignASN1(rand.Reader, k, make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Add([]byte{0x30, 6, 2, 1, 1, 2, 1, 2})
	n := elliptic.P256().Params().N
	f.Fuzz(func(t *testing.T, der []byte) {
		raw, err := token.RawOfDER(der)
		if err != nil {
			return
		}
		var want struct{ R, S *big.Int }
		if rest, err := asn1.Unmarshal(der, &want); err != nil || len(rest) != 0 {
			t.Fatalf("RawOfDER took %x, the standard library says %v", der, err)
		}
		if want.S.Cmp(n) >= 0 {
			return // no ECDSA signature; the verifier says so
		}
		s := new(big.Int).SetBytes(raw[32:])
		if other := new(big.Int).Sub(n, want.S); s.Cmp(want.S) != 0 && s.Cmp(other) != 0 || s.Cmp(other) == 0 && s.Cmp(want.S) > 0 {
			t.Fatalf("s of %x = %x", der, s)
		}
		if want.R.Cmp(new(big.Int).SetBytes(raw[:32])) != 0 {
			t.Fatalf("r of %x = %x", der, raw[:32])
		}
		again, err := token.RawOfDER(token.AppendDER(nil, raw[:]))
		if err != nil || again != raw {
			t.Fatalf("%x there and back is %x, %v", raw, again, err)
		}
	})
}
