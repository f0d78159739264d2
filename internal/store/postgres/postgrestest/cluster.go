// Package postgrestest answers one question: where does a test find a PostgreSQL?
//
// It starts a throw-away server from the installed programs, as the system's user
// postgres where the test is root, and makes a new database for whoever asks.
// Nothing listens on the network. WATTGATE_TEST_POSTGRES names a server that runs
// already, whose user may create databases; it is used instead.
package postgrestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience is how long a server may take to start.
const patience = 20 * time.Second

// errAbsent is for a machine without PostgreSQL.
var errAbsent = errors.New("PostgreSQL is not installed (initdb and postgres, version 15 or newer), and WATTGATE_TEST_POSTGRES names no server")

// Cluster is a server with its databases.
type Cluster struct {
	dir    string // of all its files; empty: somebody else's server
	bin    string
	admin  string // the address of a database that is always there
	flags  []string
	server *process
	log    bytes.Buffer
}

var shared = struct {
	sync.Mutex
	cluster *Cluster
	err     error
}{}

var databases atomic.Int64

// URL is the address of a new and empty database, which is gone after the test.
// All tests of a process share one server, which starts with the first of them,
// keeps nothing safe (fsync is off) and ends with [Stop].
func URL(tb testing.TB) string {
	tb.Helper()
	shared.Lock()
	if shared.cluster == nil && shared.err == nil {
		shared.cluster, shared.err = open()
	}
	c, err := shared.cluster, shared.err
	shared.Unlock()
	absent(tb, err)
	return c.URL(tb)
}

// Stop ends the server that [URL] has started. It is for TestMain.
func Stop() {
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster != nil {
		shared.cluster.stop()
	}
	shared.cluster = nil
}

// Durable starts a server of its own that keeps what it has acknowledged, for
// tests that crash it and for measurements. It ends with the test.
func Durable(tb testing.TB) *Cluster {
	tb.Helper()
	c, err := start()
	absent(tb, err)
	tb.Cleanup(c.stop)
	return c
}

// absent skips the test where PostgreSQL is; under CI=true that is a failure.
func absent(tb testing.TB, err error) {
	tb.Helper()
	switch {
	case err == nil:
	case errors.Is(err, errAbsent) && os.Getenv("CI") != "true":
		tb.Skip(err)
	default:
		tb.Fatal(err)
	}
}

// open finds the server that tests share, or starts it.
func open() (*Cluster, error) {
	if address := os.Getenv("WATTGATE_TEST_POSTGRES"); address != "" {
		return &Cluster{admin: address}, nil
	}
	return start("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off")
}

// start makes a cluster and starts its server.
func start(flags ...string) (*Cluster, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	// Not a test's own folder: the path of a socket ends at 107 bytes, and the
	// folder above may be closed to the user postgres.
	dir, err := os.MkdirTemp("", "wattgate-pg-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, bin: bin, admin: address(dir, "postgres"), flags: flags}
	if err := c.initialize(); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) initialize() error {
	if err := giveAway(c.dir); err != nil {
		return err
	}
	initdb, err := command(c.dir, filepath.Join(c.bin, "initdb"),
		"-D", "data", "-U", "wattgate", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	if err != nil {
		return err
	}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return c.Start()
}

// Start starts the server again after [Cluster.Crash].
func (c *Cluster) Start() error {
	arguments := append([]string{"-D", "data", "-k", c.dir, "-c", "listen_addresses=", "-c", "max_connections=200"}, c.flags...)
	postgres, err := command(c.dir, filepath.Join(c.bin, "postgres"), arguments...)
	if err != nil {
		return err
	}
	c.log.Reset()
	postgres.Stdout, postgres.Stderr = &c.log, &c.log
	if c.server, err = launch(postgres); err != nil {
		return err
	}
	if err := c.ready(); err != nil {
		c.Crash()
		return fmt.Errorf("PostgreSQL does not start: %w\n%s", err, c.log.String())
	}
	return nil
}

// ready waits until the server answers.
func (c *Cluster) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.admin)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return err
		case <-c.server.ended:
			return errors.New("it ended at once")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Crash ends the server's processes at once, as a power cut would: nothing is
// written back.
func (c *Cluster) Crash() {
	if c.server != nil {
		c.server.end()
		c.server = nil
	}
}

func (c *Cluster) stop() {
	if c.dir == "" {
		return // somebody else's
	}
	c.Crash()
	_ = os.RemoveAll(c.dir) // what stays lies among the temporary files
}

// URL is the address of a new and empty database, which is gone after the test.
func (c *Cluster) URL(tb testing.TB) string {
	tb.Helper()
	name := fmt.Sprintf("wattgate_test_%d_%d", os.Getpid(), databases.Add(1))
	quoted := pgx.Identifier{name}.Sanitize()
	if err := c.exec("CREATE DATABASE " + quoted + " TEMPLATE template0 ENCODING 'UTF8'"); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		// A server that has crashed takes its databases along.
		if err := c.exec("DROP DATABASE IF EXISTS " + quoted + " WITH (FORCE)"); err != nil && c.server != nil {
			tb.Error(err)
		}
	})
	return With(c.admin, "dbname", name)
}

func (c *Cluster) exec(sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.admin)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

// address is that of a database behind a socket in the folder.
func address(dir, name string) string {
	return (&url.URL{
		Scheme: "postgres", User: url.User("wattgate"), Path: "/" + name, RawQuery: url.Values{"host": {dir}}.Encode(),
	}).String()
}

// With is an address with one more setting: "dbname" for another database of the
// same server, "search_path" for another schema.
func With(address, setting, value string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return address + " " + setting + "=" + value // the words of libpq: the last one counts
	}
	query := u.Query()
	query.Set(setting, value)
	u.RawQuery = query.Encode()
	return u.String()
}

// URLAt is URL for a server of somebody else's, named by the address of one of its
// databases.
func URLAt(tb testing.TB, admin string) string { return (&Cluster{admin: admin}).URL(tb) }
