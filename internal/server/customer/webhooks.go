package customer

import (
	"context"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/webhook"
)

// Webhooks keeps the web hooks of applications.
type Webhooks interface {
	Endpoints(ctx context.Context, caller domain.Caller) ([]webhook.Endpoint, error)
	Endpoint(ctx context.Context, caller domain.Caller, id domain.EndpointID) (webhook.Endpoint, error)
	Create(ctx context.Context, caller domain.Caller, from domain.Origin, url string, events []webhook.Event) (webhook.Endpoint, domain.Secret, error)
	Change(ctx context.Context, caller domain.Caller, from domain.Origin, id domain.EndpointID, c webhook.Change) (webhook.Endpoint, error)
	Remove(ctx context.Context, caller domain.Caller, from domain.Origin, id domain.EndpointID) error
	Test(ctx context.Context, caller domain.Caller, from domain.Origin, id domain.EndpointID) (webhook.Delivery, error)
	Replay(ctx context.Context, caller domain.Caller, from domain.Origin, id domain.EndpointID, delivery domain.DeliveryID, since time.Time) (int, error)
	Deliveries(ctx context.Context, caller domain.Caller, id domain.EndpointID, states []webhook.State, after domain.DeliveryID, n int) ([]webhook.Delivery, int, error)
}

// errNoWebhooks refuses who asks an installation that keeps none.
var errNoWebhooks = &domain.Error{Kind: domain.Unavailable, Public: "this installation keeps no web hooks"}

func (r resolvers) Webhook() graph.WebhookResolver { return hooks(r) }

type hooks resolvers

// webhooks returns who keeps them.
func (r resolvers) webhooks() (Webhooks, error) {
	if r.api.Webhooks == nil {
		return nil, errNoWebhooks
	}
	return r.api.Webhooks, nil
}

// originOf returns where the request of a context comes from, for the audit log.
func originOf(ctx context.Context) domain.Origin {
	if call, ok := ctx.Value(callKey{}).(*server.Call); ok {
		return call.Origin
	}
	return domain.Origin{}
}

// The names of events and states, in the schema and inside.
var (
	webhookEvents = map[graph.WebhookEvent]webhook.Event{
		graph.WebhookEventReadingsArrived: webhook.ReadingsArrived, graph.WebhookEventReadingsRevised: webhook.ReadingsRevised,
		graph.WebhookEventSecretExpiring: webhook.SecretExpiring, graph.WebhookEventTest: webhook.Tested,
	}
	webhookStates = map[graph.WebhookDeliveryState]webhook.State{
		graph.WebhookDeliveryStateWaiting: webhook.Waiting, graph.WebhookDeliveryStateDelivered: webhook.Delivered,
		graph.WebhookDeliveryStateFailed: webhook.Failed, graph.WebhookDeliveryStateWithheld: webhook.Withheld,
	}
)

// shownAs returns the name in the schema.
func shownAs[K ~string, V comparable](names map[K]V, inside V) K {
	for name, v := range names {
		if v == inside {
			return name
		}
	}
	return ""
}

// inside returns what names of the schema stand for.
func inside[K ~string, V any](names map[K]V, list []K) []V {
	out := make([]V, 0, len(list))
	for _, name := range list {
		out = append(out, names[name])
	}
	return out
}

func shownWebhook(e *webhook.Endpoint) *graph.Webhook {
	w := &graph.Webhook{
		ID: string(e.ID), URL: e.URL, Paused: e.Paused, FailingSince: instant(e.FailingSince), DeliveredAt: instant(e.DeliveredAt),
		CreatedAt: e.CreatedAt, ChangedAt: e.ChangedAt,
	}
	for _, event := range e.Events {
		w.Events = append(w.Events, shownAs(webhookEvents, event))
	}
	return w
}

func shownDelivery(d *webhook.Delivery) *graph.WebhookDelivery {
	shown := &graph.WebhookDelivery{
		ID: string(d.ID), Event: shownAs(webhookEvents, d.Event), State: shownAs(webhookStates, d.State), CreatedAt: d.CreatedAt,
		Attempts: d.Attempts, SettledAt: instant(d.SettledAt), Problem: optional(d.Problem),
	}
	if d.State == webhook.Waiting {
		shown.NextAttemptAt = instant(d.NextAt)
	}
	if d.Status != 0 {
		shown.Status = &d.Status
	}
	return shown
}

// instant is nil for an instant that is not there.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func endpointID(text string) (domain.EndpointID, error) {
	id, err := domain.ParseEndpointID(text)
	return id, hide(err, notYourWebhook)
}

// Webhooks resolves Query.webhooks.
func (q queries) Webhooks(ctx context.Context) ([]*graph.Webhook, error) {
	keeper, err := resolvers(q).webhooks()
	if err != nil {
		return nil, err
	}
	list, err := keeper.Endpoints(ctx, askerOf(ctx).caller)
	if err != nil {
		return nil, err
	}
	shown := make([]*graph.Webhook, 0, len(list))
	for i := range list {
		shown = append(shown, shownWebhook(&list[i]))
	}
	return shown, nil
}

// Webhook resolves Query.webhook.
func (q queries) Webhook(ctx context.Context, text string) (*graph.Webhook, error) {
	keeper, err := resolvers(q).webhooks()
	if err != nil {
		return nil, err
	}
	id, err := endpointID(text)
	if err != nil {
		return nil, err
	}
	e, err := keeper.Endpoint(ctx, askerOf(ctx).caller, id)
	if err != nil {
		return nil, hide(err, notYourWebhook)
	}
	return shownWebhook(&e), nil
}

