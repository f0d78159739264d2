package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/wattgate/wattgate/bench/cost"
	"github.com/wattgate/wattgate/bench/meter"
)

// machine is where the figures were taken.
type machine struct {
	Processor  string
	GOMAXPROCS int
	Go, System string
}

func thisMachine() machine {
	return machine{
		Processor: cost.Model(), GOMAXPROCS: runtime.GOMAXPROCS(0),
		Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
	}
}

func (m machine) String() string {
	return fmt.Sprintf("%s, GOMAXPROCS %d, %s %s; the load generator runs on the same cores",
		m.Processor, m.GOMAXPROCS, m.Go, m.System)
}

// verdict compares one figure with its target. Nothing depends on it.
type verdict struct {
	Figure  string
	Got     float64
	Target  string
	Reached bool
}

// report is everything that was measured.
type report struct {
	Machine  machine
	Rounds   int
	Seconds  float64
	Once     *once `json:",omitempty"`
	Tables   []table
	API      []apiRow      `json:",omitempty"`
	Meter    *meter.Report `json:",omitempty"`
	Verdicts []verdict
}

// The targets of the first release.
const (
	targetS      = 0.85
	targetCPU    = 0.055 // seconds per 1,000 tokens
	targetIdle   = 40    // MiB
	targetStart  = 100   // milliseconds
	targetBinary = 30    // MB
)

// busy is the number of connections from which the CPU target holds. With
// fewer, a server goes to sleep and wakes up for every request, which costs
// the bare signing server more than the target already. The target is that of
// EdDSA: the signature of ES256 alone takes nearly twice as long.
const busy = 16

func (t table) print(out io.Writer, r report) error {
	fmt.Fprintf(out, "\n%s: medians of %d rounds of %gs, h and s with (min..max)\n", t.title(), r.Rounds, r.Seconds)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\t—— answers/s ——\t\t\t\t\t—— CPU s/1,000 ——\t\t\t—— p50/p99 ms ——\t\t")
	fmt.Fprintln(w, "connections\tR_http\tR_sign\tours\th\ts\tR_http\tR_sign\tours\tR_sign\tours\t")
	for _, row := range t.Rows {
		ours, h, s := "–", "–", "–"
		if len(row.Ours) > 0 {
			ours = fmt.Sprintf("%.0f", row.Our.Rate.Median)
		}
		if row.H.Median > 0 {
			h = row.H.text("%.2f")
		}
		if row.S.Median > 0 {
			s = row.S.text("%.2f")
		}
		cells := []string{
			fmt.Sprint(row.Connections),
			row.RHTTP.rate(), row.RSign.rate(), ours, h, s,
			row.RHTTP.cpu(), row.RSign.cpu(), row.Our.cpu(), row.RSign.latency(), row.Our.latency(),
		}
		fmt.Fprintln(w, strings.Join(cells, "\t")+"\t")
	}
	if err := w.Flush(); err != nil || t.Written < 0 || t.Door != "" {
		return err
	}
	_, err := fmt.Fprintf(out, "ours had %.1f bytes written to disk for each token, in all rounds, beside its log\n", t.Written)
	return err
}

// title says what a table is about.
func (t table) title() string {
	switch {
	case t.Door != "":
		return t.Door
	case t.Applications > 0:
		return fmt.Sprintf("%s with %d applications", t.Algorithm, t.Applications)
	}
	return t.Algorithm
}

func (s summary) rate() string {
	if s.Rate.Median == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f", s.Rate.Median)
}

func (s summary) cpu() string {
	switch {
	case s.Rate.Median == 0:
		return "–"
	case s.CPU.Min < 0:
		return "not available"
	default:
		return fmt.Sprintf("%.4f", s.CPU.Median)
	}
}

func (s summary) latency() string {
	if s.Rate.Median == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f/%.2f", s.P50.Median, s.P99.Median)
}

// judge compares with the targets what was measured.
func (r *report) judge() {
	add := func(figure string, got float64, target string, reached bool) {
		r.Verdicts = append(r.Verdicts, verdict{Figure: figure, Got: got, Target: target, Reached: reached})
	}
	if r.Once != nil {
		r.judgeTokens(add)
	}
	judgeAPI(r.API, add)
	if r.Meter != nil {
		judgeMeter(r.Meter, add)
	}
}

func (r *report) judgeTokens(add func(figure string, got float64, target string, reached bool)) {
	for _, t := range r.Tables {
		if t.Door != "" || t.Applications > 0 {
			judgeCrowd(r.Tables, t, add)
			continue
		}
		for _, row := range t.Rows {
			at := fmt.Sprintf("%s at %d", t.Algorithm, row.Connections)
			add("s "+at, row.S.Median, fmt.Sprintf(">= %g", targetS), row.S.Median >= targetS)
			if t.Algorithm == "EdDSA" && row.Connections >= busy && row.Our.CPU.Min >= 0 {
				add("CPU s per 1,000 "+at, row.Our.CPU.Median, fmt.Sprintf("<= %g", targetCPU), row.Our.CPU.Median <= targetCPU)
			}
		}
	}
	if idle := float64(r.Once.IdleBytes) / (1 << 20); idle > 0 {
		add("idle MiB", idle, fmt.Sprintf("< %d", targetIdle), idle < targetIdle)
	}
	start := r.Once.FreshStart.Median
	add("start to first token ms", start, fmt.Sprintf("< %d", targetStart), start < targetStart)
	size := float64(r.Once.BinaryBytes) / 1e6
	add("binary MB", size, fmt.Sprintf("< %d", targetBinary), size < targetBinary)
}

func (r report) printEnd(out io.Writer) error {
	switch {
	case r.Once != nil:
		if err := printPeers(out); err != nil {
			return err
		}
		fmt.Fprintf(out, "\n%v\n", r.Once)
	case r.Meter == nil && r.API == nil:
		_, err := fmt.Fprintln(out, "\nthe bare servers alone: nothing to compare with the targets")
		return err
	}
	var reached, missed []string
	for _, v := range r.Verdicts {
		text := fmt.Sprintf("%s %.3g (%s)", v.Figure, v.Got, v.Target)
		if v.Reached {
			reached = append(reached, text)
		} else {
			missed = append(missed, text)
		}
	}
	_, err := fmt.Fprintf(out, "reached: %s\nmissed: %s\n", list(reached), list(missed))
	return err
}

func list(items []string) string {
	if len(items) == 0 {
		return "none"
	}
	return strings.Join(items, "; ")
}

// write saves the report as JSON.
func (r report) write(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
