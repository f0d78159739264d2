package webhook_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/usage"
	"github.com/wattgate/wattgate/internal/webhook"
)

func kindOf(err error) domain.Kind {
	if e, ok := errors.AsType[*domain.Error](err); ok {
		return e.Kind
	}
	return domain.Internal
}

// An application sees its own endpoints only, and only by itself.
func TestWhoMayManage(t *testing.T) {
	w := newWorld(t)
	e, _ := w.hook(t, alphaApp, webhook.ReadingsArrived)
	user := w.caller(alphaApp)
	user.User = "usr_0c1a3b5e7f204a639a516f0c2d9be714"
	weak := w.caller(alphaApp)
	weak.Permissions = domain.PermissionSet(domain.CanViewDetailedUsage)
	for name, c := range map[string]struct {
		caller domain.Caller
		want   domain.Kind
	}{
		"another partner's":      {w.caller(betas), domain.NotFound},
		"another of the same":    {w.caller(alphas), domain.NotFound},
		"on behalf of a user":    {user, domain.Forbidden},
		"without the permission": {weak, domain.Forbidden},
		"nobody":                 {domain.Caller{}, domain.Forbidden},
	} {
		ctx, from := t.Context(), domain.Origin{}
		paused := true
		_, find := w.Endpoint(ctx, c.caller, e.ID)
		_, change := w.Change(ctx, c.caller, from, e.ID, webhook.Change{Paused: &paused})
		_, test := w.Test(ctx, c.caller, from, e.ID)
		_, replay := w.Manager.Replay(ctx, c.caller, from, e.ID, "", time.Time{})
		_, _, list := w.Manager.Deliveries(ctx, c.caller, e.ID, nil, "", 1)
		for doing, err := range map[string]error{
			"find": find, "change": change, "test": test, "replay": replay, "deliveries": list, "remove": w.Remove(ctx, c.caller, from, e.ID),
		} {
			if kindOf(err) != c.want {
				t.Errorf("%s application: %s: got %v, want %v", name, doing, err, c.want)
			}
		}
	}
	if list, err := w.Manager.Endpoints(t.Context(), w.caller(betas)); err != nil || len(list) != 0 {
		t.Errorf("endpoints of another: got %v, %v", list, err)
	}
	got, err := w.Endpoint(t.Context(), w.caller(alphaApp), e.ID)
	if err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("the endpoint is %+v (%v), want it as it was: %+v", got, err, e)
	}
}

// What is told: of each transaction what is new and what is corrected, signed,
// with a cursor that goes on behind it, and none of it in words about anybody.
func TestReadingsAreTold(t *testing.T) {
	w := newWorld(t)
	w.take(t, alpha, "before anybody listens", monday-10)
	e, key := w.hook(t, alphaApp, webhook.ReadingsArrived, webhook.ReadingsRevised)
	w.take(t, alpha, "first", monday-2, monday-1)
	w.take(t, alpha, "again", monday-1, monday)
	w.take(t, beta, "of another partner", monday)
	sent := w.rounds(t)
	got := []string{}
	for i, s := range sent {
		got = append(got, fmt.Sprint(s["type"], s["changes"]))
		if s["propertyId"] != "prop_alpha" || fmt.Sprint(s["supplyPoint"]) != "map[externalIdentifier:EAN0 marketName:NLD_ELECTRICITY]" ||
			s["direction"] != "CONSUMPTION" || s["registerId"] != "1" || !strings.HasPrefix(fmt.Sprint(s["id"]), "evt_") {
			t.Errorf("event %d is %v", i, s)
		}
	}
	want := []string{
		"readings.arrived[map[day:2026-02-28 revision:1] map[day:2026-03-01 revision:1]]",
		"readings.arrived[map[day:2026-03-02 revision:1]]",
		"readings.revised[map[day:2026-03-01 revision:2]]",
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %q\nwant %q", got, want)
	}
	for _, r := range w.got {
		headers := map[string]string{}
		for _, h := range r.Header {
			headers[h[0]] = h[1]
		}
		if headers[webhook.HeaderSignature] != webhook.Signature(key, w.clock(), r.Body) || headers[webhook.HeaderLegacy] != webhook.Legacy(key, r.Body) ||
			headers["Content-Type"] != "application/json" || r.URL != e.URL || strings.Contains(string(r.Body), key) {
			t.Errorf("sent to %s with %v: %s", r.URL, headers, r.Body)
		}
	}
	first, err := w.usage.Changes(t.Context(), w.caller(alphaApp), "prop_alpha", usage.ChangesQuery{After: fmt.Sprint(sent[0]["cursor"])})
	if err != nil || len(first.Revisions) != 2 || first.Revisions[0].Day != monday-1 || first.Revisions[0].Revision != 2 {
		t.Errorf("behind the first event: %v (%v), want the second transaction", first.Revisions, err)
	}
	if again := w.rounds(t); len(again) != 0 {
		t.Errorf("told twice: %v", again)
	}
}

