package app_test

import (
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

// TestANewPasswordEndsWhatTheOldOneBrought: the session, the tokens of every
// application and a code that is on its way, at once; and nobody else's.
func TestANewPasswordEndsWhatTheOldOneBrought(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{})
	b := w.browser(t)
	old := tokens(t, b.post(t, "/oauth2/token", c.redeem(b.code(t, c.ask))))
	who := func(token string) int {
		return b.do(t, "GET", "/userinfo", nil, "Authorization: Bearer "+token).status
	}
	other := w.coach(t, registry.NewApplication{Name: "Other"})
	waiting := w.browser(t).code(t, other.ask)
	if got := who(old["access_token"]); got != 200 {
		t.Fatalf("before: got %d", got)
	}
	w.demo.CustomerPassword = "another good password"
	users, err := w.Registry.Store.UsersByEmail(t.Context(), w.demo.CustomerEmail)
	if err != nil || len(users) != 1 {
		t.Fatal(users, err)
	}
	err = w.Registry.SetPassword(t.Context(), registry.By{Means: "test"}, users[0].ID, registry.Password{Text: domain.NewSecret(w.demo.CustomerPassword), Drawn: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := who(old["access_token"]); got != 401 {
		t.Errorf("the access token afterwards: got %d, want 401", got)
	}
	if s := b.post(t, "/oauth2/token", c.renew(old["refresh_token"])); s.status != 400 {
		t.Errorf("the refresh token afterwards: got %d %s", s.status, s.body)
	}
	if s := b.post(t, "/oauth2/token", other.redeem(waiting)); s.status != 400 {
		t.Errorf("the code afterwards: got %d %s", s.status, s.body)
	}
	b.begin(t, c.ask) // it asks to log in
	fresh := tokens(t, b.post(t, "/oauth2/token", c.redeem(w.browser(t).code(t, c.ask))))
	if got := who(fresh["access_token"]); got != 200 {
		t.Errorf("an access token by the new password: got %d, want 200", got)
	}
}
