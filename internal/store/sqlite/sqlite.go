// Package sqlite answers one question: how does one file keep everything?
//
// It is SQLite without cgo, in WAL mode with synchronous=FULL. One goroutine
// owns the one connection that writes, and puts the changes that wait at the
// same time into one transaction (group commit); a pool of connections reads.
// Other processes may open the same file.
package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/wattgate/wattgate/internal/domain"
)

// Options are what the engine is told from outside.
type Options struct {
	// Now is the clock, for the instants at which days are recorded and for
	// which secrets are still of interest. It must be set.
	Now func() time.Time
	// Readers is how many connections read at the same time; 0 means 4.
	Readers int
	// Pseudonym returns what the audit log keeps in place of a client's address;
	// nil: the address itself.
	Pseudonym func(address string) string
	// Evidence opens a database, for reading only, whose triggers somebody has
	// changed, which is refused otherwise: for whoever wants to find out more.
	Evidence bool
	// Busy is how long to wait for another process that writes; 0 means 10 s.
	Busy time.Duration
	// Trouble is told when the write-ahead log can no longer be written back
	// into the database, and with nil when it can again. Meanwhile the log grows,
	// and all else goes on. nil: nobody is told.
	Trouble func(error)
}

// Store is the engine. Its methods may be called from many goroutines.
type Store struct {
	now     func() time.Time
	alias   func(address string) string
	readers *sqlitex.Pool
	writer  *writer

	customers   customers
	homes       homes
	reading     sync.WaitGroup // of all customers, once
	stopReading context.CancelFunc

	rounds rounds
	tree   tree
	folder string // to be removed at the end, where the database is nameless
}

// The sizes. Pages of 8 KiB led in measurements. An idle process must stay
// below 40 MiB in all, so that the caches are small: what they miss comes from
// the system's page cache, through the mapping.
const (
	pageSize      = 8192
	writerCache   = 4 << 10  // KiB
	readerCache   = 2 << 10  // KiB
	mapped        = 1 << 30  // bytes, of the file's beginning; only what is read of it is resident
	journalLimit  = 16 << 20 // bytes that the write-ahead log keeps after a large change
	defaultReader = 4
	defaultBusy   = 10 * time.Second
)

// Open opens the database in the file path, creates it where there is none and
// brings it to the newest schema. A new file can be read by its owner only.
//
// The path "" or ":memory:" makes a nameless database for tests, which is gone
// after Close. It lies in a temporary folder, without the synchronous writes,
// because SQLite's shared memory databases lock differently from files: readers
// there wait for the writer, and a test would see what no server does.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	if o.Now == nil {
		return nil, &domain.Error{Kind: domain.Internal, Err: fmt.Errorf("open the database: no clock")}
	}
	if o.Readers < 1 {
		o.Readers = defaultReader
	}
	if o.Busy <= 0 {
		o.Busy = defaultBusy
	}
	if o.Pseudonym == nil {
		o.Pseudonym = func(address string) string { return address }
	}
	if o.Trouble == nil {
		o.Trouble = func(error) {}
	}
	s := &Store{now: o.Now, alias: o.Pseudonym}
	synchronous := "FULL"
	if path == "" || path == ":memory:" {
		folder, err := os.MkdirTemp("", "wattgate-")
		if err != nil {
			return nil, failure(ctx, "open the database", err)
		}
		s.folder, path, synchronous = folder, filepath.Join(folder, "nameless.db"), "OFF"
	}
	err := s.open(ctx, path, synchronous, o)
	if err != nil {
		if s.folder != "" {
			_ = os.RemoveAll(s.folder) // the first error is the one to tell
		}
		return nil, failure(ctx, "open the database", err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, path, synchronous string, o Options) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	err = prepareWriter(ctx, conn, synchronous, o.Busy)
	if err == nil {
		err = migrate(ctx, conn, s.steps())
	}
	if err == nil {
		err = s.guardTriggers(ctx, conn, o.Evidence)
	}
	if err == nil && !o.Evidence {
		err = s.homes.watch(conn)
	}
	var log *checkpoints
	if err == nil {
		log, err = openCheckpoints(path, synchronous, o)
	}
	if err == nil {
		s.readers, err = sqlitex.NewPool(path, sqlitex.PoolOptions{
			Flags:       sqlite.OpenReadWrite, // reading a WAL needs to write its index
			PoolSize:    o.Readers,
			PrepareConn: func(conn *sqlite.Conn) error { return prepareReader(conn, o.Busy) },
		})
	}
	if err != nil {
		if log != nil {
			_ = log.close() // the first error is the one to tell
		}
		_ = conn.Close()
		return err
	}
	s.writer = startWriter(conn, &s.tree, func(conn *sqlite.Conn) {
		s.customers.follow(conn)
		s.homes.follow(conn)
	}, log)
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stopReading = stop
	s.reading.Go(func() {
		_ = s.readCustomers(reading) // the file answers as well
	})
	return nil
}

