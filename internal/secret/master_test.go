package secret_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/secret"
)

func TestKeyFileReadsBackTheSame(t *testing.T) {
	m := secret.NewMaster(nil)
	text := string(m.KeyFile())
	for _, written := range []string{text, strings.TrimSuffix(text, "\n")} {
		back, err := secret.ParseMaster(written)
		if err != nil {
			t.Fatalf("ParseMaster(%d bytes): %v", len(written), err)
		}
		if back.Derive("x") != m.Derive("x") {
			t.Error("the key that was read back derives other keys")
		}
	}
	if other := secret.NewMaster(nil); other.Derive("x") == m.Derive("x") {
		t.Error("two new master keys derive the same key")
	}
}

func TestDamagedKeyFilesAreRefused(t *testing.T) {
	text := string(secret.NewMaster(bytes.NewReader(make([]byte, 32))).KeyFile())
	head, line, _ := strings.Cut(strings.TrimSuffix(text, "\n"), "\n")
	tests := map[string]string{
		"empty":                        "",
		"no header":                    line,
		"another version":              strings.Replace(text, " 1\n", " 2\n", 1),
		"header only":                  head + "\n",
		"one character changed":        head + "\nB" + line[1:],
		"one character missing":        head + "\n" + line[1:],
		"padding in place of the end":  head + "\n" + line[:47] + "=",
		"two of padding":               head + "\n" + line[:46] + "==",
		"a key one byte short":         head + "\n" + base64.StdEncoding.EncodeToString(make([]byte, 35)),
		"a key two bytes short":        head + "\n" + base64.StdEncoding.EncodeToString(make([]byte, 34)),
		"a line break in the middle":   head + "\n" + line[:20] + "\n" + line[20:],
		"a line break for a character": head + "\n" + line[:20] + "\n" + line[21:],
		"two line feeds at the end":    text + "\n",
		"carriage returns":             strings.ReplaceAll(text, "\n", "\r\n"),
		"a third line":                 text + "x",
		"a space":                      " " + text,
		"another alphabet":             head + "\n" + strings.Repeat("-", 48),
	}
	for name, damaged := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := secret.ParseMaster(damaged); !errors.Is(err, secret.ErrKeyFile) {
				t.Errorf("ParseMaster(%q): %v, want ErrKeyFile", damaged, err)
			}
		})
	}
}

func TestDeriveIsHKDF(t *testing.T) {
	// RFC 5869 §2 written out for one block and no salt.
	key := bytes.Repeat([]byte{0x0b}, 32)
	m := secret.NewMaster(bytes.NewReader(key))
	extract := hmac.New(sha256.New, make([]byte, 32))
	extract.Write(key)
	expand := hmac.New(sha256.New, extract.Sum(nil))
	expand.Write([]byte("label\x01"))
	if got, want := m.Derive("label"), [32]byte(expand.Sum(nil)); got != want {
		t.Errorf("Derive = %x, want %x", got, want)
	}
}

func TestEveryLabelHasItsOwnKey(t *testing.T) {
	m := secret.NewMaster(nil)
	keys := map[[32]byte]string{}
	for _, label := range []string{secret.LabelPepper, secret.LabelSigningKeys, secret.LabelCursor, ""} {
		k := m.Derive(label)
		if other, ok := keys[k]; ok {
			t.Errorf("labels %q and %q have one key", label, other)
		}
		keys[k] = label
	}
}

func TestSealer(t *testing.T) {
	m := secret.NewMaster(nil)
	s, plain := m.Sealer(), []byte("a private key")
	sealed, err := s.Seal("2026-11-a", plain)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Open("2026-11-a", sealed); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("Open = %q, %v, want %q", got, err, plain)
	}
	if again, _ := s.Seal("2026-11-a", plain); bytes.Equal(again, sealed) {
		t.Error("sealed twice, the same bytes: the nonce is not random")
	}
	if bytes.Contains(sealed, plain) {
		t.Error("the plain text shows")
	}

	refused := map[string]struct {
		s      secret.Sealer
		name   string
		sealed []byte
	}{
		"another name":  {s, "2026-11-b", sealed},
		"no name":       {s, "", sealed},
		"another key":   {secret.NewMaster(nil).Sealer(), "2026-11-a", sealed},
		"cut short":     {s, "2026-11-a", sealed[:len(sealed)-1]},
		"shorter still": {s, "2026-11-a", sealed[:5]},
		"nothing":       {s, "2026-11-a", nil},
	}
	for name, tt := range refused {
		if got, err := tt.s.Open(tt.name, tt.sealed); !errors.Is(err, secret.ErrSealed) || got != nil {
			t.Errorf("%s: Open = %q, %v, want ErrSealed", name, got, err)
		}
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := s.Open("2026-11-a", changed); err == nil {
			t.Errorf("with byte %d changed it still opens", i)
		}
	}
}
