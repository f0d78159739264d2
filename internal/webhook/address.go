package webhook

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
)

// MaxURL is the most bytes that the address of an endpoint may have.
const MaxURL = 2048

// Networks are networks besides the public internet that web hooks may be sent
// to: the operator's own. None is the rule.
type Networks []netip.Prefix

// ParseNetworks reads networks and addresses, separated by commas or spaces. bad
// is the first word that is neither.
func ParseNetworks(text string) (list Networks, bad string) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		p, err := netip.ParsePrefix(word)
		if err != nil {
			a, err := netip.ParseAddr(word)
			if err != nil {
				return nil, word
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		list = append(list, p.Masked())
	}
	return list, ""
}

// closed are the networks that nobody reaches over the public internet, or that
// lead back into ours (RFC 6890 and the registries it names).
var closed = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"2001::/23", // Teredo, benchmarking, ORCHID and other special ones
	"2001:db8::/32", "3fff::/20",
)

// Where an IPv6 address holds an IPv4 one, that one is asked: NAT64 (RFC 6052)
// and 6to4 (RFC 3056). All else that is global lies in global (RFC 4291 §2.4).
var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96")
	sixTo4 = netip.MustParsePrefix("2002::/16")
	global = netip.MustParsePrefix("2000::/3")
)

func prefixes(texts ...string) (list Networks) {
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

func (n Networks) contain(a netip.Addr) bool {
	return slices.ContainsFunc(n, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Allow reports whether something may be sent to an address: a public one, or
// one of the networks. It is asked of the address that is dialled, after the name
// was resolved: a name may resolve to anything, and to something else the next
// time.
func (n Networks) Allow(a netip.Addr) bool {
	if a = a.Unmap(); !a.IsValid() || a.Zone() != "" {
		return false
	}
	if n.contain(a) {
		return true
	}
	if a.Is4() {
		return !closed.contain(a)
	}
	b := a.As16()
	switch {
	case nat64.Contains(a):
		return n.Allow(netip.AddrFrom4([4]byte(b[12:16])))
	case sixTo4.Contains(a):
		return n.Allow(netip.AddrFrom4([4]byte(b[2:6])))
	}
	return global.Contains(a) && !closed.contain(a)
}

// ParseURL reads the address of an endpoint: https, or http to this machine
// where the networks have it; a host, and no user, password or fragment. It
// returns the address as it is kept.
func (n Networks) ParseURL(text string) (string, error) {
	if len(text) > MaxURL {
		return "", invalidURL("is longer than %d bytes", MaxURL)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return "", invalidURL("holds a space, a backslash or a control character")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "":
		return "", invalidURL("is not an address such as https://example.com/hook")
	case u.User != nil:
		return "", invalidURL("holds a user or a password: deliveries are signed instead")
	case u.Fragment != "" || strings.Contains(text, "#"):
		return "", invalidURL("has a fragment, which is never sent")
	case strings.HasSuffix(u.Host, ":") || u.Port() == "0":
		return "", invalidURL("has no good port")
	}
	host := strings.ToLower(u.Hostname())
	literal, err := netip.ParseAddr(host)
	isAddress := err == nil
	local := host == "localhost" && (n.contain(netip.IPv6Loopback()) || n.contain(netip.AddrFrom4([4]byte{127, 0, 0, 1}))) ||
		isAddress && literal.Unmap().IsLoopback() && n.Allow(literal)
	switch {
	case strings.EqualFold(u.Scheme, "http") && !local:
		return "", invalidURL("is plain http: it must be https")
	case !strings.EqualFold(u.Scheme, "https") && !strings.EqualFold(u.Scheme, "http"):
		return "", invalidURL("must begin with https://")
	case isAddress && !n.Allow(literal), host == "localhost" && !local:
		return "", invalidURL("is at an address that is not public")
	case !isAddress && !named(host):
		return "", invalidURL("has a host that is no name on the internet")
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	kept := u.String()
	if len(kept) > MaxURL { // spelled out it is longer
		return "", invalidURL("is longer than %d bytes", MaxURL)
	}
	return kept, nil
}

// named reports whether a host is a name (RFC 1123 §2.1), whose last label is
// none of the ways to write a number: some resolvers read those as addresses.
func named(host string) bool {
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, b := range []byte(label) {
			if (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '-' && b != '_' {
				return false
			}
		}
	}
	last := labels[len(labels)-1]
	return len(host) <= 253 && (last[0] < '0' || last[0] > '9')
}

func invalidURL(format string, args ...any) error {
	return &domain.Error{Kind: domain.Invalid, Public: "the url " + fmt.Sprintf(format, args...)}
}
