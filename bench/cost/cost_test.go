package cost_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/wattgate/wattgate/bench/cost"
)

func TestParseStat(t *testing.T) {
	const tail = " S 1 2 3 4 5 6 7 8 9 10 150 25 14 15 16\n"
	tests := map[string]struct {
		text string
		want time.Duration // negative: an error
	}{
		"a plain name":              {"42 (wattgate)" + tail, 1750 * time.Millisecond},
		"a name with spaces":        {"42 (a b c)" + tail, 1750 * time.Millisecond},
		"a name with a parenthesis": {"42 (a) S 1 2 (x)" + tail, 1750 * time.Millisecond},
		"no time at all":            {"42 (w) S 1 2 3 4 5 6 7 8 9 10 0 0", 0},
		"no name":                   {"42 wattgate" + tail, -1},
		"too few fields":            {"42 (w) S 1 2 3 4 5 6 7 8 9 10 150", -1},
		"a field of letters":        {"42 (w) S 1 2 3 4 5 6 7 8 9 10 x 25", -1},
		"a negative time":           {"42 (w) S 1 2 3 4 5 6 7 8 9 10 -1 25", -1},
		"a time beyond all time":    {"42 (w) S 1 2 3 4 5 6 7 8 9 10 18446744073709551615 25", -1},
		"nothing":                   {"", -1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := cost.ParseStat([]byte(test.text))
			if test.want < 0 {
				if err == nil || got != 0 {
					t.Errorf("%q: got %v, %v, want an error", test.text, got, err)
				}
				return
			}
			if err != nil || got != test.want {
				t.Errorf("%q: got %v, %v, want %v", test.text, got, err, test.want)
			}
		})
	}
}

func TestParseStatus(t *testing.T) {
	tests := map[string]struct {
		text string
		want int64 // negative: an error
	}{
		"among other lines": {"Name:\tx\nVmHWM:\t 99 kB\nVmRSS:\t   12 kB\nThreads:\t1\n", 12 << 10},
		"a kernel thread":   {"Name:\tx\nThreads:\t1\n", -1},
		"another unit":      {"VmRSS: 12 MB\n", -1},
		"no unit":           {"VmRSS: 12\n", -1},
		"no number":         {"VmRSS: x kB\n", -1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := cost.ParseStatus([]byte(test.text))
			if test.want < 0 {
				if err == nil || got != 0 {
					t.Errorf("%q: got %d, %v, want an error", test.text, got, err)
				}
				return
			}
			if err != nil || got != test.want {
				t.Errorf("%q: got %d, %v, want %d", test.text, got, err, test.want)
			}
		})
	}
}

func TestOwnProcessHasACost(t *testing.T) {
	if runtime.GOOS != "linux" {
		if _, err := cost.CPU(os.Getpid()); err == nil {
			t.Errorf("CPU on %s: got no error", runtime.GOOS)
		}
		return
	}
	if got, err := cost.CPU(os.Getpid()); err != nil || got < 0 {
		t.Errorf("CPU of this process: got %v, %v", got, err)
	}
	if got, err := cost.Resident(os.Getpid()); err != nil || got < 1<<20 {
		t.Errorf("resident memory of this process: got %d, %v, want more than 1 MiB", got, err)
	}
}

func FuzzNoValueBesideAnError(f *testing.F) {
	f.Add([]byte("42 (w) S 1 2 3 4 5 6 7 8 9 10 150 25\n"))
	f.Add([]byte("VmRSS:\t   12 kB\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if d, err := cost.ParseStat(text); d < 0 || (err != nil && d != 0) {
			t.Errorf("ParseStat(%q): got %v, %v", text, d, err)
		}
		if n, err := cost.ParseStatus(text); n < 0 || (err != nil && n != 0) {
			t.Errorf("ParseStatus(%q): got %v, %v", text, n, err)
		}
	})
}

func TestParseIO(t *testing.T) {
	for text, want := range map[string]int64{
		"rchar: 1\nwrite_bytes: 4096\ncancelled_write_bytes: 7\n": 4096,
		"write_bytes: x\n":           -1,
		"cancelled_write_bytes: 7\n": -1,
		"":                           -1,
	} {
		got, err := cost.ParseIO([]byte(text))
		if (err == nil) != (want >= 0) || err == nil && got != want {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
}
