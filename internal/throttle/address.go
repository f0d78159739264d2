package throttle

import "net/netip"

// Address returns what counts as one address, for [Limiter.Key]: an IPv4 address,
// and of IPv6 the /64, which is what one household or one machine has. What is no
// address is all zeros.
func Address(text string) []byte {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return make([]byte, 16)
	}
	one := a.As16()
	if !a.Unmap().Is4() {
		clear(one[8:])
	}
	return one[:]
}
