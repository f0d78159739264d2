package webhook

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
)

// The bounds: endpoints of an application, and deliveries in one page.
const (
	MaxEndpoints  = 20
	MaxDeliveries = 100
)

// Sealer encrypts signing keys at rest, under the name of what they are for.
type Sealer interface {
	Seal(name string, plain []byte) ([]byte, error)
	Open(name string, sealed []byte) ([]byte, error)
}

// Manager keeps the endpoints of applications.
type Manager struct {
	Store    Store
	Sealer   Sealer
	Networks Networks
	Now      func() time.Time
	Chance   io.Reader
	// Wake is called when there is something to deliver; nil: nobody waits.
	Wake func()
}

// owner returns whose endpoints the caller may manage: those of its own
// application, and nobody who speaks for a user may.
func (m *Manager) owner(caller domain.Caller) (Owner, error) {
	err := authz.Check(caller, authz.Permit{Need: domain.CanManageWebhooks})
	if err == nil && (caller.Client == "" || caller.User != "") {
		err = &domain.Error{Kind: domain.Forbidden, Public: "only an application itself manages its web hooks"}
	}
	return Owner{caller.Partner, caller.Client}, err
}

func (m *Manager) entry(caller domain.Caller, from domain.Origin, action string, id domain.EndpointID, detail string) domain.Entry {
	now := m.Now()
	return domain.Entry{
		ID: domain.NewEntryID(now, m.Chance), At: now, Action: action, Partner: caller.Partner, Client: caller.Client, Object: string(id),
		By: domain.CanManageWebhooks.String(), RequestID: from.RequestID, Address: from.Address, Detail: detail,
	}
}

// Endpoints lists the caller's endpoints, oldest first.
func (m *Manager) Endpoints(ctx context.Context, caller domain.Caller) ([]Endpoint, error) {
	owner, err := m.owner(caller)
	if err != nil {
		return nil, err
	}
	return m.Store.Endpoints(ctx, owner)
}

// Endpoint finds an endpoint of the caller's.
func (m *Manager) Endpoint(ctx context.Context, caller domain.Caller, id domain.EndpointID) (Endpoint, error) {
	owner, err := m.owner(caller)
	if err != nil {
		return Endpoint{}, err
	}
	return m.Store.FindEndpoint(ctx, owner, id)
}

// Create makes an endpoint and the key that its deliveries are signed with, which
// is told this once.
func (m *Manager) Create(ctx context.Context, caller domain.Caller, from domain.Origin, url string, events []Event) (Endpoint, domain.Secret, error) {
	owner, err := m.owner(caller)
	if err != nil {
		return Endpoint{}, domain.Secret{}, err
	}
	if url, err = m.Networks.ParseURL(url); err != nil {
		return Endpoint{}, domain.Secret{}, err
	}
	if events, err = orderly(events); err != nil {
		return Endpoint{}, domain.Secret{}, err
	}
	now := m.Now()
	chance := m.Chance
	if chance == nil {
		chance = rand.Reader
	}
	e := Endpoint{
		ID: domain.NewEndpointID(m.Chance), Application: owner.Application, Partner: owner.Partner, URL: url, Events: events,
		CreatedAt: now, ChangedAt: now,
	}
	key := newKey(chance)
	if e.Key, err = m.Sealer.Seal(sealName(e.ID), []byte(key.Reveal())); err != nil {
		return Endpoint{}, domain.Secret{}, &domain.Error{Kind: domain.Internal, Err: fmt.Errorf("seal the key of a web hook: %w", err)}
	}
	if err := m.Store.AddEndpoint(ctx, e, MaxEndpoints, m.entry(caller, from, "webhook.create", e.ID, "")); err != nil {
		return Endpoint{}, domain.Secret{}, err
	}
	m.wake()
	return e, key, nil
}

// Change is what is to be another one of an endpoint; nil: it stays.
type Change struct {
	URL    *string
	Events []Event
	Paused *bool
}

