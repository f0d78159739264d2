package meterfile

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// The ESPI reader follows NAESB REQ.21: an Atom feed whose entries hold
// UsagePoint, MeterReading, ReadingType, LocalTimeParameters and IntervalBlock,
// which refer to each other by the links of their entries, in any order. The
// first pass collects what is small and says what the readings mean, the second
// yields the readings. Elements are known by their local names, as feeds
// disagree about the namespace's spelling.

func readESPI(name string, r io.ReadSeeker, yield func(*Block) error) error {
	c := &catalog{scanner: newScanner(name, r)}
	if err := c.walk(c); err != nil {
		return err
	}
	channels, err := c.channels()
	if err != nil {
		return err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read %s from its beginning: %w", name, err)
	}
	b := &blocks{scanner: newScanner(name, r), channels: channels, yield: yield}
	if err := b.walk(b); err != nil {
		return err
	}
	if b.readings == 0 {
		return b.refuse("IntervalReading", "at least one reading with a value", "none")
	}
	return nil
}

// visitor is told what a feed holds. resource is called at the start of a
// resource's element; it must not read beyond the element's end.
type visitor interface {
	link(rel, href string) error
	id(text string) error
	// title gets the beginning of an entry's title.
	title(text string) error
	resource(kind string) error
	// endEntry is called at the end of an entry, and after each resource that
	// stands outside any.
	endEntry() error
}

// walk goes once through the document.
func (s *scanner) walk(v visitor) error {
	entry := 0 // the depth of the open entry
	for {
		token, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if s.depth == 1 && !root[t.Name.Local] {
				return s.refuse("root element", "feed, of a Green Button ESPI file", quote(t.Name.Local))
			}
			if t.Name.Local == "entry" && entry == 0 {
				entry = s.depth
				continue
			}
			err = s.element(v, t, entry != 0 && s.depth == entry+1)
			if err == nil && entry == 0 && resources[t.Name.Local] {
				err = v.endEntry()
			}
		case xml.EndElement:
			if entry != 0 && s.depth < entry {
				entry = 0
				err = v.endEntry()
			}
		}
		if err != nil {
			return err
		}
	}
}

var resources = map[string]bool{
	"UsagePoint": true, "MeterReading": true, "ReadingType": true, "LocalTimeParameters": true, "IntervalBlock": true,
}

var root = map[string]bool{
	"feed": true, "entry": true, "UsagePoint": true, "MeterReading": true, "ReadingType": true,
	"LocalTimeParameters": true, "IntervalBlock": true,
}

// element tells v about one element. The link and the id count directly below
// the entry only: its author and its source have their own.
func (s *scanner) element(v visitor, t xml.StartElement, ofEntry bool) error {
	switch {
	case ofEntry && t.Name.Local == "link":
		var rel, href string
		for _, a := range t.Attr {
			switch a.Name.Local {
			case "rel":
				rel = a.Value
			case "href":
				href = a.Value
			}
		}
		return v.link(rel, href)
	case ofEntry && t.Name.Local == "id":
		text, err := s.text()
		if err != nil {
			return err
		}
		return v.id(text)
	case ofEntry && t.Name.Local == "title":
		text, err := s.beginning()
		if err != nil {
			return err
		}
		return v.title(text)
	case resources[t.Name.Local]:
		return v.resource(t.Name.Local)
	}
	return nil
}