// It is sent again and again, later each time, and nothing overtakes it; then it
// is given up, the endpoint is marked, and whatever follows is tried once.
func TestRetries(t *testing.T) {
	w := newWorld(t)
	e, _ := w.hook(t, alphaApp, webhook.ReadingsArrived)
	w.take(t, alpha, "one", monday)
	w.take(t, alpha, "two", monday+1)
	w.answers = []any{500, errNo}
	if sent := w.rounds(t); len(sent) != 1 {
		t.Fatalf("%d attempts at once, want 1", len(sent))
	}
	id, days := "", []string{}
	pauses := []time.Duration{}
	for len(days) < 3 {
		began := w.clock()
		var sent []map[string]any
		for len(sent) == 0 {
			w.move(100 * time.Millisecond)
			sent = w.rounds(t)
		}
		pauses = append(pauses, w.clock().Sub(began))
		for _, s := range sent {
			days = append(days, fmt.Sprint(s["changes"]))
			if id == "" {
				id = fmt.Sprint(s["id"])
			}
			if len(days) == 2 && s["id"] != id {
				t.Errorf("it is sent again as %v, want %v", s["id"], id)
			}
		}
	}
	if pauses[0] < 1600*time.Millisecond || pauses[0] > 2500*time.Millisecond || pauses[1] < 4800*time.Millisecond || pauses[1] > 7300*time.Millisecond {
		t.Errorf("pauses %v, want about 2 s and 6 s", pauses)
	}
	if days[0] != days[1] || days[2] == days[1] {
		t.Errorf("sent %v: want the first until it has arrived", days)
	}
	if got := w.states(t, e); !reflect.DeepEqual(got, []webhook.State{webhook.Delivered, webhook.Delivered}) {
		t.Errorf("in the end: %v", got)
	}

	w.take(t, alpha, "three", monday+2)
	w.take(t, alpha, "four", monday+3)
	for range webhook.MaxAttempts + 1 {
		w.answers = append(w.answers, 503)
	}
	attempts := len(w.rounds(t))
	for ; attempts < webhook.MaxAttempts; attempts += len(w.rounds(t)) {
		w.move(5 * time.Hour)
	}
	if got := w.states(t, e)[2:]; attempts != webhook.MaxAttempts+1 || !reflect.DeepEqual(got, []webhook.State{webhook.Failed, webhook.Failed}) {
		t.Errorf("after %d attempts: %v; want %d for the first and one for the second", attempts, got, webhook.MaxAttempts)
	}
	marked, err := w.Endpoint(t.Context(), w.caller(alphaApp), e.ID)
	if err != nil || marked.FailingSince.IsZero() {
		t.Errorf("the endpoint is %+v (%v), want it marked", marked, err)
	}
	n, err := w.Manager.Replay(t.Context(), w.caller(alphaApp), domain.Origin{}, e.ID, "", time.Time{})
	if sent := w.rounds(t); err != nil || n != 2 || len(sent) != 2 {
		t.Errorf("replayed %d (%v), sent %d; want both", n, err, len(sent))
	}
	if marked, err = w.Endpoint(t.Context(), w.caller(alphaApp), e.ID); err != nil || !marked.FailingSince.IsZero() || marked.DeliveredAt != w.clock() {
		t.Errorf("the endpoint is %+v (%v), want it well again", marked, err)
	}
	if c := w.deliverer.Counts(); c.Delivered != 4 || c.Failed != 2 || c.Retried != 2+webhook.MaxAttempts-1 {
		t.Errorf("counted %+v", c)
	}
}

