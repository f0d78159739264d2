package secret

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
)

// The labels of the keys that are derived from the master key. A label is
// never used for two things, and never changed: what was digested or sealed
// under it would be lost.
const (
	LabelPepper      = "wattgate/1 secret pepper"
	LabelSigningKeys = "wattgate/1 signing keys"
	LabelCursor      = "wattgate/1 cursor"
	// LabelCheckpoints and LabelAddresses are the audit log's: the seed of the
	// key that signs its checkpoints, and the key of its pseudonyms.
	LabelCheckpoints = "wattgate/1 audit checkpoints"
	LabelAddresses   = "wattgate/1 audit addresses"
	LabelNonces      = "wattgate/1 dpop nonces"
	// LabelInstallation is what nodes compare to see that they have the same key.
	LabelInstallation = "wattgate/1 installation"
	LabelRanges       = "wattgate/1 known ranges"
	LabelWebhooks     = "wattgate/1 web hook keys"
	LabelFactors      = "wattgate/1 second factors"
)

// Master is the key outside the database that everything else hangs on: 32
// random bytes in the file wattgate.key. It is used for nothing but deriving
// other keys, and cannot be printed. The 32 bytes are behind a pointer to a
// string: one to an array is followed by fmt where a verb does not fit.
type Master struct {
	unprintable
	key *string
}

// ErrKeyFile is what [ParseMaster] returns for anything but an undamaged key
// file. It says nothing of the content.
var ErrKeyFile = errors.New("secret: this is not an undamaged wattgate key file")

const keyFileHeader = "wattgate key file 1\n"

// NewMaster draws a new master key from chance, nil meaning the system's.
func NewMaster(chance io.Reader) Master {
	var raw [32]byte
	mustRead(chance, raw[:])
	return masterOf(raw[:])
}

// ParseMaster reads the content of a key file. It takes nothing but what
// [Master.KeyFile] writes; only the last line feed may be missing.
func ParseMaster(text string) (Master, error) {
	line, ok := strings.CutPrefix(text, keyFileHeader)
	line = strings.TrimSuffix(line, "\n")
	if !ok || len(line) != keyFileEncoding.EncodedLen(36) || strings.ContainsAny(line, "\r\n") {
		return Master{}, ErrKeyFile
	}
	raw, err := keyFileEncoding.DecodeString(line)
	if err != nil || len(raw) != 36 || binary.BigEndian.Uint32(raw[32:]) != crc32.ChecksumIEEE(raw[:32]) {
		return Master{}, ErrKeyFile
	}
	return masterOf(raw[:32]), nil
}

// KeyFile returns the content of the key file: a line that says what it is and
// a line of base64 (RFC 4648 §4) over the key and its CRC-32. The checksum is
// there because one wrong character would make every secret look wrong.
func (m Master) KeyFile() []byte {
	key := m.mustKey()
	raw := binary.BigEndian.AppendUint32(key, crc32.ChecksumIEEE(key))
	text := keyFileEncoding.AppendEncode([]byte(keyFileHeader), raw)
	return append(text, '\n')
}

// Derive returns the key of a label by HKDF with SHA-256 (RFC 5869). Keys of
// two labels tell nothing about each other.
func (m Master) Derive(label string) [32]byte {
	derived, err := hkdf.Key(sha256.New, m.mustKey(), nil, label, 32)
	if err != nil {
		panic("secret: " + err.Error()) // only for a length that HKDF cannot give
	}
	return [32]byte(derived)
}

// Pepper returns what digests the secrets of the store.
func (m Master) Pepper() Pepper { return NewPepper(m.Derive(LabelPepper)) }

// Sealer returns what encrypts signing keys at rest.
func (m Master) Sealer() Sealer { return NewSealer(m.Derive(LabelSigningKeys)) }

func masterOf(raw []byte) Master {
	key := string(raw)
	return Master{key: &key}
}

func (m Master) mustKey() []byte {
	if m.key == nil {
		panic("secret: a Master without a key")
	}
	return []byte(*m.key)
}

var keyFileEncoding = base64.StdEncoding.Strict()
