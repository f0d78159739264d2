package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/secret"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

// manifestName is the file that says what a backup holds.
const manifestName = "backup.json"

// Manifest says what a backup holds. It is written last: a folder without one is
// no backup.
type Manifest struct {
	Made  time.Time    `json:"made"`
	Key   bool         `json:"key"` // whether the key file is among the files
	Files []BackedFile `json:"files"`
}

// BackedFile is a file of a backup.
type BackedFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// BackupView is what the backup commands show.
type BackupView struct {
	Folder string `json:"folder"`
	Manifest
	Version int   `json:"version,omitempty"` // of the database, where it was checked
	Days    int64 `json:"days,omitempty"`    // packed days that were opened
}

// CreateBackup copies an installation into a folder that must not exist, beside a
// running server or without one. The database is copied as of one instant; the
// folder gets its name when it is complete and durable.
func CreateBackup(ctx context.Context, c *Config, to string, withKey bool, now time.Time) (v BackupView, err error) {
	if c.Database != "" {
		return v, &domain.Error{Kind: domain.Invalid, Public: "a PostgreSQL database is backed up with pg_dump or pg_basebackup, and wattgate.key beside it: see the manual"}
	}
	database := filepath.Join(c.Data, databaseName)
	if _, err := os.Stat(database); err != nil {
		return v, &domain.Error{Kind: domain.NotFound, Public: c.Data + " holds no installation", Err: err}
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return v, &domain.Error{Kind: domain.Conflict, Public: to + " is there already: name a new folder", Err: err}
	}
	parent := filepath.Dir(filepath.Clean(to))
	temporary, err := os.MkdirTemp(parent, ".wattgate-backup-") // mode 0700
	if err != nil {
		return v, err
	}
	defer func() { _ = os.RemoveAll(temporary) }() // after the rename it is gone
	names := []string{environmentName, checkpointName}
	if withKey {
		names = append(names, keyFileName)
	}
	for _, name := range names {
		err := copyFile(filepath.Join(c.Data, name), filepath.Join(temporary, name))
		if err != nil && (name != checkpointName || !errors.Is(err, fs.ErrNotExist)) {
			return v, err
		}
	}
	// The database comes after the checkpoint, so that it holds what that vouches for.
	if err := sqlite.Backup(ctx, database, filepath.Join(temporary, databaseName)); err != nil {
		return v, err
	}
	v = BackupView{Folder: to, Manifest: Manifest{Made: now.UTC().Truncate(time.Second), Key: withKey}}
	if v.Files, err = fingerprints(temporary); err != nil {
		return v, err
	}
	text, err := json.MarshalIndent(v.Manifest, "", "  ")
	if err != nil {
		return v, err
	}
	if err := writeNew(filepath.Join(temporary, manifestName), append(text, '\n')); err != nil {
		return v, err
	}
	if err := os.Rename(temporary, to); err != nil {
		return v, err
	}
	return v, syncFolder(parent)
}

// VerifyBackup checks that a backup is whole: the files are those of its manifest,
// the database opens and is sound, and the key opens its signing keys.
func VerifyBackup(ctx context.Context, folder string) (v BackupView, err error) {
	text, err := os.ReadFile(filepath.Join(folder, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return v, &domain.Error{Kind: domain.NotFound, Public: folder + " holds no backup: " + manifestName + " is missing", Err: err}
	}
	if err != nil {
		return v, err
	}
	v.Folder = folder
	if err := json.Unmarshal(text, &v.Manifest); err != nil {
		return v, unsound("%s cannot be read", manifestName)
	}
	have, err := fingerprints(folder)
	if err != nil {
		return v, err
	}
	for _, want := range v.Files {
		i := slices.IndexFunc(have, func(f BackedFile) bool { return f.Name == want.Name })
		switch {
		case i < 0:
			return v, unsound("%q is missing", want.Name)
		case have[i] != want:
			return v, unsound("%q was changed after the backup was made", want.Name)
		}
	}
	if len(have) != len(v.Files) {
		return v, unsound("there are %d files, and the backup was made of %d", len(have), len(v.Files))
	}
	health, err := sqlite.Verify(ctx, filepath.Join(folder, databaseName))
	if err != nil {
		return v, err
	}
	v.Version, v.Days = health.Version, health.Days
	if !v.Key {
		return v, nil
	}
	key, err := os.ReadFile(filepath.Join(folder, keyFileName))
	if err == nil {
		_, err = secret.ParseMaster(string(key))
	}
	if err != nil {
		return v, unsound("%s: %v", keyFileName, err)
	}
	return v, nil
}

func unsound(format string, args ...any) error {
	return &domain.Error{Kind: domain.Conflict, Public: "the backup is not sound: " + fmt.Sprintf(format, args...)}
}

// RestoreBackup makes a data folder of a sound backup. The folder must not hold an
// installation; keyFile is for a backup without the key.
func RestoreBackup(ctx context.Context, folder, data, keyFile string) (v BackupView, err error) {
	if v, err = VerifyBackup(ctx, folder); err != nil {
		return v, err
	}
	if !v.Key && keyFile == "" {
		return v, &domain.Error{Kind: domain.Invalid, Public: "this backup is without wattgate.key, and without that every secret and signing key in it is dead: name the file with --key"}
	}
	if v.Key && keyFile != "" {
		return v, &domain.Error{Kind: domain.Invalid, Public: "this backup has a key of its own"}
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return v, err
	}
	if err := trusted(data); err != nil {
		return v, err
	}
	lock, err := lockFolder(data)
	if err != nil {
		return v, err
	}
	defer func() { _ = lock.Close() }() // nothing was written to it
	for _, name := range []string{databaseName, databaseName + "-wal", keyFileName, environmentName, checkpointName, demoFile} {
		if _, err := os.Lstat(filepath.Join(data, name)); !errors.Is(err, fs.ErrNotExist) {
			return v, &domain.Error{Kind: domain.Conflict, Public: fmt.Sprintf("%s holds %s already: restore into a new folder", data, name), Err: err}
		}
	}
	// The database comes last: what is there before is no installation.
	files := slices.Clone(v.Files)
	slices.SortFunc(files, func(a, b BackedFile) int {
		switch databaseName {
		case a.Name:
			return 1
		case b.Name:
			return -1
		}
		return 0
	})
	if keyFile != "" {
		if err := copyFile(keyFile, filepath.Join(data, keyFileName)); err != nil {
			return v, err
		}
	}
	for _, f := range files {
		if err := copyFile(filepath.Join(folder, f.Name), filepath.Join(data, f.Name)); err != nil {
			return v, err
		}
	}
	return v, syncFolder(data)
}

// fingerprints lists the files of a backup but for its manifest, by name.
func fingerprints(folder string) ([]BackedFile, error) {
	entries, err := os.ReadDir(folder) // sorted
	if err != nil {
		return nil, err
	}
	var list []BackedFile
	for _, e := range entries {
		if e.Name() == manifestName {
			continue
		}
		if !e.Type().IsRegular() {
			return nil, unsound("%q is no file", e.Name())
		}
		f, err := os.Open(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, err
		}
		digest := sha256.New()
		n, err := io.Copy(digest, f)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		list = append(list, BackedFile{e.Name(), n, hex.EncodeToString(digest.Sum(nil))})
	}
	return list, nil
}

// copyFile copies a file to one that must not exist, mode 0600, on disk when it
// returns.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}
