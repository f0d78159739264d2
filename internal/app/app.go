package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/dpop"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/registry"
	"github.com/wattgate/wattgate/internal/secret"
	"github.com/wattgate/wattgate/internal/server/customer"
	"github.com/wattgate/wattgate/internal/store"
	"github.com/wattgate/wattgate/internal/supply"
	"github.com/wattgate/wattgate/internal/token"
	"github.com/wattgate/wattgate/internal/usage"
	"github.com/wattgate/wattgate/internal/webhook"
)

// World is what enters from outside: the clock, chance and the log.
type World struct {
	Now    func() time.Time
	Chance io.Reader // nil: the system's
	Log    io.Writer
	// Evidence opens a database whose triggers somebody has changed, for reading
	// only: the audit log is there to be looked at most of all then.
	Evidence bool
}

// App is an opened installation: the rooms, wired, on a data folder that no
// other process may open at the same time.
type App struct {
	Config   *Config
	Registry *registry.Registry
	Importer *intake.Importer
	Usage    *usage.Service
	Supply   *supply.Service
	Clients  *authn.Clients
	// FirstRun reports whether this run created the database.
	FirstRun bool

	world World
	log   *slog.Logger
	lines *logWriter
	store store.Engine
	// ailing: what is stored last lies in the database's log, which cannot be
	// written back. All goes on meanwhile.
	ailing atomic.Bool
	nodes  nodes
	lock   *os.File

	trail  trail
	sealer secret.Sealer
	hooks  secret.Sealer // of the keys of web hooks
	news   *news
	// What serving has: connections of subscriptions, and who delivers to web hooks.
	sockets    *customer.Sockets
	deliveries *webhook.Deliverer
	// factors keeps the second factors of staff.
	factors secret.Sealer
	site    atomic.Pointer[string] // the URL of the support site, once it is served
	proofs  *dpop.Verifier
	denied  *authn.DenyList
	// Keys signs and verifies, once it serves.
	Keys   *token.Ring
	isDemo bool
}

const (
	keyFileName  = "wattgate.key"
	databaseName = "wattgate.db"
	lockName     = "wattgate.lock"
	// environmentName is the file that remembers of which kind the secrets of
	// this installation are.
	environmentName = "environment"
	socketName      = "admin.sock"
)

// ErrBusy means that another process has the data folder open.
var ErrBusy = errors.New("another wattgate has this data folder open")

// Open opens the data folder and wires the rooms. The first time it makes the
// folder, the key file and the database.
func Open(ctx context.Context, c *Config, w World) (_ *App, err error) {
	if w.Chance == nil {
		w.Chance = rand.Reader
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, err
	}
	if err := trusted(c.Data); err != nil {
		return nil, err
	}
	a := &App{Config: c, world: w, lines: newLogWriter(w.Log)}
	a.log = slog.New(slog.NewJSONHandler(a.lines, &slog.HandlerOptions{Level: level(c.LogLevel)}))
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close(ctx))
		}
	}()
	if a.lock, err = lockFolder(c.Data); err != nil {
		return nil, err
	}
	master, pseudonyms, err := a.openEngine(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.openTrail(ctx, pseudonyms, master.Derive(secret.LabelCheckpoints)); err != nil {
		return nil, err
	}
	a.sealer, a.factors = master.Sealer(), secret.NewSealer(master.Derive(secret.LabelFactors))
	a.hooks, a.news = secret.NewSealer(master.Derive(secret.LabelWebhooks)), newNews()
	if err := a.openProofs(master); err != nil {
		return nil, err
	}
	pepper := master.Pepper()
	a.Registry = &registry.Registry{
		Store: a.store, Pepper: pepper, Environment: c.environment(), Now: w.Now, Chance: w.Chance, Lead: a.lead(),
		Passwords: secret.NewPasswords(runtime.NumCPU(), w.Chance),
	}
	if err := a.Registry.Refresh(ctx); err != nil {
		return nil, err
	}
	if err := a.Registry.OpenMark(ctx); err != nil {
		return nil, err
	}
	if err := a.openRevocations(ctx); err != nil {
		return nil, err
	}
	a.Clients = &authn.Clients{
		Directory: a.Registry, Pepper: pepper, Environment: c.environment(), Now: w.Now, Used: a.Registry.Used, UsedOwn: a.Registry.UsedOwn,
		Throttle: authn.NewThrottle(w.Now()), Replays: a.store,
	}
	if err := a.Clients.Throttle.Keep(ctx, a.store, master.Derive(secret.LabelRanges)); err != nil {
		return nil, err
	}
	a.Importer = &intake.Importer{Store: toldIntake{a.store, a.news}, Now: w.Now, Chance: w.Chance}
	a.Usage = &usage.Service{Store: a.store, CursorKey: master.Derive("measurement cursors"), Now: w.Now}
	a.Supply = &supply.Service{
		Store: a.store, Granted: a.granted, CursorKey: master.Derive("customer cursors"), Now: w.Now, Chance: w.Chance,
	}
	return a, nil
}

