package usage

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// tag stands for a channel in a cursor: the store's own key is never shown.
type tag [8]byte

func (s *Service) tag(channel domain.ChannelID) (t tag) {
	h := hmac.New(sha256.New, s.CursorKey[:])
	h.Write([]byte("channel\x00"))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(channel)))
	copy(t[:], h.Sum(nil))
	return t
}

// place is how far a reader has come in one channel's changes.
type place struct {
	tag   tag
	micro int64 // Change.RecordedAt, in microseconds since 1970
	day   domain.Date
}

// places are in the order of their tags. A channel without one has not been
// begun. Those that the reader does not see any more stay in it, so that nothing
// comes twice when it sees them again.
type places []place

func (p places) search(t tag) (int, bool) {
	return slices.BinarySearchFunc(p, t, func(a place, t tag) int { return bytes.Compare(a.tag[:], t[:]) })
}

// find returns the change that the reader has come to, or the zero Change.
func (p places) find(t tag) domain.Change {
	i, ok := p.search(t)
	if !ok {
		return domain.Change{}
	}
	return domain.Change{RecordedAt: time.UnixMicro(p[i].micro).UTC(), Day: p[i].day}
}

// put sets the place of one channel.
func (p places) put(t tag, c domain.Change) places {
	at := place{t, c.RecordedAt.UnixMicro(), c.Day}
	i, ok := p.search(t)
	if ok {
		p[i] = at
		return p
	}
	return slices.Insert(p, i, at)
}

// sealPlaces writes places as an opaque text that holds for this property alone:
// version, and of each tag, instant and day; MAC.
func (s *Service) sealPlaces(property domain.PropertyID, list places) string {
	b := make([]byte, 0, 1+len(list)*20+macSize)
	b = append(b, cursorVersion)
	for _, p := range list {
		b = append(b, p.tag[:]...)
		b = binary.AppendVarint(b, p.micro)
		b = binary.AppendVarint(b, int64(p.day))
	}
	b = append(b, s.mac(sealChanges, property, b)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// openPlaces reads what sealPlaces wrote for the same property and nothing else.
func (s *Service) openPlaces(property domain.PropertyID, cursor string) (places, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) <= macSize || b[0] != cursorVersion || strings.ContainsAny(cursor, "\r\n") { // which base64 skips
		return nil, false
	}
	b, sum := b[:len(b)-macSize], b[len(b)-macSize:]
	if !hmac.Equal(sum, s.mac(sealChanges, property, b)) {
		return nil, false
	}
	var list places
	for b = b[1:]; len(b) > 0; {
		var p place
		if len(b) < len(p.tag) {
			return nil, false
		}
		b = b[copy(p.tag[:], b):]
		micro, n := binary.Varint(b)
		if n <= 0 {
			return nil, false
		}
		day, m := binary.Varint(b[n:])
		if m <= 0 || day != int64(domain.Date(day)) {
			return nil, false
		}
		b = b[n+m:]
		p.micro, p.day = micro, domain.Date(day)
		list = append(list, p)
	}
	return list, true
}
