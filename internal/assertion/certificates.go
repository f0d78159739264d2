package assertion

import "github.com/go-jose/go-jose/v4"

// Certificates returns the certificates of the set's keys (x5c, RFC 7517 §4.7),
// each in DER: those with which the client may authenticate by TLS (RFC 8705
// §2.2). go-jose has seen to it that a certificate is its key's.
func (k Keys) Certificates() [][]byte {
	var list [][]byte
	for _, key := range k.set {
		if len(key.Certificates) > 0 {
			list = append(list, key.Certificates[0].Raw)
		}
	}
	return list
}

// FAPI reports whether no key of the set signs with RS256, which the FAPI 2.0
// Security Profile does not have (§5.4).
func (k Keys) FAPI() bool {
	for _, key := range k.set {
		if algorithmOf(key) == jose.RS256 {
			return false
		}
	}
	return true
}