// CreateWebhook resolves Mutation.createWebhook.
func (m mutations) CreateWebhook(ctx context.Context, input graph.CreateWebhookInput) (*graph.CreateWebhook, error) {
	keeper, err := resolvers(m).webhooks()
	if err != nil {
		return nil, err
	}
	e, key, err := keeper.Create(ctx, askerOf(ctx).caller, originOf(ctx), input.URL, inside(webhookEvents, input.Events))
	if err != nil {
		return nil, err
	}
	return &graph.CreateWebhook{Webhook: shownWebhook(&e), SigningKey: key.Reveal()}, nil
}

// UpdateWebhook resolves Mutation.updateWebhook.
func (m mutations) UpdateWebhook(ctx context.Context, input graph.UpdateWebhookInput) (*graph.UpdateWebhook, error) {
	keeper, err := resolvers(m).webhooks()
	if err != nil {
		return nil, err
	}
	id, err := endpointID(input.ID)
	if err != nil {
		return nil, err
	}
	change := webhook.Change{URL: input.URL, Paused: input.Paused}
	if input.Events != nil {
		change.Events = inside(webhookEvents, input.Events)
	}
	e, err := keeper.Change(ctx, askerOf(ctx).caller, originOf(ctx), id, change)
	if notFound(err) {
		return nil, hide(err, notYourWebhook)
	}
	if err != nil {
		return nil, err
	}
	return &graph.UpdateWebhook{Webhook: shownWebhook(&e)}, nil
}

// DeleteWebhook resolves Mutation.deleteWebhook.
func (m mutations) DeleteWebhook(ctx context.Context, input graph.DeleteWebhookInput) (*graph.DeleteWebhook, error) {
	keeper, err := resolvers(m).webhooks()
	if err != nil {
		return nil, err
	}
	id, err := endpointID(input.ID)
	if err != nil {
		return nil, err
	}
	if err := keeper.Remove(ctx, askerOf(ctx).caller, originOf(ctx), id); err != nil {
		return nil, hide(err, notYourWebhook)
	}
	return &graph.DeleteWebhook{ID: string(id)}, nil
}

// TestWebhook resolves Mutation.testWebhook.
func (m mutations) TestWebhook(ctx context.Context, input graph.TestWebhookInput) (*graph.TestWebhook, error) {
	keeper, err := resolvers(m).webhooks()
	if err != nil {
		return nil, err
	}
	id, err := endpointID(input.ID)
	if err != nil {
		return nil, err
	}
	d, err := keeper.Test(ctx, askerOf(ctx).caller, originOf(ctx), id)
	if err != nil {
		return nil, hide(err, notYourWebhook)
	}
	return &graph.TestWebhook{Delivery: shownDelivery(&d)}, nil
}

// ReplayWebhook resolves Mutation.replayWebhook.
func (m mutations) ReplayWebhook(ctx context.Context, input graph.ReplayWebhookInput) (*graph.ReplayWebhook, error) {
	keeper, err := resolvers(m).webhooks()
	if err != nil {
		return nil, err
	}
	id, err := endpointID(input.ID)
	if err != nil {
		return nil, err
	}
	var delivery domain.DeliveryID
	var since time.Time
	if input.DeliveryID != nil {
		if delivery, err = domain.ParseDeliveryID(*input.DeliveryID); err != nil {
			return nil, hide(err, notYourWebhook)
		}
	}
	if input.Since != nil {
		since = *input.Since
	}
	n, err := keeper.Replay(ctx, askerOf(ctx).caller, originOf(ctx), id, delivery, since)
	if err != nil {
		return nil, hide(err, notYourWebhook)
	}
	return &graph.ReplayWebhook{Count: n}, nil
}

// defaultDeliveries is how many deliveries a page has where nobody says.
const defaultDeliveries = 20

// Deliveries resolves Webhook.deliveries.
func (h hooks) Deliveries(ctx context.Context, obj *graph.Webhook, states []graph.WebhookDeliveryState, first *int, after *string) (*graph.WebhookDeliveryConnection, error) {
	keeper, err := resolvers(h).webhooks()
	if err != nil {
		return nil, err
	}
	n := defaultDeliveries
	if first != nil {
		n = *first
	}
	if n < 0 || n > webhook.MaxDeliveries {
		return nil, &domain.Error{Kind: domain.Invalid, Public: "first is not from 0 to 100"}
	}
	var from domain.DeliveryID
	if after != nil && *after != "" {
		if from, err = domain.ParseDeliveryID(*after); err != nil {
			return nil, hide(err, notYourWebhook)
		}
	}
	// One more than are shown tells whether any follows.
	list, total, err := keeper.Deliveries(ctx, askerOf(ctx).caller, domain.EndpointID(obj.ID), inside(webhookStates, slices.Clone(states)), from, n+1)
	if err != nil {
		return nil, hide(err, notYourWebhook)
	}
	more := len(list) > n
	list = list[:min(len(list), n)]
	c := &graph.WebhookDeliveryConnection{
		PageInfo: &graph.PageInfo{HasNextPage: more, HasPreviousPage: from != ""}, Edges: []*graph.WebhookDeliveryEdge{},
		TotalCount: total, EdgeCount: len(list),
	}
	for i := range list {
		c.Edges = append(c.Edges, &graph.WebhookDeliveryEdge{Node: shownDelivery(&list[i]), Cursor: string(list[i].ID)})
	}
	if len(list) > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Edges[0].Cursor, &c.Edges[len(list)-1].Cursor
	}
	return c, nil
}
