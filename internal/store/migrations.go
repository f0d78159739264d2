package store

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Scripts returns an engine's migrations in their order: the files of its folder
// migrations. Their names are NNNN_name.sql, numbered from 0001 without a gap.
func Scripts(files fs.FS) ([]string, error) {
	names, err := fs.Glob(files, "migrations/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(names))
	for i, name := range names {
		if want := fmt.Sprintf("migrations/%04d_", i+1); !strings.HasPrefix(name, want) {
			return nil, fmt.Errorf("migration %s: want a name that begins with %s", name, want)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		texts[i] = string(text)
	}
	return texts, nil
}

// Pending returns the names of the migrations that a database of a version has
// not seen.
func Pending(files fs.FS, version int) ([]string, error) {
	names, err := fs.Glob(files, "migrations/*.sql") // sorted
	if err != nil || version >= len(names) {
		return nil, err
	}
	for i, name := range names {
		names[i] = path.Base(name)
	}
	return names[version:], nil
}
