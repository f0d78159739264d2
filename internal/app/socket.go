package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
)

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
	mask := syscall.Umask(0o177) // from its first moment the owner's alone
	l, err := net.Listen("unix", path)
	syscall.Umask(mask)
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
