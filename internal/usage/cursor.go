package usage

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// mark is a place in the order of a property's readings: a start in Unix
// seconds and a name. Nothing need be there.
type mark struct {
	start int64
	name  name
}

// The first byte of a cursor, and how much of the MAC it carries.
const (
	cursorVersion = 1
	macSize       = 16
)

// indexKind marks the group of a cursor among indices. No group has this bit.
const indexKind = 0x80

// seal writes a mark as an opaque text that holds for this property alone:
// version, start, group, direction, identifier, register, market, unit, MAC.
func (s *Service) seal(property domain.PropertyID, m mark) string {
	b := make([]byte, 0, 96)
	b = append(b, cursorVersion)
	b = binary.AppendVarint(b, m.start)
	b = appendName(b, m.name)
	b = append(b, s.mac(sealReadings, property, b)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

func appendName(b []byte, n name) []byte {
	b = append(b, byte(n.group)|kind(n.index), byte(n.direction))
	b = appendText(b, n.identifier)
	b = appendText(b, n.register)
	b = appendText(b, string(n.market))
	return appendText(b, string(n.unit))
}

// open reads what seal wrote for the same property and nothing else.
func (s *Service) open(property domain.PropertyID, cursor string) (mark, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) <= macSize || b[0] != cursorVersion {
		return mark{}, false
	}
	b, sum := b[:len(b)-macSize], b[len(b)-macSize:]
	if !hmac.Equal(sum, s.mac(sealReadings, property, b)) {
		return mark{}, false
	}
	start, n := binary.Varint(b[1:])
	if b = b[1:]; n <= 0 || len(b) < n+2 || start < beginning || start > end {
		return mark{}, false
	}
	b = b[n:]
	m := mark{start: start, name: name{group: interval.Group(b[0] &^ indexKind), index: b[0]&indexKind != 0, direction: domain.Direction(b[1])}}
	b = b[2:]
	var texts [4]string
	for i := range texts {
		var ok bool
		if texts[i], b, ok = cutText(b); !ok {
			return mark{}, false
		}
	}
	m.name.identifier, m.name.register = texts[0], texts[1]
	m.name.market, m.name.unit = domain.Market(texts[2]), domain.Unit(texts[3])
	return m, len(b) == 0 && m.name.group.Valid()
}

// What is sealed. One of them cannot pass for one of another.
const (
	sealReadings = "measurements"
	sealChanges  = "measurement changes"
	sealExport   = "measurement export"
)

func (s *Service) mac(of string, property domain.PropertyID, payload []byte) []byte {
	h := hmac.New(sha256.New, s.CursorKey[:])
	h.Write(sealed(of, property))
	h.Write(payload)
	return h.Sum(nil)[:macSize]
}

// sealed is what the MAC of a payload begins with: what it is of, and whose.
func sealed(of string, property domain.PropertyID) []byte {
	return append(append(append(append([]byte(nil), of...), 0), property...), 0)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func cutText(b []byte) (s string, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return "", nil, false
	}
	return string(b[n : n+int(size)]), b[n+int(size):], true
}

// oldIndex reads the cursors of older servers, base64 of arrayconnection:N,
// where N counts the readings before.
func oldIndex(cursor string) (int, bool) {
	b, err := base64.StdEncoding.DecodeString(cursor)
	if err != nil {
		if b, err = base64.RawURLEncoding.DecodeString(cursor); err != nil {
			return 0, false
		}
	}
	digits, ok := strings.CutPrefix(string(b), "arrayconnection:")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n >= 0 && n <= math.MaxInt32
}
