package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/wattgate/wattgate/bench/cost"
	"github.com/wattgate/wattgate/bench/load"
)

// starts is how often the start is measured.
const starts = 5

// once is what is measured of our server one time, not once in every round.
type once struct {
	BinaryBytes int64
	FreshStart  spread // milliseconds from exec to the first token; keys and data are made
	KnownStart  spread // the same with a data folder that exists
	IdleBytes   int64  // resident, two seconds after the start; 0: not available
	AfterLoad   int64  // resident, after the load; 0: not available
}

func measureOnce(ctx context.Context, binary string) (once, error) {
	info, err := os.Stat(binary)
	if err != nil {
		return once{}, err
	}
	o := once{BinaryBytes: info.Size()}
	if o.FreshStart, err = measureStarts(ctx, binary, ""); err != nil {
		return once{}, err
	}
	data, err := os.MkdirTemp("", "wattgate-bench-data-")
	if err != nil {
		return once{}, err
	}
	defer os.RemoveAll(data)
	if _, err := firstToken(ctx, binary, data); err != nil { // makes the folder
		return once{}, err
	}
	o.KnownStart, err = measureStarts(ctx, binary, data)
	return o, err
}

func measureStarts(ctx context.Context, binary, data string) (spread, error) {
	var took []float64
	for range starts {
		d, err := firstToken(ctx, binary, data)
		if err != nil {
			return spread{}, err
		}
		took = append(took, milliseconds(d))
	}
	return spreadOf(took), nil
}

// firstToken is the time from the start of the program to the first token.
func firstToken(ctx context.Context, binary, data string) (time.Duration, error) {
	begin := time.Now()
	p, err := startOurs(ctx, binary, "EdDSA", data)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	pool, err := load.Open(ctx, p.Target, 1) // asks for a token and reads it
	if err != nil {
		return 0, err
	}
	took := time.Since(begin)
	pool.Close()
	return took, nil
}

// resident is the memory of a process in bytes, 0 where the system does not say.
func resident(p *process) int64 {
	bytes, err := cost.Resident(p.pid)
	if err != nil {
		return 0
	}
	return bytes
}

// pause waits without a load.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (o once) String() string {
	return fmt.Sprintf("binary %.1f MB; start to first token %s ms, with an existing data folder %s ms; "+
		"resident %s idle, %s after the load", float64(o.BinaryBytes)/1e6,
		o.FreshStart.text("%.0f"), o.KnownStart.text("%.0f"), mebibytes(o.IdleBytes), mebibytes(o.AfterLoad))
}

func mebibytes(n int64) string {
	if n == 0 {
		return "(not available)"
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
