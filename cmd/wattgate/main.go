// Command wattgate is the whole product: the server, its administration and
// the tools of those who use it.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], world{
		now: time.Now, in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv,
	})
	stop()
	os.Exit(code)
}

// world is what the command line gets from outside.
type world struct {
	now func() time.Time
	in  io.Reader
	out io.Writer
	err io.Writer
	env func(string) (string, bool)
}

// run runs one command and returns its exit code.
func run(ctx context.Context, args []string, w world) int {
	// Most of what a token costs is garbage that dies at once; a few more
	// megabytes of it between collections save a tenth of the time.
	if _, set := w.env("GOGC"); !set {
		debug.SetGCPercent(400)
	}
	root := rootCommand(w)
	root.SetArgs(args)
	root.SetIn(w.in)
	root.SetOut(w.out)
	root.SetErr(w.err)
	if err := root.ExecuteContext(ctx); err != nil {
		return explain(w.err, err)
	}
	return 0
}
