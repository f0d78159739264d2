// Command bench answers one question: how fast are tokens here, compared with
// what this machine could do at all?
//
// It starts three servers as processes of their own and asks each the same
// thing, in turns: a bare net/http server (R_http), the same with a signature
// over the same bytes (R_sign), and bin/wattgate. What counts is the ratio
// between them, h = ours / R_http and s = ours / R_sign, because absolute
// figures say as much about the machine as about the program. So nothing here
// fails for being slow: it is printed whether a target was reached.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wattgate/wattgate/bench/bare"
)

// bareCommand is the hidden first argument of the processes that this program
// starts of itself.
const bareCommand = "bare-server"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) == 2 && os.Args[1] == bareCommand {
		// The terminal's Ctrl-C reaches us too; the end of the input is our sign.
		exit(bare.Serve(context.Background(), os.Stdin, os.Stdout))
		return
	}
	exit(run(ctx, os.Args[1:], os.Stdout))
}

func exit(err error) {
	if err == nil || err == flag.ErrHelp {
		return
	}
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(1)
}

// plan is what is measured, as the flags say it.
type plan struct {
	Binary      string // empty: the bare servers alone
	Rounds      int
	Window      time.Duration // of one server in one round
	Connections []int
	Algorithms  []string
	JSON        string // where to write the report too; empty: nowhere
}

// limit bounds the whole run, so that a server that hangs cannot hang us.
func (p plan) limit() time.Duration {
	windows := time.Duration(p.Rounds*len(p.Connections)*3 + 3)
	return 2*time.Minute + time.Duration(len(p.Algorithms))*(2*windows*p.Window+30*time.Second)
}

func readPlan(args []string) (plan, error) {
	var p plan
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&p.Binary, "binary", "bin/wattgate", "our server; empty measures the bare servers alone")
	flags.IntVar(&p.Rounds, "rounds", 5, "rounds; medians are over these")
	seconds := flags.Float64("seconds", 2, "seconds for one server in one round")
	connections := flags.String("connections", "1,16,64", "numbers of connections")
	algorithms := flags.String("algorithms", "EdDSA,ES256", "signature algorithms")
	flags.StringVar(&p.JSON, "json", "", "write the report to this file too")
	if err := flags.Parse(args); err != nil {
		return plan{}, err
	}
	p.Window = time.Duration(*seconds * float64(time.Second))
	p.Algorithms = strings.Split(*algorithms, ",")
	for text := range strings.SplitSeq(*connections, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 10_000 {
			return plan{}, fmt.Errorf("-connections %q: want numbers from 1 to 10000 between commas", *connections)
		}
		p.Connections = append(p.Connections, n)
	}
	for _, algorithm := range p.Algorithms {
		if !slices.Contains([]string{"EdDSA", "ES256"}, algorithm) {
			return plan{}, fmt.Errorf("-algorithms %q: want EdDSA, ES256 or both between commas", *algorithms)
		}
	}
	if p.Rounds < 1 || p.Window <= 0 || flags.NArg() > 0 {
		return plan{}, fmt.Errorf("-rounds %d, -seconds %v, arguments %q: want at least 1, more than 0, none",
			p.Rounds, *seconds, flags.Args())
	}
	return p, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	p, err := readPlan(args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, p.limit())
	defer cancel()

	r := report{Machine: thisMachine(), Rounds: p.Rounds, Seconds: p.Window.Seconds()}
	fmt.Fprintln(out, r.Machine)
	if p.Binary != "" {
		if _, err := os.Stat(p.Binary); err != nil {
			return fmt.Errorf("-binary: %w (make bench builds it)", err)
		}
		once, err := measureOnce(ctx, p.Binary)
		if err != nil {
			return err
		}
		r.Once = &once
	}
	for _, algorithm := range p.Algorithms {
		table, err := measure(ctx, p, algorithm, r.Once)
		if err != nil {
			return fmt.Errorf("%s: %w", algorithm, err)
		}
		r.Tables = append(r.Tables, table)
		if err := table.print(out, r); err != nil {
			return err
		}
	}
	r.judge()
	if err := r.printEnd(out); err != nil {
		return err
	}
	if p.JSON == "" {
		return nil
	}
	return r.write(p.JSON)
}
