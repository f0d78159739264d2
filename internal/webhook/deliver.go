package webhook

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Request is what is to be sent: a POST of JSON.
type Request struct {
	URL    string
	Header [][2]string
	Body   []byte
}

// Sender sends over HTTP: to public addresses only, within a bounded time, and
// without following redirects. It returns the status of the answer.
type Sender interface {
	Send(ctx context.Context, r Request) (status int, err error)
}

// Recorded is what a channel has recorded at one instant, as far as somebody may
// read it.
type Recorded struct {
	Property domain.PropertyID
	Changes  []domain.Change // by day
	// Cursor goes on in the feed of the property's changes behind the last of them.
	Cursor func() string
}

// Reader tells what an application may read now: the same that it would find by
// asking. What is outside its scope is [domain.NotFound].
type Reader interface {
	Recorded(ctx context.Context, caller domain.Caller, c *domain.Channel, at time.Time) (Recorded, error)
}

// Directory is the present picture of all applications.
type Directory interface{ Directory() *domain.Directory }

// The bounds of delivery.
const (
	// MaxAttempts is how often a delivery is sent before it is given up: for about
	// half a day. To an endpoint that is failing each is sent once.
	MaxAttempts = 12
	firstPause  = 2 * time.Second
	longPause   = 4 * time.Hour
	// MaxSends is how many are under way at once, one of each endpoint.
	MaxSends = 8
	// MaxDays is the most days that one event names.
	MaxDays = 200

	notesAtOnce = 200
	leaseTime   = 20 * time.Second

	keepSettled = 7 * 24 * time.Hour
	keepFailed  = 30 * 24 * time.Hour
	keepAbout   = 200 * 24 * time.Hour // longer than a secret that warns
)

// warnings are how long before a secret's end its application is told.
var warnings = []time.Duration{30 * 24 * time.Hour, 7 * 24 * time.Hour, 24 * time.Hour}

// Deliverer turns notes into deliveries and sends them. On several nodes one of
// them does, and another one goes on where it stops.
type Deliverer struct {
	Store     Store
	Reader    Reader
	Directory Directory
	Sealer    Sealer
	Sender    Sender
	Now       func() time.Time
	Chance    io.Reader
	// Holder names this node among several; empty: it is the only one.
	Holder string
	// Trouble takes what went wrong on our side.
	Trouble func(doing string, err error)

	leased time.Time // until when this node is the one
	looked time.Time // when secrets were looked at last
	swept  time.Time

	mu      sync.Mutex
	busy    map[domain.EndpointID]bool
	sending sync.WaitGroup
	counts  [4]atomic.Int64
}

// Counts are how many attempts have had which end, since the start.
type Counts struct{ Delivered, Retried, Failed, Withheld int64 }

// Counts returns the counts.
func (d *Deliverer) Counts() Counts {
	return Counts{d.counts[0].Load(), d.counts[1].Load(), d.counts[2].Load(), d.counts[3].Load()}
}

// Round does what is to be done now, and lets deliveries begin; done is called
// whenever one has ended. It reports whether there was more than it took on.
// Rounds follow each other.
func (d *Deliverer) Round(ctx context.Context, done func()) (more bool, err error) {
	if ok, err := d.lease(ctx); err != nil || !ok {
		return false, err
	}
	more, err = d.spread(ctx)
	if err != nil {
		return false, err
	}
	if err := d.secrets(ctx); err != nil {
		return false, err
	}
	if now := d.Now(); now.Sub(d.swept) >= time.Hour {
		if err := d.Store.Sweep(ctx, now.Add(-keepSettled), now.Add(-keepFailed), now.Add(-keepAbout)); err != nil {
			return false, err
		}
		d.swept = now
	}
	return more, d.begin(ctx, done)
}

// Wait returns when no delivery is under way any more.
func (d *Deliverer) Wait() { d.sending.Wait() }

// lease reports whether this node is the one that delivers.
func (d *Deliverer) lease(ctx context.Context) (bool, error) {
	now := d.Now()
	if d.Holder == "" || now.Before(d.leased.Add(-leaseTime*2/3)) {
		return true, nil
	}
	until := now.Add(leaseTime)
	ok, err := d.Store.Lease(ctx, d.Holder, now, until)
	if !ok {
		d.leased = time.Time{}
		return false, err
	}
	d.leased = until
	return true, nil
}

