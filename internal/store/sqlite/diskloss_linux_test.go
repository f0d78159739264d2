package sqlite_test

import (
	"maps"
	"slices"
)

// sector is how much of a write a disk keeps or loses at once; sometimes it is
// torn even so.
const sector = 512

// change is a write, or a new length.
type change struct {
	at     int64
	bytes  []byte
	length int64 // below 0: a write
}

// remains is what is left where the power goes now. How much of what was not
// safe is left is a matter of chance, from nothing to everything.
func (d *disk) remains() map[string][]byte {
	odds := []float64{0, 0.1, 0.5, 0.9, 1}[d.chance.IntN(5)]
	names := maps.Clone(d.names)
	all := maps.Clone(d.files)
	maps.Copy(all, d.names)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if d.chance.Float64() >= odds {
			continue
		}
		if f, ok := d.files[name]; ok {
			names[name] = f
		} else {
			delete(names, name)
		}
	}
	left := map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		left[name] = names[name].remains(odds)
	}
	return left
}

// remains is what is left of a file: of what was written since it was safe some
// sectors, in no order, some of them torn.
func (f *diskFile) remains(odds float64) []byte {
	data := slices.Clone(f.safe)
	for _, c := range f.since {
		for _, piece := range c.sectors() {
			if f.disk.chance.Float64() >= odds {
				continue
			}
			if n := len(piece.bytes); n > 0 && odds < 1 && f.disk.chance.IntN(16) == 0 {
				piece.bytes = piece.bytes[:f.disk.chance.IntN(n)]
			}
			data = piece.apply(data)
		}
	}
	return data
}

func (c change) sectors() (list []change) {
	if c.length >= 0 {
		return []change{c}
	}
	for at, rest := c.at, c.bytes; len(rest) > 0; {
		n := min(int64(len(rest)), sector-at%sector)
		list = append(list, change{at, rest[:n], -1})
		at, rest = at+n, rest[n:]
	}
	return list
}

func (c change) apply(data []byte) []byte {
	end := c.at + int64(len(c.bytes))
	if c.length >= 0 {
		end = c.length
	}
	if more := end - int64(len(data)); more > 0 {
		data = append(data, make([]byte, more)...)
	}
	if c.length >= 0 {
		return data[:end]
	}
	copy(data[c.at:], c.bytes)
	return data
}
