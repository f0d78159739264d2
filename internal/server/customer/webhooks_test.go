package customer_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/secret"
	"github.com/wattgate/wattgate/internal/server/customer"
	"github.com/wattgate/wattgate/internal/webhook"
)

// hooked is a village whose applications may keep web hooks.
func hooked(t *testing.T) *village {
	t.Helper()
	v := newVillage(t)
	for id, partner := range map[domain.ClientID]domain.PartnerID{"app_stroom": stroom, "app_keeper": watt} {
		app := reader(id, partner)
		app.Reach, app.Role = domain.ReachPartner, domain.RolePartnerIntegration
		if err := v.store.AddApplication(t.Context(), app, nil, v.entry("application.create")); err != nil {
			t.Fatal(err)
		}
	}
	keeper := &webhook.Manager{Store: v.store, Sealer: secret.NewSealer([32]byte{3}), Now: func() time.Time { return now }, Chance: rand.Reader}
	api, err := customer.New(customer.Config{Usage: v.usage, Webhooks: keeper, Authenticate: authenticate, Log: v.log})
	if err != nil {
		t.Fatal(err)
	}
	v.api = api
	return v
}

func (v *village) ask(t *testing.T, token, query string, variables map[string]any) any {
	t.Helper()
	a := decode(t, v.post(token, query, variables))
	if len(a.Errors) > 0 {
		t.Fatalf("%s: %+v", query, a.Errors)
	}
	return a.Data
}

const newHook = `mutation($url:String!,$events:[WebhookEvent!]!){createWebhook(input:{url:$url,events:$events}){signingKey webhook{id url events paused createdAt failingSince deliveredAt}}}`

func TestWebhooks(t *testing.T) {
	v := hooked(t)
	made := v.ask(t, "partner", newHook, map[string]any{"url": "https://example.com/hook", "events": []string{"SECRET_EXPIRING", "READINGS_ARRIVED", "SECRET_EXPIRING"}})
	id := fmt.Sprint(get(made, "createWebhook", "webhook", "id"))
	if got := fmt.Sprint(get(made, "createWebhook", "webhook", "events")); got != "[READINGS_ARRIVED SECRET_EXPIRING]" || !strings.HasPrefix(id, "whk_") ||
		!strings.HasPrefix(fmt.Sprint(get(made, "createWebhook", "signingKey")), "whsec_") {
		t.Errorf("made %v", made)
	}
	const page = `query($id:ID!,$first:Int,$after:String,$states:[WebhookDeliveryState!]){webhook(id:$id){deliveries(first:$first,after:$after,states:$states){
		totalCount edgeCount pageInfo{hasNextPage hasPreviousPage endCursor} edges{cursor node{id event state attempts nextAttemptAt settledAt status problem}}}}}`
	for range 45 {
		v.ask(t, "partner", `mutation($id:ID!){testWebhook(input:{id:$id}){delivery{id state}}}`, map[string]any{"id": id})
	}
	seen := map[string]bool{}
	var after any
	sizes := []any{}
	for more := true; more; {
		c := get(v.ask(t, "partner", page, map[string]any{"id": id, "after": after}), "webhook", "deliveries")
		for _, e := range get(c, "edges").([]any) {
			n := get(e, "node")
			if key := fmt.Sprint(get(n, "id")); seen[key] || get(n, "event") != "TEST" || get(n, "state") != "WAITING" || get(n, "settledAt") != nil || get(n, "nextAttemptAt") == nil {
				t.Fatalf("%v comes twice, or is no test that waits", n)
			} else {
				seen[key] = true
			}
		}
		if fmt.Sprint(get(c, "totalCount")) != "45" || get(c, "pageInfo", "hasPreviousPage") != (after != nil) {
			t.Errorf("got %v, want 45 in all", c)
		}
		sizes = append(sizes, get(c, "edgeCount"))
		after, more = get(c, "pageInfo", "endCursor"), get(c, "pageInfo", "hasNextPage").(bool)
	}
	if fmt.Sprint(sizes) != "[20 20 5]" || len(seen) != 45 {
		t.Errorf("pages of %v with %d deliveries, want 20, 20 and 5", sizes, len(seen))
	}
	c := get(v.ask(t, "partner", page, map[string]any{"id": id, "states": []string{"FAILED", "DELIVERED"}}), "webhook", "deliveries")
	if fmt.Sprint(get(c, "totalCount")) != "0" || len(get(c, "edges").([]any)) != 0 {
		t.Errorf("none has ended: got %v", c)
	}
	for _, first := range []int{-1, 101} {
		if got := v.post("partner", page, map[string]any{"id": id, "first": first}).Body.String(); !strings.Contains(got, "first is not from 0 to 100") {
			t.Errorf("first %d: %s", first, got)
		}
	}
	changed := v.ask(t, "partner", `mutation($id:ID!){updateWebhook(input:{id:$id,url:"https://example.org/other",paused:true,events:[READINGS_REVISED]}){webhook{url events paused}}}`, map[string]any{"id": id})
	if got := fmt.Sprint(get(changed, "updateWebhook", "webhook")); got != "map[events:[READINGS_REVISED] paused:true url:https://example.org/other]" {
		t.Errorf("changed to %s", got)
	}
	for name, c := range map[string]struct {
		url    string
		events []string
		want   string
	}{
		"a private address": {"https://10.0.0.1/", []string{"READINGS_ARRIVED"}, "not public"},
		"plain http":        {"http://example.com/", []string{"READINGS_ARRIVED"}, "must be https"},
		"no event":          {"https://example.com/", []string{}, "name at least one event"},
		"the event test":    {"https://example.com/", []string{"TEST"}, "is not an event"},
		"no such event":     {"https://example.com/", []string{"NOTHING"}, "KT-CT-1605"},
	} {
		if got := v.post("partner", newHook, map[string]any{"url": c.url, "events": c.events}).Body.String(); !strings.Contains(got, c.want) || strings.Contains(got, "whsec_") {
			t.Errorf("%s: %s, want %q", name, got, c.want)
		}
	}
}

