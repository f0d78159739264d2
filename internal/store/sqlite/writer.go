package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	lib "modernc.org/sqlite/lib"
	"zombiezen.com/go/sqlite"
)

// writer is the one goroutine that changes the database. A synchronous write
// takes about a millisecond, and whoever asks meanwhile waits; then all of them
// share the next one.
type writer struct {
	conn  *sqlite.Conn
	tree  *tree              // of the audit log, as far as it is known
	after func(*sqlite.Conn) // follows what was committed
	log   *checkpoints

	mu      sync.Mutex
	ready   *sync.Cond // something waits, or the end has come
	queue   []*job
	closed  bool
	stopped chan struct{}
}

// job is one change on its way.
type job struct {
	ctx    context.Context
	f      func(*sqlite.Conn) error
	alone  bool // it may take long: it has its own transaction, and its context interrupts it
	single bool // it is one statement, which undoes itself where it fails
	err    error
	answer chan error
}

// maxBatch bounds how many changes share a transaction, and thereby how long
// the first of them waits.
const maxBatch = 256

var errClosed = errors.New("the database is closed")

func startWriter(conn *sqlite.Conn, t *tree, after func(*sqlite.Conn), log *checkpoints) *writer {
	w := &writer{conn: conn, tree: t, after: after, log: log, stopped: make(chan struct{})}
	w.ready = sync.NewCond(&w.mu)
	go w.loop()
	return w
}

// change runs f in a transaction, which others may share, and returns when it
// is durable. If f fails, only what f did is undone. f may run twice.
func (s *Store) change(ctx context.Context, doing string, f func(*sqlite.Conn) error) error {
	return failure(ctx, doing, s.writer.do(&job{ctx: ctx, f: f, answer: make(chan error, 1)}))
}

// changeOnce is change for a single statement, which needs no savepoint.
func (s *Store) changeOnce(ctx context.Context, doing string, f func(*sqlite.Conn) error) error {
	return failure(ctx, doing, s.writer.do(&job{ctx: ctx, f: f, single: true, answer: make(chan error, 1)}))
}

// changeAlone is change for what may take long.
func (s *Store) changeAlone(ctx context.Context, doing string, f func(*sqlite.Conn) error) error {
	return failure(ctx, doing, s.writer.do(&job{ctx: ctx, f: f, alone: true, answer: make(chan error, 1)}))
}

// do hands a job to the goroutine and waits. A job that still waits when its
// context ends is withdrawn; one that runs is waited for, because nobody could
// tell otherwise whether it happened.
func (w *writer) do(j *job) error {
	if err := w.submit(j); err != nil {
		return err
	}
	return w.await(j)
}

func (w *writer) submit(j *job) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errClosed
	}
	w.queue = append(w.queue, j)
	w.ready.Signal()
	return nil
}

func (w *writer) await(j *job) error {
	select {
	case err := <-j.answer:
		return err
	case <-j.ctx.Done():
		if w.withdraw(j) {
			return j.ctx.Err()
		}
		return <-j.answer
	}
}

func (w *writer) withdraw(j *job) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.queue, j)
	if i >= 0 {
		w.queue = slices.Delete(w.queue, i, i+1)
	}
	return i >= 0
}

// stop lets the goroutine finish what waits, writes the log back and returns
// when it is gone. It reports whether this call was the one to stop it.
func (w *writer) stop() bool {
	w.mu.Lock()
	first := !w.closed
	w.closed = true
	w.ready.Signal()
	w.mu.Unlock()
	<-w.stopped
	return first
}

func (w *writer) loop() {
	defer close(w.stopped)
	for batch := w.take(); len(batch) > 0; batch = w.take() {
		err := w.transaction(batch)
		if err == nil {
			w.after(w.conn)
		} else {
			w.tree.forget()
		}
		for _, j := range batch {
			if err != nil {
				j.err = err
			}
			j.answer <- j.err
		}
		if w.log.due() {
			w.log.run(lib.SQLITE_CHECKPOINT_PASSIVE)
		}
	}
	// Closing the last connection does the same; this also shrinks the log
	// where another process keeps the file open. What it cannot write back
	// stays in the log, which is no loss.
	w.log.run(lib.SQLITE_CHECKPOINT_TRUNCATE)
}

// take waits for jobs and returns those that share the next transaction; none
// at the end.
func (w *writer) take() []*job {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) == 0 && !w.closed {
		w.ready.Wait()
	}
	n := 0
	for n < min(len(w.queue), maxBatch) && !w.queue[n].alone {
		n++
	}
	if n == 0 && len(w.queue) > 0 {
		n = 1 // an only one
	}
	batch := slices.Clone(w.queue[:n])
	w.queue = slices.Delete(w.queue, 0, n)
	return batch
}

// transaction runs a batch. The error is one for all of them: nothing of it is
// stored then.
func (w *writer) transaction(batch []*job) (err error) {
	if err := run(w.conn, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if !w.conn.AutocommitEnabled() {
			err = errors.Join(err, run(w.conn, "ROLLBACK"))
		}
	}()
	if err := w.tree.begin(w.conn); err != nil {
		return err
	}
	failed := 0
	for _, j := range batch {
		j.err = w.attempt(j, len(batch) > 1)
		if j.err != nil {
			failed++
		}
		if w.conn.AutocommitEnabled() {
			// A full disk, a failed write and an interrupted one make SQLite
			// give up the whole transaction.
			return givenUp(j.err)
		}
	}
	if failed == len(batch) {
		w.tree.forget()
		return nil
	}
	return run(w.conn, "COMMIT")
}

// givenUp is the error of everybody in a transaction that is lost.
func givenUp(err error) error {
	if theirs, ok := errors.AsType[callersError](err); ok {
		err = theirs.err
	}
	if err == nil {
		err = errors.New("a change went on after a failed write")
	}
	return unavailable(fmt.Errorf("the transaction was given up: %w", err))
}

// attempt runs one job, within a savepoint where it shares the transaction.
func (w *writer) attempt(j *job, shared bool) error {
	if err := j.ctx.Err(); err != nil {
		return err
	}
	if !shared || j.single {
		return w.call(j)
	}
	if err := run(w.conn, "SAVEPOINT change"); err != nil {
		return err
	}
	err := w.call(j)
	if w.conn.AutocommitEnabled() {
		return err
	}
	if err != nil {
		w.tree.forget()
		if err2 := run(w.conn, "ROLLBACK TO change"); err2 != nil {
			return errors.Join(err, err2)
		}
	}
	return errors.Join(err, run(w.conn, "RELEASE change"))
}

// call runs the function of a job. Its panic is its caller's failure and not
// the end of everybody's writer.
func (w *writer) call(j *job) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in a change: %v\n%s", r, debug.Stack())
		}
		w.conn.SetInterrupt(nil) // also resets what a panic left open
	}()
	if j.alone {
		w.conn.SetInterrupt(j.ctx.Done())
	}
	return j.f(w.conn)
}
