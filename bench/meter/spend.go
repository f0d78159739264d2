package meter

import (
	"errors"
	"os"
	"time"

	"github.com/wattgate/wattgate/bench/cost"
)

// spending is what we and a server beside us have used so far.
type spending struct {
	at      time.Time
	cpu     time.Duration
	written int64
	err     error // where the system does not say
}

// spent asks for all processes of a database: our own, and those of a server
// unless its number is 0.
func spent(server int) spending {
	s := spending{at: time.Now()}
	s.cpu, s.err = cost.CPU(os.Getpid())
	if s.err == nil {
		s.written, s.err = cost.Written(os.Getpid())
	}
	if s.err == nil && server != 0 {
		cpu, written, err := cost.Family(server)
		s.cpu, s.written, s.err = s.cpu+cpu, s.written+written, err
	}
	return s
}

// rate is what so many readings took since then.
func (s spending) rate(readings, server int) Rate {
	now := spent(server)
	r := Rate{PerSecond: float64(readings) / now.at.Sub(s.at).Seconds(), CPU: -1, Written: -1}
	if errors.Join(s.err, now.err) == nil {
		r.CPU = float64(now.cpu-s.cpu) / float64(readings)
		r.Written = float64(now.written-s.written) / float64(readings)
	}
	return r
}
