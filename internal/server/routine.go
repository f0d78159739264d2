package server

import (
	"strconv"
	"time"
)

// routine appends the line of a request about which there is nothing special to
// say, byte for byte as slog's JSON handler writes it, at a fifth of the price:
// most requests are of this kind, and their lines were a twentieth of a token.
// It reports false where the line needs the handler.
func (e *Event) routine(dst []byte, l line) ([]byte, bool) {
	if e.err != nil || len(e.extra) > 0 || !plainText(l.path) || !plainText(l.method) || !plainText(l.address) {
		return dst, false
	}
	dst = append(dst, `{"time":"`...)
	dst = l.at.AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, `","level":"INFO","msg":"request","method":"`...)
	dst = append(dst, l.method...)
	dst = append(dst, `","path":"`...)
	dst = append(dst, l.path...)
	dst = append(dst, `","status":`...)
	dst = strconv.AppendInt(dst, int64(l.status), 10)
	dst = append(dst, `,"bytes":`...)
	dst = strconv.AppendInt(dst, l.bytes, 10)
	dst = append(dst, `,"us":`...)
	dst = strconv.AppendInt(dst, l.took.Microseconds(), 10)
	for _, id := range [...]struct{ name, text string }{
		{"request", l.id},
		{"address", l.address},
		{"client", string(e.client)},
		{"partner", string(e.partner)},
		{"user", string(e.user)},
		{"actor", string(e.actor)},
		{"subject", string(e.subject)},
	} {
		if id.text == "" && id.name != "request" && id.name != "address" {
			continue
		}
		dst = append(dst, `,"`...)
		dst = append(dst, id.name...)
		dst = append(dst, `":"`...)
		dst = append(dst, id.text...)
		dst = append(dst, '"')
	}
	return append(dst, "}\n"...), true
}

// plainText reports whether a text stands in JSON as it is.
func plainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
