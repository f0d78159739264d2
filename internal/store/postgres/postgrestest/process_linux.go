package postgrestest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strconv"
	"syscall"
)

// owner is whom the server runs as, because PostgreSQL refuses root; nil: as us.
func owner() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("%w: it refuses root, and there is no user postgres", errAbsent)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// giveAway makes a folder the server's.
func giveAway(dir string) error {
	who, err := owner()
	if err != nil || who == nil {
		return err
	}
	return os.Chown(dir, int(who.Uid), int(who.Gid))
}

// command is a program that runs as the server's user, in a folder that it may
// read, and does not outlive us.
func command(dir, path string, arguments ...string) (*exec.Cmd, error) {
	who, err := owner()
	if err != nil {
		return nil, err
	}
	c := exec.Command(path, arguments...)
	c.Dir = dir
	c.Env = append(os.Environ(), "LC_ALL=C", "HOME="+dir)
	c.SysProcAttr = &syscall.SysProcAttr{Credential: who, Pdeathsig: syscall.SIGQUIT}
	return c, nil
}

// process is a server that runs.
type process struct {
	running *os.Process
	ended   chan struct{}
}

// launch starts a server. The signal at our death comes with the end of the
// thread that started it, so that this thread is kept for as long.
func launch(c *exec.Cmd) (*process, error) {
	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(ended)
		err := c.Start()
		started <- err
		if err == nil {
			_ = c.Wait() // it ends by a signal, or too early, which whoever waits for it finds out
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return &process{running: c.Process, ended: ended}, nil
}

// end ends it at once (an immediate shutdown) and waits for it.
func (p *process) end() {
	if err := p.running.Signal(syscall.SIGQUIT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		_ = p.running.Kill() // nothing more can be done
	}
	<-p.ended
}
