package token

// RawOfDER reads an ECDSA signature into a buffer that was used before.
func RawOfDER(der []byte) (raw [64]byte, err error) {
	for i := range raw {
		raw[i] = 0xee
	}
	err = rawOfDER(&raw, der)
	return raw, err
}

// AppendDER appends an ECDSA signature, r and s of 32 bytes each, as DER.
func AppendDER(dst, raw []byte) []byte { return appendDER(dst, raw) }
