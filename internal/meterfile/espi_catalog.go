package meterfile

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// The bounds on what the first pass keeps.
const (
	maxKept         = 32 << 20  // bytes of links, identifiers and codes
	keepCost        = 64        // bytes that each of them costs beside its text
	maxLinks        = 1_000     // of one entry, each of at most maxText bytes
	maxResources    = 100_000   // usage points, meter readings, reading types, time parameters
	maxBlockEntries = 2_000_000 // entries with interval blocks, 8 bytes each
)

// resource is one thing of a feed that says what readings mean.
type resource struct {
	kind    string
	line    int
	id      string // of its entry
	point   string // MARKET:identifier, where the entry's title is one
	self    string
	up      []string
	related []string
	known   map[string]bool // the links in related, once the resource comes again
	codes   []code
}

// code is the text of an element that says something to us.
type code struct {
	name string // the element's path below the resource
	text string
	line int
}

// code returns an element's text; ok is false where there is none.
func (r *resource) code(name string) (v code, ok bool) {
	for _, v := range r.codes {
		if v.name == name {
			return v, true
		}
	}
	return code{}, false
}

// catalog is the first pass: it keeps all resources, and for each entry with
// interval blocks how to find its meter reading.
type catalog struct {
	*scanner
	entry     resource   // the links of the open entry
	inside    []resource // the resources of the open entry
	hasBlock  bool
	resources []resource
	bySelf    map[string]int // kind, space, link -> index in resources
	blocks    []blockEntry
	keys      []blockKey // distinct links of block entries
	keyIndex  map[blockKey]int32
	kept      int
}

// blockKey is how a block entry points at its meter reading. All blocks of a
// meter reading share it, as a rule.
type blockKey struct{ up, self string }

type blockEntry struct {
	key   int32 // index in keys
	after int32 // how many resources precede the entry
}

func (c *catalog) keep(texts ...string) error {
	for _, t := range texts {
		c.kept += len(t) + keepCost
	}
	if c.kept > maxKept {
		return c.refuse("link", fmt.Sprintf("at most %d bytes of links and codes", maxKept), "more")
	}
	return nil
}

func (c *catalog) link(rel, href string) error {
	href = strings.TrimRight(strings.TrimSpace(href), "/")
	if href == "" {
		return nil
	}
	if len(href) > maxText {
		return c.refuse("link", fmt.Sprintf("at most %d bytes", maxText), "more")
	}
	if len(c.entry.up)+len(c.entry.related) == maxLinks && (rel == "up" || rel == "related") {
		return c.refuse("link", fmt.Sprintf("at most %d links of one entry", maxLinks), "more")
	}
	href = strings.Clone(href) // without the spaces around it, which may be many
	switch rel {
	case "self":
		c.entry.self = href
	case "up":
		c.entry.up = append(c.entry.up, href)
	case "related":
		c.entry.related = append(c.entry.related, href)
	}
	return nil
}

func (c *catalog) id(text string) error {
	c.entry.id = strings.Clone(text)
	return nil
}

// title keeps the name of a supply point of ours.
func (c *catalog) title(text string) error {
	if _, _, ok := splitPoint(text); ok {
		c.entry.point = strings.Clone(text)
		return c.keep(text)
	}
	return nil
}

func (c *catalog) resource(kind string) error {
	if kind == "IntervalBlock" {
		c.hasBlock = true
		return c.skip()
	}
	r := resource{kind: kind, line: c.line()}
	if err := c.codes(&r, ""); err != nil {
		return err
	}
	c.inside = append(c.inside, r)
	if len(c.resources)+len(c.inside) > maxResources {
		return c.refuse(kind, fmt.Sprintf("at most %d resources before the readings", maxResources), "more")
	}
	return nil
}

// wanted are the elements whose text says something to us.
var wanted = map[string]bool{
	"ServiceCategory.kind": true, "uom": true, "flowDirection": true, "powerOfTenMultiplier": true,
	"accumulationBehaviour": true, "intervalLength": true, "defaultQuality": true,
	"tzOffset": true, "dstOffset": true, "dstStartRule": true, "dstEndRule": true,
}

