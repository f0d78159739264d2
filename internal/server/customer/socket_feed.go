package customer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/usage"
)

// envelope is a message of the protocol.
type envelope struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
}

// take does what a message asks for. It reports whether that was one.
func (s *socket) take(data []byte) bool {
	var m envelope
	if unmarshal(data, &m) != nil {
		return false
	}
	switch m.Type {
	case "connection_init":
		authorization, ok := authorizationOf(m.Payload)
		if ok {
			s.init(authorization)
		}
		return ok
	case "ping":
		_ = s.write([]byte(`{"type":"pong"}`)) // reading finds out
	case "pong":
	case "subscribe":
		if m.ID == "" || len(m.ID) > maxID {
			return false
		}
		s.subscribe(m.ID, m.Payload)
	case "complete":
		s.drop(m.ID)
	default:
		return false
	}
	return true
}

// authorizationOf reads the token from what a client says first: the member
// Authorization, in any case. There may be none.
func authorizationOf(payload json.RawMessage) (value string, ok bool) {
	if len(payload) == 0 || string(payload) == "null" {
		return "", true
	}
	var members map[string]json.RawMessage
	if unmarshal(payload, &members) != nil {
		return "", false
	}
	for name, raw := range members {
		if !strings.EqualFold(name, "Authorization") || string(raw) == "null" {
			continue
		}
		if value != "" || unmarshal(raw, &value) != nil {
			return "", false // twice, or no text
		}
	}
	return value, true
}

// feed is one subscription: what follows a cursor in a property's changes.
type feed struct {
	socket   *socket
	id       string
	params   *graphql.RawParams
	document *prepared
	property domain.PropertyID
	cursor   string
	cancel   context.CancelFunc
	ctx      context.Context
}

// subscribe begins a subscription, or says why not.
func (s *socket) subscribe(id string, payload json.RawMessage) {
	if s.holder() == nil {
		s.close(closeUnknown, "Unauthorized")
		return
	}
	s.mu.Lock()
	_, taken := s.feeds[id]
	number := len(s.feeds)
	s.mu.Unlock()
	if taken {
		s.close(closeTwice, reason(&domain.Error{Public: "Subscriber for " + id + " already exists"}))
		return
	}
	f := &feed{socket: s, id: id}
	f.ctx, f.cancel = context.WithCancel(s.ctx)
	if errs := f.prepare(payload, number); len(errs) > 0 {
		f.cancel()
		s.refuse(id, errs)
		return
	}
	s.mu.Lock()
	s.feeds[id] = f
	s.total++
	s.mu.Unlock()
	s.host.Sockets.feeds.Add(1)
	s.running.Go(func() {
		defer s.host.Sockets.feeds.Add(-1)
		defer f.cancel()
		defer func() {
			if v := recover(); v != nil {
				f.fail(panicked(v))
			}
		}()
		f.run()
	})
}

// drop ends a subscription, because the client says so or by itself.
func (s *socket) drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.feeds[id]
	if f == nil {
		return
	}
	f.cancel()
	delete(s.feeds, id)
	if len(s.feeds) == 0 {
		s.idle = s.host.Sockets.Now()
	}
}

// refuse tells why a subscription does not begin, or ends.
func (s *socket) refuse(id string, errs gqlerror.List) {
	var body bytes.Buffer
	appendErrors(&body, errs)
	list := bytes.TrimPrefix(body.Bytes(), []byte(`"errors":`))
	_ = s.write(messageOf("error", id, list)) // reading finds out
}

func messageOf(kind, id string, payload []byte) []byte {
	name, _ := json.Marshal(id) // a text always marshals
	b := append(make([]byte, 0, len(payload)+len(name)+40), `{"id":`...)
	b = append(append(append(b, name...), `,"type":"`...), kind...)
	if payload != nil {
		b = append(append(b, `","payload":`...), payload...)
		return append(b, '}')
	}
	return append(b, `"}`...)
}

// asker returns who asks one thing over this connection now.
func (s *socket) asker(caller domain.Caller) *asker {
	return &asker{caller: caller, address: s.call.Origin.Address, tell: func(err error) { note(s.request.WithContext(s.ctx), err) }}
}

