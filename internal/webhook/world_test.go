package webhook_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/secret"
	"github.com/wattgate/wattgate/internal/store/sqlite"
	"github.com/wattgate/wattgate/internal/usage"
	"github.com/wattgate/wattgate/internal/webhook"
)

var (
	noon   = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	monday = domain.NewDate(2026, time.March, 2)
)

// world is a store with two partners, an application of each and a clock that
// stands still; receivers answer what they are told to.
type world struct {
	*sqlite.Store
	*webhook.Manager
	deliverer *webhook.Deliverer
	usage     *usage.Service
	channels  map[domain.PartnerID]domain.Channel

	mu        sync.Mutex
	now       time.Time
	picture   domain.Directory
	answers   []any // of the next attempts: a status, or an error; none: 200
	got       []webhook.Request
	entries   int
	withdrawn bool // whatever is asked of usage, it is not found
}

const (
	alpha, beta             domain.PartnerID = "prt_alpha", "prt_beta"
	alphaApp, alphas, betas domain.ClientID  = "app_alpha", "app_sibling", "app_beta"
)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: noon, channels: map[domain.PartnerID]domain.Channel{}}
	store, err := sqlite.Open(t.Context(), ":memory:", sqlite.Options{Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w.Store = store
	w.usage = &usage.Service{Store: store, CursorKey: [32]byte{1}, Now: w.clock}
	sealer := secret.NewSealer([32]byte{2})
	w.Manager = &webhook.Manager{Store: store, Sealer: sealer, Now: w.clock, Chance: rand.Reader}
	w.deliverer = &webhook.Deliverer{
		Store: store, Reader: w, Directory: w, Sealer: sealer, Sender: w, Now: w.clock, Chance: rand.Reader,
		Trouble: func(doing string, err error) { t.Errorf("%s: %v", doing, err) },
	}
	w.picture.Applications = map[domain.ClientID]*domain.Listing{}
	for i, p := range []domain.PartnerID{alpha, beta} {
		must(t, store.AddPartner(t.Context(), domain.Partner{ID: p, Name: string(p), CreatedAt: noon}, w.entry()))
		property := domain.PropertyID("prop_" + string(p[4:]))
		must(t, store.AddProperty(t.Context(), domain.Property{ID: property, Partner: p, Label: "home", Zone: "Europe/Amsterdam"}, w.entry()))
		must(t, store.TakeIn(t.Context(), func(tx intake.Tx) error {
			point, err := tx.AddSupplyPoint(domain.SupplyPoint{
				Partner: p, Property: property, Market: domain.MarketNLDElectricity, Identifier: fmt.Sprint("EAN", i), Zone: "Europe/Amsterdam",
			})
			if err == nil {
				w.channels[p], err = tx.AddChannel(domain.Channel{SupplyPoint: point, Register: "1", Unit: domain.KilowattHour, Zone: "Europe/Amsterdam"})
			}
			return err
		}))
	}
	for id, p := range map[domain.ClientID]domain.PartnerID{alphaApp: alpha, alphas: alpha, betas: beta} {
		app := domain.Application{
			ID: id, Name: string(id), Partner: p, Type: domain.Confidential, Reach: domain.ReachPartner, Role: domain.RolePartnerIntegration,
			Audiences: domain.AudienceSet(domain.AudienceCustomer), Lifetime: time.Hour, CreatedAt: noon, ChangedAt: noon,
		}
		must(t, store.AddApplication(t.Context(), app, nil, w.entry()))
		w.picture.Applications[id] = &domain.Listing{
			Application: app, Permissions: domain.PermissionSet(domain.CanViewDetailedUsage, domain.CanQueryProperty, domain.CanManageWebhooks),
		}
	}
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) entry() domain.Entry {
	w.entries++
	return domain.Entry{ID: fmt.Sprintf("aud_%06d", w.entries), At: noon, Action: "test.build", By: "test"}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) move(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(by)
}

// Directory is the present picture.
func (w *world) Directory() *domain.Directory { return &w.picture }

// Recorded asks usage, as the program does.
func (w *world) Recorded(ctx context.Context, caller domain.Caller, c *domain.Channel, at time.Time) (webhook.Recorded, error) {
	if w.withdrawn {
		return webhook.Recorded{}, &domain.Error{Kind: domain.NotFound, Public: "not known"}
	}
	r, err := w.usage.Recorded(ctx, caller, c.SupplyPoint.Property, c.ID, at)
	return webhook.Recorded{Property: c.SupplyPoint.Property, Changes: r.Changes, Cursor: r.Cursor}, err
}

// Send answers as it was told.
func (w *world) Send(_ context.Context, r webhook.Request) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.got = append(w.got, r)
	if len(w.answers) == 0 {
		return 200, nil
	}
	answer := w.answers[0]
	w.answers = w.answers[1:]
	if err, ok := answer.(error); ok {
		return 0, err
	}
	return answer.(int), nil
}

// take stores days of a partner's channel in one transaction.
func (w *world) take(t *testing.T, p domain.PartnerID, text string, days ...domain.Date) {
	t.Helper()
	must(t, w.TakeIn(t.Context(), func(tx intake.Tx) error {
		for _, d := range days {
			if err := tx.PutDay(w.channels[p].ID, domain.Day{Date: d, Data: []byte(text)}, domain.Provenance{Source: "test"}); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (w *world) caller(id domain.ClientID) domain.Caller {
	l := w.picture.Applications[id]
	return domain.Caller{Partner: l.Partner, Client: id, Permissions: l.Permissions, Audiences: l.Audiences, Reach: l.Reach}
}

// hook makes an endpoint of an application.
func (w *world) hook(t *testing.T, id domain.ClientID, events ...webhook.Event) (webhook.Endpoint, string) {
	t.Helper()
	e, key, err := w.Create(t.Context(), w.caller(id), domain.Origin{}, "https://example.com/"+string(id), events)
	must(t, err)
	w.move(time.Second)
	return e, key.Reveal()
}

// rounds runs rounds until nothing is to be done at this instant, and returns the
// bodies that were sent.
func (w *world) rounds(t *testing.T) (sent []map[string]any) {
	t.Helper()
	w.mu.Lock()
	w.got = nil
	w.mu.Unlock()
	for range 100 {
		ended := 0
		more, err := w.deliverer.Round(t.Context(), func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			ended++
		})
		must(t, err)
		w.deliverer.Wait()
		if !more && ended == 0 {
			for _, r := range w.got {
				var body map[string]any
				must(t, json.Unmarshal(r.Body, &body))
				sent = append(sent, body)
			}
			return sent
		}
	}
	t.Fatal("it never ends")
	return nil
}

// states returns the states of an endpoint's deliveries, oldest first.
func (w *world) states(t *testing.T, e webhook.Endpoint) (list []webhook.State) {
	t.Helper()
	found, _, err := w.Manager.Deliveries(t.Context(), w.caller(e.Application), e.ID, nil, "", 100)
	must(t, err)
	for i := len(found) - 1; i >= 0; i-- {
		list = append(list, found[i].State)
	}
	return list
}

var errNo = errors.New("no connection could be made")
