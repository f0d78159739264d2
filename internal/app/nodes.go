package app

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/wattgate/wattgate/internal/audit"
	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/secret"
	"github.com/wattgate/wattgate/internal/store/postgres"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

// shared is what an engine offers that several nodes share.
type shared interface {
	// Listen calls heard whenever another node may have changed something, until
	// ctx ends.
	Listen(ctx context.Context, heard func()) error
	// ListenReadings calls heard whenever another node may have taken in readings,
	// until ctx ends, and TellReadings tells the others.
	ListenReadings(ctx context.Context, heard func()) error
	TellReadings(ctx context.Context) error
	// News returns another number after each change of what nodes keep in memory.
	News(ctx context.Context) (int64, error)
	// Agree returns what the installation has under a name; the first node to ask
	// says what that is.
	Agree(ctx context.Context, name, value string) (string, error)
}

// nodes is how this node knows what the others do.
type nodes struct {
	engine shared // nil: there are no others
	feed   *authn.Feed
	seen   int64                     // of the news
	heard  atomic.Pointer[time.Time] // when all of it was known last
}

// openEngine opens the database, and reads or makes the key and the environment
// that go with it.
func (a *App) openEngine(ctx context.Context) (secret.Master, audit.Pseudonyms, error) {
	if a.Config.Database != "" {
		return a.openShared(ctx)
	}
	database := filepath.Join(a.Config.Data, databaseName)
	if _, err := os.Stat(database); errors.Is(err, fs.ErrNotExist) {
		a.FirstRun = true
	}
	master, pseudonyms, err := a.openFolder(a.FirstRun)
	if err != nil {
		return master, pseudonyms, err
	}
	engine, err := sqlite.Open(ctx, database, sqlite.Options{Now: a.world.Now, Pseudonym: pseudonyms.Of, Evidence: a.world.Evidence, Trouble: a.trouble})
	if err == nil {
		a.store = engine
	}
	return master, pseudonyms, err
}

// openFolder reads what lies in the data folder beside the database, or makes it.
func (a *App) openFolder(create bool) (master secret.Master, pseudonyms audit.Pseudonyms, err error) {
	a.Config.fill()
	master, err = openKeyFile(filepath.Join(a.Config.Data, keyFileName), create, a.world.Chance)
	if err != nil {
		return master, pseudonyms, err
	}
	err = keepEnvironment(filepath.Join(a.Config.Data, environmentName), a.Config, create)
	return master, audit.NewPseudonyms(master.Derive(secret.LabelAddresses)), err
}

// What the nodes of an installation agree on.
const (
	agreedKey         = "key"
	agreedEnvironment = "environment"
)

// openShared opens the database that several nodes share. Each has a data folder
// of its own, with a copy of the key file that the first one made: the key is
// never in the database, which has only what shows whether it is the same.
func (a *App) openShared(ctx context.Context) (master secret.Master, pseudonyms audit.Pseudonyms, err error) {
	alias := func(address string) string { return pseudonyms.Of(address) }
	engine, err := postgres.Open(ctx, a.Config.Database, postgres.Options{Now: a.world.Now, Pseudonym: alias, Evidence: a.world.Evidence})
	if err != nil {
		return master, pseudonyms, err
	}
	a.store, a.nodes.engine = engine, engine
	agreed, err := engine.Agreed(ctx, agreedKey)
	if err != nil {
		return master, pseudonyms, err
	}
	a.FirstRun = agreed == ""
	keyFile := filepath.Join(a.Config.Data, keyFileName)
	_, err = os.Stat(keyFile)
	if errors.Is(err, fs.ErrNotExist) && !a.FirstRun {
		return master, pseudonyms, fmt.Errorf("%s is missing: copy it from the data folder of another node of this database; without it every secret and signing key there is dead", keyFile)
	}
	if master, pseudonyms, err = a.openFolder(true); err != nil {
		return master, pseudonyms, err
	}
	if a.world.Evidence {
		return master, pseudonyms, nil
	}
	print := master.Derive(secret.LabelInstallation)
	agreed, err = engine.Agree(ctx, agreedKey, hex.EncodeToString(print[:]))
	if err == nil && agreed != hex.EncodeToString(print[:]) {
		err = fmt.Errorf("%s is not the key of this database: copy that of another of its nodes", keyFile)
	}
	if err != nil {
		return master, pseudonyms, err
	}
	agreed, err = engine.Agree(ctx, agreedEnvironment, a.Config.Environment)
	if err == nil && agreed != a.Config.Environment {
		err = fmt.Errorf("environment (%s): this database is %s and stays it", a.Config.Origins["environment"], agreed)
	}
	return master, pseudonyms, err
}

