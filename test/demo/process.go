package demo

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is a running server.
type process struct {
	cmd     *exec.Cmd
	log     string // the file with all that it says
	ended   chan error
	stopped bool
}

// launch starts the binary. It is stopped when the test ends, at the latest.
func launch(t testing.TB, args ...string) *process {
	t.Helper()
	p := &process{log: filepath.Join(t.TempDir(), "log"), ended: make(chan error, 1), cmd: exec.Command(binary, args...)}
	out, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close() // the process has its own
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(func() {
		p.stop(t)
		if text, err := os.ReadFile(p.log); err == nil && t.Failed() {
			t.Logf("the server's last words:\n%s", text[max(0, len(text)-2<<10):])
		}
	})
	return p
}

// wait returns a file's content once it has the given text.
func (p *process) wait(t testing.TB, file, want string) string {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for {
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), want) && strings.HasSuffix(string(text), "\n") {
			return string(text)
		}
		select {
		case err := <-p.ended:
			p.stopped = true
			t.Fatalf("the server ended before it was ready: %v", err)
		case <-deadline:
			t.Fatalf("the server was not ready within %v", patience)
		case <-tick.C:
		}
	}
}

// stop ends the server as a service manager does, and demands that it ends well.
func (p *process) stop(t testing.TB) {
	t.Helper()
	if p.stopped {
		return
	}
	p.stopped = true
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case err := <-p.ended:
		if err != nil {
			t.Errorf("the server ended with %v", err)
		}
	case <-time.After(patience):
		t.Errorf("the server did not stop within %v", patience)
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}