// Change changes an endpoint. One that is not paused any more counts as well
// until a delivery is given up again.
func (m *Manager) Change(ctx context.Context, caller domain.Caller, from domain.Origin, id domain.EndpointID, c Change) (Endpoint, error) {
	owner, err := m.owner(caller)
	if err != nil {
		return Endpoint{}, err
	}
	var url string
	if c.URL != nil {
		if url, err = m.Networks.ParseURL(*c.URL); err != nil {
			return Endpoint{}, err
		}
	}
	events := c.Events
	if events != nil {
		if events, err = orderly(events); err != nil {
			return Endpoint{}, err
		}
	}
	e, err := m.Store.ChangeEndpoint(ctx, owner, id, func(e *Endpoint) error {
		if c.URL != nil {
			e.URL = url
		}
		if events != nil {
			e.Events = events
		}
		if c.Paused != nil {
			if e.Paused && !*c.Paused {
				e.FailingSince = time.Time{}
			}
			e.Paused = *c.Paused
		}
		e.ChangedAt = m.Now()
		return nil
	}, m.entry(caller, from, "webhook.update", id, ""))
	if err == nil {
		m.wake()
	}
	return e, err
}

// Remove removes an endpoint. What it was to be told yet, it is not told.
func (m *Manager) Remove(ctx context.Context, caller domain.Caller, from domain.Origin, id domain.EndpointID) error {
	owner, err := m.owner(caller)
	if err != nil {
		return err
	}
	return m.Store.RemoveEndpoint(ctx, owner, id, m.entry(caller, from, "webhook.delete", id, ""))
}

// Test sends an endpoint an event that says nothing else.
func (m *Manager) Test(ctx context.Context, caller domain.Caller, from domain.Origin, id domain.EndpointID) (Delivery, error) {
	owner, err := m.owner(caller)
	if err != nil {
		return Delivery{}, err
	}
	now := m.Now()
	d := Delivery{ID: domain.NewDeliveryID(m.Chance), Endpoint: id, Event: Tested, CreatedAt: now, State: Waiting, NextAt: now}
	if err := m.Store.AddDelivery(ctx, owner, d, m.entry(caller, from, "webhook.test", id, "")); err != nil {
		return Delivery{}, err
	}
	m.wake()
	return d, nil
}

// Replay sends a delivery again, whatever became of it; without one, all that
// failed and are of the instant since or later. It returns how many those are.
func (m *Manager) Replay(ctx context.Context, caller domain.Caller, from domain.Origin, id domain.EndpointID, delivery domain.DeliveryID, since time.Time) (int, error) {
	owner, err := m.owner(caller)
	if err != nil {
		return 0, err
	}
	n, err := m.Store.Replay(ctx, owner, id, delivery, since, m.Now(), m.entry(caller, from, "webhook.replay", id, string(delivery)))
	if err == nil && n > 0 {
		m.wake()
	}
	return n, err
}

// Deliveries lists up to n deliveries of an endpoint, newest first, behind the
// one named after, and counts all of them.
func (m *Manager) Deliveries(ctx context.Context, caller domain.Caller, id domain.EndpointID, states []State, after domain.DeliveryID, n int) ([]Delivery, int, error) {
	owner, err := m.owner(caller)
	if err != nil {
		return nil, 0, err
	}
	if n < 0 || n > MaxDeliveries+1 { // one more than a page has, to see whether any follows
		return nil, 0, invalid("first is %d: want 0 to %d", n, MaxDeliveries)
	}
	return m.Store.Deliveries(ctx, owner, id, states, after, n)
}

func (m *Manager) wake() {
	if m.Wake != nil {
		m.Wake()
	}
}

// orderly puts events into their order, each once.
func orderly(events []Event) ([]Event, error) {
	var list []Event
	for _, e := range Events() {
		if slices.Contains(events, e) {
			list = append(list, e)
		}
	}
	for _, e := range events {
		if !slices.Contains(list, e) {
			return nil, invalid("%s is not an event", domain.Quote(string(e)))
		}
	}
	if len(list) == 0 {
		return nil, invalid("name at least one event")
	}
	return list, nil
}

func invalid(format string, args ...any) error {
	return &domain.Error{Kind: domain.Invalid, Public: fmt.Sprintf(format, args...)}
}

func kindOf(err error) domain.Kind {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok {
		return domain.Internal
	}
	return e.Kind
}