// prepare reads what is asked for. number is how many subscriptions there are.
func (f *feed) prepare(payload json.RawMessage, number int) gqlerror.List {
	s, api := f.socket, f.socket.host.api
	params, refused := decode(payload)
	if refused != nil {
		return gqlerror.List{api.write(nil, invalidInput, refused.sentence, nil)}
	}
	f.params = params
	caller, err := s.host.standing(s.holder())
	who := s.asker(caller)
	ctx, cancel := context.WithTimeout(context.WithValue(f.ctx, askerKey{}, who), deadline)
	defer cancel()
	if err == nil {
		err = s.may(caller, number)
	}
	if err != nil {
		return gqlerror.List{api.presentRequest(ctx, err)}
	}
	errs := api.prepare(ctx, who, params, false)
	if len(errs) == 0 && who.kind != ast.Subscription {
		errs = []error{&tooMuch{invalidInput, "a connection is for subscriptions: send queries and mutations by POST"}}
	}
	if len(errs) > 0 {
		return api.refusal(ctx, errs).Errors
	}
	f.document = who.document
	ctx = graphql.StartOperationTrace(ctx)
	op, list := api.exec.CreateOperationContext(ctx, params)
	if list != nil {
		return api.exec.DispatchError(graphql.WithOperationContext(ctx, op), list).Errors
	}
	if err := f.arguments(graphql.WithOperationContext(ctx, op), op); err != nil {
		return api.refusal(ctx, []error{err}).Errors
	}
	return nil
}

// may refuses who subscribes to too much.
func (s *socket) may(caller domain.Caller, number int) error {
	if number >= maxFeeds {
		return &domain.Error{Kind: domain.Throttled, Public: "too many subscriptions in one connection"}
	}
	sockets := s.host.Sockets
	if sockets.feeds.Load() >= maxAllFeeds {
		return &domain.Error{Kind: domain.Unavailable, Public: "too many subscriptions at this server"}
	}
	key := sockets.limiter.Key(string(caller.Client), []byte(caller.User))
	if wait := sockets.limiter.Charge(key, sockets.Now()); wait > 0 {
		return &domain.Error{Kind: domain.Throttled, Public: "too many subscriptions in a short time", Err: &domain.Pause{
			Limit: "subscriptions", Quota: subscribeLimit.Burst, Window: subscribeLimit.Window(), Wait: wait,
		}}
	}
	return nil
}

// arguments reads those of the subscription's only field, which the caller may
// have.
func (f *feed) arguments(ctx context.Context, op *graphql.OperationContext) error {
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Subscription"})
	if len(fields) != 1 || fields[0].Name != "measurementsChanged" {
		return &tooMuch{invalidInput, "a subscription has one field, and it is measurementsChanged"}
	}
	if err := f.socket.host.api.guard.check(ctx, &graphql.FieldContext{Object: "Subscription", Field: fields[0]}); err != nil {
		return err
	}
	arguments := fields[0].ArgumentMap(op.Variables)
	text, err := graphql.UnmarshalID(arguments["propertyId"])
	if err != nil {
		return &tooMuch{invalidInput, "propertyId is not an identifier"}
	}
	if f.property, err = domain.ParsePropertyID(text); err != nil {
		return hide(err, notYourProperty)
	}
	if after := arguments["after"]; after != nil {
		if f.cursor, err = graphql.UnmarshalString(after); err != nil {
			return &tooMuch{invalidInput, "after is not a cursor"}
		}
	}
	return nil
}

// feedPage is how many changes one event has, at most.
const feedPage = 100

// run sends what is new until the subscription ends. It looks into the store and
// goes on from its own cursor: nothing waits for whoever reads slowly, who gets
// more at once, and nothing is kept for them.
func (f *feed) run() {
	told, stop := f.socket.host.Sockets.News.Follow()
	defer stop()
	times := f.socket.host.Sockets.times
	poll := time.NewTicker(times.poll)
	defer poll.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		for more := true; more; {
			var err error
			if more, err = f.look(); passing(err) {
				f.socket.asker(domain.Caller{}).tell(err) // and looks again later
			} else if err != nil {
				f.fail(err)
				return
			}
		}
		pause.Reset(times.pause)
		select {
		case <-f.ctx.Done():
			return
		case <-pause.C:
		}
		select {
		case <-f.ctx.Done():
			return
		case <-told:
		case <-poll.C:
		}
	}
}