// caller is the application of an endpoint as it stands now; false where it may
// be told nothing at all.
func (d *Deliverer) caller(e *Endpoint) (domain.Caller, *domain.Listing, bool) {
	app := d.Directory.Directory().Application(e.Application)
	if app == nil || app.Closed || app.Partner != e.Partner || !app.Permissions.Has(domain.CanManageWebhooks) || !app.Audiences.Has(domain.AudienceCustomer) {
		return domain.Caller{}, nil, false
	}
	return domain.Caller{
		Partner: app.Partner, Client: app.ID, Permissions: app.Permissions, Audiences: app.Audiences, Reach: app.Reach,
	}, app, true
}

// spread turns notes into deliveries.
func (d *Deliverer) spread(ctx context.Context) (more bool, err error) {
	notes, err := d.Store.Notes(ctx, notesAtOnce)
	if err != nil || len(notes) == 0 {
		return false, err
	}
	endpoints := map[domain.PartnerID][]Endpoint{}
	ids := make([]int64, 0, len(notes))
	var list []Delivery
	for i := range notes {
		n := &notes[i]
		ids = append(ids, n.ID)
		partner := n.Channel.SupplyPoint.Partner
		if _, asked := endpoints[partner]; !asked {
			if endpoints[partner], err = d.Store.Listening(ctx, partner); err != nil {
				return false, err
			}
		}
		for e := range endpoints[partner] {
			told, err := d.tell(ctx, &endpoints[partner][e], n)
			if err != nil {
				return false, err
			}
			list = append(list, told...)
		}
	}
	if err := d.Store.Spread(ctx, ids, list); err != nil {
		if kindOf(err) == domain.Conflict { // another node was quicker
			d.leased = time.Time{}
			return false, nil
		}
		return false, err
	}
	return len(notes) == notesAtOnce, nil
}

// tell makes what one endpoint is told of a note.
func (d *Deliverer) tell(ctx context.Context, e *Endpoint, n *Note) (list []Delivery, err error) {
	if !e.Wants(ReadingsArrived) && !e.Wants(ReadingsRevised) || !n.RecordedAt.After(e.CreatedAt) {
		return nil, nil
	}
	caller, _, ok := d.caller(e)
	if !ok {
		return nil, nil
	}
	r, err := d.recorded(ctx, caller, &n.Channel, n.RecordedAt)
	if err != nil {
		return nil, err
	}
	for _, event := range []Event{ReadingsArrived, ReadingsRevised} {
		if !e.Wants(event) {
			continue
		}
		changes := ofEvent(r.Changes, event)
		for len(changes) > 0 {
			some := changes[:min(len(changes), MaxDays)]
			changes = changes[len(some):]
			now := d.Now()
			list = append(list, Delivery{
				ID: domain.NewDeliveryID(d.Chance), Endpoint: e.ID, Event: event, Channel: n.Channel.ID, RecordedAt: n.RecordedAt,
				First: some[0].Day, Last: some[len(some)-1].Day, CreatedAt: now, State: Waiting, NextAt: now,
			})
		}
	}
	return list, nil
}

// recorded is what the caller may read; nothing where it may not.
func (d *Deliverer) recorded(ctx context.Context, caller domain.Caller, c *domain.Channel, at time.Time) (Recorded, error) {
	if c.SupplyPoint.Property == "" {
		return Recorded{}, nil
	}
	r, err := d.Reader.Recorded(ctx, caller, c, at)
	if k := kindOf(err); err != nil && (k == domain.NotFound || k == domain.Forbidden) {
		return Recorded{}, nil
	}
	return r, err
}

// ofEvent returns the changes that an event tells of.
func ofEvent(changes []domain.Change, event Event) (list []domain.Change) {
	for _, c := range changes {
		if (c.Revision > 1) == (event == ReadingsRevised) {
			list = append(list, c)
		}
	}
	return list
}

// secrets warns of secrets whose end is near.
func (d *Deliverer) secrets(ctx context.Context) error {
	now := d.Now()
	if !d.looked.IsZero() && now.Sub(d.looked) < time.Minute {
		return nil
	}
	endpoints, err := d.Store.Listening(ctx, "")
	if err != nil {
		return err
	}
	var list []Delivery
	for i := range endpoints {
		e := &endpoints[i]
		_, app, ok := d.caller(e)
		if !ok || !e.Wants(SecretExpiring) {
			continue
		}
		for _, s := range app.Secrets {
			about, near := warning(s, now)
			if !near {
				continue
			}
			list = append(list, Delivery{
				ID: domain.NewDeliveryID(d.Chance), Endpoint: e.ID, Event: SecretExpiring, Secret: s.ID, About: about,
				CreatedAt: now, State: Waiting, NextAt: now,
			})
		}
	}
	if len(list) > 0 {
		if err := d.Store.Spread(ctx, nil, list); err != nil {
			return err
		}
	}
	d.looked = now
	return nil
}

