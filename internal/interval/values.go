package interval

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Values are written in the shorter of two ways, the first where both are
// equal. All arithmetic is modulo 2^64, in which every difference of two int64
// has its place, so that the extremes need no exception.
//
//	bits    uvarint of the zigzag of the least value, one byte of width w, then
//	        for each value w bits of what it is above the least, lowest first
//	deltas  for each value the uvarint of the zigzag of what it is above the
//	        value before, the first above 0
//
// Readers get the values with the checksum behind them, which gives a 64-bit
// load room at the end.

// appendValues appends the values, of which there is at least one, and reports
// whether it wrote deltas.
func appendValues(dst []byte, values []int64) (out []byte, delta bool) {
	low, high := values[0], values[0]
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	width := bits.Len64(uint64(high) - uint64(low))
	size := bitsSize(len(values), low, width)
	if short := deltasSize(values, width, size); short < size {
		return appendDeltas(dst, values, short), true
	}
	dst = binary.AppendUvarint(dst, zigzag(low))
	dst = append(dst, byte(width))
	return appendBits(dst, values, uint64(low), width), false
}

// bitsSize returns the bytes that bit-packing takes.
func bitsSize(count int, low int64, width int) int {
	return uvarintSize(zigzag(low)) + 1 + (count*width+7)/8
}

// deltasSize returns the bytes that deltas take, or, without looking, something
// not below enough where they cannot take less. width is that of the values.
func deltasSize(values []int64, width, enough int) int {
	if enough <= len(values) {
		return enough // each takes a byte
	}
	before := values[0]
	size := uvarintSize(zigzag(before)) + len(values) - 1
	if width <= 13 {
		// Every zigzag is below 2^14 and takes a second byte from 2^7 on.
		for _, v := range values[1:] {
			size += int((zigzag(v-before) + 1<<14 - 1<<7) >> 14)
			before = v
		}
		return size
	}
	for _, v := range values[1:] {
		size += uvarintSize(zigzag(v-before)) - 1
		before = v
	}
	return size
}

// appendDeltas appends deltas that take so many bytes.
func appendDeltas(dst []byte, values []int64, size int) []byte {
	begin := len(dst)
	dst = slices.Grow(dst, size)[:begin+size]
	out, p := dst[begin:], 0
	before := int64(0)
	for _, v := range values {
		z := zigzag(v - before)
		before = v
		for z >= 0x80 {
			out[p] = byte(z) | 0x80
			p++
			z >>= 7
		}
		out[p] = byte(z)
		p++
	}
	return dst
}

// appendBits appends the low width bits of each value above low.
func appendBits(dst []byte, values []int64, low uint64, width int) []byte {
	begin := len(dst)
	size := (len(values)*width + 7) / 8
	dst = slices.Grow(dst, size+8)[:begin+size+8] // the last word is written whole
	out := dst[begin:]
	var word uint64
	free := 64 // bits of word
	for _, v := range values {
		above := uint64(v) - low
		word |= above << (64 - free)
		if free > width {
			free -= width
			continue
		}
		binary.LittleEndian.PutUint64(out, word)
		out = out[8:]
		word = above >> free // what did not fit; nothing where all did
		free += 64 - width
	}
	binary.LittleEndian.PutUint64(out, word)
	return dst[:begin+size]
}

// readDeltas fills values, of which there is at least one, from src, which ends
// in the checksum.
func readDeltas(values []int64, src []byte) error {
	size := len(src) - tail
	low, high := int64(0), int64(0)
	v, p := int64(0), 0
	for i := range values {
		if p >= size {
			return errShort
		}
		z := uint64(src[p])
		p++
		if z >= 0x80 {
			var err error
			if z, p, err = longUvarint(src[:size], p-1); err != nil {
				return err
			}
		}
		v += unzigzag(z)
		values[i] = v
		if i == 0 {
			low, high = v, v
		}
		low, high = min(low, v), max(high, v)
	}
	width := bits.Len64(uint64(high) - uint64(low))
	if p != size || size >= bitsSize(len(values), low, width) {
		return errCanonical
	}
	return nil
}

// longUvarint reads an unsigned integer of two bytes or more at p.
func longUvarint(src []byte, p int) (v uint64, next int, err error) {
	if p+1 < len(src) && src[p+1]-1 < 0x7f {
		return uint64(src[p]&0x7f) | uint64(src[p+1])<<7, p + 2, nil
	}
	v, rest, err := readUvarint(src[p:])
	return v, len(src) - len(rest), err
}

// readBits fills values, of which there is at least one, from src, which ends
// in the checksum.
func readBits(values []int64, src []byte) error {
	z, src, err := readUvarint(src)
	if err != nil {
		return err
	}
	if len(src) < 1+tail {
		return errShort
	}
	low, width := unzigzag(z), int(src[0])
	src = src[1:]
	size := (len(values)*width + 7) / 8
	if width > 64 || len(src) != size+tail {
		return errShape
	}
	if used := len(values) * width & 7; used != 0 && src[size-1]>>used != 0 {
		return errCanonical
	}
	var all uint64
	var least int64
	if width <= 57 {
		all, least = unpack(values, src, uint64(low), uint(width))
	} else {
		all, least = unpackWide(values, src, uint64(low), uint(width))
	}
	// The least value is low, so none went beyond an int64 and came out below;
	// the width is needed; and deltas would not be shorter.
	total := bitsSize(len(values), low, width)
	if least != low || bits.Len64(all) != width || deltasSize(values, width, total) < total {
		return errCanonical
	}
	return nil
}

// zigzag maps the integers to the natural numbers, small ones to small ones.
func zigzag(v int64) uint64 { return uint64(v<<1) ^ uint64(v>>63) }

func unzigzag(z uint64) int64 { return int64(z>>1) ^ -int64(z&1) }

// uvarintSize returns ⌈bits/7⌉, at least 1.
func uvarintSize(v uint64) int { return (bits.Len64(v|1)*9 + 64) >> 6 }
