package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/wattgate/wattgate/bench/bare"
	"github.com/wattgate/wattgate/bench/load"
)

// grace is how long a server may take to start and to stop.
const grace = 10 * time.Second

// process is a server that runs beside us, and what it is asked.
type process struct {
	load.Target
	env   map[string]string // of ours: what the demo wrote down
	pid   int
	ended <-chan struct{}
	end   func() // asks it to end, then makes it
	err   error  // how it ended; valid after ended
}

// stop ends the server and waits until it is gone.
func (p *process) stop() {
	p.end()
	<-p.ended
}

// launch starts cmd. Its context ends it with an interrupt, and by force after
// the grace.
func launch(ctx context.Context, name string, args ...string) (context.CancelFunc, *exec.Cmd) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = grace
	cmd.Cancel = func() error {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			return cmd.Process.Kill() // Windows has no interrupt to send
		}
		return nil
	}
	return cancel, cmd
}

// watch owns the wait for a process that has been started; it releases what
// launch has made when the process is gone.
func watch(cmd *exec.Cmd, release context.CancelFunc, end func()) *process {
	ended := make(chan struct{})
	p := &process{pid: cmd.Process.Pid, ended: ended, end: end}
	go func() {
		p.err = cmd.Wait()
		release()
		close(ended)
	}()
	return p
}

// startBare starts one of the two yardsticks of tokens. Without a shape it does
// not sign.
func startBare(ctx context.Context, shape *bare.Shape, request []byte) (*process, error) {
	return startYardstick(ctx, bare.Order{Shape: shape}, load.Target{Request: request})
}

// startYardstick starts a yardstick: this very program, with the hidden argument.
// The target gets its address.
func startYardstick(ctx context.Context, what bare.Order, target load.Target) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cancel, cmd := launch(ctx, self, bareCommand)
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		cancel()
		return nil, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	timer := time.AfterFunc(grace, cancel) // a server that says nothing ends, and its output with it
	address, err := order(in, out, what)
	timer.Stop()
	p := watch(cmd, cancel, func() {
		in.Close() // its sign to end
		time.AfterFunc(grace, cancel)
	})
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("bare server: %w", err)
	}
	p.Target, p.Address = target, address
	return p, nil
}

func order(in io.Writer, out io.Reader, what bare.Order) (string, error) {
	if err := json.NewEncoder(in).Encode(what); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	return strings.TrimSpace(line), err
}

// startOurs starts wattgate's demo and waits until it has written down where
// it listens and who may ask. data is its folder; empty leaves it to the demo.
// Its output, a line of log for every request among it, goes to the null
// device: written like in production, and kept by nobody.
func startOurs(ctx context.Context, binary, algorithm, data string) (*process, error) {
	room, err := os.MkdirTemp("", "wattgate-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(room) // the file has been read by then
	file := filepath.Join(room, "env")
	args := []string{"demo", "--addr", "127.0.0.1:0", "--token-alg", algorithm, "--env-file", file}
	if data != "" {
		args = append(args, "--data", data)
	}
	cancel, cmd := launch(ctx, binary, args...)
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	p := watch(cmd, cancel, cancel)
	text, err := p.await(file)
	if err == nil {
		p.env = parseEnv(string(text))
		p.Target, err = target(p.env)
	}
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	return p, nil
}

// await looks for a file every millisecond while the process lives.
func (p *process) await(file string) ([]byte, error) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(grace)
	for {
		text, err := os.ReadFile(file)
		if err == nil {
			return text, nil
		}
		select {
		case <-tick.C:
		case <-late:
			return nil, fmt.Errorf("no --env-file within %v", grace)
		case <-p.ended:
			return nil, fmt.Errorf("it ended without having written its --env-file: %w", p.err)
		}
	}
}

// parseEnv reads lines of NAME=value, as a shell would for simple values.
func parseEnv(text string) map[string]string {
	env := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		name = strings.TrimSpace(strings.TrimPrefix(name, "export "))
		if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		}
		env[name] = value
	}
	return env
}

// target is the token endpoint, asked with the demo's partner credentials.
func target(env map[string]string) (load.Target, error) {
	at, address, err := authHost(env)
	if err != nil {
		return load.Target{}, err
	}
	return load.Target{
		Address: address,
		Request: tokenRequest(at.Host, at.Path, env["PARTNER_CLIENT_ID"], env["PARTNER_CLIENT_SECRET"]),
	}, nil
}

// authHost is the public URL of the auth host, and where to dial.
func authHost(env map[string]string) (at *url.URL, address string, err error) {
	at, err = url.Parse(env["WATTGATE_AUTH_URL"])
	if err != nil || at.Scheme != "http" || at.Port() == "" {
		return nil, "", fmt.Errorf("WATTGATE_AUTH_URL %q: want http://host:port", env["WATTGATE_AUTH_URL"])
	}
	host := at.Hostname()
	if host == "localhost" || strings.HasSuffix(host, ".localhost") { // RFC 6761 §6.3
		host = "127.0.0.1"
	}
	return at, net.JoinHostPort(host, at.Port()), nil
}

// tokenRequest renders the request of E13 and E11 with its body as a form
// (RFC 6749 §4.4.2).
func tokenRequest(host, path, id, secret string) []byte {
	body := "grant_type=client_credentials&scope=openid+offline&client_id=" + url.QueryEscape(id) +
		"&client_secret=" + url.QueryEscape(secret)
	return fmt.Appendf(nil, "POST %s/oauth2/token HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
		strings.TrimSuffix(path, "/"), host, len(body), body)
}
