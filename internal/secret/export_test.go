package secret

import "context"

// Hold takes a core, as a check does that never ends.
func (p *Passwords) Hold(ctx context.Context) error { return p.enter(ctx) }

// Release gives the core back.
func (p *Passwords) Release() { p.leave() }

// ReadPHC parses a password hash and writes it again, for the fuzzer.
func ReadPHC(s string) (string, error) {
	h, err := parsePHC(s)
	return h.String(), err
}

// CostOfPHC returns what a password hash would make us spend.
func CostOfPHC(s string) (memory, passes, threads int) {
	h, _ := parsePHC(s)
	return int(h.memory), int(h.passes), int(h.threads)
}
