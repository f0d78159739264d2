package domain

import "time"

// Pause is a limit that somebody has reached, and how long they wait. It is
// the cause of an [Error] of the kind [Throttled]; surfaces write its figures
// into headers. What happened last is for the log and not part of the chain of
// errors: it is not the answer any more. The audit log asks for it by itself.
type Pause struct {
	Limit  string        // its name, in letters
	Quota  int           // how much is allowed at once
	Window time.Duration // in which that much comes back
	Wait   time.Duration // from now until the next try, above zero
	Err    error         // what happened last, for the operator; may be nil
}

// Error returns the operator's text.
func (p *Pause) Error() string {
	s := "over the limit " + p.Limit + " for " + p.Wait.String()
	if p.Err != nil {
		s += ": " + p.Err.Error()
	}
	return s
}
