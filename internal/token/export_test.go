package token

// RawOfDER and AppendDER are the two conversions of an ECDSA signature.
func RawOfDER(der []byte) (raw [64]byte, err error) {
	err = rawOfDER(&raw, der)
	return raw, err
}

// AppendDER appends r and s as DER.
func AppendDER(dst, raw []byte) []byte { return appendDER(dst, raw) }
