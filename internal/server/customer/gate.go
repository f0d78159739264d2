package customer

import (
	"fmt"
	"sync"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// gate counts what takes long: so many of it are inside at once, of which so many
// of one partner and so many of one application, so that nobody keeps the others
// out.
type gate struct {
	things            string // their name, in the plural
	most, partner, of int
	retry             time.Duration

	mu  sync.Mutex
	all int
	in  map[string]int // by what is counted apart
}

// enter lets one in before anything is read, and returns what lets it out.
func (g *gate) enter(caller domain.Caller) (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	partner, application := "partner "+string(caller.Partner), "application "+string(caller.Client)
	if caller.Client == "" { // an account user by themself
		application = "user " + string(caller.User)
	}
	switch {
	case g.in[application] >= g.of:
		return nil, g.full(g.of, fmt.Sprintf("this application has %d %s under way; come again after one of them", g.of, g.things))
	case g.in[partner] >= g.partner:
		return nil, g.full(g.partner, fmt.Sprintf("this partner has %d %s under way; come again after one of them", g.partner, g.things))
	case g.all >= g.most:
		return nil, g.full(g.most, fmt.Sprintf("too many %s are under way; try again", g.things))
	}
	if g.in == nil {
		g.in = map[string]int{}
	}
	g.count(1, partner, application)
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.count(-1, partner, application)
	}, nil
}

func (g *gate) count(n int, names ...string) {
	g.all += n
	for _, name := range names {
		if g.in[name] += n; g.in[name] == 0 {
			delete(g.in, name)
		}
	}
}

func (g *gate) full(quota int, sentence string) error {
	pause := &domain.Pause{Limit: g.things, Quota: quota, Window: g.retry, Wait: g.retry}
	return &domain.Error{Kind: domain.Throttled, Public: sentence, Err: pause}
}
