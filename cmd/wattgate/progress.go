package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// progress is a bar on the terminal: how much, how fast, how long still. Off a
// terminal it prints nothing.
type progress struct {
	w     io.Writer // nil: not a terminal
	now   func() time.Time
	name  string
	size  int64
	began time.Time
	width int
}

func newProgress(w world, name string, size int64) *progress {
	p := &progress{now: w.now, name: name, size: size, began: w.now(), width: 80}
	if f, ok := w.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.w = w.err
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			p.width = width
		}
		p.at(0)
	}
	return p
}

// at draws the bar with so many bytes done.
func (p *progress) at(done int64) {
	if p.w == nil {
		return
	}
	_, _ = io.WriteString(p.w, "\r"+p.line(done)) // nobody is left to tell
}

// end draws the full bar and leaves its line.
func (p *progress) end() {
	if p.w == nil {
		return
	}
	_, _ = io.WriteString(p.w, "\r"+p.line(p.size)+"\n") // nobody is left to tell
}

// line returns the bar, exactly as wide as the terminal less one column.
func (p *progress) line(done int64) string {
	share := 1.0
	if p.size > 0 {
		share = min(1, float64(done)/float64(p.size))
	}
	took := p.now().Sub(p.began).Seconds()
	tail := fmt.Sprintf(" %3.0f %%", share*100)
	if took > 0.2 && share > 0 {
		tail += fmt.Sprintf("  %.1f MB/s  %.0f s left", float64(done)/1e6/took, took/share-took)
	}
	name := p.name
	if limit := p.width / 3; len(name) > limit {
		name = "…" + name[len(name)-limit+1:]
	}
	room := max(10, p.width-len([]rune(name))-len(tail)-5)
	full := int(share * float64(room))
	line := name + " [" + strings.Repeat("#", full) + strings.Repeat(".", room-full) + "]" + tail
	if pad := p.width - 1 - len([]rune(line)); pad > 0 {
		line += strings.Repeat(" ", pad)
	}
	return line
}
