package postgrestest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// oldest is the first version of PostgreSQL that Wattgate runs on.
const oldest = 15

// programs finds the folder with initdb and postgres: where Debian keeps them,
// the newest first, and then what PATH says.
func programs() (string, error) {
	folders, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	best, newest := "", 0
	for _, folder := range folders {
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(folder)))
		if err == nil && version >= oldest && version > newest && complete(folder) {
			best, newest = folder, version
		}
	}
	if best != "" {
		return best, nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errAbsent
	}
	if path, err = filepath.EvalSymlinks(path); err != nil || !complete(filepath.Dir(path)) {
		return "", errAbsent
	}
	return filepath.Dir(path), nil
}

func complete(folder string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.IsDir() {
			return false
		}
	}
	return true
}
