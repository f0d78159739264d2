package app

import (
	"context"
	"sync"
	"time"

	"github.com/wattgate/wattgate/internal/intake"
)

// news tells whoever follows it that something may be new: after each intake of
// this node, and of the others where there are any. It says nothing of what it
// is; that is read from the store.
type news struct {
	mu        sync.Mutex
	followers map[chan struct{}]struct{}
	others    chan struct{} // has something where other nodes are to hear of it
}

func newNews() *news {
	return &news{followers: map[chan struct{}]struct{}{}, others: make(chan struct{}, 1)}
}

// Follow returns a channel that has something whenever anything may be new, and
// what ends that.
func (n *news) Follow() (<-chan struct{}, func()) {
	told := make(chan struct{}, 1)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.followers[told] = struct{}{}
	return told, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.followers, told)
	}
}

// hear tells all followers. Nobody waits for them.
func (n *news) hear() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for told := range n.followers {
		poke(told)
	}
}

// tell is hear for what this node has done: the others are to hear of it.
func (n *news) tell() {
	poke(n.others)
	n.hear()
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // there is something already
	}
}

// toldIntake is the store of an importer whose transactions are news.
type toldIntake struct {
	intake.Store
	news *news
}

// TakeIn tells of what was taken in, once it is durable.
func (t toldIntake) TakeIn(ctx context.Context, f func(intake.Tx) error) error {
	err := t.Store.TakeIn(ctx, f)
	if err == nil {
		t.news.tell()
	}
	return err
}

// newsPause is at least how long between two notices to other nodes.
const newsPause = 50 * time.Millisecond

// spreadNews tells the other nodes, and hears of them, until ctx ends. A notice is
// sent after the intake and apart from it: part of its transaction it would make
// those of all nodes wait for each other. One that is lost is made up for by
// looking from time to time.
func (a *App) spreadNews(ctx context.Context) error {
	if a.nodes.engine == nil {
		return nil
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = a.nodes.engine.ListenReadings(ctx, a.news.hear) // its error is that of ctx
	}()
	defer func() { <-done }()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-pause.C:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-a.news.others:
		}
		if err := a.nodes.engine.TellReadings(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("tell the other nodes of readings", "error", err.Error())
		}
		pause.Reset(newsPause)
	}
}
