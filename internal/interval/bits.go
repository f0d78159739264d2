package interval

import "encoding/binary"

// unpack reads values of at most 57 bits, each with one 64-bit load, and adds
// low. It returns the bits that were set in any of them, and the least sum.
// src has the bytes of the values and perhaps some more.
func unpack(values []int64, src []byte, low uint64, width uint) (all uint64, least int64) {
	mask := uint64(1)<<width - 1
	bit := uint(0)
	i := 0
	least = 1<<63 - 1
	if width <= 14 {
		// Four values begin in the first byte of a load and end in the last.
		for ; i+4 <= len(values) && bit>>3+8 <= uint(len(src)); i += 4 {
			x := binary.LittleEndian.Uint64(src[bit>>3:]) >> (bit & 7)
			a := x & mask
			x >>= width & 63
			b := x & mask
			x >>= width & 63
			c := x & mask
			d := x >> (width & 63) & mask
			all |= a | b | c | d
			four := values[i : i+4 : i+4]
			four[0], four[1], four[2], four[3] = int64(a+low), int64(b+low), int64(c+low), int64(d+low)
			least = min(least, min(min(four[0], four[1]), min(four[2], four[3])))
			bit += 4 * width
		}
	}
	for ; i < len(values) && bit>>3+8 <= uint(len(src)); i++ {
		above := binary.LittleEndian.Uint64(src[bit>>3:]) >> (bit & 7) & mask
		all |= above
		values[i] = int64(above + low)
		least = min(least, values[i])
		bit += width
	}
	if i == len(values) {
		return all, least
	}
	// The last loads would read beyond the end.
	var end [16]byte
	copy(end[:], src[bit>>3:])
	for bit &= 7; i < len(values); i++ {
		above := binary.LittleEndian.Uint64(end[bit>>3:]) >> (bit & 7) & mask
		all |= above
		values[i] = int64(above + low)
		least = min(least, values[i])
		bit += width
	}
	return all, least
}

// unpackWide is unpack for any width, byte by byte. Values as wide as this are
// no meter's.
func unpackWide(values []int64, src []byte, low uint64, width uint) (all uint64, least int64) {
	least = 1<<63 - 1
	var word uint64
	have, p := uint(0), 0 // bits in word, bytes read
	for i := range values {
		var above uint64
		for need := uint(0); need < width; {
			if have == 0 {
				word, have = uint64(src[p]), 8
				p++
			}
			n := min(have, width-need)
			above |= word & (1<<n - 1) << need
			word >>= n
			have -= n
			need += n
		}
		all |= above
		values[i] = int64(above + low)
		least = min(least, values[i])
	}
	return all, least
}