// Another application's web hook, an unknown one and what cannot be one: the same
// bytes. Who speaks for a user, or lacks the permission, keeps none.
func TestWebhooksOfOthers(t *testing.T) {
	v := hooked(t)
	made := v.ask(t, "partner", newHook, map[string]any{"url": "https://example.com/", "events": []string{"READINGS_ARRIVED"}})
	id := fmt.Sprint(get(made, "createWebhook", "webhook", "id"))
	for _, query := range []string{
		`query($id:ID!){webhook(id:$id){id url deliveries{totalCount}}}`,
		`mutation($id:ID!){updateWebhook(input:{id:$id,url:"https://evil.example/"}){webhook{id}}}`,
		`mutation($id:ID!){deleteWebhook(input:{id:$id}){id}}`,
		`mutation($id:ID!){testWebhook(input:{id:$id}){delivery{id}}}`,
		`mutation($id:ID!){replayWebhook(input:{id:$id,deliveryId:"evt_a"}){count}}`,
	} {
		ask := func(token, id string) string {
			return v.post(token, query, map[string]any{"id": id}).Body.String()
		}
		unknown := ask("watt", "whk_unknown")
		if !strings.Contains(unknown, "KT-CT-460") {
			t.Errorf("%s of an unknown one: %s, want KT-CT-460", query, unknown)
		}
		for _, other := range []string{id, "no web hook"} {
			if got := ask("watt", other); got != unknown {
				t.Errorf("%s of %q: %s, and of an unknown one: %s", query, other, got, unknown)
			}
		}
		for _, token := range []string{"third-party", "ada", "metering"} {
			if got := ask(token, id); !strings.Contains(got, "KT-CT-1111") {
				t.Errorf("%s by %s: %s, want KT-CT-1111", query, token, got)
			}
		}
	}
	if got := fmt.Sprint(v.ask(t, "watt", `{webhooks{id}}`, nil)); got != "map[webhooks:[]]" {
		t.Errorf("the web hooks of another: %s", got)
	}
	if got := fmt.Sprint(v.ask(t, "partner", `{webhooks{id url paused}}`, nil)); got != "map[webhooks:[map[id:"+id+" paused:false url:https://example.com/]]]" {
		t.Errorf("it is %s, want it as it was", got)
	}
}
