package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/secret"
)

// The vectors of the published format.
const (
	zerosTest = "wg_test_0000000000000000000000000000000000000000000" + "1VUjbu"
	orderLive = "wg_live_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg" + "2omEEL"
)

func TestWellFormed(t *testing.T) {
	tests := map[string]struct {
		text string
		env  secret.Environment
		want bool
	}{
		"the first vector":                         {zerosTest, secret.Staging, true},
		"the second vector":                        {orderLive, secret.Production, true},
		"a test secret in production":              {zerosTest, secret.Production, false},
		"a live secret in staging":                 {orderLive, secret.Staging, false},
		"nothing":                                  {"", secret.Staging, false},
		"only the prefix":                          {"wg_test_", secret.Staging, false},
		"one character short":                      {zerosTest[:56], secret.Staging, false},
		"one character more":                       {zerosTest + "0", secret.Staging, false},
		"a space after it":                         {zerosTest + " ", secret.Staging, false},
		"another character in the body":            {strings.Replace(zerosTest, "_0", "_1", 1), secret.Staging, false},
		"another checksum":                         {zerosTest[:56] + "v", secret.Staging, false},
		"two characters of the body swapped":       {strings.Replace(orderLive, "12", "21", 1), secret.Production, false},
		"a character outside the alphabet":         {strings.Replace(zerosTest, "_00", "_0-", 1), secret.Staging, false},
		"a character of more than one byte":        {strings.Replace(zerosTest, "_00", "_é", 1), secret.Staging, false},
		"the prefix in capitals":                   {"WG_TEST_" + zerosTest[8:], secret.Staging, false},
		"a prefix of another kind of bearer value": {"wg_link_" + zerosTest[8:], secret.Staging, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := secret.WellFormed(tt.text, tt.env); got != tt.want {
				t.Errorf("WellFormed(%q, %q) = %v, want %v", tt.text, tt.env, got, tt.want)
			}
		})
	}
}

func TestNewSecretIsWellFormedAndMatchesThePublishedPattern(t *testing.T) {
	pattern := regexp.MustCompile(`^\bwg_(live|test)_[0-9A-Za-z]{49}\b$`)
	seen := map[string]bool{}
	for i := range 2000 {
		m := secret.Maker{Environment: []secret.Environment{secret.Staging, secret.Production}[i%2]}
		s := m.New().Reveal()
		if !m.WellFormed(s) || !pattern.MatchString(s) || len(s) != 57 || seen[s] {
			t.Fatalf("New() = %q: well formed %v, length %d, seen before %v", s, m.WellFormed(s), len(s), seen[s])
		}
		seen[s] = true
	}
}

func TestBytesThatWouldBiasTheBodyAreThrownAway(t *testing.T) {
	// 248 to 255 would map to 0..7 a fifth time. They are skipped, also where a
	// whole read of them comes first.
	chance := io.MultiReader(bytes.NewReader(bytes.Repeat([]byte{255}, 64)), bytes.NewReader(bytes.Repeat([]byte{247, 248}, 64)))
	got := secret.New(chance, secret.Staging).Reveal()[8:51]
	if want := strings.Repeat("z", 43); got != want {
		t.Errorf("body = %q, want %q", got, want)
	}
}

func TestNewPanicsWithoutRandomness(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("New with an empty reader returned, want a panic")
		}
	}()
	secret.New(strings.NewReader("too short"), secret.Staging)
}

func TestNothingThatHoldsAKeyCanBePrinted(t *testing.T) {
	key := [32]byte([]byte("canary-canary-canary-canary-3232"))
	master := secret.NewMaster(bytes.NewReader(key[:]))
	things := map[string]any{
		"master": master, "pepper": secret.NewPepper(key), "sealer": secret.NewSealer(key),
	}
	type nested struct{ inner any }
	for name, thing := range things {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
				fmt.Fprintf(&out, verb+"\n", thing)
				fmt.Fprintf(&out, verb+"\n", nested{thing})
				fmt.Fprintf(&out, verb+"\n", struct{ m secret.Master }{master})
			}
			slog.New(slog.NewTextHandler(&out, nil)).Info("x", "thing", thing)
			text, err := json.Marshal(map[string]any{"thing": thing})
			if err != nil || !bytes.Contains(text, []byte("[secret]")) {
				t.Errorf("json = %s, %v, want [secret]", text, err)
			}
			out.Write(text)
			for _, canary := range []string{"canary", fmt.Sprintf("%x", "canary"), "99 97 110 97 114 121"} {
				if strings.Contains(out.String(), canary) {
					t.Errorf("the key shows as %q in\n%s", canary, out.String())
				}
			}
		})
	}
}
