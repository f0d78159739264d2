package domain

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
)

// Identifiers are opaque: [A-Za-z0-9_-]{1,64} with a prefix that tells the kind.
// The prefixes keep an application's subject and a user's apart in every token.
type (
	// PartnerID names a white-label partner: prt_ and letters and digits.
	PartnerID string
	// UserID names a user: usr_ and 32 hexadecimal digits. The digits are a
	// UUID, which is how the EnergyZero dialect writes the same user.
	UserID string
	// ClientID names an OAuth application: app_ and letters and digits. It is
	// the client_id of RFC 6749 §2.2.
	ClientID string
	// PropertyID names a property: prop_ and letters and digits.
	PropertyID string
	// SecretID names one secret of an application: sec_ and letters and digits.
	SecretID string
	// ConsentID names what a customer has allowed: con_ and letters and digits.
	ConsentID string
	// AccountNumber names a customer's account: A- and eight characters.
	AccountNumber string
)

const (
	prefixPartner  = "prt_"
	prefixUser     = "usr_"
	prefixClient   = "app_"
	prefixProperty = "prop_"
	prefixSecret   = "sec_"
	prefixAccount  = "A-"
	prefixEntry    = "aud_"
	prefixConsent  = "con_"
	prefixFamily   = "fam_"
)

// idAlphabet has 32 characters, so that five random bits choose one without
// bias. It leaves out what people confuse: 0 and o, 1 and l.
const idAlphabet = "23456789abcdefghijkmnpqrstuvwxyz"

// ParsePartnerID reads a partner's identifier as it enters the program.
func ParsePartnerID(s string) (PartnerID, error) {
	return parseID[PartnerID](s, prefixPartner, "a partner")
}

// ParseClientID reads an application's identifier as it enters the program.
func ParseClientID(s string) (ClientID, error) {
	return parseID[ClientID](s, prefixClient, "an application")
}

// ParsePropertyID reads a property's identifier as it enters the program.
func ParsePropertyID(s string) (PropertyID, error) {
	return parseID[PropertyID](s, prefixProperty, "a property")
}

// ParseSecretID reads a secret's identifier as it enters the program.
func ParseSecretID(s string) (SecretID, error) {
	return parseID[SecretID](s, prefixSecret, "a secret")
}

// ParseConsentID reads a consent's identifier as it enters the program.
func ParseConsentID(s string) (ConsentID, error) {
	return parseID[ConsentID](s, prefixConsent, "a consent")
}

// ParseAccountNumber reads an account number as it enters the program.
func ParseAccountNumber(s string) (AccountNumber, error) {
	return parseID[AccountNumber](s, prefixAccount, "an account number")
}

// ParseUserID reads a user's identifier as it enters the program, as usr_ and
// 32 hexadecimal digits or as the UUID of the same user.
func ParseUserID(s string) (UserID, error) {
	if canonicalUser(s) { // as it stands in every token: for nothing
		return UserID(s), nil
	}
	digits, ok := strings.CutPrefix(s, prefixUser)
	if !ok && len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		digits, ok = s[:8]+s[9:13]+s[14:18]+s[19:23]+s[24:], true
	}
	if !ok || len(digits) != 32 {
		return "", malformedID("a user")
	}
	digits = strings.ToLower(digits)
	if _, err := hex.DecodeString(digits); err != nil {
		return "", malformedID("a user")
	}
	return UserID(prefixUser + digits), nil
}

// canonicalUser reports whether a text is an identifier as we write it.
func canonicalUser(s string) bool {
	if len(s) != len(prefixUser)+32 || s[:len(prefixUser)] != prefixUser {
		return false
	}
	for _, b := range []byte(s[len(prefixUser):]) {
		if (b < '0' || b > '9') && (b < 'a' || b > 'f') {
			return false
		}
	}
	return true
}

// UUID returns the user's identifier in the EnergyZero dialect, for example
// 0c1a3b5e-7f20-4a63-9a51-6f0c2d9be714. It is empty for the empty identifier.
func (id UserID) UUID() string {
	if len(id) != len(prefixUser)+32 {
		return ""
	}
	d := id[len(prefixUser):]
	return string(d[:8] + "-" + d[8:12] + "-" + d[12:16] + "-" + d[16:20] + "-" + d[20:])
}

// NewPartnerID draws a new identifier from chance.
func NewPartnerID(chance io.Reader) PartnerID {
	return PartnerID(prefixPartner + randomText(chance, 12))
}

// NewClientID draws a new identifier from chance.
func NewClientID(chance io.Reader) ClientID { return ClientID(prefixClient + randomText(chance, 16)) }

// NewPropertyID draws a new identifier from chance.
func NewPropertyID(chance io.Reader) PropertyID {
	return PropertyID(prefixProperty + randomText(chance, 16))
}

// NewSecretID draws a new identifier from chance.
func NewSecretID(chance io.Reader) SecretID { return SecretID(prefixSecret + randomText(chance, 12)) }

// NewConsentID draws a new identifier from chance.
func NewConsentID(chance io.Reader) ConsentID {
	return ConsentID(prefixConsent + randomText(chance, 16))
}

// NewFamily draws the name of a family of tokens from chance: 130 bits. It is the
// sid of its tokens, which an entry of the audit log never shares.
func NewFamily(chance io.Reader) string { return prefixFamily + randomText(chance, 26) }

// IsFamily reports whether a sid is the name of a family.
func IsFamily(sid string) bool { return strings.HasPrefix(sid, prefixFamily) }

// NewAccountNumber draws a new account number from chance.
func NewAccountNumber(chance io.Reader) AccountNumber {
	return AccountNumber(prefixAccount + strings.ToUpper(randomText(chance, 8)))
}

// NewUserID draws a new identifier from chance; its UUID has version 4 (RFC 9562 §5.4).
func NewUserID(chance io.Reader) UserID {
	var b [16]byte
	mustRead(chance, b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return UserID(prefixUser + hex.EncodeToString(b[:]))
}

func parseID[T ~string](s, prefix, what string) (T, error) {
	if !strings.HasPrefix(s, prefix) || len(s) == len(prefix) || len(s) > 64 {
		return "", malformedID(what)
	}
	for _, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		digit := c >= '0' && c <= '9'
		if !letter && !digit && c != '_' && c != '-' {
			return "", malformedID(what)
		}
	}
	return T(s), nil
}

func malformedID(what string) error {
	return &Error{Kind: Invalid, Public: fmt.Sprintf("this is not the identifier of %s", what)}
}

func randomText(chance io.Reader, n int) string {
	b := make([]byte, n)
	mustRead(chance, b)
	for i := range b {
		b[i] = idAlphabet[b[i]&31]
	}
	return string(b)
}

// mustRead panics where the system has no randomness: nothing sound can be
// issued then. [rand.Reader] never fails.
func mustRead(chance io.Reader, b []byte) {
	if chance == nil {
		chance = rand.Reader
	}
	if _, err := io.ReadFull(chance, b); err != nil {
		panic("domain: no randomness: " + err.Error())
	}
}

// NewEntryID returns the identifier of an entry of the audit log: aud_, eleven
// characters that sort by time, and chance.
func NewEntryID(now time.Time, chance io.Reader) string {
	us := uint64(now.UnixMicro())
	var b [11]byte
	for i := range b {
		b[len(b)-1-i] = idAlphabet[us&31]
		us >>= 5
	}
	return prefixEntry + string(b[:]) + randomText(chance, 10)
}
