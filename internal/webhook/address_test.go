package webhook_test

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/webhook"
)

func networks(t testing.TB, text string) webhook.Networks {
	t.Helper()
	list, bad := webhook.ParseNetworks(text)
	if bad != "" {
		t.Fatalf("%q is no network", bad)
	}
	return list
}

func TestWhichAddressesAreSentTo(t *testing.T) {
	own := networks(t, "10.20.0.0/16, 127.0.0.1")
	for text, want := range map[string]struct{ public, own bool }{
		"93.184.215.14":          {true, true},
		"1.1.1.1":                {true, true},
		"2a00:1450:4001:830::1":  {true, true},
		"::ffff:1.1.1.1":         {true, true}, // an IPv4 address in IPv6
		"64:ff9b::1.1.1.1":       {true, true}, // the same by NAT64
		"2002:101:101::1":        {true, true}, // and by 6to4
		"0.0.0.0":                {},
		"0.1.2.3":                {},
		"10.0.0.1":               {},
		"10.20.3.4":              {false, true},
		"::ffff:10.20.3.4":       {false, true},
		"64:ff9b::10.20.3.4":     {false, true},
		"100.64.0.1":             {}, // a provider's own
		"100.127.255.255":        {},
		"127.0.0.1":              {false, true},
		"127.0.0.2":              {},
		"169.254.169.254":        {}, // where clouds tell secrets
		"172.16.0.1":             {},
		"172.31.255.255":         {},
		"172.32.0.1":             {true, true},
		"192.0.0.8":              {},
		"192.0.2.1":              {},
		"192.168.1.1":            {},
		"198.18.0.1":             {},
		"198.51.100.1":           {},
		"203.0.113.1":            {},
		"224.0.0.1":              {},
		"240.0.0.1":              {},
		"255.255.255.255":        {},
		"::":                     {},
		"::1":                    {},
		"::1.1.1.1":              {}, // deprecated: nobody is reached by it
		"::ffff:127.0.0.1":       {false, true},
		"::ffff:169.254.169.254": {},
		"64:ff9b::7f00:1":        {false, true},
		"64:ff9b::a9fe:a9fe":     {},
		"64:ff9b:1::1":           {}, // NAT64 within a network
		"2002:7f00:1::":          {false, true},
		"2002:c0a8:101::1":       {},
		"2001::1":                {}, // Teredo
		"2001:db8::1":            {},
		"3fff::1":                {},
		"100::1":                 {},
		"fc00::1":                {},
		"fd12:3456::1":           {},
		"fe80::1":                {},
		"fe80::1%eth0":           {},
		"2a00:1450::1%eth0":      {},
		"fec0::1":                {},
		"ff02::1":                {},
	} {
		a := netip.MustParseAddr(text)
		if got := webhook.Networks(nil).Allow(a); got != want.public {
			t.Errorf("%s: allowed %v, want %v", text, got, want.public)
		}
		if got := own.Allow(a); got != want.own {
			t.Errorf("%s with networks of our own: allowed %v, want %v", text, got, want.own)
		}
	}
	if webhook.Networks(nil).Allow(netip.Addr{}) {
		t.Error("no address at all is allowed")
	}
}

