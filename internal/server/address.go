package server

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the addresses of proxies that are believed when they say whom they
// forward for. None: nobody is.
type Proxies []netip.Prefix

// maxHops bounds how many hops of X-Forwarded-For are read, from the nearest on.
const maxHops = 32

// Address returns the client's address without its port. Where the connection
// comes from a listed proxy it is the last hop of X-Forwarded-For that is no
// listed proxy itself: what stands before it was written by whoever sent it, and
// may be anything. The headers of everybody else are not read.
func (p Proxies) Address(r *http.Request) string {
	peer := peerOf(r)
	if len(p) == 0 {
		return peer
	}
	near, err := netip.ParseAddr(peer)
	if err != nil || !p.listed(near) {
		return peer
	}
	client := near
	hops := forwardedFor(r.Header["X-Forwarded-For"])
	for _, hop := range slices.Backward(hops[max(0, len(hops)-maxHops):]) {
		one, ok := hopOf(hop)
		if !ok { // the nearest that is known is as far as anybody can be believed
			break
		}
		client = one
		if !p.listed(one) {
			break
		}
	}
	return client.String()
}

// listed reports whether an address is a listed proxy's.
func (p Proxies) listed(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(p, func(prefix netip.Prefix) bool { return prefix.Contains(a) })
}

// ParseProxies reads a list of networks (10.0.0.0/8) and addresses, separated by
// commas or spaces. The whole Internet is nobody's proxy.
func ParseProxies(text string) (Proxies, string) {
	var list Proxies
	for _, one := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		prefix, err := netip.ParsePrefix(one)
		if a, err2 := netip.ParseAddr(one); err != nil && err2 == nil && a.Zone() == "" {
			prefix, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err == nil && prefix.Addr().Is4In6() {
			prefix, err = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96), nil
		}
		if err != nil || !prefix.IsValid() || prefix.Bits() == 0 || prefix != prefix.Masked() {
			return nil, one
		}
		list = append(list, prefix)
	}
	return list, ""
}

// forwardedFor returns the hops of the header, which may stand in several lines.
func forwardedFor(lines []string) []string {
	var hops []string
	for _, line := range lines {
		hops = append(hops, strings.Split(line, ",")...)
	}
	return hops
}

// hopOf reads a hop: an address, and perhaps a port.
func hopOf(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return a.Unmap().WithZone(""), err == nil
}

// peerOf returns the address of the other end of the connection.
func peerOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
