package dpop_test

import (
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/dpop"
)

// RFC 9449 §4.3 with RFC 3986 §6.2.2 and §6.2.3.
func TestNormalize(t *testing.T) {
	for given, want := range map[string]string{
		"https://example.com/a":                 "https://example.com/a",
		"https://example.com":                   "https://example.com/",
		"https://example.com?x=1":               "https://example.com/",
		"https://example.com/#f":                "https://example.com/",
		"HTTPS://EXAMPLE.com/A":                 "https://example.com/A",
		"https://example.com:443/a":             "https://example.com/a",
		"https://example.com:/a":                "https://example.com/a",
		"http://example.com:80/a":               "http://example.com/a",
		"http://example.com:443/a":              "http://example.com:443/a",
		"https://example.com:8443/a?b#c":        "https://example.com:8443/a",
		"https://example.com/%7euser/%2f%c3%a9": "https://example.com/~user/%2F%C3%A9",
		"https://example.com/a/./b/../c":        "https://example.com/a/c",
		"https://example.com/%2e%2e/a":          "https://example.com/a",
		"https://example.com/../../a":           "https://example.com/a",
		"https://example.com/a/..":              "https://example.com/",
		"https://example.com/a/b/.":             "https://example.com/a/b/",
		"https://example.com/.hidden":           "https://example.com/.hidden",
		"https://example.com//a":                "https://example.com//a",
		"https://[2001:DB8::1]:443/a":           "https://[2001:db8::1]/a",
		"https://[2001:db8::1]:444/a":           "https://[2001:db8::1]:444/a",
	} {
		if got, err := dpop.Normalize(given); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", given, got, err, want)
		}
	}
	for _, given := range []string{
		"", "/oauth2/token", "example.com/a", "//example.com/a", "https:example.com", "ftp://example.com/a", "https:///a",
		"https://user@example.com/a", "https://exam ple.com/", "https://example.com/\n", "https://example.com/%zz", "https://é.example.com/",
		"https://example.com/" + strings.Repeat("a", 3000), `https://example.com/"`, "https://example.com:port/", "http://%80", "http://a%e4b/", "https://[fe80::1%25eth0]/",
		"http://" + strings.Repeat("a", 2<<10-7), "http://example.com/" + strings.Repeat("[", 2<<10-19) + "%41",
	} {
		if got, err := dpop.Normalize(given); err == nil {
			t.Errorf("%q: got %q, want a refusal", given, got)
		}
	}
}

func FuzzURL(f *testing.F) {
	f.Add("https://example.com:443/a/../%7e?x#y")
	f.Add("http://[::1]:80/%2e%2e//")
	f.Add("https://user@host/")
	f.Add("http://" + strings.Repeat("a", 2<<10-7)) // the path that is added makes it too long
	f.Fuzz(func(t *testing.T, given string) {
		once, err := dpop.Normalize(given)
		if err != nil {
			if once != "" {
				t.Errorf("%q: %q beside an error", given, once)
			}
			return
		}
		twice, err := dpop.Normalize(once)
		if err != nil || twice != once {
			t.Errorf("%q: normalised to %q, and that to %q (%v)", given, once, twice, err)
		}
		if !dpop.SameURL(given, once) || strings.ContainsAny(once, "?# ") {
			t.Errorf("%q: normalised to %q", given, once)
		}
	})
}