func TestWhichURLsAreTaken(t *testing.T) {
	local := networks(t, "127.0.0.0/8 ::1")
	for text, want := range map[string]struct{ public, local string }{
		"https://example.com/hook?a=b":      {"https://example.com/hook?a=b", "https://example.com/hook?a=b"},
		"HTTPS://Example.COM:8443/Hook":     {"https://example.com:8443/Hook", "https://example.com:8443/Hook"},
		"https://example.com":               {"https://example.com", "https://example.com"},
		"https://1.1.1.1/":                  {"https://1.1.1.1/", "https://1.1.1.1/"},
		"https://[2a00:1450:4001:830::1]/":  {"https://[2a00:1450:4001:830::1]/", "https://[2a00:1450:4001:830::1]/"},
		"http://127.0.0.1:9000/hook":        {"", "http://127.0.0.1:9000/hook"},
		"http://localhost:9000/hook":        {"", "http://localhost:9000/hook"},
		"https://localhost/hook":            {"", "https://localhost/hook"},
		"http://[::1]:9000/hook":            {"", "http://[::1]:9000/hook"},
		"http://example.com/hook":           {},
		"http://127.0.0.1.example.com/":     {},
		"https://10.0.0.1/":                 {},
		"https://169.254.169.254/latest":    {},
		"https://[::ffff:10.0.0.1]/":        {},
		"https://[fe80::1%25eth0]/":         {},
		"https://2130706433/":               {}, // 127.0.0.1 to some
		"https://0x7f.1/":                   {},
		"https://0x7f000001/":               {},
		"https://127.1/":                    {},
		"https://example.com:0/":            {},
		"https://example.com:/":             {},
		"https://user:pass@example.com/":    {},
		"https://user@example.com/":         {},
		"https://example.com/#there":        {},
		"https://example.com/#":             {},
		"https://exa mple.com/":             {},
		"https://example.com/\r\nX-Evil: 1": {},
		"https:\\\\example.com\\":           {},
		"https://-example.com/":             {},
		"https://bücher.example/":           {}, // its name on the internet has only letters, digits and hyphens
		"https:///hook":                     {},
		"https:example.com":                 {},
		"//example.com/":                    {},
		"ftp://example.com/":                {},
		"file:///etc/passwd":                {},
		"javascript:alert(1)":               {},
		"":                                  {},
		"https://example.com/" + strings.Repeat("a", webhook.MaxURL): {},
	} {
		for name, try := range map[string]struct {
			networks webhook.Networks
			want     string
		}{"on the internet": {nil, want.public}, "with this machine": {local, want.local}} {
			got, err := try.networks.ParseURL(text)
			e, ok := errors.AsType[*domain.Error](err)
			switch {
			case got != try.want || (err == nil) != (try.want != ""):
				t.Errorf("%.60q %s: got %q, %v; want %q", text, name, got, err, try.want)
			case err != nil && (!ok || e.Kind != domain.Invalid || !strings.HasPrefix(e.Public, "the url ")):
				t.Errorf("%.60q %s: got the error %v, want one that says what is wrong with the url", text, name, err)
			}
		}
	}
}

// A URL that is taken reads back the same, is what net/http would dial, and leads
// nowhere but to the public internet or to what was named.
func FuzzURL(f *testing.F) {
	for _, text := range []string{
		"https://example.com/hook", "http://127.0.0.1:80/", "https://[::1]/", "https://a@b/", "https://[::ffff:7f00:1]:443/x?y#z", "https://0x7f.1", "https://%31%32%37.0.0.1/",
	} {
		f.Add(text)
	}
	local := networks(f, "127.0.0.1")
	f.Fuzz(func(t *testing.T, text string) {
		for _, n := range []webhook.Networks{nil, local} {
			kept, err := n.ParseURL(text)
			if err != nil {
				if kept != "" {
					t.Fatalf("%q: got %q beside the error %v", text, kept, err)
				}
				continue
			}
			again, err := n.ParseURL(kept)
			if err != nil || again != kept {
				t.Fatalf("%q is kept as %q, which reads back as %q, %v", text, kept, again, err)
			}
			u, err := url.Parse(kept)
			if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Fragment != "" || len(kept) > webhook.MaxURL {
				t.Fatalf("%q is kept as %q, which nobody may dial: %v", text, kept, err)
			}
			if a, err := netip.ParseAddr(u.Hostname()); err == nil && !n.Allow(a) {
				t.Fatalf("%q is kept as %q, whose address is not allowed", text, kept)
			}
			a, err := netip.ParseAddr(u.Hostname())
			if u.Scheme == "http" && u.Hostname() != "localhost" && (err != nil || !a.Unmap().IsLoopback()) {
				t.Fatalf("%q is kept as %q: plain http to another machine", text, kept)
			}
		}
	})
}
