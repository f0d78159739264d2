package sqlite

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
	"zombiezen.com/go/sqlite"
)

// checkpoints writes the log back into the database. SQLite does so by itself
// after a commit, but where a reader still needs the older part of the log, it
// copies the rest, counts it as written back and synchronizes nothing. If the
// next synchronization fails, the disk may have forgotten that part, which
// nobody writes again, and which is lost once the log begins anew. Here, only
// what is synchronized counts: docs/decisions/0019-checkpoints.md.
//
// It is a connection of its own below the package of the others, which shows
// neither the file nor the index of the log. The goroutine that writes has it.
type checkpoints struct {
	tls         *libc.TLS
	conn        uintptr // *lib.Tsqlite3
	file        uintptr // *lib.Tsqlite3_file, the database
	methods     *lib.Tsqlite3_io_methods
	index       *logIndex
	synchronize bool
	told        func(error)

	tried  uint32 // how long the log was at the last attempt
	failed bool   // the last attempt did
	unsure bool   // something counts that may not be synchronized
}

// logIndex is the beginning of the log's index, which lies in memory that all
// connections share (https://www.sqlite.org/walformat.html, section 2.1).
type logIndex struct {
	head [2]lib.TWalIndexHdr
	info lib.TWalCkptInfo
}

// frames is how long the log is, in pages.
func (i *logIndex) frames() uint32 { return atomic.LoadUint32(&i.head[0].FmxFrame) }

// back is how much of it counts as written back. Readers take that part from
// the database, and nobody writes it back again.
func (i *logIndex) back() uint32 { return atomic.LoadUint32(&i.info.FnBackfill) }

// How long the log gets until it is written back, and by how much it grows until
// the next attempt where readers were in the way.
const (
	checkpointAt = 1000
	checkpointBy = 100
)

// openCheckpoints opens the connection to a database in WAL mode.
func openCheckpoints(path, synchronous string, o Options) (*checkpoints, error) {
	c := &checkpoints{tls: libc.NewTLS(), synchronize: synchronous != "OFF", told: o.Trouble}
	if err := c.open(path, synchronous, o.Busy); err != nil {
		return nil, fmt.Errorf("open the log: %w", errors.Join(err, c.close()))
	}
	return c, nil
}

