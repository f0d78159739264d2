package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Admin is how the command line works on an installation: through the admin
// socket of a live server, or on the data folder itself where none is running.
// A verb has taken effect when Do returns.
type Admin struct {
	transport http.RoundTripper
	close     func() error
}

// Dial finds the installation in the configured data folder. open opens it
// where no server is running.
func Dial(c *Config, open func() (*App, error)) (*Admin, error) {
	socket, release, err := socketPath(c.Data)
	if err == nil {
		defer release()
		conn, err := net.DialTimeout("unix", socket, time.Second)
		if err == nil {
			_ = conn.Close()
			return &Admin{transport: socketTransport(c.Data), close: func() error { return nil }}, nil
		}
	}
	if _, err := os.Stat(filepath.Join(c.Data, databaseName)); err != nil {
		return nil, &domain.Error{Kind: domain.NotFound, Public: fmt.Sprintf("%s holds no installation; `wattgate serve --data %s` makes one", c.Data, c.Data)}
	}
	a, err := open()
	if err != nil {
		return nil, err
	}
	return &Admin{transport: local{a.adminHandler(newMetrics())}, close: func() error { return a.Close(context.Background()) }}, nil
}

// Close lets go of the installation.
func (a *Admin) Close() error { return a.close() }

// Do runs a verb: in and out are its argument and its result as JSON values.
func (a *Admin) Do(ctx context.Context, verb string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := a.post(ctx, "/verb/"+verb, bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return err
	}
	defer func() { _ = answer.Close() }()
	return json.NewDecoder(answer).Decode(out)
}

// Import takes in a file; progress is told how many of its bytes have been
// worked through, twice: the file is checked first and stored then.
func (a *Admin) Import(ctx context.Context, in ImportRequest, content io.Reader, size int64, progress func(done int64)) (ImportReport, error) {
	head, err := json.Marshal(in)
	if err != nil {
		return ImportReport{}, err
	}
	head = append(head, '\n')
	answer, err := a.post(ctx, "/import", io.MultiReader(bytes.NewReader(head), content), int64(len(head))+size)
	if err != nil {
		return ImportReport{}, err
	}
	defer func() { _ = answer.Close() }()
	lines := json.NewDecoder(answer)
	for {
		var line importLine
		if err := lines.Decode(&line); err != nil {
			return ImportReport{}, fmt.Errorf("the server stopped in the middle; nothing of the file is stored: %w", err)
		}
		switch {
		case line.Error != nil:
			return ImportReport{}, line.Error.err()
		case line.Report != nil:
			return *line.Report, nil
		case progress != nil:
			progress(line.Done)
		}
	}
}

func (a *Admin) post(ctx context.Context, path string, body io.Reader, size int64) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://wattgate"+path, body)
	if err != nil {
		return nil, err
	}
	r.ContentLength = size
	answer, err := a.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusOK {
		return answer.Body, nil
	}
	defer func() { _ = answer.Body.Close() }()
	var problem adminProblem
	if err := json.NewDecoder(answer.Body).Decode(&problem); err != nil {
		return nil, fmt.Errorf("the admin socket answered %s", answer.Status)
	}
	return nil, problem.err()
}

// adminProblem is an error as it goes through the admin socket. The operator is
// told everything.
type adminProblem struct {
	Kind domain.Kind `json:"kind"`
	Text string      `json:"error"`
}

func problemOf(err error) *adminProblem {
	p := &adminProblem{Text: err.Error()}
	if d, ok := errors.AsType[*domain.Error](err); ok {
		p.Kind = d.Kind
	}
	return p
}

func (p *adminProblem) err() error { return &domain.Error{Kind: p.Kind, Public: p.Text} }

// adminHandler answers the admin socket: verbs, imports and metrics. Whoever
// can open the socket owns the installation, as the file's mode says.
func (a *App) adminHandler(m *metrics) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.handler())
	mux.HandleFunc("POST /import", a.answerImport)
	mux.HandleFunc("POST /verb/{verb}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("verb")
		verb, known := verbs[name]
		if !known {
			refuseAdmin(w, &domain.Error{Kind: domain.NotFound, Public: "this server does not know the verb " + name})
			return
		}
		in, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			refuseAdmin(w, err)
			return
		}
		out, err := verb(r.Context(), a, in)
		if err != nil {
			a.log.Info("admin", "verb", name, "error", err.Error())
			refuseAdmin(w, err)
			return
		}
		a.log.Info("admin", "verb", name)
		_ = json.NewEncoder(w).Encode(out) // nobody is left to tell
	})
	return mux
}

func refuseAdmin(w http.ResponseWriter, err error) {
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(problemOf(err)) // nobody is left to tell
}

// listenAdmin opens the admin socket, which only the owner can use.
func (a *App) listenAdmin() (net.Listener, error) {
	path, release, err := socketPath(a.Config.Data)
	if err != nil {
		return nil, err
	}
	defer release()
	// The lock on the folder is ours, so a socket that is still there is dead.
	if err := os.Remove(filepath.Join(a.Config.Data, socketName)); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	if err := os.Chmod(filepath.Join(a.Config.Data, socketName), 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	return &removingListener{l, filepath.Join(a.Config.Data, socketName)}, nil
}

// removingListener removes the socket's file by its own name at the end.
type removingListener struct {
	net.Listener
	path string
}

// Close closes the socket and removes its file.
func (l *removingListener) Close() error {
	_ = os.Remove(l.path)
	return l.Listener.Close()
}

// socketPath returns a name of the admin socket that fits into the 107 bytes
// that a socket's address may have: folders can lie deeper than that.
func socketPath(dir string) (path string, release func(), err error) {
	path = filepath.Join(dir, socketName)
	if len(path) < 100 {
		return path, func() {}, nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), socketName), func() { _ = f.Close() }, nil
}

// socketTransport speaks HTTP over the admin socket.
func socketTransport(dir string) http.RoundTripper {
	return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		path, release, err := socketPath(dir)
		if err != nil {
			return nil, err
		}
		defer release()
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
}

// local answers requests in this process, so that a verb is one piece of code
// whether a server is running or not.
type local struct{ handler http.Handler }

// RoundTrip runs the handler beside the caller, who reads what it writes.
func (l local) RoundTrip(r *http.Request) (*http.Response, error) {
	pr, pw := io.Pipe()
	w := &pipeWriter{pipe: pw, head: http.Header{}, ready: make(chan struct{})}
	go func() {
		l.handler.ServeHTTP(w, r)
		w.WriteHeader(http.StatusOK)
		_ = pw.Close() // never fails
	}()
	<-w.ready
	return &http.Response{StatusCode: w.status, Status: http.StatusText(w.status), Header: w.head, Body: pr, Request: r}, nil
}

type pipeWriter struct {
	pipe   *io.PipeWriter
	head   http.Header
	status int
	ready  chan struct{}
}

// Header returns the answer's headers.
func (w *pipeWriter) Header() http.Header { return w.head }

// WriteHeader lets the caller go on.
func (w *pipeWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		close(w.ready)
	}
}

// Write hands a part of the body over.
func (w *pipeWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.pipe.Write(b)
}

// Flush has nothing to do: a pipe keeps nothing back.
func (w *pipeWriter) Flush() {}
