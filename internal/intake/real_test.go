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
// and holds the outcome to testdata/real.txt. Under the race detector it takes
// one file in forty.
func TestRealFiles(t *testing.T) {
	const golden = "testdata/real.txt"
	want, err := os.ReadFile(golden)
	if err != nil && !*update {
		t.Fatal(err)
	}
	var got strings.Builder
	files := 0
	w := newWorld(t)
	for _, folder := range []string{"nem12", "espi"} {
		root := data(t, folder)
		var sum int64
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasPrefix(strings.ToUpper(d.Name()), "LICEN") {
				return err
			}
			if files++; detector && files%40 != 1 {
				return nil
			}
			name, _ := filepath.Rel(filepath.Dir(root), path)
			if w.days+w.indexes > 0 {
				w = newWorld(t)
			}
			outcome, n := twice(t, w, path, folder)
			sum += n
			entry := fmt.Sprintf("%s\n\t%s\n", filepath.ToSlash(name), outcome)
			if detector && !strings.Contains("\n"+string(want), "\n"+entry) {
				t.Errorf("not in %s:\n%s", golden, entry)
			}
			got.WriteString(entry)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "%s: %d readings in all\n", folder, sum)
	}
	if detector {
		if files == 0 {
			t.Error("there is no real file")
		}
		return
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		want = []byte(got.String())
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