// What an application may not read any more it is not told, whenever that ended.
func TestWhatIsNotReadIsNotTold(t *testing.T) {
	for name, end := range map[string]func(*world, *domain.Listing){
		"the application is disabled":       func(_ *world, l *domain.Listing) { l.Closed = true },
		"its role reads no measurements":    func(_ *world, l *domain.Listing) { l.Permissions = domain.PermissionSet(domain.CanManageWebhooks) },
		"its role keeps no web hooks":       func(_ *world, l *domain.Listing) { l.Permissions = domain.PermissionSet(domain.CanViewDetailedUsage) },
		"it is another partner's":           func(_ *world, l *domain.Listing) { l.Partner = beta },
		"it is not for this API":            func(_ *world, l *domain.Listing) { l.Audiences = domain.AudienceSet(domain.AudienceAuth) },
		"it reads by consent and has none":  func(_ *world, l *domain.Listing) { l.Reach = domain.ReachConsented },
		"the application is gone":           func(w *world, l *domain.Listing) { delete(w.picture.Applications, l.ID) },
		"the property is outside its scope": func(w *world, _ *domain.Listing) { w.withdrawn = true },
	} {
		for _, late := range []bool{false, true} {
			w := newWorld(t)
			e, _ := w.hook(t, alphaApp, webhook.ReadingsArrived)
			owner := w.caller(alphaApp)
			w.take(t, alpha, "one", monday)
			if late { // noted, and sent once already
				w.answers = []any{500}
				if len(w.rounds(t)) != 1 {
					t.Fatal("it was not sent")
				}
				w.move(time.Minute)
			}
			end(w, w.picture.Applications[alphaApp])
			if sent := w.rounds(t); len(sent) != 0 {
				t.Errorf("%s (sent before: %v): told %v", name, late, sent)
			}
			list, _, err := w.Manager.Deliveries(t.Context(), owner, e.ID, nil, "", 10)
			if err != nil || late && (len(list) != 1 || list[0].State != webhook.Withheld) || !late && len(list) != 0 {
				t.Errorf("%s (sent before: %v): %+v, %v", name, late, list, err)
			}
		}
	}
}

func TestSecretsThatExpire(t *testing.T) {
	w := newWorld(t)
	l := w.picture.Applications[alphaApp]
	l.Secrets = []domain.StoredSecret{
		{ID: "sec_soon", ExpiresAt: noon.AddDate(0, 0, 40)},
		{ID: "sec_never"},
		{ID: "sec_over", ExpiresAt: noon.AddDate(0, 0, -1)},
		{ID: "sec_replaced", ExpiresAt: noon.AddDate(0, 0, 3), RetiredAt: noon.AddDate(0, 0, 1)},
	}
	w.hook(t, alphaApp, webhook.SecretExpiring)
	w.hook(t, alphas, webhook.ReadingsArrived)
	told := []int{}
	for day := range 45 {
		for _, s := range w.rounds(t) {
			told = append(told, day)
			if s["type"] != "secret.expiring" || s["secretId"] != "sec_soon" || s["applicationId"] != string(alphaApp) || s["expiresAt"] != "2026-04-11T12:00:00.000000Z" {
				t.Errorf("day %d: told %v", day, s)
			}
		}
		w.move(24 * time.Hour)
	}
	if want := []int{10, 33, 39}; !reflect.DeepEqual(told, want) {
		t.Errorf("told on the days %v, want %v", told, want)
	}
}