// codes reads the elements of a resource.
func (c *catalog) codes(r *resource, path string) error {
	return c.children(func(t xml.StartElement) error {
		name := path + t.Name.Local
		switch {
		case name == "ServiceCategory":
			return c.codes(r, "ServiceCategory.")
		case !wanted[name]:
			return nil
		}
		line := c.line()
		text, err := c.text()
		if err != nil {
			return err
		}
		if _, ok := r.code(name); ok {
			return &Error{c.name, line, r.kind + "." + name, "one", "a second one"}
		}
		r.codes = append(r.codes, code{name, strings.Clone(text), line})
		return c.keep(text)
	})
}

// endEntry files what the entry held.
func (c *catalog) endEntry() error {
	after := len(c.resources)
	for _, r := range c.inside {
		r.id, r.point, r.self, r.up, r.related = c.entry.id, c.entry.point, c.entry.self, c.entry.up, c.entry.related
		if err := c.file(r); err != nil {
			return err
		}
	}
	if c.hasBlock {
		if err := c.fileBlock(int32(max(after, len(c.resources)))); err != nil {
			return err
		}
	}
	c.entry, c.inside, c.hasBlock = resource{}, c.inside[:0], false
	return nil
}

// file keeps a resource. Feeds that join many requests repeat theirs, which
// must then say the same.
func (c *catalog) file(r resource) error {
	key := r.kind + " " + r.self
	if i, ok := c.bySelf[key]; ok && r.self != "" {
		first := &c.resources[i]
		for _, v := range r.codes {
			if was, _ := first.code(v.name); was.text != v.text {
				return &Error{c.name, v.line, r.kind + "." + v.name, quote(was.text) + " as at first under this link", quote(v.text)}
			}
		}
		return c.relate(first, r.related)
	}
	if c.bySelf == nil {
		c.bySelf = map[string]int{}
	}
	if r.self != "" {
		c.bySelf[key] = len(c.resources)
	}
	c.resources = append(c.resources, r)
	if err := c.keep(r.id, r.self); err != nil {
		return err
	}
	return c.keep(append(slices.Clone(r.up), r.related...)...)
}

// relate adds links to those of a resource, up to maxLinks.
func (c *catalog) relate(r *resource, links []string) error {
	if len(r.related) >= maxLinks {
		return nil
	}
	if r.known == nil {
		r.related = slices.Clip(r.related) // its entry's other resources have the same
		r.known = make(map[string]bool, len(r.related))
		for _, href := range r.related {
			r.known[href] = true
		}
	}
	for _, href := range links {
		if r.known[href] || len(r.related) >= maxLinks {
			continue
		}
		if err := c.keep(href); err != nil {
			return err
		}
		r.known[href] = true
		r.related = append(r.related, href)
	}
	return nil
}

func (c *catalog) fileBlock(after int32) error {
	key := blockKey{self: c.entry.self}
	if i := strings.LastIndex(key.self, "/IntervalBlock/"); i >= 0 && len(c.entry.up) > 0 {
		key.self = key.self[:i] // of no use for finding the block itself, which has an up
	}
	if len(c.entry.up) > 0 {
		key.up = c.entry.up[0]
	}
	i, ok := c.keyIndex[key]
	if !ok {
		if c.keyIndex == nil {
			c.keyIndex = map[blockKey]int32{}
		}
		i = int32(len(c.keys))
		c.keys = append(c.keys, key)
		c.keyIndex[key] = i
		if err := c.keep(key.up, key.self); err != nil {
			return err
		}
	}
	if len(c.blocks) == maxBlockEntries {
		return c.refuse("IntervalBlock", fmt.Sprintf("at most %d entries with blocks", maxBlockEntries), "more")
	}
	c.blocks = append(c.blocks, blockEntry{i, after})
	return nil
}
