package webhook

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // the platform's receivers want it; the second header does without
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strconv"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// The headers of a delivery that say who sent it.
const (
	HeaderLegacy    = "X-Auth-Signature"
	HeaderSignature = "Wattgate-Signature"
	HeaderEvent     = "Wattgate-Event"
	HeaderDelivery  = "Wattgate-Delivery"
)

// Legacy returns the signature that receivers of the EnergyZero platform check:
// base64(HMAC-SHA256(key, base64(MD5(body)))). It has no time and rests on MD5.
func Legacy(key string, body []byte) string {
	sum := md5.Sum(body) //nolint:gosec // as the platform has it
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(base64.StdEncoding.EncodeToString(sum[:])))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// Signature returns the one that receivers should check, and that its time is not
// long ago: t=<Unix seconds>,v1=<hex HMAC-SHA256(key, t "." body)>.
func Signature(key string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(t))
	h.Write([]byte{'.'})
	h.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(h.Sum(nil))
}

// newKey draws a signing key: whsec_ and 43 characters, 256 bits.
func newKey(chance io.Reader) domain.Secret {
	var b [32]byte
	if _, err := io.ReadFull(chance, b[:]); err != nil {
		panic("webhook: no randomness: " + err.Error()) // nothing sound can be signed
	}
	return domain.NewSecret("whsec_" + base64.RawURLEncoding.EncodeToString(b[:]))
}

// sealName binds a sealed key to its endpoint.
func sealName(id domain.EndpointID) string { return "web hook " + string(id) }
