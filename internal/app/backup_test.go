package app_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/app"
)

// backup makes one of a new installation with a signing key, and returns the
// folders of both.
func backup(t *testing.T, seed byte, withKey bool) (folder, data string) {
	t.Helper()
	c := &clock{}
	c.micros.Store(noon.UnixMicro())
	a := open(t, seed, c, io.Discard)
	folder = filepath.Join(t.TempDir(), "copy")
	err := a.OpenKeys(t.Context())
	if err == nil {
		_, err = app.CreateBackup(t.Context(), a.Config, folder, withKey, noon)
	}
	if err = errors.Join(err, a.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	return folder, a.Config.Data
}

// amend changes the manifest of a backup.
func amend(t *testing.T, folder string, change func(*app.Manifest)) {
	t.Helper()
	path := filepath.Join(folder, "backup.json")
	var m app.Manifest
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	change(&m)
	if err == nil {
		text, err = json.Marshal(m)
	}
	if err = errors.Join(err, os.WriteFile(path, text, 0o600)); err != nil {
		t.Fatal(err)
	}
}

func TestUnsoundBackups(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*app.Manifest)
		want  string
	}{
		"whole":             {func(*app.Manifest) {}, ""},
		"an extra file":     {func(m *app.Manifest) { m.Files = append(m.Files, app.BackedFile{Name: "admin.sock"}) }, `"admin.sock" belongs to no backup`},
		"a file above":      {func(m *app.Manifest) { m.Files[0].Name = "../environment" }, `"../environment" belongs to no backup`},
		"a file twice":      {func(m *app.Manifest) { m.Files = append(m.Files, m.Files[0]) }, "is named twice"},
		"no files":          {func(m *app.Manifest) { m.Files = nil }, `does not name "wattgate.db"`},
		"no key, and a key": {func(m *app.Manifest) { m.Key = false }, `contradicts itself about "wattgate.key"`},
	} {
		t.Run(name, func(t *testing.T) {
			folder, _ := backup(t, 1, true)
			amend(t, folder, c.spoil)
			to := filepath.Join(t.TempDir(), "again")
			_, err := app.RestoreBackup(t.Context(), folder, to, "")
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want %q", err, c.want)
			}
			if _, err := os.Stat(to); (err == nil) != (c.want == "") {
				t.Errorf("the data folder: got %v, want it only of a sound backup", err)
			}
		})
	}
}

// TestForeignKey: a key that opens no signing key of the backup is refused before
// anything is written.
func TestForeignKey(t *testing.T) {
	folder, data := backup(t, 1, false)
	_, other := backup(t, 2, false)
	to := filepath.Join(t.TempDir(), "again")
	_, err := app.RestoreBackup(t.Context(), folder, to, filepath.Join(other, "wattgate.key"))
	if err == nil || !strings.Contains(err.Error(), "is not the key of this backup") {
		t.Errorf("got error %v, want the key refused", err)
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("refused, and yet the data folder is there")
	}
	if _, err := app.RestoreBackup(t.Context(), folder, to, filepath.Join(data, "wattgate.key")); err != nil {
		t.Errorf("its own key: %v", err)
	}
}

// interrupted ends as soon as a file is there.
type interrupted struct {
	context.Context
	file string
}

func (i interrupted) Err() error {
	if _, err := os.Stat(i.file); err == nil {
		return context.Canceled
	}
	return i.Context.Err()
}

// TestHalfARestore takes away what it has copied.
func TestHalfARestore(t *testing.T) {
	folder, _ := backup(t, 1, true)
	to := t.TempDir()
	if err := os.Chmod(to, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := app.RestoreBackup(interrupted{t.Context(), filepath.Join(to, "environment")}, folder, to, "")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want interrupted", err)
	}
	for _, name := range []string{"wattgate.key", "environment", "wattgate.db"} {
		if _, err := os.Stat(filepath.Join(to, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: got %v, want it gone", name, err)
		}
	}
	if _, err := app.RestoreBackup(t.Context(), folder, to, ""); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestShownDatabase(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "",
		"postgres://u:pw@h:5432/d":            "postgres://u:xxxxx@h:5432/d",
		"postgres://u@h/d?sslmode=require":    "postgres://u@h/d?sslmode=require",
		"postgres://u@h/d?sslpassword=pw":     "postgres://u@h/d?xxxxx=xxxxx",
		"postgres://u@h/d?PASSWORD=pw&port=1": "postgres://u@h/d?port=1&xxxxx=xxxxx",
		"postgres://u@h/d#pw":                 "postgres://u@h/d#xxxxx",
		"postgres:host=x password=pw":         "[not a URL]",
		"host=x password=pw":                  "[not a URL]",
	} {
		for _, s := range app.Settings {
			if got := s.Get(&app.Config{Database: text}); s.Name == "database" && got != want {
				t.Errorf("%q: got %q, want %q", text, got, want)
			}
		}
		_, err := app.Load(sources(t, "", nil, map[string]string{"database": text}))
		if (err != nil) != (want == "[not a URL]") || err != nil && strings.Contains(err.Error(), "pw") {
			t.Errorf("%q: got error %v, want it refused without being shown, or taken", text, err)
		}
	}
}

// TestForeignKeyInside: a backup whose key was exchanged, and its manifest with
// it, is not sound.
func TestForeignKeyInside(t *testing.T) {
	folder, _ := backup(t, 1, true)
	_, other := backup(t, 2, false)
	key, err := os.ReadFile(filepath.Join(other, "wattgate.key"))
	if err = errors.Join(err, os.WriteFile(filepath.Join(folder, "wattgate.key"), key, 0o600)); err != nil {
		t.Fatal(err)
	}
	amend(t, folder, func(m *app.Manifest) {
		for i := range m.Files {
			if m.Files[i].Name == "wattgate.key" {
				m.Files[i].SHA256 = fmt.Sprintf("%x", sha256.Sum256(key))
			}
		}
	})
	if _, err := app.VerifyBackup(t.Context(), folder); err == nil || !strings.Contains(err.Error(), "is not the key of this backup") {
		t.Errorf("got error %v, want the key refused", err)
	}
}
