//go:build !linux

package postgrestest

import (
	"os"
	"os/exec"
)

func giveAway(string) error { return nil }

// command is a program in a folder.
func command(dir, path string, arguments ...string) (*exec.Cmd, error) {
	c := exec.Command(path, arguments...)
	c.Dir = dir
	c.Env = append(os.Environ(), "LC_ALL=C", "HOME="+dir)
	return c, nil
}

// process is a server that runs.
type process struct {
	running *os.Process
	ended   chan struct{}
}

func launch(c *exec.Cmd) (*process, error) {
	if err := c.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Wait() // it ends by a signal, or too early, which whoever waits for it finds out
	}()
	return &process{running: c.Process, ended: ended}, nil
}

// end ends it at once and waits for it.
func (p *process) end() {
	_ = p.running.Kill() // it may be gone
	<-p.ended
}
