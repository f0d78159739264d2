package customer

import (
	"context"
	"errors"
)

// sized is a connection of so many nodes.
type sized int

func (s sized) Length() int { return int(s) }

// Resolve resolves connections of these sizes one after the other, in a request
// that may have most nodes, and reports which of them are refused.
func Resolve(most int, sizes ...int) (refused []bool) {
	p := newPages(most)
	for _, n := range sizes {
		_, err := p.resolve(context.Background(), func(context.Context) (any, error) { return sized(n), nil })
		_, much := errors.AsType[*tooMuch](err)
		refused = append(refused, much)
	}
	return refused
}

// ResolveAtOnce resolves n connections side by side, and returns how many were
// under way at most.
func ResolveAtOnce(n int) int {
	p := newPages(1)
	under, done := make(chan int), make(chan struct{})
	hold := make(chan struct{})
	for range n {
		go func() {
			_, _ = p.resolve(context.Background(), func(context.Context) (any, error) {
				under <- 1
				<-hold
				return sized(0), nil
			})
			done <- struct{}{}
		}()
	}
	for range min(n, atOnce) {
		<-under
	}
	most := len(p.busy)
	go func() {
		for range n - min(n, atOnce) {
			<-under
		}
	}()
	close(hold)
	for range n {
		<-done
	}
	return most
}
