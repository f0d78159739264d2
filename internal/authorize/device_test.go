package authorize_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/registry"
)

// device begins a device's authorization.
func (w *world) device(t *testing.T) authorize.DeviceAnswer {
	t.Helper()
	req, err := w.CheckDevice(authorize.Params{ClientID: string(w.app), Scope: "openid offline_access"})
	must(t, err)
	a, err := w.Device(t.Context(), w.listing(), req)
	must(t, err)
	return a
}

func (w *world) poll(t *testing.T, a authorize.DeviceAnswer) string {
	t.Helper()
	_, err := w.Poll(t.Context(), w.listing(), a.DeviceCode, w.origin())
	return codeOf(err)
}

func TestRFC8628TheWholeWay(t *testing.T) {
	w := newWorld(t)
	a := w.device(t)
	if !regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`).MatchString(a.UserCode) || a.Lifetime != 10*time.Minute || a.Interval != 5*time.Second {
		t.Errorf("§3.2: the device shows %+v", a)
	}
	for _, c := range []struct {
		after time.Duration
		want  string
	}{
		{0, "authorization_pending"},
		{5 * time.Second, "authorization_pending"},
		{time.Second, "slow_down"}, // and from now on ten seconds
		{5 * time.Second, "slow_down"},
		{15 * time.Second, "authorization_pending"},
	} {
		w.pass(c.after)
		if got := w.poll(t, a); got != c.want {
			t.Errorf("§3.5: after %v: got %q, want %q", c.after, got, c.want)
		}
	}
	typed := strings.ToLower(strings.ReplaceAll(a.UserCode, "-", " "))
	challenge, err := w.DevicePending(t.Context(), typed) // §6.1
	must(t, err)
	to, err := w.Allow(t.Context(), challenge, w.user, w.decision(), w.origin())
	if err != nil || to != "" {
		t.Fatalf("Allow = %q, %v; a device has nowhere to return to", to, err)
	}
	if _, err := w.DevicePending(t.Context(), a.UserCode); codeOf(err) != "not found" {
		t.Errorf("the user code a second time: got %v", err)
	}
	other := w.add(t, registry.NewApplication{Name: "other"})
	if _, err := w.Poll(t.Context(), w.registry.Directory().Application(other), a.DeviceCode, w.origin()); codeOf(err) != "invalid_grant" {
		t.Errorf("another application's device code: got %v", err)
	}
	g, err := w.Poll(t.Context(), w.listing(), a.DeviceCode, w.origin())
	if err != nil || g.User != w.user.ID || g.Consent == "" || !g.Offline {
		t.Fatalf("Poll = %+v, %v", g, err)
	}
	made := w.access(t, g)
	if !w.opens(made.Access) {
		t.Error("the token opens nothing")
	}
	if got := w.poll(t, a); got != "invalid_grant" || w.opens(made.Access) {
		t.Errorf("a device code used twice: got %q, and the token opens: %t", got, w.opens(made.Access))
	}
}

func TestRFC8628Section35Endings(t *testing.T) {
	w := newWorld(t)
	refused, late := w.device(t), w.device(t)
	challenge, err := w.DevicePending(t.Context(), refused.UserCode)
	must(t, err)
	if to, err := w.Deny(t.Context(), challenge, w.origin()); err != nil || to != "" {
		t.Fatalf("Deny = %q, %v", to, err)
	}
	if got := w.poll(t, refused); got != "access_denied" {
		t.Errorf("refused: got %q", got)
	}
	challenge, err = w.DevicePending(t.Context(), late.UserCode)
	must(t, err)
	w.pass(authorize.DeviceLifetime)
	if got := w.poll(t, late); got != "expired_token" {
		t.Errorf("too late: got %q", got)
	}
	if _, err := w.Allow(t.Context(), challenge, w.user, w.decision(), w.origin()); codeOf(err) != "not found" {
		t.Errorf("allowed too late: got %v", err)
	}
	for name, code := range map[string]string{"late": late.UserCode, "short": "BCDF", "vowels": "AEIO-UAEI", "empty": "", "long": strings.Repeat("B-", 100)} {
		if _, err := w.DevicePending(t.Context(), code); codeOf(err) != "not found" {
			t.Errorf("the user code that is %s: got %v", name, err)
		}
	}
	if _, err := w.Poll(t.Context(), w.listing(), domain.NewSecret("guess"), w.origin()); codeOf(err) != "invalid_grant" {
		t.Errorf("a device code that is none: got %v", err)
	}
}

func TestRFC8628Section31RefusedDevices(t *testing.T) {
	w := newWorld(t)
	bare := w.add(t, registry.NewApplication{Name: "bare", Grants: []string{oauth.GrantAuthorizationCode}})
	for name, c := range map[string]struct {
		p    authorize.Params
		want string
	}{
		"an unknown application":                   {authorize.Params{ClientID: "app_none"}, "invalid_client"},
		"an application without the grant":         {authorize.Params{ClientID: string(bare)}, "unauthorized_client"},
		"a scope that the role does not hold":      {authorize.Params{ClientID: string(w.app), Scope: "manage:customers"}, "invalid_scope"},
		"RFC 8707 §2: a resource that is not ours": {authorize.Params{ClientID: string(w.app), Resource: []string{"https://x"}}, "invalid_target"},
	} {
		if got, err := w.CheckDevice(c.p); codeOf(err) != c.want || got.Client != "" {
			t.Errorf("%s: got %+v, %v; want %s", name, got, err, c.want)
		}
	}
	req, err := w.CheckDevice(authorize.Params{ClientID: string(w.app)})
	must(t, err)
	if _, err := w.Device(t.Context(), w.registry.Directory().Application(bare), req); codeOf(err) != "unauthorized_client" {
		t.Errorf("a device of another application: got %v", err)
	}
}
