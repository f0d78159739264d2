// Package postgres answers one question: how do many machines keep everything
// together?
//
// It is PostgreSQL 15 or newer, and any number of Wattgate's nodes may share one
// database. A node puts the changes that wait at the same time into one
// transaction (group commit), and the transactions that change who may do what
// follow each other across all nodes, under one advisory lock: what a change has
// read is still true when it writes. Readings are taken in beside that lock.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/wattgate/wattgate/internal/domain"
)

// Options are what the engine is told from outside.
type Options struct {
	// Now is the clock, for the instants at which days are recorded and for
	// which secrets are still of interest. It must be set.
	Now func() time.Time
	// Readers is how many connections of this node read at the same time, and
	// Writers how many take in measurements; 0 means 8 and 4. What changes
	// identity has its own two, as has what must be known of it in time.
	Readers, Writers int
	// Pseudonym returns what the audit log keeps in place of a client's address;
	// nil: the address itself.
	Pseudonym func(address string) string
	// Evidence opens a database for reading only, and does not migrate it: for
	// whoever wants to find out what happened to it.
	Evidence bool
}

// Store is the engine. Its methods may be called from many goroutines.
type Store struct {
	now     func() time.Time
	alias   func(address string) string
	readers *pgxpool.Pool
	news    *pgxpool.Pool // reads what must be known in time
	turns   *pgxpool.Pool // the writer's batches
	writers *pgxpool.Pool // changes beside them: measurements
	writer  *writer
	tree    tree
	zones   zones
	periods sync.Map // of period: partitions that are known to be there
	// emptySince remembers of a period when its partition was first seen empty.
	emptySince sync.Map
	// recorded is the latest instant at which this node has recorded something.
	recorded atomic.Int64
}

// The sizes. A connection costs the server some megabytes, and a node is one of
// many.
const (
	defaultReaders = 8
	defaultWriters = 4
	newsReaders    = 2   // one, and one beside a directory that is being read
	turnTakers     = 2   // one, and its successor where it was lost
	statements     = 512 // prepared at most, for each connection
)

// oldest is the first version of PostgreSQL that this is tested with.
const oldest = 15

// A server that vanished without a word is missed: by whoever asks for a new
// connection at once, by whoever waits for an answer after 45 seconds.
const maxConnect = 5 * time.Second

var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 5 * time.Second, Count: 3}

// reading is what the server is told of connections that only read. Nobody waits
// for an answer for longer than that, and what he has asked is given up with it.
var reading = map[string]string{"default_transaction_read_only": "on", "statement_timeout": "1min", "idle_in_transaction_session_timeout": "1min"}

// changing returns what the server gives up by itself, so that a node that
// vanished in the middle of a change does not stop the others: its transaction,
// and our waiting for it. A node too is missed after 45 seconds.
func changing(maxIdle string) map[string]string {
	return map[string]string{
		"default_transaction_read_only":       "off",
		"idle_in_transaction_session_timeout": maxIdle,
		"lock_timeout":                        "20s",
		"tcp_keepalives_idle":                 "30",
		"tcp_keepalives_interval":             "5",
		"tcp_keepalives_count":                "3",
	}
}

// Open opens the database that url names (postgres://user@host/name, or the
// words of libpq) and brings it to the newest schema.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	const doing = "open the database"
	if o.Now == nil {
		return nil, &domain.Error{Kind: domain.Internal, Err: errors.New(doing + ": no clock")}
	}
	if o.Readers < 1 {
		o.Readers = defaultReaders
	}
	if o.Writers < 1 {
		o.Writers = defaultWriters
	}
	if o.Pseudonym == nil {
		o.Pseudonym = func(address string) string { return address }
	}
	s := &Store{now: o.Now, alias: o.Pseudonym}
	if err := s.open(ctx, url, o); err != nil {
		s.closePools()
		return nil, failure(ctx, doing, err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, url string, o Options) (err error) {
	turns, writers := changing("30s"), changing("2min")
	if o.Evidence {
		turns, writers = reading, reading
	}
	if s.turns, err = connect(ctx, url, turnTakers, turns); err != nil {
		return err
	}
	if s.writers, err = connect(ctx, url, o.Writers, writers); err != nil {
		return err
	}
	if s.readers, err = connect(ctx, url, o.Readers, reading); err != nil {
		return err
	}
	if s.news, err = connect(ctx, url, newsReaders, reading); err != nil {
		return err
	}
	if err := s.migrate(ctx, o.Evidence); err != nil {
		return err
	}
	if err := s.guardTriggers(ctx, o.Evidence); err != nil {
		return err
	}
	s.writer = startWriter(s.turns, &s.tree)
	return nil
}

// connect makes a pool. Nothing is asked of the server yet.
func connect(ctx context.Context, url string, size int, settings map[string]string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The error shows the address without its password.
		return nil, &domain.Error{Kind: domain.Invalid, Public: "this is not the address of a PostgreSQL database", Err: err}
	}
	config.MaxConns = int32(min(size, 1000))
	config.ConnConfig.StatementCacheCapacity = statements
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = maxConnect
	}
	config.ConnConfig.DialFunc = (&net.Dialer{KeepAliveConfig: keepAlive}).DialContext
	set := config.ConnConfig.RuntimeParams
	if set["application_name"] == "" {
		set["application_name"] = "wattgate"
	}
	maps.Copy(set, settings)
	config.AfterConnect = durable
	return pgxpool.NewWithConfig(ctx, config)
}

// durable sees to it that what was acknowledged survives the server's crash, also
// where somebody has told the server otherwise. A stricter setting (remote_apply)
// stays. Texts must come back as they were given.
func durable(ctx context.Context, c *pgx.Conn) error {
	const sql = `SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding'), set_config('synchronous_commit',
		CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)`
	var version int
	var encoding, synchronous string
	if err := c.QueryRow(ctx, sql).Scan(&version, &encoding, &synchronous); err != nil {
		return err
	}
	if version < oldest || encoding != "UTF8" {
		return &domain.Error{Kind: domain.Conflict, Public: fmt.Sprintf(
			"the database is of PostgreSQL %d with the encoding %s, want %d or newer and UTF8", version, encoding, oldest)}
	}
	return nil
}

// Check reads a little.
func (s *Store) Check(ctx context.Context) error {
	return s.read(ctx, "check the database", func(ctx context.Context, c conn) error {
		return run(ctx, c, `SELECT count(*) FROM role`)
	})
}

// Close waits for the changes that were accepted and for reads.
func (s *Store) Close() error {
	if s.writer.stop() {
		s.closePools()
	}
	return nil
}

func (s *Store) closePools() {
	for _, pool := range []*pgxpool.Pool{s.readers, s.news, s.writers, s.turns} {
		if pool != nil {
			pool.Close()
		}
	}
}
