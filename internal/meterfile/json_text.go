package meterfile

import "unicode/utf8"

// jsonSpace drops what JSON has between its tokens (RFC 8259 §2).
func jsonSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	return b
}

// jsonText reads a text behind its opening quote (RFC 8259 §7), in place. It is
// false where the text has no end, a control character or a wrong escape.
func jsonText(b []byte) (text, rest []byte, ok bool) {
	for i, c := range b {
		switch {
		case c == '"':
			return b[:i], b[i+1:], true
		case c == '\\':
			return jsonEscaped(b, i)
		case c < ' ':
			return nil, nil, false
		}
	}
	return nil, nil, false
}

// jsonEscaped is jsonText from the first escape on, at from. What an escape
// means is never longer than the escape.
func jsonEscaped(b []byte, from int) (text, rest []byte, ok bool) {
	n := from
	for i := from; i < len(b); i++ {
		c := b[i]
		switch {
		case c == '"':
			return b[:n], b[i+1:], true
		case c < ' ':
			return nil, nil, false
		case c != '\\':
			b[n] = c
			n++
			continue
		}
		if i++; i == len(b) {
			return nil, nil, false
		}
		if b[i] == 'u' {
			r, ok := hex4(b[i+1:])
			if !ok {
				return nil, nil, false
			}
			i += 4
			n += utf8.EncodeRune(b[n:n+utf8.UTFMax], r)
			continue
		}
		if c, ok = jsonEscape(b[i]); !ok {
			return nil, nil, false
		}
		b[n] = c
		n++
	}
	return nil, nil, false
}

func jsonEscape(c byte) (byte, bool) {
	switch c {
	case '"', '\\', '/':
		return c, true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	}
	return 0, false
}

// hex4 reads the four digits of an escape. Half of a surrogate pair becomes the
// replacement character, which stands in no name of ours.
func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		d, ok := hexDigit(c)
		if !ok {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

func hexDigit(c byte) (d byte, ok bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

// jsonNumber returns the number that b begins with (RFC 8259 §6), and what is
// behind it.
func jsonNumber(b []byte) (number, rest []byte, ok bool) {
	i := 0
	digits := func() bool {
		from := i
		for i < len(b) && b[i]-'0' <= 9 {
			i++
		}
		return i > from
	}
	if i < len(b) && b[i] == '-' {
		i++
	}
	whole := i
	if !digits() || b[whole] == '0' && i > whole+1 {
		return nil, nil, false
	}
	if i < len(b) && b[i] == '.' {
		if i++; !digits() {
			return nil, nil, false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !digits() {
			return nil, nil, false
		}
	}
	return b[:i], b[i:], true
}
