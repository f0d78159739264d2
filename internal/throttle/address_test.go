package throttle_test

import (
	"bytes"
	"testing"

	"github.com/wattgate/wattgate/internal/throttle"
)

func TestWhatCountsAsOneAddress(t *testing.T) {
	for name, c := range map[string]struct {
		a, b string
		same bool
	}{
		"the same":                      {"192.0.2.1", "192.0.2.1", true},
		"a neighbour":                   {"192.0.2.1", "192.0.2.2", false},
		"the same, as IPv6 writes it":   {"192.0.2.1", "::ffff:192.0.2.1", true},
		"a neighbour, as IPv6 does":     {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
		"one household":                 {"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true},
		"the household with a zone":     {"fe80::1%eth0", "fe80::2", true},
		"the next household":            {"2001:db8::1", "2001:db8:0:1::1", false},
		"what is none, and what is one": {"", "192.0.2.1", false},
		"two that are none":             {"x", "", true},
	} {
		if got := bytes.Equal(throttle.Address(c.a), throttle.Address(c.b)); got != c.same {
			t.Errorf("%s: %q and %q: got %v, want %v", name, c.a, c.b, got, c.same)
		}
	}
}
