package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/webhook"
)

func (h house) owner() webhook.Owner {
	return webhook.Owner{Partner: h.partner.ID, Application: h.app.ID}
}

// listens adds an endpoint of a house's application.
func (w *world) listens(t *testing.T, h house, id string) webhook.Endpoint {
	t.Helper()
	e := webhook.Endpoint{
		ID: domain.EndpointID("whk_" + id), Application: h.app.ID, Partner: h.partner.ID, URL: "https://example.com/" + id,
		Events: webhook.Events(), Key: []byte("sealed " + id), CreatedAt: past, ChangedAt: past,
	}
	must(t, w.AddEndpoint(t.Context(), e, 3, w.entry("webhook.create")))
	return e
}

func delivery(e webhook.Endpoint, id string) webhook.Delivery {
	return webhook.Delivery{
		ID: domain.DeliveryID("evt_" + id), Endpoint: e.ID, Event: webhook.Tested, CreatedAt: past, State: webhook.Waiting, NextAt: past,
	}
}

func (w *world) deliveries(t *testing.T, h house, e webhook.Endpoint, states ...webhook.State) (ids []string) {
	t.Helper()
	list, total, err := w.Deliveries(t.Context(), h.owner(), e.ID, states, "", 100)
	must(t, err)
	equal(t, "number of deliveries", len(list), total)
	for _, d := range list {
		ids = append(ids, string(d.ID))
	}
	return ids
}

func (w *world) due(t *testing.T, now time.Time) (ids []string) {
	t.Helper()
	list, err := w.Due(t.Context(), now, 10)
	must(t, err)
	for _, d := range list {
		ids = append(ids, string(d.Delivery.ID))
	}
	return ids
}

