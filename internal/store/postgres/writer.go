package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/wattgate/wattgate/internal/domain"
)

// writer is the one goroutine of this node that changes who may do what. A
// durable transaction takes a millisecond and more, and the nodes take turns;
// whoever asks meanwhile waits, and then all of them share the next transaction.
type writer struct {
	pool *pgxpool.Pool
	tree *tree // of the audit log, as far as it is known

	mu      sync.Mutex
	ready   *sync.Cond // something waits, or the end has come
	queue   []*job
	closed  bool
	stopped chan struct{}
}

// job is one change on its way.
type job struct {
	ctx    context.Context
	f      func(context.Context, conn) error
	loud   loudness
	done   bool // err is the answer, whatever becomes of the others
	err    error
	answer chan error
}

// loudness is what other nodes hear of a change.
type loudness int

const (
	silent   loudness = iota // nothing: none of them keeps it in memory
	noticed                  // that they should ask what is new: a feed has it
	loudNews                 // that they should read the directory as well
)

// The bounds: how many changes share a transaction, and thereby how long the
// first of them waits; how long a transaction may take; and how often one is
// tried. The pauses between tries bridge a short interruption, no more: everybody
// behind waits too.
const (
	maxBatch   = 256
	maxAttempt = 3
	maxTime    = 30 * time.Second
	firstPause = 20 * time.Millisecond
)

// changesLock is the advisory lock (the letters WattW) under which the nodes
// change identity one after the other.
const changesLock = 0x5761747457

// begin opens a transaction and takes its turn, in one message.
var begin = fmt.Sprintf("BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(%d)", changesLock)

var errClosed = errors.New("the database is closed")

// errApart asks for the same transaction with a savepoint for each change.
var errApart = errors.New("a change failed within a shared transaction")

// errPanic asks for the same transaction without the change that panicked.
var errPanic = errors.New("a change panicked")

func startWriter(pool *pgxpool.Pool, t *tree) *writer {
	w := &writer{pool: pool, tree: t, stopped: make(chan struct{})}
	w.ready = sync.NewCond(&w.mu)
	go w.loop()
	return w
}

// change runs f in a transaction, which others may share, and returns when it
// is durable. If f fails, only what f did is undone. f may run twice, and goes on
// after no error of the database. While it runs no other node changes anything
// but measurements. All nodes hear of it (see Listen).
func (s *Store) change(ctx context.Context, doing string, f func(context.Context, conn) error) error {
	return failure(ctx, doing, s.writer.do(newJob(ctx, f, loudNews)))
}

// changeSilently is change for what no node keeps in memory: the others would
// read everything again for nothing.
func (s *Store) changeSilently(ctx context.Context, doing string, f func(context.Context, conn) error) error {
	return failure(ctx, doing, s.writer.do(newJob(ctx, f, silent)))
}

// changeNoticed is change for what is in a feed that the other nodes follow, and
// in no directory.
func (s *Store) changeNoticed(ctx context.Context, doing string, f func(context.Context, conn) error) error {
	return failure(ctx, doing, s.writer.do(newJob(ctx, f, noticed)))
}

// changeAlone runs f in a transaction of its own, beside those of all others: for
// what may take long. Its context interrupts it. It is not under the lock, so
// that f has to stand beside others that do the same; it may run twice.
func (s *Store) changeAlone(ctx context.Context, doing string, f func(context.Context, conn) error) error {
	if s.writer.isClosed() {
		return failure(ctx, doing, errClosed)
	}
	pause := firstPause
	for attempt := 1; ; attempt++ {
		err := s.alone(ctx, f)
		if err == nil || attempt == maxAttempt || !repeats(err) || ctx.Err() != nil {
			return failure(ctx, doing, settled(err))
		}
		rest(ctx, pause)
		pause *= 5
	}
}

func newJob(ctx context.Context, f func(context.Context, conn) error, loud loudness) *job {
	return &job{ctx: ctx, f: f, loud: loud, answer: make(chan error, 1)}
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

func (w *writer) isClosed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// stop lets the goroutine finish what waits, and returns when it is gone. It
// reports whether this call was the one to stop it.
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
		err := settled(w.perform(batch))
		for _, j := range batch {
			if err != nil && !j.done {
				j.err = err
			}
			j.answer <- j.err
		}
	}
}

// take waits for jobs and returns those that share the next transaction; none
// at the end.
func (w *writer) take() []*job {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) == 0 && !w.closed {
		w.ready.Wait()
	}
	n := min(len(w.queue), maxBatch)
	batch := slices.Clone(w.queue[:n])
	w.queue = slices.Delete(w.queue, 0, n)
	return batch
}

// perform runs a batch until it is committed or there is no use in trying. First
// without savepoints, which would cost two more messages each: most changes
// succeed. The error is one for all jobs that are not done.
func (w *writer) perform(batch []*job) error {
	apart, pause := false, firstPause
	for attempt := 1; ; {
		err := w.transaction(batch, apart)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errApart):
			apart = true
		case errors.Is(err, errPanic):
			// One less, each time.
		case !repeats(err) || attempt == maxAttempt:
			return err
		default:
			rest(context.Background(), pause)
			pause *= 5
			attempt++
		}
	}
}

// unsettledError is for a transaction that was to be committed when the
// connection broke: nobody knows what became of it, so that it is not repeated.
type unsettledError struct{ err error }

