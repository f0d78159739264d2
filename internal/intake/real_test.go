package intake_test

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/meterfile"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// data returns the folder of real files: a skip where it is missing, and a
// failure under CI=true.
func data(t *testing.T, folder string) string {
	t.Helper()
	root := cmp.Or(os.Getenv("WATTGATE_TEST_DATA"), filepath.Join("..", "shared", "data"))
	if !filepath.IsAbs(root) {
		root = filepath.Join("..", "..", root)
	}
	path := filepath.Join(root, folder)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the folder of real meter files is missing: %s", path)
		}
		t.Skipf("the folder of real meter files is missing: %s (WATTGATE_TEST_DATA names another)", path)
	}
	return path
}

// TestRealFiles imports every real file, each into a world of its own, twice,
// and holds the outcome to testdata/real.txt.
func TestRealFiles(t *testing.T) {
	var got strings.Builder
	w := newWorld(t)
	for _, folder := range []string{"nem12", "espi"} {
		root := data(t, folder)
		var sum int64
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasPrefix(strings.ToUpper(d.Name()), "LICEN") {
				return err
			}
			name, _ := filepath.Rel(filepath.Dir(root), path)
			if w.days+w.indexes > 0 {
				w = newWorld(t)
			}
			outcome, n := twice(t, w, path, folder)
			sum += n
			fmt.Fprintf(&got, "%s\n\t%s\n", filepath.ToSlash(name), outcome)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "%s: %d readings in all\n", folder, sum)
	}
	const golden = "testdata/real.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the real files are taken differently from %s; go test -update rewrites it. got:\n%s", golden, got.String())
	}
}

// twice imports a file two times, and says what the first time did.
func twice(t *testing.T, w *world, path, folder string) (string, int64) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := intake.Target{}
	if folder == "espi" {
		to.Property = home
	}
	r, err := w.take(t, filepath.Base(path), string(content), to)
	if err != nil {
		var e *meterfile.Error
		if !errors.As(err, &e) || w.days > 0 || len(w.entries) > 0 {
			t.Errorf("%s: got error %v with %d days written, want a refusal and none", path, err, w.days)
		}
		return "refused: " + err.Error(), 0
	}
	again, err := w.take(t, filepath.Base(path), string(content), to)
	if err != nil || again.Changed() || again.Unchanged != r.Accepted {
		t.Errorf("%s: again: got %+v and error %v, want nothing changed", path, again, err)
	}
	return fmt.Sprintf("%s, supply points %d, from %s to %s", r.Summary(), len(r.SupplyPoints), interval.FormatMoment(r.From), interval.FormatMoment(r.To)), r.Accepted
}