var webhooks = []promise{
	{"an endpoint of another partner, or of another application, is not found", func(t *testing.T, w *world) {
		ctx := t.Context()
		e := w.listens(t, w.alpha, "alpha")
		d := delivery(e, "one")
		must(t, w.AddDelivery(ctx, w.alpha.owner(), d, w.entry("webhook.test")))
		sibling := w.alpha.app
		sibling.ID, sibling.Name = "app_sibling", "sibling"
		must(t, w.AddApplication(ctx, sibling, nil, w.entry("application.create")))
		before := len(w.all(t))
		for name, owner := range map[string]webhook.Owner{
			"another partner":                        w.beta.owner(),
			"another application of the partner":     {Partner: w.alpha.partner.ID, Application: sibling.ID},
			"the application under another partner":  {Partner: w.beta.partner.ID, Application: w.alpha.app.ID},
			"the partner, and another's application": {Partner: w.alpha.partner.ID, Application: w.beta.app.ID},
			"nobody":                                 {},
		} {
			for doing, ask := range map[string]func(id domain.EndpointID) error{
				"find": func(id domain.EndpointID) error { _, err := w.FindEndpoint(ctx, owner, id); return err },
				"change": func(id domain.EndpointID) error {
					_, err := w.ChangeEndpoint(ctx, owner, id, func(e *webhook.Endpoint) error { e.URL = "https://evil.example"; return nil }, w.entry("webhook.update"))
					return err
				},
				"remove": func(id domain.EndpointID) error {
					return w.RemoveEndpoint(ctx, owner, id, w.entry("webhook.delete"))
				},
				"list deliveries": func(id domain.EndpointID) error {
					_, _, err := w.Deliveries(ctx, owner, id, nil, "", 10)
					return err
				},
				"add a delivery": func(id domain.EndpointID) error {
					d := delivery(e, "two")
					d.Endpoint = id
					return w.AddDelivery(ctx, owner, d, w.entry("webhook.test"))
				},
				"replay": func(id domain.EndpointID) error {
					_, err := w.Replay(ctx, owner, id, d.ID, past, future, w.entry("webhook.replay"))
					return err
				},
			} {
				alike(t, name+": to "+doing, ask(e.ID), ask("whk_unknown"))
			}
			list, err := w.Endpoints(ctx, owner)
			must(t, err)
			equal(t, "endpoints of "+name, len(list), 0)
		}
		w.unchanged(t, before)
		got, err := w.FindEndpoint(ctx, w.alpha.owner(), e.ID)
		must(t, err)
		equal(t, "the endpoint", got, e)
		equal(t, "its deliveries", w.deliveries(t, w.alpha, e), []string{"evt_one"})

		foreign := e
		foreign.ID, foreign.Partner = "whk_foreign", w.beta.partner.ID
		refused(t, "an endpoint for another partner's application", w.AddEndpoint(ctx, foreign, 3, w.entry("webhook.create")), domain.NotFound)
		b := w.listens(t, w.beta, "beta")
		must(t, w.AddDelivery(ctx, w.beta.owner(), delivery(b, "beta"), w.entry("webhook.test")))
		_, err = w.Replay(ctx, w.alpha.owner(), e.ID, "evt_beta", past, future, w.entry("webhook.replay"))
		_, unknown := w.Replay(ctx, w.alpha.owner(), e.ID, "evt_unknown", past, future, w.entry("webhook.replay"))
		alike(t, "to replay a delivery", err, unknown)
		_, _, err = w.Deliveries(ctx, w.alpha.owner(), e.ID, nil, "evt_beta", 10)
		_, _, unknown = w.Deliveries(ctx, w.alpha.owner(), e.ID, nil, "evt_unknown", 10)
		alike(t, "deliveries behind one", err, unknown)
		listening, err := w.Listening(ctx, w.beta.partner.ID)
		must(t, err)
		equal(t, "who listens to beta", listening, []webhook.Endpoint{b})
	}},
	{"endpoints are kept as they are, so many and no more", func(t *testing.T, w *world) {
		ctx := t.Context()
		one, two := w.listens(t, w.alpha, "one"), w.listens(t, w.alpha, "two")
		list, err := w.Endpoints(ctx, w.alpha.owner())
		must(t, err)
		equal(t, "endpoints", list, []webhook.Endpoint{one, two})
		three := w.listens(t, w.alpha, "three")
		four := three
		four.ID = "whk_four"
		refused(t, "one too many", w.AddEndpoint(ctx, four, 3, w.entry("webhook.create")), domain.Conflict)
		one.URL, one.Events, one.Paused, one.ChangedAt = "https://example.org", []webhook.Event{webhook.SecretExpiring}, true, future
		got, err := w.ChangeEndpoint(ctx, w.alpha.owner(), one.ID, func(e *webhook.Endpoint) error {
			e.URL, e.Events, e.Paused, e.ChangedAt = one.URL, one.Events, true, future
			return nil
		}, w.entry("webhook.update"))
		must(t, err)
		equal(t, "the changed one", got, one)
		_, err = w.ChangeEndpoint(ctx, w.alpha.owner(), one.ID, func(e *webhook.Endpoint) error { e.URL = "no"; return errNo }, w.entry("webhook.update"))
		if err != errNo { //nolint:errorlint // it must be the very same
			t.Errorf("a change that fails: got the error %v, want %v", err, errNo)
		}
		must(t, w.RemoveEndpoint(ctx, w.alpha.owner(), two.ID, w.entry("webhook.delete")))
		list, err = w.Listening(ctx, "")
		must(t, err)
		equal(t, "who is left", list, []webhook.Endpoint{one, three})
	}},
	{"what is recorded is noted where anybody of the partner listens, with it or not at all", func(t *testing.T, w *world) {
		ctx := t.Context()
		w.put(t, w.alpha.channel.ID, "before anybody listens", firstDay)
		e := w.listens(t, w.alpha, "alpha")
		err := w.TakeIn(ctx, func(tx intake.Tx) error {
			if err := tx.PutDay(w.alpha.channel.ID, domain.Day{Date: firstDay + 1, Data: []byte("x")}, domain.Provenance{Source: "s"}); err != nil {
				return err
			}
			return errNo
		})
		if err != errNo { //nolint:errorlint // it must be the very same
			t.Errorf("an intake that fails: got the error %v, want %v", err, errNo)
		}
		w.put(t, w.beta.channel.ID, "nobody of beta listens", firstDay)
		notes, err := w.Notes(ctx, 10)
		must(t, err)
		equal(t, "number of notes before", len(notes), 0)
		w.put(t, w.alpha.channel.ID, "one", firstDay, firstDay+1)
		w.put(t, w.alpha.channel.ID, "two", firstDay)
		notes, err = w.Notes(ctx, 10)
		must(t, err)
		equal(t, "number of notes", len(notes), 2)
		for i, days := range [][]domain.Date{{firstDay, firstDay + 1}, {firstDay}} {
			equal(t, "the channel", notes[i].Channel, w.alpha.channel)
			changes, err := w.Changes(ctx, w.alpha.channel.ID, domain.Change{RecordedAt: notes[i].RecordedAt.Add(-time.Microsecond), Day: 1 << 30}, len(days))
			must(t, err)
			for k, c := range changes {
				equal(t, "the instant", c.RecordedAt, notes[i].RecordedAt)
				equal(t, "the day", c.Day, days[k])
			}
		}
		must(t, w.Spread(ctx, []int64{notes[0].ID}, []webhook.Delivery{delivery(e, "one")}))
		refused(t, "to tell of it twice", w.Spread(ctx, []int64{notes[1].ID, notes[0].ID}, []webhook.Delivery{delivery(e, "two")}), domain.Conflict)
		left, err := w.Notes(ctx, 10)
		must(t, err)
		equal(t, "notes that are left", left, notes[1:])
		equal(t, "deliveries", w.deliveries(t, w.alpha, e), []string{"evt_one"})
	}},
	{"nobody is told of the same twice, nor where the endpoint is gone", func(t *testing.T, w *world) {
		e := w.listens(t, w.alpha, "alpha")
		one, two, gone := delivery(e, "one"), delivery(e, "two"), delivery(e, "gone")
		one.Secret, one.About, two.Secret, two.About, gone.Endpoint = "sec_a", "sec_a 24", "sec_a", "sec_a 24", "whk_gone"
		must(t, w.Spread(t.Context(), nil, []webhook.Delivery{one, two, gone, delivery(e, "three")}))
		equal(t, "deliveries", w.deliveries(t, w.alpha, e), []string{"evt_three", "evt_one"})
		list, _, err := w.Deliveries(t.Context(), w.alpha.owner(), e.ID, nil, "evt_three", 1)
		must(t, err)
		one.N = list[0].N
		equal(t, "the delivery", list[0], one)
	}},
	{"each endpoint gets one after the other, and waits for the oldest", func(t *testing.T, w *world) {
		ctx := t.Context()
		a, b := w.listens(t, w.alpha, "alpha"), w.listens(t, w.beta, "beta")
		readings := delivery(a, "a1")
		readings.Event, readings.Channel, readings.RecordedAt, readings.First, readings.Last = webhook.ReadingsArrived, w.alpha.channel.ID, past, firstDay, firstDay+3
		later := delivery(b, "b1")
		later.NextAt = past.Add(time.Minute)
		must(t, w.Spread(ctx, nil, []webhook.Delivery{readings, delivery(a, "a2"), later, delivery(b, "b2")}))
		equal(t, "due", w.due(t, past), []string{"evt_a1"})
		equal(t, "due later", w.due(t, past.Add(time.Minute)), []string{"evt_a1", "evt_b1"})
		list, err := w.Due(ctx, past, 10)
		must(t, err)
		readings.N = list[0].Delivery.N
		equal(t, "what is due", list, []webhook.Due{{Endpoint: a, Delivery: readings, Channel: w.alpha.channel}})

		o := webhook.Outcome{Delivery: readings, At: past.Add(time.Second)}
		o.Attempts, o.NextAt, o.Status, o.Problem = 1, past.Add(2*time.Minute), 500, "the answer had the status 500"
		must(t, w.Settle(ctx, o))
		equal(t, "due while the oldest waits", w.due(t, past.Add(time.Minute)), []string{"evt_b1"})
		stale := o
		stale.State = webhook.Failed
		must(t, w.Settle(ctx, stale)) // by somebody who has not seen the first attempt
		equal(t, "failed", w.deliveries(t, w.alpha, a, webhook.Failed), []string(nil))

		o.Before, o.Attempts, o.State, o.SettledAt, o.At, o.GivenUp = 1, 2, webhook.Failed, past.Add(time.Hour), past.Add(time.Hour), true
		must(t, w.Settle(ctx, o))
		got, err := w.FindEndpoint(ctx, w.alpha.owner(), a.ID)
		must(t, err)
		equal(t, "failing since", got.FailingSince, past.Add(time.Hour))
		equal(t, "due behind it", w.due(t, past), []string{"evt_a2"})
		next, err := w.Due(ctx, past, 1)
		must(t, err)
		good := webhook.Outcome{Delivery: next[0].Delivery, At: future, Arrived: true}
		good.Attempts, good.State, good.SettledAt, good.Status = 1, webhook.Delivered, future, 204
		must(t, w.Settle(ctx, good))
		got, err = w.FindEndpoint(ctx, w.alpha.owner(), a.ID)
		must(t, err)
		equal(t, "failing since", got.FailingSince, time.Time{})
		equal(t, "arrived at", got.DeliveredAt, future)
		equal(t, "settled", w.deliveries(t, w.alpha, a, webhook.Failed, webhook.Delivered), []string{"evt_a2", "evt_a1"})

		_, err = w.ChangeEndpoint(ctx, w.beta.owner(), b.ID, func(e *webhook.Endpoint) error { e.Paused = true; return nil }, w.entry("webhook.update"))
		must(t, err)
		equal(t, "due while paused", w.due(t, future), []string(nil))
	}},
	{"what failed is sent again on request", func(t *testing.T, w *world) {
		ctx := t.Context()
		e := w.listens(t, w.alpha, "alpha")
		var list []webhook.Delivery
		for i, state := range []webhook.State{webhook.Failed, webhook.Failed, webhook.Delivered, webhook.Withheld, webhook.Waiting} {
			d := delivery(e, fmt.Sprint(i))
			d.State, d.CreatedAt, d.Attempts, d.Status, d.Problem = state, past.Add(time.Duration(i)*time.Hour), 12, 500, "no"
			list = append(list, d)
		}
		must(t, w.Spread(ctx, nil, list))
		replay := func(id domain.DeliveryID, since time.Time) int {
			n, err := w.Replay(ctx, w.alpha.owner(), e.ID, id, since, future, w.entry("webhook.replay"))
			must(t, err)
			return n
		}
		equal(t, "since the second", replay("", past.Add(time.Hour)), 1)
		equal(t, "the delivered one", replay("evt_2", time.Time{}), 1)
		equal(t, "one that waits", replay("evt_4", time.Time{}), 0)
		equal(t, "waiting", w.deliveries(t, w.alpha, e, webhook.Waiting), []string{"evt_4", "evt_2", "evt_1"})
		got, _, err := w.Deliveries(ctx, w.alpha.owner(), e.ID, nil, "evt_2", 1)
		must(t, err)
		equal(t, "begun anew", []any{got[0].Attempts, got[0].Status, got[0].Problem, got[0].NextAt}, []any{0, 0, "", future})
	}},
	{"one holder has the lease at a time", func(t *testing.T, w *world) {
		lease := func(holder string, now time.Time) bool {
			ok, err := w.Lease(t.Context(), holder, now, now.Add(time.Minute))
			must(t, err)
			return ok
		}
		equal(t, "the first", lease("a", past), true)
		equal(t, "another", lease("b", past.Add(59*time.Second)), false)
		equal(t, "the first again", lease("a", past.Add(59*time.Second)), true)
		equal(t, "another, a minute after the first time", lease("b", past.Add(time.Minute)), false)
		equal(t, "another, after the end", lease("b", past.Add(2*time.Minute)), true)
		equal(t, "the first, then", lease("a", past.Add(2*time.Minute)), false)
	}},
	{"what is old is removed, but for what must not be told twice", func(t *testing.T, w *world) {
		e := w.listens(t, w.alpha, "alpha")
		settled, failed := delivery(e, "settled"), delivery(e, "failed")
		settled.State, settled.SettledAt = webhook.Delivered, past
		failed.State, failed.SettledAt = webhook.Failed, past
		about := settled
		about.ID, about.About = "evt_about", "sec_a 24"
		must(t, w.Spread(t.Context(), nil, []webhook.Delivery{settled, failed, about, delivery(e, "waiting")}))
		day := func(n int) time.Time { return past.AddDate(0, 0, n) }
		must(t, w.Sweep(t.Context(), day(0), day(0), day(0)))
		equal(t, "nothing is older", len(w.deliveries(t, w.alpha, e)), 4)
		must(t, w.Sweep(t.Context(), day(1), day(-10), day(-10)))
		equal(t, "settled ones gone", w.deliveries(t, w.alpha, e), []string{"evt_waiting", "evt_about", "evt_failed"})
		must(t, w.Sweep(t.Context(), day(1), day(1), day(-10)))
		equal(t, "failed ones gone", w.deliveries(t, w.alpha, e), []string{"evt_about"})
		must(t, w.Sweep(t.Context(), day(1), day(1), day(1)))
		equal(t, "all gone", w.deliveries(t, w.alpha, e), []string(nil))
	}},
}
