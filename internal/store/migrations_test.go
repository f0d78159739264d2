package store_test

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/wattgate/wattgate/internal/store"
)

func TestMigrationsAreNumbered(t *testing.T) {
	for sentence, c := range map[string]struct {
		names []string
		ok    bool
	}{
		"one after the other": {[]string{"0001_a.sql", "0002_b.sql"}, true},
		"a gap":               {[]string{"0001_a.sql", "0003_b.sql"}, false},
		"the same twice":      {[]string{"0001_a.sql", "0001_b.sql"}, false},
		"not from one":        {[]string{"0000_a.sql"}, false},
		"too few digits":      {[]string{"001_a.sql"}, false},
	} {
		files := fstest.MapFS{}
		for _, name := range c.names {
			files["migrations/"+name] = &fstest.MapFile{Data: []byte(name)}
		}
		texts, err := store.Scripts(files)
		if (err == nil) != c.ok || c.ok && !slices.Equal(texts, c.names) {
			t.Errorf("%s: got %v and the error %v, want ok=%v", sentence, texts, err, c.ok)
		}
	}
}

func TestPending(t *testing.T) {
	files := fstest.MapFS{"migrations/0001_a.sql": {}, "migrations/0002_b.sql": {}, "migrations/notes.txt": {}}
	for version, want := range [][]string{{"0001_a.sql", "0002_b.sql"}, {"0002_b.sql"}, nil, nil} {
		if got, err := store.Pending(files, version); err != nil || !slices.Equal(got, want) {
			t.Errorf("version %d: got %v (%v), want %v", version, got, err, want)
		}
	}
}
