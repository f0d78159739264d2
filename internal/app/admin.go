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
	if err == nil && trusted(c.Data) == nil {
		defer release()
		conn, err := net.DialTimeout("unix", socket, time.Second)
		if err == nil {
			_ = conn.Close()
			return &Admin{transport: socketTransport(c.Data), close: func() error { return nil }}, nil
		}
	}
	begun := databaseName
	if c.Database != "" {
		begun = keyFileName
	}
	if _, err := os.Stat(filepath.Join(c.Data, begun)); err != nil {
		return nil, &domain.Error{Kind: domain.NotFound, Public: fmt.Sprintf("%s holds no installation; `wattgate serve --data %s` makes one", c.Data, c.Data)}
	}
	a, err := open()
	if err != nil {
		return nil, err
	}
	return &Admin{transport: local{a.adminHandler(newMeasures())}, close: func() error { return a.Close(context.Background()) }}, nil
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
// told the cause too, unless the mistake is the operator's own.
type adminProblem struct {
	Kind domain.Kind `json:"kind"`
	Text string      `json:"error"`
}

func problemOf(err error) *adminProblem {
	p := &adminProblem{Text: err.Error()}
	if d, ok := errors.AsType[*domain.Error](err); ok {
		p.Kind = d.Kind
		if d.Kind != domain.Internal && d.Kind != domain.Unavailable && d.Public != "" {
			p.Text = d.Public
		}
	}
	return p
}

// kindOf returns the kind of an error for the log.
func kindOf(err error) string { return problemOf(err).Kind.String() }

func (p *adminProblem) err() error { return &domain.Error{Kind: p.Kind, Public: p.Text} }

// adminHandler answers the admin socket: verbs, imports, metrics and health. Whoever
// can open the socket owns the installation, as the file's mode says.
func (a *App) adminHandler(m *measures) http.Handler {
	mux := a.operator(m)
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
			a.log.Info("admin", "verb", name, "refused", kindOf(err)) // the text may quote what was typed
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