// prepareWriter sets up the connection that writes. The page size, and that
// pages may be given back, must be known before the first page is written.
func prepareWriter(ctx context.Context, conn *sqlite.Conn, synchronous string, busy time.Duration) error {
	conn.SetBusyTimeout(busy)
	// The next steps change the file: look first whether it is ours.
	pages := 0
	err := patiently(ctx, busy, func() (err error) {
		if err = ours(conn); err == nil {
			pages, err = number(conn, "PRAGMA page_count")
		}
		return err
	})
	if err != nil {
		return err
	}
	first := []string{fmt.Sprintf("PRAGMA page_size = %d", pageSize)}
	if pages == 0 { // later it would write each time, and wait for whoever writes
		first = append(first, "PRAGMA auto_vacuum = INCREMENTAL")
	}
	for _, pragma := range append(first,
		"PRAGMA journal_mode = WAL",
		"PRAGMA wal_autocheckpoint = 0", // see checkpoints
		"PRAGMA synchronous = "+synchronous,
		"PRAGMA foreign_keys = ON",
		"PRAGMA temp_store = MEMORY",
		fmt.Sprintf("PRAGMA cache_size = -%d", writerCache),
		fmt.Sprintf("PRAGMA mmap_size = %d", mapped),
		fmt.Sprintf("PRAGMA journal_size_limit = %d", journalLimit),
	) {
		if err := patiently(ctx, busy, func() error { return sqlitex.ExecuteTransient(conn, pragma, nil) }); err != nil {
			return fmt.Errorf("%s: %w", pragma, err)
		}
	}
	return nil
}

func prepareReader(conn *sqlite.Conn, busy time.Duration) error {
	conn.SetBusyTimeout(busy)
	for _, pragma := range []string{
		"PRAGMA query_only = ON",
		"PRAGMA temp_store = MEMORY",
		fmt.Sprintf("PRAGMA cache_size = -%d", readerCache),
		fmt.Sprintf("PRAGMA mmap_size = %d", mapped),
	} {
		if err := sqlitex.ExecuteTransient(conn, pragma, nil); err != nil {
			return fmt.Errorf("%s: %w", pragma, err)
		}
	}
	return nil
}

// patiently repeats f while the database is busy. SQLite's own waiting does
// not cover the change to WAL mode, where two starters could wait for each
// other.
func patiently(ctx context.Context, busy time.Duration, f func() error) error {
	const pause = 10 * time.Millisecond
	for waited := time.Duration(0); ; waited += pause {
		err := f()
		if code := sqlite.ErrCode(err).ToPrimary(); code != sqlite.ResultBusy && code != sqlite.ResultLocked || waited >= busy {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Check reads a little.
func (s *Store) Check(ctx context.Context) error {
	return s.read(ctx, "check the database", func(conn *sqlite.Conn) error {
		return run(conn, `SELECT count(*) FROM role`)
	})
}

// Close waits for the changes that were accepted, interrupts reads, writes the
// write-ahead log back and removes it.
func (s *Store) Close() error {
	if !s.writer.stop() {
		return nil
	}
	s.stopReading()
	s.reading.Wait()
	err := s.readers.Close()
	if err2 := s.writer.log.close(); err == nil {
		err = err2
	}
	// The writer's connection goes last: the last one removes the log, and only
	// where it may write.
	if err2 := s.writer.conn.Close(); err == nil {
		err = err2
	}
	if s.folder != "" {
		if err2 := os.RemoveAll(s.folder); err == nil {
			err = err2
		}
	}
	return failure(context.Background(), "close the database", err)
}
