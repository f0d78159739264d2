// Package demo answers one question: how does a test reach a real server?
//
// It runs the built binary as anybody would, `wattgate demo`, and knows nothing
// of what is inside. The tests that use it are modules of their own.
package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience is how long a server or a command may take.
const patience = 60 * time.Second

var binary string

// Main runs a module's tests with the binary that WATTGATE_BINARY names or,
// without one, with one that it builds from the module two folders up.
func Main(m *testing.M) int {
	binary = os.Getenv("WATTGATE_BINARY")
	if binary != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "wattgate-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "wattgate")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", binary, "./cmd/wattgate")
	build.Dir = filepath.Join("..", "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the server: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// Server is a server that runs until its test ends.
type Server struct {
	Data string            // its data folder
	Env  map[string]string // what the demo wrote into its env file

	process *process
}

// Start runs a demo on a free port, with more flags where a test has some.
func Start(t testing.TB, flags ...string) *Server {
	t.Helper()
	dir := t.TempDir()
	s := &Server{Data: filepath.Join(dir, "data"), Env: map[string]string{}}
	file := filepath.Join(dir, "env")
	s.process = launch(t, append([]string{"demo", "--addr", "127.0.0.1:0", "--data", s.Data, "--env-file", file}, flags...)...)
	text := s.process.wait(t, file, "\n") // it is there as a whole once the server is ready
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		s.Env[name] = value
	}
	return s
}

// Serve ends the demo and serves its folder on a free port with more flags, as
// an installation of one's own: with TLS for example.
func (s *Server) Serve(t testing.TB, flags ...string) {
	t.Helper()
	s.process.stop(t)
	s.process = launch(t, append([]string{"serve", "--data", s.Data, "--listen", "127.0.0.1:0"}, flags...)...)
	for line := range strings.Lines(s.process.wait(t, s.process.log, `"msg":"serving"`)) {
		var said struct{ Msg, Auth, Customer, Support string }
		if json.Unmarshal([]byte(line), &said) == nil && said.Msg == "serving" {
			s.Env["WATTGATE_AUTH_URL"], s.Env["WATTGATE_CUSTOMER_URL"], s.Env["WATTGATE_SUPPORT_URL"] = said.Auth, said.Customer, said.Support
			s.Env["WATTGATE_GRAPHQL_URL"] = said.Customer + "/v1/graphql/"
		}
	}
}

// Run runs a command of the same binary beside the server and returns what it
// printed. It fails the test where the command fails.
func (s *Server) Run(t testing.TB, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, problems bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, append(args, "--data", s.Data)...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("wattgate %s: %v\n%s", strings.Join(args, " "), err, problems.String())
	}
	return out.String()
}

// Application creates an application of the demo's partner and returns its
// client_id and its secret, which is empty where it has none.
func (s *Server) Application(t testing.TB, flags ...string) (id, secret string) {
	t.Helper()
	var created struct {
		Application struct {
			ID string `json:"clientId"`
		} `json:"application"`
		Secret string `json:"clientSecret"`
	}
	text := s.Run(t, append([]string{"app", "create", "--partner", "Noordstroom", "-o", "json"}, flags...)...)
	if err := json.Unmarshal([]byte(text), &created); err != nil || created.Application.ID == "" {
		t.Fatalf("app create printed %s: %v", text, err)
	}
	return created.Application.ID, created.Secret
}

// Environ returns the environment of a foreign client: ours, and what the
// server wrote into its env file.
func (s *Server) Environ(more ...string) []string {
	list := append(os.Environ(), "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
	for name, value := range s.Env {
		list = append(list, name+"="+value)
	}
	return append(list, more...)
}
