package meterfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
)

// usagePoint returns the UUID of a supply point: its identifier where that is
// one, as it is where the supply point came from ESPI, and no other has it.
func (e *espiWriter) usagePoint(c *Channel) string {
	id := c.Identifier
	if c.Market == domain.MarketUSAElectricity || c.Market == domain.MarketUSAGas {
		raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
		of, taken := e.points[id]
		if err == nil && len(raw) == 16 && formatUUID([16]byte(raw)) == id && (!taken || of == c.supplyPoint()) {
			return id
		}
	}
	return e.uuid("UsagePoint", c.supplyPoint())
}

// espiName names what a channel is read back as.
func espiName(c *Channel) string {
	return strings.Join([]string{c.supplyPoint(), c.Register, c.Direction.String(), espiUnit(c.Unit)}, " ")
}

// uuid returns the UUID of a thing. The same thing has the same one in every
// feed (RFC 4287 §4.2.6).
func (e *espiWriter) uuid(kind string, names ...string) string {
	return string(appendUUID(nil, []byte(kind+"\x00"+strings.Join(names, "\x00"))))
}

// appendUUID appends a UUID that is made from a name (RFC 9562 §5.8, with
// SHA-256).
func appendUUID(dst, name []byte) []byte {
	sum := sha256.Sum256(name)
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	return appendHexUUID(dst, sum[:16])
}

func appendHexUUID(dst, raw []byte) []byte {
	for i, from := range []int{0, 4, 6, 8, 10} {
		if i > 0 {
			dst = append(dst, '-')
		}
		to := []int{4, 6, 8, 10, 16}[i]
		dst = hex.AppendEncode(dst, raw[from:to])
	}
	return dst
}

func formatUUID(raw [16]byte) string { return string(appendHexUUID(nil, raw[:])) }

// escape returns a text as XML holds it.
func escape(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
	return b.String()
}
