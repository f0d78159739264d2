// Command bench answers one question: how fast are tokens, queries and readings here,
// compared with what this machine could do at all?
//
// For tokens it starts three servers as processes of their own and asks each the same
// thing, in turns: a bare net/http server (R_http), the same with a signature
// over the same bytes (R_sign), and bin/wattgate. What counts is the ratio
// between them, h = ours / R_http and s = ours / R_sign, because absolute
// figures say as much about the machine as about the program. So nothing here
// fails for being slow: it is printed whether a target was reached. A page of the
// customer API stands beside a bare server that appends the same bytes. How
// readings are stored and read says package meter.
package main

import (
	"context"
	"errors"
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
	"github.com/wattgate/wattgate/bench/meter"
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
	// Crowds are numbers of applications with which issuance is measured again,
	// at the busy numbers of connections.
	Crowds []int
	// Customers is among how many impersonation chooses; 0: it is not measured,
	// nor are introspection and the keys.
	Customers int
	// Tokens, API and Measured say which of the three are measured.
	Tokens, API, Measured bool
	Meter                 meter.Plan
}

// meterLimit is for the measurements; they take some minutes.
const meterLimit = 30 * time.Minute

// limit bounds the whole run, so that a server that hangs cannot hang us.
func (p plan) limit() time.Duration {
	windows := time.Duration(p.Rounds*len(p.Connections)*3 + 3)
	tables := time.Duration(len(p.Algorithms)*(1+len(p.Crowds)) + 3)
	pages := time.Duration(len(pageSizes)+1) * (time.Duration(2*p.Rounds+1)*p.Window + 30*time.Second)
	return 5*time.Minute + tables*(2*windows*p.Window+30*time.Second) + pages + meterLimit
}

func readPlan(args []string) (plan, error) {
	var p plan
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&p.Binary, "binary", "bin/wattgate", "our server; empty measures the bare servers alone")
	flags.IntVar(&p.Rounds, "rounds", 5, "rounds; medians are over these")
	seconds := flags.Float64("seconds", 2, "seconds for one server in one round")
	connections := flags.String("connections", "1,16,64", "numbers of connections")
	algorithms := flags.String("algorithms", "EdDSA,ES256", "signature algorithms")
	crowds := flags.String("applications", "10000,1000000", "numbers of applications with which issuance is measured again; empty: none")
	flags.IntVar(&p.Customers, "customers", 1_000_000, "customers to impersonate; 0: impersonation, introspection and keys are not measured")
	flags.BoolVar(&p.Tokens, "tokens", true, "measure tokens")
	flags.BoolVar(&p.API, "api", true, "measure the customer API")
	flags.BoolVar(&p.Measured, "meter", true, "measure how readings are stored and read")
	p.Meter = meter.Usual()
	flags.IntVar(&p.Meter.SupplyPoints, "supply-points", p.Meter.SupplyPoints, "supply points of the measurements")
	flags.IntVar(&p.Meter.Days, "days", p.Meter.Days, "days of the measurements")
	flags.IntVar(&p.Meter.Flat, "flat", p.Meter.Flat, "supply points of the town that reads are compared with; 0: none")
	flags.IntVar(&p.Meter.Reads, "reads", p.Meter.Reads, "reads of each kind")
	flags.BoolVar(&p.Meter.Peers, "others", true, "measure VictoriaMetrics and ClickHouse too, where they are installed")
	flags.StringVar(&p.JSON, "json", "", "write the report to this file too")
	if err := flags.Parse(args); err != nil {
		return plan{}, err
	}
	p.Window = time.Duration(*seconds * float64(time.Second))
	p.Algorithms = strings.Split(*algorithms, ",")
	var err error
	if p.Connections, err = numbers(*connections, 10_000); err != nil {
		return plan{}, fmt.Errorf("-connections: %w", err)
	}
	if *crowds != "" {
		if p.Crowds, err = numbers(*crowds, 10_000_000); err != nil {
			return plan{}, fmt.Errorf("-applications: %w", err)
		}
	}
	for _, algorithm := range p.Algorithms {
		if !slices.Contains([]string{"EdDSA", "ES256"}, algorithm) {
			return plan{}, fmt.Errorf("-algorithms %q: want EdDSA, ES256 or both between commas", *algorithms)
		}
	}
	if err := p.Meter.Check(); err != nil && p.Measured {
		return plan{}, fmt.Errorf("measurements: %w", err)
	}
	if p.Binary == "" {
		p.Crowds, p.Customers = nil, 0
	}
	if p.Rounds < 1 || p.Window <= 0 || p.Customers < 0 || flags.NArg() > 0 {
		return plan{}, fmt.Errorf("-rounds %d, -seconds %v, arguments %q: want at least 1, more than 0, none",
			p.Rounds, *seconds, flags.Args())
	}
	return p, nil
}

// numbers reads numbers between commas.
func numbers(text string, most int) ([]int, error) {
	var list []int
	for item := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(item)
		if err != nil || n < 1 || n > most {
			return nil, fmt.Errorf("%q: want numbers from 1 to %d between commas", text, most)
		}
		list = append(list, n)
	}
	return list, nil
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
	if p.Tokens {
		if err := r.tokens(ctx, p, out); err != nil {
			return err
		}
	}
	if p.API && p.Binary != "" {
		if r.API, err = queried(ctx, p); err != nil {
			return fmt.Errorf("customer API: %w", err)
		}
		if err := printAPI(out, r.API, r); err != nil {
			return err
		}
	}
	if p.Measured {
		if r.Meter, err = measured(ctx, p, out); err != nil {
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

// tokens measures all that is about tokens.
func (r *report) tokens(ctx context.Context, p plan, out io.Writer) error {
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
		table, err := measure(ctx, p, algorithm, "", r.Once)
		if err != nil {
			return fmt.Errorf("%s: %w", algorithm, err)
		}
		r.Tables = append(r.Tables, table)
		if err := table.print(out, *r); err != nil {
			return err
		}
	}
	show := func(t table) error {
		r.Tables = append(r.Tables, t)
		return t.print(out, *r)
	}
	return errors.Join(crowded(ctx, p, r.Once, show), doors(ctx, p, show))
}