func (e unsettledError) Error() string {
	return "nobody knows whether it was committed: " + e.err.Error()
}

// settled is the error as it is told. An unsettled one does not unwrap before:
// nothing that looks for a lost connection in it may repeat it.
func settled(err error) error {
	if e, ok := errors.AsType[unsettledError](err); ok {
		return unavailable(fmt.Errorf("%w: %w", e, e.err))
	}
	return err
}

// commit ends a transaction.
func commit(ctx context.Context, c *pgx.Conn, tx pgx.Tx) error {
	err := tx.Commit(ctx)
	if err != nil && (c.IsClosed() || lost(err)) {
		return unsettledError{err}
	}
	return err
}

func rest(ctx context.Context, pause time.Duration) {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// transaction runs a batch once. After an error nothing of it is stored, but for
// one that says it cannot tell.
func (w *writer) transaction(batch []*job, apart bool) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), maxTime)
	defer cancel()
	c, err := w.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	tx, err := c.BeginTx(ctx, pgx.TxOptions{BeginQuery: begin})
	if err != nil {
		return closing(c.Conn(), err)
	}
	defer func() {
		if err != nil {
			w.tree.forget()
			_ = tx.Rollback(ctx) // the pool throws the connection away where this fails
			err = closing(c.Conn(), err)
		}
	}()
	if err := w.tree.begin(ctx, tx); err != nil {
		return err
	}
	stored, loud, err := w.jobs(ctx, tx, batch, apart)
	if err != nil {
		return err
	}
	if stored == 0 {
		w.tree.forget()
		return tx.Rollback(ctx)
	}
	if err := w.tree.flush(ctx, tx); err != nil {
		if !apart && len(batch) > 1 && !repeats(err) && !tx.Conn().IsClosed() {
			return errApart // one of the entries
		}
		return err
	}
	if err := loud.announce(ctx, tx); err != nil {
		return err
	}
	err = commit(ctx, c.Conn(), tx)
	if errors.Is(err, pgx.ErrTxCommitRollback) && !apart && len(batch) > 1 {
		return errApart // one of them went on after an error
	}
	return err
}

// jobs runs all jobs that are not done, and returns how many succeeded, and
// what others have to hear of them.
func (w *writer) jobs(ctx context.Context, tx pgx.Tx, batch []*job, apart bool) (stored int, loud loudness, err error) {
	for _, j := range batch {
		if j.done {
			continue
		}
		if j.err = j.ctx.Err(); j.err != nil {
			continue // it has changed nothing
		}
		j.err = w.attempt(ctx, tx, j, apart)
		switch {
		case j.err == nil:
			stored++
			loud = max(loud, j.loud)
		case j.done: // it panicked
			return 0, silent, errPanic
		case ctx.Err() != nil:
			return 0, silent, lostError{ctx.Err()}
		case repeats(j.err) || tx.Conn().IsClosed():
			return 0, silent, lostError{j.err} // the transaction is lost for all
		case len(batch) > 1 && !apart:
			return 0, silent, errApart
		}
	}
	return stored, loud, nil
}

// attempt runs one job, within a savepoint where it has to stay apart.
func (w *writer) attempt(ctx context.Context, tx pgx.Tx, j *job, apart bool) error {
	// What the job's own context knows is there, and its end is not: that would
	// break the connection of all.
	if deadline, ok := ctx.Deadline(); ok {
		own, cancel := context.WithDeadline(context.WithoutCancel(j.ctx), deadline)
		defer cancel()
		ctx = own
	}
	if !apart {
		return call(ctx, tx, j)
	}
	if err := run(ctx, tx, "SAVEPOINT change"); err != nil {
		return err
	}
	err := call(ctx, tx, j)
	if err == nil {
		err = w.tree.flush(ctx, tx)
	}
	if err == nil {
		if err = run(ctx, tx, "RELEASE SAVEPOINT change"); err == nil {
			return nil
		}
	}
	w.tree.forget()
	return errors.Join(err, run(ctx, tx, "ROLLBACK TO SAVEPOINT change; RELEASE SAVEPOINT change"))
}

// call runs the function of a job. Its panic is its caller's failure, and not
// the end of everybody's writer; what it left open goes with the transaction.
func call(ctx context.Context, tx pgx.Tx, j *job) (err error) {
	defer func() {
		if r := recover(); r != nil {
			j.done = true
			err = fmt.Errorf("panic in a change: %v\n%s", r, debug.Stack())
		}
	}()
	return j.f(ctx, tx)
}

// alone runs f in a transaction of its own.
func (s *Store) alone(ctx context.Context, f func(context.Context, conn) error) (err error) {
	c, err := s.writers.Acquire(ctx)
	if err != nil {
		if ctx.Err() == nil {
			err = reach(err)
		}
		return err
	}
	defer c.Release()
	tx, err := c.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return closing(c.Conn(), err)
	}
	j := &job{ctx: ctx, f: f}
	if err = call(ctx, tx, j); err == nil {
		err = commit(ctx, c.Conn(), tx)
	}
	if err != nil {
		_ = tx.Rollback(context.WithoutCancel(ctx)) // the pool throws the connection away where this fails
	}
	if j.done {
		return &domain.Error{Kind: domain.Internal, Err: err} // it panicked: no word about the connection
	}
	return closing(c.Conn(), err)
}
