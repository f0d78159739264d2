package server_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/server"
)

// TestWhoIsBelieved: the address is the last hop that is no listed proxy, and
// headers of others are not read.
func TestWhoIsBelieved(t *testing.T) {
	proxies, wrong := server.ParseProxies("10.0.0.0/8, 192.0.2.7 2001:db8:f::/48")
	if wrong != "" {
		t.Fatalf("%q is refused", wrong)
	}
	for name, c := range map[string]struct {
		peer      string
		forwarded []string
		want      string
	}{
		"no proxy, no header":                    {"198.51.100.1:5", nil, "198.51.100.1"},
		"no proxy, and a header":                 {"198.51.100.1:5", []string{"203.0.113.9"}, "198.51.100.1"},
		"a proxy without a header":               {"10.1.2.3:5", nil, "10.1.2.3"},
		"a proxy and its client":                 {"10.1.2.3:5", []string{"203.0.113.9"}, "203.0.113.9"},
		"what the client wrote itself":           {"10.1.2.3:5", []string{"192.0.2.99, 203.0.113.9"}, "203.0.113.9"},
		"a client that pretends to be a proxy":   {"10.1.2.3:5", []string{"192.0.2.99, 10.9.9.9, 203.0.113.9"}, "203.0.113.9"},
		"two proxies":                            {"10.1.2.3:5", []string{"192.0.2.99, 203.0.113.9, 192.0.2.7"}, "203.0.113.9"},
		"in several lines":                       {"10.1.2.3:5", []string{"192.0.2.99", "203.0.113.9", "192.0.2.7"}, "203.0.113.9"},
		"proxies all the way":                    {"10.1.2.3:5", []string{"10.0.0.1, 10.0.0.2"}, "10.0.0.1"},
		"with a port":                            {"10.1.2.3:5", []string{"203.0.113.9:4711"}, "203.0.113.9"},
		"IPv6":                                   {"[2001:db8:f::1]:5", []string{"2001:db8::9"}, "2001:db8::9"},
		"IPv6 with a port":                       {"[2001:db8:f::1]:5", []string{"[2001:db8::9]:4711"}, "2001:db8::9"},
		"IPv6 in brackets":                       {"10.1.2.3:5", []string{"[2001:db8::9]"}, "2001:db8::9"},
		"IPv4 in IPv6":                           {"[::ffff:10.1.2.3]:5", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		"a hop that is no address":               {"10.1.2.3:5", []string{"203.0.113.9, unknown"}, "10.1.2.3"},
		"a hop before it that is no address":     {"10.1.2.3:5", []string{"<script>, 203.0.113.9"}, "203.0.113.9"},
		"a second proxy after what cannot be it": {"10.1.2.3:5", []string{"_hidden, 192.0.2.7"}, "192.0.2.7"},
		"an empty header":                        {"10.1.2.3:5", []string{""}, "10.1.2.3"},
		"a thousand hops":                        {"10.1.2.3:5", []string{"203.0.113.9" + strings.Repeat(", 10.0.0.1", 1000)}, "10.0.0.1"},
		"no address at all":                      {"@", []string{"203.0.113.9"}, "@"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.forwarded}}
		if got := proxies.Address(r); got != c.want {
			t.Errorf("%s: from %s for %q: got %s, want %s", name, c.peer, c.forwarded, got, c.want)
		}
		if got, _, _ := strings.Cut(server.Proxies(nil).Address(r), "%"); strings.Contains(c.peer, ":5") && !strings.Contains(c.peer, got) {
			t.Errorf("%s: without a list: got %s, want the peer %s", name, got, c.peer)
		}
	}
}

func TestParseProxies(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		count int
		wrong string
	}{
		"nothing":                 {"", 0, ""},
		"one":                     {"10.0.0.0/8", 1, ""},
		"an address":              {"::1", 1, ""},
		"IPv4 in IPv6":            {"::ffff:10.0.0.0/104", 1, ""},
		"commas and spaces":       {" 10.0.0.0/8,127.0.0.1 , ::1", 3, ""},
		"everybody":               {"0.0.0.0/0", 0, "0.0.0.0/0"},
		"everybody of IPv6":       {"10.0.0.0/8,::/0", 0, "::/0"},
		"bits beyond the network": {"10.1.2.3/8", 0, "10.1.2.3/8"},
		"a name":                  {"proxy.example.com", 0, "proxy.example.com"},
		"a zone":                  {"fe80::1%eth0", 0, "fe80::1%eth0"},
		"a range":                 {"10.0.0.1-10.0.0.9", 0, "10.0.0.1-10.0.0.9"},
	} {
		list, wrong := server.ParseProxies(c.text)
		if len(list) != c.count || wrong != c.wrong {
			t.Errorf("%s: ParseProxies(%q) = %v, %q; want %d, %q", name, c.text, list, wrong, c.count, c.wrong)
		}
	}
}

// FuzzAddress: whatever a client writes, an address comes out, and what stands
// before the hop of an honest proxy changes nothing.
func FuzzAddress(f *testing.F) {
	f.Add("10.0.0.1, [::1]:80, unknown")
	proxies, _ := server.ParseProxies("10.0.0.0/8")
	f.Fuzz(func(t *testing.T, forwarded string) {
		ask := func(lines ...string) string {
			return proxies.Address(&http.Request{RemoteAddr: "10.1.2.3:5", Header: http.Header{"X-Forwarded-For": lines}})
		}
		if got, err := netip.ParseAddr(ask(forwarded)); err != nil || got.Zone() != "" {
			t.Errorf("%q: got %v, %v, want an address", forwarded, got, err)
		}
		if got := ask(forwarded, "203.0.113.9"); got != "203.0.113.9" {
			t.Errorf("%q before it: got %s, want 203.0.113.9", forwarded, got)
		}
	})
}
