package secret

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// phc is a password hash in the PHC string format of Argon2 (RFC 9106):
//
//	$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>
type phc struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
	salt    []byte
	hash    []byte
}

// The bounds of what a stored hash may make us spend: a row of the database
// must not be able to exhaust the memory.
const (
	maxMemory  = 64 << 10 // KiB
	maxPasses  = 10
	maxThreads = 4
)

var errPHC = errors.New("secret: not an argon2id hash within our bounds")

// parsePHC reads a hash. It takes numbers without leading zeros, base64
// without padding, spare bits or line breaks, and nothing else.
func parsePHC(s string) (phc, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v=19" {
		return phc{}, errPHC
	}
	cost := strings.Split(parts[3], ",")
	if len(cost) != 3 {
		return phc{}, errPHC
	}
	m, ok1 := costOf(cost[0], "m=", maxMemory)
	t, ok2 := costOf(cost[1], "t=", maxPasses)
	p, ok3 := costOf(cost[2], "p=", maxThreads)
	salt, ok4 := bytesOf(parts[4], 8, 64)
	hash, ok5 := bytesOf(parts[5], 16, 64)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || m < 8*p { // m ≥ 8p: RFC 9106 §3.1
		return phc{}, errPHC
	}
	return phc{m, t, uint8(p), salt, hash}, nil
}

// String returns the text that parsePHC reads.
func (h phc) String() string {
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", h.memory, h.passes, h.threads,
		phcEncoding.EncodeToString(h.salt), phcEncoding.EncodeToString(h.hash))
}

func costOf(s, name string, limit uint32) (uint32, bool) {
	digits, ok := strings.CutPrefix(s, name)
	n, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || strconv.FormatUint(n, 10) != digits {
		return 0, false
	}
	return uint32(n), n >= 1 && n <= uint64(limit)
}

func bytesOf(s string, least, most int) ([]byte, bool) {
	if len(s) > phcEncoding.EncodedLen(most) || strings.ContainsAny(s, "\r\n") { // the decoder skips line breaks
		return nil, false
	}
	b, err := phcEncoding.DecodeString(s)
	return b, err == nil && len(b) >= least
}

var phcEncoding = base64.RawStdEncoding.Strict()
