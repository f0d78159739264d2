package interval

import "github.com/wattgate/wattgate/internal/domain"

// Decode reads a packed day into d, reusing its slices. After an error d is
// undefined. It takes only what [Day.Append] writes: any other bytes, an
// unknown version or flag, or a longer way to say the same are an error.
func (d *Day) Decode(src []byte) error {
	h, bitmap, rest, err := readHead(src)
	if err != nil {
		return err
	}
	d.Start, d.Minutes, d.Scale = h.Start, h.Minutes, h.Scale
	d.resize(h.Count)
	delta := src[0]&flagDelta != 0
	if h.Present == 0 {
		clear(d.Values)
		clear(d.Quality)
		if delta || len(rest) != tail {
			return errCanonical
		}
		return nil
	}
	rest, err = readRuns(d.Quality[:h.Present], rest)
	if err != nil {
		return err
	}
	if delta {
		err = readDeltas(d.Values[:h.Present], rest)
	} else {
		err = readBits(d.Values[:h.Present], rest)
	}
	if err != nil {
		return err
	}
	if bitmap != nil {
		d.scatter(bitmap, h.Present)
	}
	return nil
}

// scatter moves the present intervals from the front to where they belong.
func (d *Day) scatter(bitmap []byte, present int) {
	for i := len(d.Values) - 1; i >= 0; i-- {
		if bitmap[i>>3]>>(i&7)&1 == 0 {
			d.Values[i], d.Quality[i] = 0, domain.Missing
			continue
		}
		present--
		d.Values[i], d.Quality[i] = d.Values[present], d.Quality[present]
	}
}
