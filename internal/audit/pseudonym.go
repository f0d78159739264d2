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
// address has one however it is spelled. None and the command line's have none.
func (p Pseudonyms) Of(address string) string {
	if address == "" || address == Local {
		return address
	}
	if a, err := netip.ParseAddr(address); err == nil {
		address = a.Unmap().WithZone("").String()
	}
	mac := hmac.New(sha256.New, p.key[:])
	mac.Write([]byte(address)) // never fails
	return "ip_" + hex.EncodeToString(mac.Sum(nil)[:10])
}
