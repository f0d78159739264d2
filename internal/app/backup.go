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
	if err := v.sound(); err != nil {
		return v, err
	}
	if err := v.unchanged(folder); err != nil {
		return v, err
	}
	health, err := sqlite.Verify(ctx, filepath.Join(folder, databaseName))
	if err != nil {
		return v, err
	}
	v.Version, v.Days = health.Version, health.Days
	if !v.Key {
		return v, nil
	}
	return v, opens(ctx, folder, filepath.Join(folder, keyFileName))
}

// sound checks that a manifest names each file of an installation once, and no
// other: what is restored is what this program reads.
func (m Manifest) sound() error {
	named := map[string]bool{}
	for _, f := range m.Files {
		switch f.Name {
		case databaseName, environmentName, checkpointName, keyFileName:
		default:
			return unsound("%q belongs to no backup", f.Name)
		}
		if named[f.Name] {
			return unsound("%q is named twice", f.Name)
		}
		named[f.Name] = true
	}
	for _, name := range []string{databaseName, environmentName} {
		if !named[name] {
			return unsound("%s does not name %q", manifestName, name)
		}
	}
	if named[keyFileName] != m.Key {
		return unsound("%s contradicts itself about %q", manifestName, keyFileName)
	}
	return nil
}

// unchanged checks that the folder holds the files of its manifest, as they were.
func (m Manifest) unchanged(folder string) error {
	have, err := fingerprints(folder)
	if err != nil {
		return err
	}
	for _, want := range m.Files {
		i := slices.IndexFunc(have, func(f BackedFile) bool { return f.Name == want.Name })
		switch {
		case i < 0:
			return unsound("%q is missing", want.Name)
		case have[i] != want:
			return unsound("%q was changed after the backup was made", want.Name)
		}
	}
	if len(have) != len(m.Files) {
		return unsound("there are %d files, and the backup was made of %d", len(have), len(m.Files))
	}
	return nil
}

// opens checks that a key file opens the signing keys of a copied database. One
// that has none yet has none that another key could not open.
func opens(ctx context.Context, folder, keyFile string) error {
	text, err := os.ReadFile(keyFile)
	if err != nil {
		return &domain.Error{Kind: domain.Invalid, Public: keyFile + " cannot be read", Err: err}
	}
	master, err := secret.ParseMaster(string(text))
	if err != nil {
		return unsound("%s: %v", keyFile, err)
	}
	keys, err := sqlite.SealedKeys(ctx, filepath.Join(folder, databaseName))
	if err != nil {
		return err
	}
	sealer := master.Sealer()
	for _, k := range keys {
		plain, err := sealer.Open(k.ID, k.Sealed)
		clear(plain)
		if err != nil {
			return &domain.Error{Kind: domain.Conflict, Public: keyFile + " is not the key of this backup: it does not open the signing key " + k.ID, Err: err}
		}
	}
	return nil
}

func unsound(format string, args ...any) error {
	return &domain.Error{Kind: domain.Conflict, Public: "the backup is not sound: " + fmt.Sprintf(format, args...)}
}

// RestoreBackup makes a data folder of a sound backup. The folder must not hold an
// installation; keyFile is for a backup without the key. What was copied is taken
// away again where the rest cannot be.
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
	if keyFile != "" {
		if err := opens(ctx, folder, keyFile); err != nil {
			return v, err
		}
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
	if err := copyAll(ctx, v.Manifest, folder, data, keyFile); err != nil {
		return v, err
	}
	return v, syncFolder(data)
}

// copyAll copies the files of a backup, or none. The database comes last: what is
// there before is no installation.
func copyAll(ctx context.Context, m Manifest, folder, data, keyFile string) (err error) {
	var copied []string
	defer func() {
		if err == nil {
			return
		}
		for _, path := range copied {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	from := map[string]string{keyFileName: keyFile}
	for _, f := range m.Files {
		from[f.Name] = filepath.Join(folder, f.Name)
	}
	for _, name := range []string{keyFileName, environmentName, checkpointName, databaseName} {
		if from[name] == "" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		to := filepath.Join(data, name)
		if err := copyFile(from[name], to); err != nil {
			return err
		}
		copied = append(copied, to)
	}
	return nil
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
// returns. Half a copy is none.
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
	if err = errors.Join(err, out.Close()); err != nil {
		err = errors.Join(err, os.Remove(to))
	}
	return err
}
