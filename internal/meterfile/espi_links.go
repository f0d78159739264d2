package meterfile

import (
	"fmt"
	"slices"
	"strings"
)

// Feeds link in several ways: a child names its parent in rel="up", with or
// without the collection's name at the end; a parent names its children, or
// their collection, in rel="related"; or the child's own address begins with
// its parent's. Where no link says anything, what stands before it counts. A
// link that leads nowhere is no guess at which of several: that is refused.

// finder finds the resources of one kind.
type finder struct {
	c       *catalog
	kind    string
	all     []int          // in the order of the file
	related map[string]int // what they name in rel="related"
	under   map[string]int // what they name in rel="up"
	found   map[int]int    // what was found for whom; a home with many links may have many meters
}

func (c *catalog) finder(kind string) *finder {
	f := &finder{c: c, kind: kind, related: map[string]int{}, under: map[string]int{}, found: map[int]int{}}
	for i, r := range c.resources {
		if r.kind != kind {
			continue
		}
		f.all = append(f.all, i)
		for _, href := range r.related {
			if _, ok := f.related[href]; !ok {
				f.related[href] = i
			}
		}
		for _, href := range r.up {
			if _, ok := f.under[href]; !ok {
				f.under[href] = i
			}
		}
	}
	return f
}

// parent finds the resource that a child of a kind belongs to.
func (f *finder) parent(child, self string, up ...string) (int, bool) {
	for _, href := range up {
		if i, ok := f.at(strings.TrimSuffix(href, "/"+child)); ok {
			return i, true
		}
		if i, ok := f.related[href]; ok {
			return i, true
		}
	}
	if i, ok := f.related[self]; ok && self != "" {
		return i, true
	}
	head := self
	if i := strings.LastIndex(self, "/"+child+"/"); i >= 0 {
		head = self[:i]
	}
	return f.at(head)
}

func (f *finder) at(self string) (int, bool) {
	i, ok := f.c.bySelf[f.kind+" "+self]
	return i, ok
}

// before finds the last resource before the given one.
func (f *finder) before(index int) (int, bool) {
	n, _ := slices.BinarySearch(f.all, index)
	if n == 0 {
		return 0, false
	}
	return f.all[n-1], true
}

// meterReadingOf finds what the block entry n measures.
func (f *finder) meterReadingOf(n int) (int, error) {
	entry := f.c.blocks[n]
	key := f.c.keys[entry.key]
	var up []string
	if key.up != "" {
		up = []string{key.up}
	}
	if i, ok := f.parent("IntervalBlock", key.self, up...); ok {
		return i, nil
	}
	if len(f.all) == 1 {
		return f.all[0], nil
	}
	if i, ok := f.before(int(entry.after)); ok && key == (blockKey{}) {
		return i, nil
	}
	return 0, f.c.refuse("IntervalBlock", "a link to one of the file's MeterReadings", quote(key.up+key.self))
}

// usagePointOf finds where a meter reading was taken.
func (f *finder) usagePointOf(m int) (int, error) {
	r := f.c.resources[m]
	if i, ok := f.parent("MeterReading", r.self, r.up...); ok {
		return i, nil
	}
	if len(f.all) == 1 {
		return f.all[0], nil
	}
	if i, ok := f.before(m); ok && r.self == "" && len(r.up) == 0 {
		return i, nil
	}
	return 0, &Error{f.c.name, r.line, "MeterReading", "a link to one of the file's UsagePoints", quote(r.self)}
}

// readingTypeOf finds what a meter reading's values mean.
func (f *finder) readingTypeOf(m int) (int, error) {
	r := f.c.resources[m]
	for _, href := range r.related {
		if i, ok := f.at(href); ok {
			return i, nil
		}
	}
	if i, ok := f.under[r.self]; ok && r.self != "" {
		return i, nil
	}
	if len(f.all) == 1 {
		return f.all[0], nil
	}
	if len(r.related) == 0 {
		if _, ok := slices.BinarySearch(f.all, m+1); ok { // it follows its meter reading
			return m + 1, nil
		}
		if i, ok := f.before(m); ok {
			return i, nil
		}
	}
	return 0, &Error{
		f.c.name, r.line, "MeterReading", "a link to one of the file's ReadingTypes",
		fmt.Sprintf("%d links and %d ReadingTypes", len(r.related), len(f.all)),
	}
}

// localTimeOf finds the time parameters of a usage point; there may be none.
func (f *finder) localTimeOf(u int) (i int, ok bool, err error) {
	switch len(f.all) {
	case 0:
		return 0, false, nil
	case 1:
		return f.all[0], true, nil
	}
	if i, ok := f.found[u]; ok {
		return i, true, nil
	}
	r := f.c.resources[u]
	for _, href := range r.related {
		if i, ok := f.at(href); ok {
			f.found[u] = i
			return i, true, nil
		}
	}
	return 0, false, &Error{f.c.name, r.line, "UsagePoint", "a link to one of the file's LocalTimeParameters", quote(r.self)}
}
