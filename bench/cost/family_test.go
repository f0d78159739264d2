package cost_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/wattgate/wattgate/bench/cost"
)

func TestParseParent(t *testing.T) {
	tests := map[string]struct {
		text   string
		parent int // negative: an error
		waited time.Duration
	}{
		"a plain name":       {"42 (postgres) S 41 2 3 4 5 6 7 8 9 10 150 25 14 15 16\n", 41, 290 * time.Millisecond},
		"a name of brackets": {"42 (a) (b)) S 7 2 3 4 5 6 7 8 9 10 150 25 0 0", 7, 0},
		"too few fields":     {"42 (w) S 1 2 3 4 5 6 7 8 9 10 150 25 14", -1, 0},
		"no parent":          {"42 (w) S x 2 3 4 5 6 7 8 9 10 150 25 14 15", -1, 0},
		"a negative time":    {"42 (w) S 1 2 3 4 5 6 7 8 9 10 150 25 14 -5", -1, 0},
		"no name":            {"42 w S 1 2 3 4 5 6 7 8 9 10 150 25 14 15", -1, 0},
		"nothing":            {"", -1, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			parent, waited, err := cost.ParseParent([]byte(test.text))
			if test.parent < 0 {
				if err == nil || parent != 0 || waited != 0 {
					t.Errorf("%q: got %d, %v, %v, want an error", test.text, parent, waited, err)
				}
				return
			}
			if err != nil || parent != test.parent || waited != test.waited {
				t.Errorf("%q: got %d, %v, %v, want %d, %v", test.text, parent, waited, err, test.parent, test.waited)
			}
		})
	}
}

func TestFamilyHasItsHeadsCost(t *testing.T) {
	if runtime.GOOS != "linux" {
		if _, _, err := cost.Family(os.Getpid()); err == nil {
			t.Errorf("Family on %s: got no error", runtime.GOOS)
		}
		return
	}
	before, err := cost.CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	cpu, written, err := cost.Family(os.Getpid())
	if err != nil || cpu < before || written < 0 {
		t.Errorf("got %v and %d bytes (%v), want at least the %v of the process itself", cpu, written, err, before)
	}
}

func FuzzParentNoValueBesideAnError(f *testing.F) {
	f.Add([]byte("42 (w) S 1 2 3 4 5 6 7 8 9 10 150 25 14 15\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		parent, waited, err := cost.ParseParent(text)
		if waited < 0 || err != nil && (parent != 0 || waited != 0) {
			t.Errorf("ParseParent(%q): got %d, %v, %v", text, parent, waited, err)
		}
	})
}