// warning names the latest of the warnings that is due for a secret.
func warning(s domain.StoredSecret, now time.Time) (about string, near bool) {
	if s.ExpiresAt.IsZero() || !s.Live(now) || !s.RetiredAt.IsZero() {
		return "", false
	}
	for _, before := range warnings {
		if !now.Before(s.ExpiresAt.Add(-before)) {
			about, near = fmt.Sprintf("%s %d", s.ID, before/time.Hour), true
		}
	}
	return about, near
}

// begin lets deliveries begin that are due, as many as may be under way. Who was
// busy before it was asked what is due is passed over: what is known of them may
// be from before their end. Another round follows that.
func (d *Deliverer) begin(ctx context.Context, done func()) error {
	d.mu.Lock()
	busy := maps.Clone(d.busy)
	d.mu.Unlock()
	list, err := d.Store.Due(ctx, d.Now(), 4*MaxSends)
	if err != nil {
		return err
	}
	for i := range list {
		due := &list[i]
		if busy[due.Endpoint.ID] || !d.take(due.Endpoint.ID) {
			continue
		}
		d.sending.Go(func() {
			err := d.send(ctx, due)
			if err != nil && ctx.Err() == nil && d.Trouble != nil {
				d.Trouble("deliver to a web hook", err)
			}
			d.give(due.Endpoint.ID)
			if err == nil { // what fails on our side waits for the next look
				done()
			}
		})
	}
	return nil
}

// take reports whether one more may be under way.
func (d *Deliverer) take(id domain.EndpointID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.busy) >= MaxSends {
		return false
	}
	if d.busy == nil {
		d.busy = map[domain.EndpointID]bool{}
	}
	d.busy[id] = true
	return true
}

func (d *Deliverer) give(id domain.EndpointID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.busy, id)
}

// send makes one attempt and stores what came of it.
func (d *Deliverer) send(ctx context.Context, due *Due) error {
	o := Outcome{Delivery: due.Delivery, Before: due.Delivery.Attempts}
	request, told, err := d.request(ctx, due)
	if err != nil {
		return err
	}
	if !told {
		o.At = d.Now()
		o.State, o.SettledAt, o.Problem = Withheld, o.At, "the application may not read it any more"
		d.counts[3].Add(1)
		return d.Store.Settle(ctx, o)
	}
	status, err := d.Sender.Send(ctx, request)
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // nobody knows; it is sent again
	}
	d.judge(&o, due, status, err)
	// What has arrived is to be known, also where the server is about to stop.
	return d.Store.Settle(context.WithoutCancel(ctx), o)
}

// judge says what an attempt has made of a delivery.
func (d *Deliverer) judge(o *Outcome, due *Due, status int, err error) {
	o.At = d.Now()
	o.Attempts++
	o.Status, o.Problem = status, ""
	if err == nil && status >= 200 && status < 300 {
		o.State, o.SettledAt, o.Arrived = Delivered, o.At, true
		d.counts[0].Add(1)
		return
	}
	o.Problem = problem(status, err)
	if o.Attempts >= MaxAttempts || !due.Endpoint.FailingSince.IsZero() {
		o.State, o.SettledAt, o.GivenUp = Failed, o.At, true
		d.counts[2].Add(1)
		return
	}
	o.NextAt = o.At.Add(d.pause(o.Attempts))
	d.counts[1].Add(1)
}

// problem says in a few words why something has not arrived.
func problem(status int, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case status >= 300 && status < 400:
		return "the answer was a redirect, which is not followed"
	}
	return fmt.Sprintf("the answer had the status %d", status)
}

// pause is how long to wait after so many attempts: three times as long each time,
// and a fifth more or less, so that those that failed together do not come
// together.
func (d *Deliverer) pause(attempts int) time.Duration {
	p := firstPause
	for range attempts - 1 {
		p = min(3*p, longPause)
	}
	chance := d.Chance
	if chance == nil {
		chance = rand.Reader
	}
	var b [2]byte
	if _, err := io.ReadFull(chance, b[:]); err != nil {
		panic("webhook: no randomness: " + err.Error())
	}
	return p*4/5 + p*2/5*time.Duration(binary.BigEndian.Uint16(b[:]))/(1<<16)
}