// lead is how far ahead a revocation reaches: as long as other nodes may go on
// issuing before they hear of it.
func (a *App) lead() time.Duration {
	if a.nodes.engine == nil {
		return 0
	}
	return leadOfNodes
}

// leadOfNodes is how long a change may take, how long the others may not have
// heard of it, and two seconds by which their clocks may be apart.
const leadOfNodes = 5*time.Second + authn.MaxFeedAge + 2*time.Second

// newsEvery is how often a node asks for news, whether it was told of any or not.
const newsEvery = time.Second

// maxRefresh bounds how long reading a directory may take.
const maxRefresh = time.Minute

// hear takes in what other nodes change, until ctx ends.
func (a *App) hear(ctx context.Context) error {
	if a.nodes.engine == nil {
		return nil
	}
	told := make(chan struct{}, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = a.nodes.engine.Listen(ctx, func() { // its error is that of ctx
			select {
			case told <- struct{}{}:
			default:
			}
		})
	}()
	defer func() { <-done }()
	tick := time.NewTicker(newsEvery)
	defer tick.Stop()
	for {
		if err := a.catchUp(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("hear of the other nodes", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-told:
		case <-tick.C:
		}
	}
}

// catchUp reads what has changed. Only where all of it was read is the node as
// it was asked to be at that instant.
//
// A question that hangs is given up; a large directory takes as long as it takes.
func (a *App) catchUp(ctx context.Context) error {
	asked := a.world.Now()
	asking, cancel := context.WithTimeout(ctx, authn.MaxFeedAge)
	defer cancel()
	n, err := a.nodes.engine.News(asking)
	if err != nil {
		return err
	}
	if err := a.nodes.feed.Poll(asking); err != nil {
		return err
	}
	if n != a.nodes.seen || a.Registry.Stale() {
		ctx, cancel := context.WithTimeout(ctx, maxRefresh)
		defer cancel()
		if err := a.Registry.Refresh(ctx); err != nil {
			return err
		}
		if a.Keys != nil {
			if err := a.Keys.Reload(ctx); err != nil {
				return err
			}
		}
		a.nodes.seen = n
	}
	a.nodes.heard.Store(&asked)
	return nil
}

// newsAge returns how old the newest news of other nodes is.
func (a *App) newsAge() time.Duration {
	heard := a.nodes.heard.Load()
	if heard == nil {
		return 2 * authn.MaxFeedAge
	}
	return a.world.Now().Sub(*heard) // by the monotonic clock: setting the other one back does not make it news
}

// deaf reports whether this node has heard nothing for too long; nil where there
// are no others.
func (a *App) deaf() func() bool {
	if a.nodes.engine == nil {
		return nil
	}
	return func() bool { return a.newsAge() > authn.MaxFeedAge }
}

// trouble notes that the database's log cannot be written back, or that it can
// again.
func (a *App) trouble(err error) {
	if a.ailing.Store(err != nil); err != nil {
		a.log.Error("database log", "error", err.Error())
		return
	}
	a.log.Info("database log: all of it is written back again")
}

// ready reports why this node should get no requests.
func (a *App) ready(ctx context.Context) error {
	if deaf := a.deaf(); deaf != nil && deaf() {
		return &domain.Error{Kind: domain.Unavailable, Public: "this node has not heard of the others for too long"}
	}
	return a.store.Check(ctx)
}

// shownParameters are those of a database's address that are shown; others may be
// secrets, or be spelled so that nobody sees that they are.
var shownParameters = map[string]bool{
	"sslmode": true, "connect_timeout": true, "application_name": true, "target_session_attrs": true, "host": true, "port": true,
}

// hidden stands for what is not shown.
const hidden = "xxxxx"

// redacted is the address of a database without its secrets: scheme, user, host,
// path and the parameters that are none. Of others even the name is hidden, which
// may be the rest of a password with a question mark.
func redacted(text string) string {
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.Scheme == "" {
		return "[not a URL]"
	}
	shown := url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	q := url.Values{}
	for name, values := range u.Query() {
		if shownParameters[name] {
			q[name] = values
		} else {
			q.Set(hidden, hidden)
		}
	}
	shown.RawQuery = q.Encode()
	if u.Fragment != "" {
		shown.Fragment = hidden
	}
	return shown.Redacted()
}