// granted returns what an application may do now; nothing where there is none.
func (a *App) granted(id domain.ClientID) domain.Permissions {
	app := a.Registry.Directory().Application(id)
	if app == nil || app.Closed {
		return 0
	}
	return app.Permissions
}

// Close stores what was counted and closes everything. Afterwards the data
// folder holds no write-ahead log.
func (a *App) Close(ctx context.Context) error {
	var errs []error
	if a.Registry != nil && a.Registry.Directory() != nil {
		errs = append(errs, a.flush(context.WithoutCancel(ctx)))
	}
	if a.store != nil {
		a.closeTrail(context.WithoutCancel(ctx))
		errs = append(errs, a.store.Close())
	}
	if a.lock != nil {
		errs = append(errs, a.lock.Close())
	}
	a.lines.Close()
	return errors.Join(errs...)
}

// lockFolder makes sure that one process at a time has the folder open. The
// lock ends with the process, however that ends.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: %w", dir, ErrBusy)
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return f, nil
}

// openKeyFile reads the key that peppers secrets and seals signing keys. It is
// made with the database and never again: another key would make every secret
// dead without a word.
func openKeyFile(path string, create bool, chance io.Reader) (secret.Master, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && create {
		master := secret.NewMaster(chance)
		if err := writeNew(path, master.KeyFile()); err != nil {
			return secret.Master{}, err
		}
		return master, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return secret.Master{}, fmt.Errorf("%s is missing: without it every secret and signing key in the database is dead; restore it from your backup", path)
	}
	if err != nil {
		return secret.Master{}, err
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		return secret.Master{}, fmt.Errorf("%s can be read by others than its owner; chmod 600 it", path)
	}
	master, err := secret.ParseMaster(string(text))
	if err != nil {
		return secret.Master{}, fmt.Errorf("%s: %w", path, err)
	}
	return master, nil
}

// keepEnvironment remembers the environment of a new installation and takes it
// from there ever after: a command that was not told could otherwise make
// secrets of the wrong kind. Who names another one is refused.
func keepEnvironment(path string, c *Config, create bool) error {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && create:
		return writeNew(path, []byte(c.Environment+"\n"))
	case err != nil:
		return fmt.Errorf("the environment of this installation: %w", err)
	}
	kept := strings.TrimSpace(string(text))
	if c.Origins["environment"] == "default" {
		c.Environment, c.Origins["environment"] = kept, "file "+path
	}
	if c.Environment != kept {
		return fmt.Errorf("environment (%s): this installation is %s and stays it; %s needs a data folder of its own",
			c.Origins["environment"], kept, c.Environment)
	}
	return c.Validate()
}

// writeNew writes a file that must not exist yet, mode 0600, on disk when it returns.
func writeNew(path string, content []byte) error {
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, ".new-") // mode 0600
	if err != nil {
		return err
	}
	if _, err = f.Write(content); err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Link(f.Name(), path) // fails where there is one already
	}
	if err = errors.Join(err, os.Remove(f.Name())); err != nil {
		return err
	}
	return syncFolder(folder)
}

// syncFolder makes the names in a folder durable.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// trusted refuses a folder that everybody may write to: whoever plants a key or
// a socket there owns the installation.
func trusted(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o002 != 0 {
		return fmt.Errorf("%s can be written to by everybody; chmod o-w it, or name a folder of your own", dir)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to another user than the one who runs this", dir)
	}
	return nil
}

func level(name string) slog.Level {
	var l slog.Level
	if err := l.UnmarshalText([]byte(name)); err != nil {
		return slog.LevelInfo
	}
	return l
}

// by says in the audit log that the platform's operator made a change.
func by() registry.By {
	return registry.By{Means: "command line", Origin: domain.Origin{Address: "local"}}
}
