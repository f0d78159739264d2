package jose

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/c2sp/wycheproof"
)

// file is a file of vectors, as far as we read it.
type file struct {
	NumberOfTests int     `json:"numberOfTests"`
	TestGroups    []group `json:"testGroups"`
}

// group is one key and what was, or was not, signed with it.
type group struct {
	Comment string          `json:"comment"`
	Private json.RawMessage `json:"private"` // a JWK or a JWKS
	Public  json.RawMessage `json:"public"`

	PublicKeyDER string `json:"publicKeyDer"` // SubjectPublicKeyInfo, in hexadecimal

	Tests []vector `json:"tests"`
}

// vector is one case: a JWS, or a message with its signature.
type vector struct {
	ID      int      `json:"tcId"`
	Comment string   `json:"comment"`
	Flags   []string `json:"flags"`
	JWS     string   `json:"jws"`
	Message string   `json:"msg"` // in hexadecimal, as the signature
	Sig     string   `json:"sig"`
	Result  string   `json:"result"`
}

// read returns a file of vectors, and fails where it is not whole.
func read(t *testing.T, name string) file {
	t.Helper()
	text, err := fs.ReadFile(wycheproof.TestVectors, name)
	if err != nil {
		t.Fatal(err)
	}
	var f file
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, g := range f.TestGroups {
		n += len(g.Tests)
	}
	if n == 0 || n != f.NumberOfTests {
		t.Fatalf("%s: got %d vectors, want %d", name, n, f.NumberOfTests)
	}
	return f
}

// keys returns a group's public keys as a key set, the way a client registers
// them. A group of symmetric keys has no public half: it comes as it is.
func (g group) keys() []byte {
	text := g.Public
	if text == nil {
		text = g.Private
	}
	var set struct {
		Keys json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(text, &set) == nil && set.Keys != nil {
		return text
	}
	return []byte(`{"keys":[` + string(text) + `]}`)
}

// algorithm returns what a JWS says that it is signed with.
func (v vector) algorithm() string {
	head, _, _ := strings.Cut(v.JWS, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return ""
	}
	var h struct {
		Algorithm string `json:"alg"`
	}
	if json.Unmarshal(text, &h) != nil {
		return ""
	}
	return h.Algorithm
}

// payload returns the second part of a JWS.
func (v vector) payload(t *testing.T) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(v.JWS, ".")[1])
	if err != nil {
		t.Fatalf("vector %d is valid and has no payload: %v", v.ID, err)
	}
	return string(text)
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var errNotSigned = errors.New("not its signature")

func oneOf(s string, list ...string) bool { return slices.Contains(list, s) }
