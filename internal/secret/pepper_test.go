package secret_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"sync"
	"testing"

	"github.com/wattgate/wattgate/internal/secret"
)

func TestDigestIsHMACOfTheWholeText(t *testing.T) {
	key := [32]byte{1, 2, 3}
	p := secret.NewPepper(key)
	for _, n := range []int{0, 1, 57, 63, 64, 65, 128, 5000} {
		text := strings.Repeat("x", n)
		mac := hmac.New(sha256.New, key[:])
		mac.Write([]byte(text))
		if got, want := p.Digest(text), [32]byte(mac.Sum(nil)); got != want {
			t.Errorf("Digest of %d bytes = %x, want %x", n, got, want)
		}
	}
}

func TestDigestKnownVector(t *testing.T) {
	// RFC 4231 §4.2, test case 1, has a key of 20 bytes; HMAC pads with zeros to
	// the block, so that 32 bytes with zeros at the end are the same key.
	var key [32]byte
	for i := range 20 {
		key[i] = 0x0b
	}
	want := [32]byte{
		0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53, 0x5c, 0xa8, 0xaf, 0xce, 0xaf, 0x0b, 0xf1, 0x2b,
		0x88, 0x1d, 0xc2, 0x00, 0xc9, 0x83, 0x3d, 0xa7, 0x26, 0xe9, 0x37, 0x6c, 0x2e, 0x32, 0xcf, 0xf7,
	}
	if got := secret.NewPepper(key).Digest("Hi There"); !secret.Equal(got, want) {
		t.Errorf("Digest = %x, want %x", got, want)
	}
}

func TestEqualSeesEveryBit(t *testing.T) {
	a := secret.NewPepper([32]byte{1}).Digest("x")
	if !secret.Equal(a, a) {
		t.Error("a digest does not equal itself")
	}
	for i := range 256 {
		b := a
		b[i/8] ^= 1 << (i % 8)
		if secret.Equal(a, b) {
			t.Errorf("digests that differ in bit %d are equal", i)
		}
	}
}

func TestDigestFromManyGoroutines(t *testing.T) {
	p := secret.NewPepper([32]byte{7})
	texts := []string{"a", zerosTest, strings.Repeat("long", 50)}
	var want [3][32]byte
	for i, s := range texts {
		want[i] = p.Digest(s)
	}
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 500 {
				k := (g + i) % 3
				if got := p.Digest(texts[k]); got != want[k] {
					t.Errorf("Digest(%q) = %x, want %x", texts[k], got, want[k])
					return
				}
			}
		})
	}
	group.Wait()
}

func TestDigestAllocatesNothing(t *testing.T) {
	most := 0.0
	if raced { // a pool forgets at random then, and makes its state anew
		most = 8
	}
	p := secret.NewPepper([32]byte{7})
	if n := testing.AllocsPerRun(1000, func() { p.Digest(zerosTest) }); n > most {
		t.Errorf("Digest allocates %v times, want at most %v", n, most)
	}
	if n := testing.AllocsPerRun(1000, func() { secret.WellFormed(zerosTest, secret.Staging) }); n != 0 {
		t.Errorf("WellFormed allocates %v times, want 0", n)
	}
}

func TestPepperWithoutAKeyPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the zero Pepper digests, want a panic")
		}
	}()
	secret.Pepper{}.Digest("x")
}

func BenchmarkDigest(b *testing.B) {
	p := secret.NewPepper([32]byte{7})
	b.ReportAllocs()
	for b.Loop() {
		p.Digest(zerosTest)
	}
}

func BenchmarkWellFormed(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		secret.WellFormed(zerosTest, secret.Staging)
	}
}