// fail ends the subscription, and says why.
func (f *feed) fail(err error) {
	if f.ctx.Err() != nil {
		return
	}
	who := f.socket.asker(domain.Caller{})
	ctx := context.WithValue(f.ctx, askerKey{}, who)
	who.tell(err)
	f.socket.refuse(f.id, f.socket.host.api.refusal(ctx, []error{err}).Errors)
	f.socket.drop(f.id)
}

// look sends the next event, if there is any, and reports whether there is
// another. It asks anew whether the token counts and what it opens.
func (f *feed) look() (more bool, err error) {
	s := f.socket
	caller, err := s.host.standing(s.holder())
	if err != nil {
		if !passing(err) {
			s.close(closing(err))
		}
		return false, nil
	}
	who := s.asker(caller)
	who.document = f.document
	ctx, cancel := context.WithTimeout(context.WithValue(f.ctx, askerKey{}, who), deadline)
	defer cancel()
	if f.cursor == "" {
		f.cursor, err = s.host.Usage.Latest(ctx, caller, f.property)
		return false, hideProperty(err)
	}
	n := feedPage
	page, err := s.host.Usage.Changes(ctx, caller, f.property, usage.ChangesQuery{After: f.cursor, First: &n})
	if err != nil || len(page.Revisions) == 0 {
		return false, hideProperty(err)
	}
	event := &graph.MeasurementsChanged{Cursor: page.Cursor(len(page.Revisions) - 1), HasNextPage: page.HasNext}
	for i := range page.Revisions {
		event.Changes = append(event.Changes, revisionNode(&page.Revisions[i]))
	}
	payload, err := f.execute(ctx, who, event)
	if err != nil {
		return false, err
	}
	if err := s.write(messageOf("next", f.id, payload)); err != nil {
		f.cancel() // the connection is gone
		return false, nil
	}
	f.cursor = event.Cursor
	s.sent.Add(1)
	s.host.Sockets.events.Add(1)
	return page.HasNext, nil
}

// hideProperty is an error about the property that nobody is to learn of.
func hideProperty(err error) error {
	if notFound(err) {
		return &hidden{notYourProperty, err}
	}
	return err
}

// eventKey carries the event to the resolver.
type eventKey struct{}

// execute writes an event as the document asks for it (GraphQL §6.2.3.2).
func (f *feed) execute(ctx context.Context, who *asker, event *graph.MeasurementsChanged) ([]byte, error) {
	api := f.socket.host.api
	ctx = graphql.StartOperationTrace(ctx)
	op, list := api.exec.CreateOperationContext(ctx, f.params)
	if list != nil {
		return nil, list
	}
	if err := api.ledger.charge(who, 0); err != nil {
		return nil, err
	}
	next, ctx := api.exec.DispatchOperation(context.WithValue(ctx, eventKey{}, event), op)
	result := next(ctx)
	if result == nil {
		return nil, errors.New("a subscription has no response")
	}
	var body bytes.Buffer
	body.WriteByte('{')
	if len(result.Errors) > 0 {
		appendErrors(&body, result.Errors)
		body.WriteByte(',')
	}
	body.WriteString(`"data":`)
	if len(result.Data) == 0 {
		body.WriteString("null")
	}
	body.Write(result.Data)
	body.WriteByte('}')
	return body.Bytes(), nil
}

func (r resolvers) Subscription() graph.SubscriptionResolver { return subscriptions(r) }

type subscriptions resolvers

// MeasurementsChanged resolves Subscription.measurementsChanged, once for each
// event: what is new was found before, and is in the context.
func (subscriptions) MeasurementsChanged(ctx context.Context, _ string, _ *string) (<-chan *graph.MeasurementsChanged, error) {
	event, ok := ctx.Value(eventKey{}).(*graph.MeasurementsChanged)
	if !ok {
		return nil, &tooMuch{invalidInput, "a subscription wants a WebSocket"}
	}
	one := make(chan *graph.MeasurementsChanged, 1)
	one <- event
	return one, nil
}
