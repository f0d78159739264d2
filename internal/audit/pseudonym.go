package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
)

// Pseudonyms stand in the log for the addresses of people: the same address has
// the same one, so that it can be recognised and searched for, and without the
// key nobody can tell which address it was. The log can never forget; the key
// can be destroyed.
type Pseudonyms struct{ key *[32]byte }

// NewPseudonyms returns the pseudonyms of a key.
func NewPseudonyms(key [32]byte) Pseudonyms { return Pseudonyms{&key} }

// Format keeps the key out of whatever is printed.
func (Pseudonyms) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[pseudonyms]")) }

// Local is the address of the command line: nobody's.
const Local = "local"

// Of returns the pseudonym of an address: ip_ and twenty hexadecimal digits. An
// address has one however it is spelled, and all of an IPv6 /64 share theirs: it
// is what one household or one machine has. None and the command line's have none.
func (p Pseudonyms) Of(address string) string {
	if address == "" || address == Local {
		return address
	}
	address = sameHousehold(address)
	mac := hmac.New(sha256.New, p.key[:])
	mac.Write([]byte(address)) // never fails
	return "ip_" + hex.EncodeToString(mac.Sum(nil)[:10])
}

// sameHousehold returns the one spelling of an address, and of IPv6 the first
// address of its /64. What is no address stays as it is.
func sameHousehold(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return address
	}
	return p.Addr().String()
}