func (c *checkpoints) open(path, synchronous string, busy time.Duration) (err error) {
	const flags = lib.SQLITE_OPEN_READWRITE | lib.SQLITE_OPEN_NOMUTEX
	c.conn, err = c.pointer(path, func(name, to uintptr) int32 {
		return lib.Xsqlite3_open_v2(c.tls, name, to, flags, 0)
	})
	if err != nil {
		return err
	}
	lib.Xsqlite3_busy_timeout(c.tls, c.conn, int32(busy.Milliseconds()))
	// To read opens the log and tells how large a page is.
	for _, sql := range []string{"PRAGMA synchronous = " + synchronous, "SELECT count(*) FROM sqlite_schema"} {
		_, err := c.pointer(sql, func(text, _ uintptr) int32 { return lib.Xsqlite3_exec(c.tls, c.conn, text, 0, 0, 0) })
		if err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	c.file, err = c.pointer("main", func(name, to uintptr) int32 {
		return lib.Xsqlite3_file_control(c.tls, c.conn, name, lib.SQLITE_FCNTL_FILE_POINTER, to)
	})
	if err != nil {
		return err
	}
	c.methods = at[lib.Tsqlite3_io_methods](at[lib.Tsqlite3_file](c.file).FpMethods)
	index, err := c.pointer("", func(_, to uintptr) int32 {
		return method[func(*libc.TLS, uintptr, int32, int32, int32, uintptr) int32](c.methods.FxShmMap)(
			c.tls, c.file, 0, lib.WALINDEX_PGSZ, 0, to)
	})
	if err != nil {
		return err
	}
	if index == 0 {
		return errors.New("the log has no index")
	}
	c.index = at[logIndex](index)
	if v := c.index.head[0].FiVersion; v != lib.WALINDEX_MAX_VERSION {
		return fmt.Errorf("the index of the log has the format %d, want %d", v, lib.WALINDEX_MAX_VERSION)
	}
	return nil
}

// pointer calls f with a text and with where it puts a pointer, and returns that.
func (c *checkpoints) pointer(text string, f func(text, to uintptr) int32) (uintptr, error) {
	s, err := libc.CString(text)
	if err != nil {
		return 0, err
	}
	defer libc.Xfree(c.tls, s)
	const size = int(unsafe.Sizeof(uintptr(0)))
	to := c.tls.Alloc(size)
	defer c.tls.Free(size)
	*at[uintptr](to) = 0
	rc := f(s, to)
	return *at[uintptr](to), sqlite.ResultCode(rc).ToError()
}

// at is what SQLite has at an address. Its memory does not move.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// method is a function of SQLite's.
func method[F any](address uintptr) F { return *(*F)(unsafe.Pointer(&address)) }

func (c *checkpoints) close() error {
	rc := lib.Xsqlite3_close(c.tls, c.conn) // also one that could not be opened
	c.tls.Close()
	return sqlite.ResultCode(rc).ToError()
}

// due reports whether the log is to be written back.
func (c *checkpoints) due() bool {
	n := c.index.frames()
	if n < c.tried {
		c.tried = 0 // it has begun anew
	}
	by := uint32(checkpointBy)
	if c.failed {
		by = checkpointAt
	}
	return n >= checkpointAt && n-c.tried >= by
}

// run writes the log back, as far as readers allow. Where that fails, all of it
// will be written back the next time; and nothing is lost, because the log does
// not begin anew before.
func (c *checkpoints) run(mode int32) {
	c.tried = c.index.frames()
	err := c.attempt(mode)
	if failed := err != nil; failed != c.failed {
		c.failed = failed
		c.told(err)
	}
}

func (c *checkpoints) attempt(mode int32) (err error) {
	if c.unsure {
		if err := c.again(); err != nil {
			return err
		}
	}
	before := c.index.back()
	rc := sqlite.ResultCode(lib.Xsqlite3_wal_checkpoint_v2(c.tls, c.conn, 0, mode, 0, 0))
	if rc.ToPrimary() != sqlite.ResultBusy { // that is no failure: somebody else does it, or still reads
		err = rc.ToError()
	}
	if back := c.index.back(); err == nil && back != before && back < c.index.frames() {
		err = c.sync() // SQLite does so only where it has come to the end of the log
	}
	if err == nil {
		return nil
	}
	c.unsure = true
	return errors.Join(fmt.Errorf("write the log back: %w", err), c.again())
}

func (c *checkpoints) sync() error {
	if !c.synchronize {
		return nil
	}
	sync := method[func(*libc.TLS, uintptr, int32) int32](c.methods.FxSync)
	return sqlite.ResultCode(sync(c.tls, c.file, lib.SQLITE_SYNC_NORMAL)).ToError()
}

// again makes that nothing of the log counts as written back, as after a
// restart. That is always true enough: readers find all pages in the log, the
// next checkpoint writes all of them, and until then the log does not begin anew.
func (c *checkpoints) again() error {
	lock := method[func(*libc.TLS, uintptr, int32, int32, int32) int32](c.methods.FxShmLock)
	set := func(how int32) error {
		const checkpointer, one = lib.WAL_CKPT_LOCK, 1
		return sqlite.ResultCode(lock(c.tls, c.file, checkpointer, one, how|lib.SQLITE_SHM_EXCLUSIVE)).ToError()
	}
	if err := set(lib.SQLITE_SHM_LOCK); err != nil {
		return fmt.Errorf("write the log back once more: %w", err) // somebody else does it
	}
	atomic.StoreUint32(&c.index.info.FnBackfill, 0)
	c.unsure = false
	return set(lib.SQLITE_SHM_UNLOCK)
}