// One node delivers; where it stops another goes on.
func TestOneNodeDelivers(t *testing.T) {
	w := newWorld(t)
	w.hook(t, alphaApp, webhook.ReadingsArrived)
	w.deliverer.Holder = "first"
	other := &webhook.Deliverer{
		Store: w.Store, Reader: w, Directory: w, Sealer: w.Sealer, Sender: w, Now: w.clock, Holder: "second",
		Trouble: func(doing string, err error) { t.Errorf("%s: %v", doing, err) },
	}
	w.take(t, alpha, "one", monday)
	if sent := w.rounds(t); len(sent) != 1 {
		t.Fatalf("the first sent %d, want 1", len(sent))
	}
	w.take(t, alpha, "two", monday+1)
	if _, err := other.Round(t.Context(), func() {}); err != nil {
		t.Fatal(err)
	}
	other.Wait()
	if len(w.got) != 1 {
		t.Errorf("the second has sent as well")
	}
	w.move(time.Minute) // the first is gone
	if _, err := other.Round(t.Context(), func() {}); err != nil {
		t.Fatal(err)
	}
	other.Wait()
	if len(w.got) != 2 {
		t.Errorf("%d sent, want the second to go on", len(w.got))
	}
	w.take(t, alpha, "three", monday+2)
	if sent := w.rounds(t); len(sent) != 0 {
		t.Errorf("the first has sent %v after it lost the lease", sent)
	}
}

func TestTestAndPause(t *testing.T) {
	w := newWorld(t)
	e, _ := w.hook(t, alphaApp, webhook.ReadingsRevised)
	yes, no := true, false
	change := func(c webhook.Change) {
		t.Helper()
		if _, err := w.Change(t.Context(), w.caller(alphaApp), domain.Origin{}, e.ID, c); err != nil {
			t.Fatal(err)
		}
	}
	change(webhook.Change{Paused: &yes})
	d, err := w.Test(t.Context(), w.caller(alphaApp), domain.Origin{}, e.ID)
	if sent := w.rounds(t); err != nil || len(sent) != 0 {
		t.Errorf("while paused: sent %v (%v)", sent, err)
	}
	change(webhook.Change{Paused: &no})
	if sent := w.rounds(t); len(sent) != 1 || sent[0]["type"] != "test" || sent[0]["id"] != string(d.ID) || len(sent[0]) != 3 {
		t.Errorf("the test is %v, want three members", sent)
	}
	bad := "http://example.com"
	for name, err := range map[string]error{
		"a bad url": func() error {
			_, err := w.Change(t.Context(), w.caller(alphaApp), domain.Origin{}, e.ID, webhook.Change{URL: &bad})
			return err
		}(),
		"no event": func() error {
			_, err := w.Change(t.Context(), w.caller(alphaApp), domain.Origin{}, e.ID, webhook.Change{Events: []webhook.Event{}})
			return err
		}(),
		"the event test": func() error {
			_, _, err := w.Create(t.Context(), w.caller(alphaApp), domain.Origin{}, e.URL, []webhook.Event{webhook.Tested})
			return err
		}(),
	} {
		if kindOf(err) != domain.Invalid {
			t.Errorf("%s: got %v, want invalid", name, err)
		}
	}
	for range webhook.MaxEndpoints - 1 {
		w.hook(t, alphaApp, webhook.ReadingsArrived)
	}
	if _, _, err := w.Create(t.Context(), w.caller(alphaApp), domain.Origin{}, e.URL, webhook.Events()); kindOf(err) != domain.Conflict {
		t.Errorf("one too many: got %v, want a conflict", err)
	}
}
