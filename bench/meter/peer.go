package meter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// peer is another server, which is asked through HTTP.
type peer interface {
	name() string
	program() string
	// command prepares a folder and returns the program's arguments.
	command(folder string, port int) ([]string, error)
	health() string // a path that answers when it is ready
	create(ctx context.Context, at *running) error
	put(ctx context.Context, at *running, s *street, points, n int) error
	read(ctx context.Context, at *running, point int, from, to int64) (int, error)
	// weight is the bytes on disk once everything is there.
	weight(ctx context.Context, at *running) (int64, error)
}

const (
	startup = 20 * time.Second
	quit    = 30 * time.Second
)

// beside measures a peer that is installed.
func (r *Report) beside(ctx context.Context, p Plan, s *street, of peer, folder string) (err error) {
	path, err := exec.LookPath(of.program())
	if err != nil { // Debian keeps servers where not everybody looks
		path, err = exec.LookPath(filepath.Join("/usr/sbin", of.program()))
	}
	if err != nil {
		return fmt.Errorf("%s is not installed", of.program())
	}
	at := &running{peer: of, program: path, folder: filepath.Join(folder, of.program())}
	if err := os.Mkdir(at.folder, 0o700); err != nil {
		return err
	}
	if err := at.start(ctx); err != nil {
		return err
	}
	defer at.quit()
	if err := of.create(ctx, at); err != nil {
		return err
	}
	k, err := s.keep(ctx, p, of.name()+" (HTTP, not synchronised)", at, at.cmd.Process.Pid)
	if err == nil {
		r.Keepings = append(r.Keepings, k)
	}
	return err
}

// running is a peer with its process.
type running struct {
	peer
	program, folder string
	port            int
	cmd             *exec.Cmd
	ended           chan struct{}
	said            bytes.Buffer
}

// start starts the program on a free port and waits until it answers.
func (r *running) start(ctx context.Context) (err error) {
	if r.port, err = freePort(); err != nil {
		return err
	}
	arguments, err := r.command(r.folder, r.port)
	if err != nil {
		return err
	}
	r.said.Reset()
	r.cmd = exec.CommandContext(ctx, r.program, arguments...)
	r.cmd.Dir, r.cmd.Stdout, r.cmd.Stderr = r.folder, &r.said, &r.said
	r.cmd.Cancel = func() error { return r.cmd.Process.Signal(os.Interrupt) }
	r.cmd.WaitDelay = quit
	if err := r.cmd.Start(); err != nil {
		return err
	}
	cmd, ended := r.cmd, make(chan struct{})
	r.ended = ended
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it ends by a signal, or too early, which whoever waits for it finds out
	}()
	if err := r.ready(ctx); err != nil {
		return fmt.Errorf("it does not start: %w: %.500s", err, r.quit())
	}
	return nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

func (r *running) ready(ctx context.Context) error {
	late := time.After(startup)
	for {
		_, err := r.ask(ctx, r.health(), nil, nil)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-late:
			return err
		case <-r.ended:
			return errors.New("it ended at once")
		}
	}
}

// quit ends the process and returns what it said.
func (r *running) quit() string {
	if err := r.cmd.Process.Signal(os.Interrupt); err == nil {
		select {
		case <-r.ended:
		case <-time.After(quit):
			_ = r.cmd.Process.Kill() // it may have ended meanwhile
		}
	}
	<-r.ended
	return r.said.String()
}

func (r *running) close() error {
	r.quit()
	return nil
}

// ask sends a request, by POST where there is a body, and returns the answer.
func (r *running) ask(ctx context.Context, path string, query url.Values, body []byte) ([]byte, error) {
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	at := fmt.Sprintf("http://127.0.0.1:%d%s", r.port, path)
	if query != nil { // ClickHouse of that time knows /ping, and not /ping?
		at += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, at, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: status %d: %.300s", path, answer.StatusCode, text)
	}
	return text, err
}

func (r *running) put(ctx context.Context, s *street, points, n int) error {
	return r.peer.put(ctx, r, s, points, n)
}

func (r *running) read(ctx context.Context, point int, from, to int64) (int, error) {
	return r.peer.read(ctx, r, point, from, to)
}

func (r *running) weight(ctx context.Context) (int64, error) { return r.peer.weight(ctx, r) }

// rest ends the program, so that nothing waits in its memory, weighs its files
// and starts it again.
func (r *running) rest(ctx context.Context) (sum int64, err error) {
	r.quit()
	err = filepath.WalkDir(r.folder, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, errors.Join(err, r.start(ctx))
}
