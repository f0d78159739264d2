package intake

import (
	"cmp"
	"fmt"
	"slices"
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
	// index takes what a register showed at an instant.
	index(s *stream, b *meterfile.Block, refuse refusal) error
}

// refusal makes an error that names file and line.
type refusal func(field, want, got string) error

// cutter cuts blocks into local days.
type cutter struct {
	file     string
	earliest time.Time // no reading may begin earlier
	latest   time.Time // or later
	to       destination
	rejects  *rejects // nil: the first mistake refuses the file
	most     int      // how many channels the file may have; 0: any number
	streams  map[meterfile.Channel]*stream
	open     []*stream      // with an open day, in the order of opening
	spare    []interval.Day // of closed ones, to be used again
}

// block cuts one block, or leaves it out.
func (c *cutter) block(b *meterfile.Block) error {
	err := c.cut(b)
	if c.rejects.take(err) {
		return nil
	}
	return err
}

func (c *cutter) cut(b *meterfile.Block) error {
	s, err := c.stream(b)
	if err != nil {
		return err
	}
	at := 0 // the interval that is looked at
	refuse := func(field, want, got string) error {
		return &meterfile.Error{File: c.file, Line: b.LineOf(at), Field: field, Want: want, Got: got}
	}
	step := int64(b.Minutes) * 60
	t := b.Start.Unix()
	if t < c.earliest.Unix() {
		return refuse("start", fmt.Sprintf("readings of the last %d years", maxYears), interval.FormatMoment(b.Start.UTC()))
	}
	last := t + step*int64(len(b.Values)-1)
	if last > c.latest.Unix() {
		at = len(b.Values) - 1
		return refuse("start", "readings that have been taken", "the future, "+interval.FormatMoment(time.Unix(last, 0).UTC()))
	}
	if s.zone == nil {
		return nil // its days are cut, and its readings placed, once the property is known
	}
	if i, local := s.displaced(b, last, step); i >= 0 {
		at = i
		return refuse("start", "a local time of "+s.zone.String(), local+", which does not exist in "+s.zone.String())
	}
	if b.Minutes == meterfile.Index {
		if c.to == nil {
			return nil
		}
		s.file = c.file
		return c.to.index(s, b, refuse)
	}
	for i, v := range b.Values {
		at = i
		if !s.isOpen || t < s.day.Start || t >= s.end {
			if err := c.turn(s, t, b, b.LineOf(i), refuse); err != nil {
				return err
			}
		}
		if i == 0 && c.rejects != nil && len(b.Values) > 1 { // a day of NEM12, which is taken or left out as a whole
			if err := s.fits(b, step, refuse); err != nil {
				return c.abandon(s, err)
			}
		}
		if err := s.set(t, step, domain.Decimal{Coefficient: v, Scale: b.Scale}, b.Quality[i], b.LineOf(i), refuse); err != nil {
			return c.abandon(s, err)
		}
		t += step
	}
	return nil
}

// abandon closes a day that a line has opened which is left out: how long its
// intervals are is for a better one to say.
func (c *cutter) abandon(s *stream, err error) error {
	if c.rejects != nil && s.day.Present() == 0 {
		return cmp.Or(c.close(s), err)
	}
	return err
}

// stream finds or begins the stream of a block's channel. What is wrong with a
// channel is found out once.
func (c *cutter) stream(b *meterfile.Block) (*stream, error) {
	s := c.streams[b.Channel]
	if s == nil {
		if c.most > 0 && len(c.streams) >= c.most {
			return nil, &meterfile.Error{File: c.file, Line: b.Line, Field: "channel", Want: fmt.Sprintf("at most %d channels", c.most), Got: "another one"}
		}
		s = &stream{rejects: c.rejects}
		if err := c.place(s, b.Channel); err != nil {
			e, ok := refused(err)
			if !ok {
				return nil, err
			}
			s.wrong = e
		}
		c.streams[b.Channel] = s
	}
	if s.wrong != nil {
		return nil, &lineError{c.file, b.Line, s.wrong}
	}
	return s, nil
}

func (c *cutter) place(s *stream, channel meterfile.Channel) (err error) {
	switch {
	case c.to != nil:
		s.channel, s.zone, err = c.to.place(channel)
	case channel.Zone != "":
		s.zone, err = interval.Zone(channel.Zone)
	}
	return err
}

// turn closes the open day of a stream and opens the one that holds t.
func (c *cutter) turn(s *stream, t int64, b *meterfile.Block, line int, refuse refusal) error {
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
	if c.rejects != nil {
		s.lines = slices.Grow(s.lines[:0], count)[:count]
	}
	s.end = end.Unix()
	s.file, s.line, s.isOpen = c.file, line, true
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
		err = c.rejects.fatal(c.to.put(s, func(field, want, got string) error {
			return &meterfile.Error{File: s.file, Line: s.line, Field: field, Want: want, Got: got}
		}))
	}
	c.spare, s.day, s.lines, s.again, s.repeated = append(c.spare, s.day), interval.Day{}, nil, nil, 0 // a file may have very many streams
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
