package app

import (
	"io"
	"sync"
	"time"
)

// logWriter gathers log lines and writes them in few calls: one system call for
// each request would cost as much as a third of the request. What is gathered
// leaves after a tenth of a second, when there is much of it, and at the end.
type logWriter struct {
	mu   sync.Mutex
	buf  []byte
	out  io.Writer
	stop chan struct{}
	done chan struct{}
	once sync.Once
}

const (
	logDelay = 100 * time.Millisecond
	logMuch  = 32 << 10
)

func newLogWriter(out io.Writer) *logWriter {
	if out == nil {
		out = io.Discard
	}
	w := &logWriter{out: out, stop: make(chan struct{}), done: make(chan struct{})}
	go w.run()
	return w
}

// Write takes one line.
func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = append(w.buf, line...)
	if len(w.buf) >= logMuch {
		w.flush()
	}
	return len(line), nil
}

// flush writes what is gathered; the lock is held. A log that cannot be written
// stops nothing.
func (w *logWriter) flush() {
	if len(w.buf) > 0 {
		_, _ = w.out.Write(w.buf)
		w.buf = w.buf[:0]
	}
}

func (w *logWriter) run() {
	defer close(w.done)
	tick := time.NewTicker(logDelay)
	defer tick.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-tick.C:
			w.mu.Lock()
			w.flush()
			w.mu.Unlock()
		}
	}
}

// Close writes the rest.
func (w *logWriter) Close() {
	w.once.Do(func() {
		close(w.stop)
		<-w.done
		w.mu.Lock()
		w.flush()
		w.mu.Unlock()
	})
}
