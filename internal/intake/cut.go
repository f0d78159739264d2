package intake

import (
	"errors"
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// maxOpen is how many channels have a day open at a time; the one opened first
// is closed. An open day of minutes takes some 14 KB.
const maxOpen = 512

// destination is where cut days go; nil where a file is only checked.
type destination interface {
	// place finds or makes the channel and the zone in which its days begin.
	place(c meterfile.Channel) (domain.Channel, *time.Location, error)
	// put takes a day of a channel. refuse makes an error of what is wrong with it.
	put(s *stream, refuse refusal) error
}

// refusal makes an error that names file and line.
type refusal func(field, want, got string) error

// cutter cuts blocks into local days.
type cutter struct {
	file    string
	latest  time.Time // no reading may begin later
	to      destination
	streams map[meterfile.Channel]*stream
	open    []*stream      // with an open day, in the order of opening
	spare   []interval.Day // of closed ones, to be used again
}

func newCutter(latest time.Time, to destination) *cutter {
	return &cutter{latest: latest, to: to, streams: map[meterfile.Channel]*stream{}}
}

// stream is a channel of the file. A day may come in pieces, such as a block
// for each hour; it is open until a reading of another day comes.
type stream struct {
	channel domain.Channel
	zone    *time.Location // nil where only the property would tell, while checking
	file    string         // where the open day began
	line    int
	isOpen  bool
	date    domain.Date
	end     int64 // of the open day, in Unix seconds
	day     interval.Day
}

// block cuts one block.
func (c *cutter) block(b *meterfile.Block) error {
	s, err := c.stream(b)
	if err != nil {
		return err
	}
	refuse := func(field, want, got string) error {
		return &meterfile.Error{File: c.file, Line: b.Line, Field: field, Want: want, Got: got}
	}
	step := int64(b.Minutes) * 60
	t := b.Start.Unix()
	if last := t + step*int64(len(b.Values)-1); last > c.latest.Unix() {
		return refuse("start", "readings that have been taken", "the future, "+interval.FormatMoment(time.Unix(last, 0).UTC()))
	}
	if s.zone == nil {
		return nil // its days are cut, and its readings placed, once the property is known
	}
	for i, v := range b.Values {
		if !s.isOpen || t < s.day.Start || t >= s.end {
			if err := c.turn(s, t, b, refuse); err != nil {
				return err
			}
		}
		if err := s.set(t, step, domain.Decimal{Coefficient: v, Scale: b.Scale}, b.Quality[i], refuse); err != nil {
			return err
		}
		t += step
	}
	return nil
}

// stream finds or begins the stream of a block's channel.
func (c *cutter) stream(b *meterfile.Block) (*stream, error) {
	if s := c.streams[b.Channel]; s != nil {
		return s, nil
	}
	s := &stream{}
	var err error
	switch {
	case c.to != nil:
		s.channel, s.zone, err = c.to.place(b.Channel)
		err = located(err, fmt.Sprintf("%s:%d", c.file, b.Line))
	case b.Channel.Zone != "":
		s.zone, err = interval.Zone(b.Channel.Zone)
	}
	if err != nil {
		return nil, err
	}
	c.streams[b.Channel] = s
	return s, nil
}

// located says where in which file a refusal arose.
func located(err error, where string) error {
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind != domain.Internal && e.Kind != domain.Unavailable {
		return &domain.Error{Kind: e.Kind, Public: where + ": " + e.Public, Err: e.Err}
	}
	return err
}

// turn closes the open day of a stream and opens the one that holds t.
func (c *cutter) turn(s *stream, t int64, b *meterfile.Block, refuse refusal) error {
	if err := c.close(s); err != nil {
		return err
	}
	if len(c.open) >= maxOpen {
		if err := c.close(c.open[0]); err != nil {
			return err
		}
	}
	s.date = interval.DateAt(time.Unix(t, 0), s.zone)
	start, end := interval.Span(s.date, s.zone)
	count := 1
	if b.Minutes != interval.WholeDay {
		count = interval.Count(start, end, b.Minutes)
	}
	if count == 0 {
		return refuse("duration", "intervals that fit into their day", fmt.Sprintf("%d minutes", b.Minutes))
	}
	if n := len(c.spare); n > 0 {
		s.day, c.spare = c.spare[n-1], c.spare[:n-1]
	}
	s.day.Reset(start, b.Minutes, b.Scale, count)
	s.end = end.Unix()
	s.file, s.line, s.isOpen = c.file, b.Line, true
	c.open = append(c.open, s)
	return nil
}

// close puts the open day of a stream.
func (c *cutter) close(s *stream) error {
	if !s.isOpen {
		return nil
	}
	s.isOpen = false
	for i, o := range c.open {
		if o == s {
			c.open = append(c.open[:i], c.open[i+1:]...)
			break
		}
	}
	var err error
	if c.to != nil {
		err = c.to.put(s, func(field, want, got string) error {
			return &meterfile.Error{File: s.file, Line: s.line, Field: field, Want: want, Got: got}
		})
	}
	c.spare, s.day = append(c.spare, s.day), interval.Day{} // a file may have very many streams
	return err
}

// closeAll puts all open days, at the end of the file.
func (c *cutter) closeAll() error {
	for len(c.open) > 0 {
		if err := c.close(c.open[0]); err != nil {
			return err
		}
	}
	return nil
}

// set puts a reading into the open day.
func (s *stream) set(t, step int64, v domain.Decimal, q domain.Quality, refuse refusal) error {
	d := &s.day
	if step != int64(d.Minutes)*60 {
		return refuse("duration", fmt.Sprintf("%d minutes like the rest of %s", d.Minutes, s.date), fmt.Sprintf("%d minutes", step/60))
	}
	i := int((t - d.Start) / step)
	if (t-d.Start)%step != 0 || i >= len(d.Values) {
		got := interval.FormatMoment(time.Unix(t, 0).In(s.zone))
		if d.Minutes == interval.WholeDay {
			return refuse("start", "a day that begins at midnight in "+s.zone.String(), got)
		}
		return refuse("start", fmt.Sprintf("a multiple of %d minutes after midnight in %s", d.Minutes, s.zone), got)
	}
	if q == domain.Missing {
		return nil
	}
	if d.Quality[i] != domain.Missing {
		if d.Quality[i] == q && d.Value(i).Equal(v) {
			return nil // said twice
		}
		return refuse("start", "one reading for each interval", fmt.Sprintf("a second one for %s, %s %s after %s %s",
			interval.FormatMoment(time.Unix(t, 0).In(s.zone)), v, q, d.Value(i), d.Quality[i]))
	}
	if err := d.Set(i, v, q); err != nil {
		return refuse("value", "at most 18 digits, with the decimal places of the rest of its day", v.String())
	}
	return nil
}
