package customer

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/throttle"
)

// Points are how many points each kind of caller may spend in an hour; 0: any
// number. A request costs 1 point, and 1 for each 100 nodes begun.
type Points struct{ User, Organisation, Application int }

// MaxPoints is the most that a kind of caller can be given.
const MaxPoints = 100_000_000

// ledger keeps what callers have spent. It is each node's own.
type ledger struct {
	now                             func() time.Time
	user, organisation, application *throttle.Limiter // nil: without a limit
}

// accountsKept is how many callers are remembered of each kind.
const accountsKept = 1 << 14

func newLedger(p Points, now func() time.Time) *ledger {
	limiter := func(n int) *throttle.Limiter {
		if n <= 0 {
			return nil
		}
		n = min(n, MaxPoints)
		return throttle.New(throttle.Limit{Burst: n, Every: time.Hour / time.Duration(n)}, accountsKept)
	}
	return &ledger{now: now, user: limiter(p.User), organisation: limiter(p.Organisation), application: limiter(p.Application)}
}

// account is where one caller's points are kept; without a limiter they are not
// counted.
type account struct {
	*throttle.Limiter
	key throttle.Key
}

// of returns a caller's account. A customer has one with each application that
// they use; who acts as customers spends of the application's own, or each
// customer would bring an allowance along.
func (l *ledger) of(c domain.Caller) account {
	limiter, user := l.application, domain.UserID("")
	switch {
	case c.User != "" && !c.Impersonated():
		limiter, user = l.user, c.User
	case c.Own:
		limiter = l.organisation
	}
	if limiter == nil {
		return account{}
	}
	return account{limiter, limiter.Key(string(c.Client), []byte(string(c.Partner)+"\n"+string(user)+"\n"+string(c.Staff)))}
}

// cost is what a request costs that brings so many nodes.
func cost(nodes int) int { return 1 + (nodes+99)/100 }

// charge takes the points of a request before it is executed, for all the nodes
// that it may bring.
func (l *ledger) charge(who *asker, nodes int) error {
	if who.err != nil {
		return nil // what is open to everybody has no nodes
	}
	if who.points = l.of(who.caller); who.points.Limiter == nil {
		return nil
	}
	left, wait := who.points.Spend(who.points.key, cost(nodes), l.now())
	who.left = left
	if wait > 0 {
		limit := who.points.Limit()
		return &domain.Error{Kind: domain.Throttled, Public: "the hour's points are used up", Err: &domain.Pause{
			Limit: "points", Quota: limit.Burst, Window: time.Hour, Wait: wait,
		}}
	}
	return nil
}

// settle gives back what was charged for nodes that did not come, and takes what
// is there for nodes that nobody foresaw: those of connections in lists.
func (l *ledger) settle(who *asker, nodes int) {
	if who.points.Limiter == nil {
		return
	}
	switch back := cost(nodes) - cost(who.pages.nodes()); {
	case back > 0:
		who.left = who.points.Refund(who.points.key, back, l.now())
	case back < 0:
		who.left, _ = who.points.Spend(who.points.key, min(-back, who.left), l.now())
	}
}

// write says what a caller has left, in the fields of the IETF's draft
// (draft-ietf-httpapi-ratelimit-headers §3, §4).
func (l *ledger) write(h http.Header, who *asker) {
	if who.points.Limiter == nil {
		return
	}
	limit := who.points.Limit()
	_, whole := who.points.Left(who.points.key, l.now())
	h.Set("RateLimit-Policy", `"points";q=`+strconv.Itoa(limit.Burst)+`;w=3600`)
	h.Set("RateLimit", `"points";r=`+strconv.Itoa(who.left)+`;t=`+strconv.Itoa(seconds(whole.Sub(l.now()))))
}

// seconds rounds up: who comes back in time must not be early.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// pages are the connections that a request was given.
type pages struct {
	most int // nodes
	busy chan struct{}

	mu   sync.Mutex
	list []any
}

// atOnce is how many connections of one request are resolved at once.
const atOnce = 4

func newPages(most int) pages { return pages{most: most, busy: make(chan struct{}, atOnce)} }

// resolve resolves a connection, unless there is enough already: how long a list
// is that connections are in, nobody knows before.
func (p *pages) resolve(ctx context.Context, next graphql.Resolver) (any, error) {
	if p.busy != nil {
		select {
		case p.busy <- struct{}{}:
			defer func() { <-p.busy }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if n := p.nodes(); n > p.most {
			return nil, &tooMuch{tooManyNodes, fmt.Sprintf("at most %d in one request: ask for a smaller page, or for less beside it", p.most)}
		}
	}
	connection, err := next(ctx)
	if err == nil {
		p.add(connection)
	}
	return connection, err
}

// add notes a connection, or a list that costs what one does.
func (p *pages) add(connection any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, connection)
}

// nodes counts what they hold.
func (p *pages) nodes() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, connection := range p.list {
		n += length(connection)
	}
	return n
}

// length is how many edges a connection has. One that is written in a way of
// its own tells by itself.
func length(connection any) int {
	if own, ok := connection.(interface{ Length() int }); ok {
		return own.Length()
	}
	v := reflect.Indirect(reflect.ValueOf(connection))
	if v.Kind() != reflect.Struct {
		return 0
	}
	if edges := v.FieldByName("Edges"); edges.Kind() == reflect.Slice {
		return edges.Len()
	}
	return 0
}
