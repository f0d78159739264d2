package registry_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
	"github.com/wattgate/wattgate/internal/secret"
	"github.com/wattgate/wattgate/internal/store/sqlite"
	"github.com/wattgate/wattgate/internal/token"
)

// world is a registry on a database in memory, with a clock that is moved.
type world struct {
	*registry.Registry
	store   *sqlite.Store
	clients *authn.Clients
	keys    *token.Ring
	now     time.Time
	partner domain.PartnerID
}

var by = registry.By{Means: "test"}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	var err error
	if w.store, err = sqlite.Open(t.Context(), "", sqlite.Options{Now: clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	master := secret.NewMaster(nil)
	w.Registry = &registry.Registry{
		Store: w.store, Pepper: master.Pepper(), Environment: secret.Staging, Now: clock, Passwords: secret.NewPasswords(1, nil),
	}
	must(t, w.Refresh(t.Context()))
	w.clients = &authn.Clients{Directory: w.Registry, Pepper: w.Pepper, Environment: secret.Staging, Now: clock, Used: w.Used}
	w.keys, err = token.OpenRing(t.Context(), token.Settings{Store: w.store, Cipher: master.Sealer(), Now: clock})
	must(t, err)
	p, err := w.AddPartner(t.Context(), by, "Partner")
	must(t, err)
	w.partner = p.ID
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func kind(err error) domain.Kind {
	if e, ok := errors.AsType[*domain.Error](err); ok {
		return e.Kind
	}
	return domain.Internal
}

// app adds an application.
func (w *world) app(t *testing.T, n registry.NewApplication) (domain.Application, domain.Secret) {
	t.Helper()
	if n.Partner = w.partner; n.Name == "" {
		n.Name = "application"
	}
	if n.Role == "" {
		n.Role = domain.RolePartnerIntegration
	}
	a, s, err := w.AddApplication(t.Context(), by, n)
	must(t, err)
	return a, s
}

// opens reports whether a secret opens the door of an application.
func (w *world) opens(id domain.ClientID, s domain.Secret) bool {
	_, err := w.clients.Client(string(id), s, domain.ClientSecretPost, domain.Origin{Token: true})
	return err == nil
}

// token signs a token of an application for an hour, or for a user where one is given.
func (w *world) token(t *testing.T, id domain.ClientID, user domain.UserID) string {
	t.Helper()
	c := &token.Claims{
		Issuer: "https://auth", Subject: string(id), ClientID: id, Partner: w.partner, Audiences: domain.AllAudiences(), Permissions: domain.AllPermissions(),
		IssuedAt: w.now.Unix(), NotBefore: w.now.Unix(), Expires: w.now.Unix() + 3600, ID: token.NewID(w.now, nil),
	}
	if user != "" {
		c.Subject, c.Actor, c.SID = string(user), id, "aud_test"
	}
	b, err := w.keys.Sign(nil, c)
	must(t, err)
	return string(b)
}

// counts reports whether a token is good for something.
func (w *world) counts(raw string) (domain.Caller, bool) {
	tokens := authn.Tokens{Keys: w.keys, Directory: w.Registry, Issuer: "https://auth", Now: w.Now}
	c, err := tokens.Caller(raw, domain.AudienceCustomer)
	return c, err == nil
}

// actions lists the audit log's actions since the last call's length.
func (w *world) actions(t *testing.T) []string {
	t.Helper()
	entries, err := w.store.Entries(t.Context(), "", 1000)
	must(t, err)
	var list []string
	for _, e := range entries {
		list = append(list, e.Action)
	}
	return list
}

func TestTheDefaultsOfAnApplication(t *testing.T) {
	w := newWorld(t)
	for role, want := range map[domain.RoleName]struct {
		audiences string
		lifetime  time.Duration
		grants    string
	}{
		domain.RoleThirdPartyViewer:    {"customer measurements", time.Hour, "client_credentials"},
		domain.RolePartnerIntegration:  {"auth customer measurements", 5 * time.Minute, "client_credentials urn:ietf:params:oauth:grant-type:token-exchange"},
		domain.RoleMeteringIntegration: {"measurements", time.Hour, "client_credentials"},
	} {
		a, s := w.app(t, registry.NewApplication{Name: string(role), Role: role})
		if got := strings.Join(a.Audiences.Names(), " "); got != want.audiences || a.Lifetime != want.lifetime || a.Type != domain.Confidential ||
			a.Reach != domain.ReachPartner || strings.Join(a.Grants, " ") != want.grants || a.SkipAuthorization || len(a.URIs) != 0 {
			t.Errorf("%s: got %+v with the audiences %s, want %+v", role, a, got, want)
		}
		if !w.opens(a.ID, s) {
			t.Errorf("%s: its first secret does not open it", role)
		}
		w.now = w.now.Add(registry.DefaultExpiry - time.Microsecond)
		if !w.opens(a.ID, s) {
			t.Errorf("%s: its secret stopped before twelve months", role)
		}
		w.now = w.now.Add(time.Microsecond)
		if w.opens(a.ID, s) {
			t.Errorf("%s: its secret lives for more than twelve months", role)
		}
	}
	a, s := w.app(t, registry.NewApplication{Name: "for ever", SecretExpires: -1})
	w.now = w.now.Add(100 * 365 * 24 * time.Hour)
	if !w.opens(a.ID, s) {
		t.Error("a secret that never expires did")
	}
	public, none := w.app(t, registry.NewApplication{Name: "public", Type: domain.Public})
	if !none.Empty() || len(public.Grants) != 0 || w.opens(public.ID, domain.NewSecret("")) {
		t.Errorf("a public client got %+v and a secret: %t", public, !none.Empty())
	}
}

func TestApplicationsThatCannotBe(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*registry.NewApplication){
		"no name":                    func(n *registry.NewApplication) { n.Name = " " },
		"a long name":                func(n *registry.NewApplication) { n.Name = strings.Repeat("x", 201) },
		"no partner":                 func(n *registry.NewApplication) { n.Partner = "" },
		"no role":                    func(n *registry.NewApplication) { n.Role = "" },
		"an unknown role":            func(n *registry.NewApplication) { n.Role = "ADMIN" },
		"an unknown type":            func(n *registry.NewApplication) { n.Type = "Secret" },
		"an unknown reach":           func(n *registry.NewApplication) { n.Reach = "everything" },
		"an unknown grant":           func(n *registry.NewApplication) { n.Grants = []string{"password"} },
		"a public client's secret":   func(n *registry.NewApplication) { n.Type, n.Grants = domain.Public, []string{"client_credentials"} },
		"a lifetime of 59 s":         func(n *registry.NewApplication) { n.Lifetime = 59 * time.Second },
		"a lifetime over an hour":    func(n *registry.NewApplication) { n.Lifetime = 3601 * time.Second },
		"a lifetime with fractions":  func(n *registry.NewApplication) { n.Lifetime = 60*time.Second + 1 },
		"an unknown method":          func(n *registry.NewApplication) { n.AuthMethod = "none" },
		"a URI that is not absolute": func(n *registry.NewApplication) { n.URIs = []string{"/callback"} },
		"a URI with a fragment":      func(n *registry.NewApplication) { n.URIs = []string{"https://example.com/#x"} },
	} {
		n := registry.NewApplication{Name: "x", Partner: w.partner, Role: domain.RoleThirdPartyViewer}
		change(&n)
		if _, s, err := w.AddApplication(t.Context(), by, n); kind(err) != domain.Invalid || !s.Empty() {
			t.Errorf("%s: got %v, want an error of kind invalid", name, err)
		}
	}
	w.app(t, registry.NewApplication{Name: "twice"})
	if _, _, err := w.AddApplication(t.Context(), by, registry.NewApplication{Name: "twice", Partner: w.partner, Role: domain.RoleThirdPartyViewer}); kind(err) != domain.Conflict {
		t.Errorf("the same name: got %v, want a conflict", err)
	}
}

// TestSecretsComeAndGo walks through add, replace and retire.
func TestSecretsComeAndGo(t *testing.T) {
	w := newWorld(t)
	a, first := w.app(t, registry.NewApplication{})
	if _, err := w.AddSecret(t.Context(), by, a.ID, 0, 0); kind(err) != domain.Invalid {
		t.Errorf("no overlap: got %v, want invalid", err)
	}
	second, err := w.AddSecret(t.Context(), by, a.ID, time.Hour, 0)
	must(t, err)
	if !w.opens(a.ID, first) || !w.opens(a.ID, second) {
		t.Error("in the overlap both secrets open")
	}
	if _, err := w.AddSecret(t.Context(), by, a.ID, time.Hour, 0); kind(err) != domain.Conflict {
		t.Errorf("a third live secret: got %v, want a conflict", err)
	}
	w.now = w.now.Add(time.Hour)
	if w.opens(a.ID, first) || !w.opens(a.ID, second) {
		t.Error("after the overlap only the second secret opens")
	}
	third, err := w.ReplaceSecret(t.Context(), by, a.ID, 0)
	must(t, err)
	if w.opens(a.ID, first) || w.opens(a.ID, second) || !w.opens(a.ID, third) {
		t.Error("after a replacement only the new secret opens (K6)")
	}
	list, err := w.Store.Secrets(t.Context(), a.ID)
	must(t, err)
	if len(list) != 3 || list[2].Hint != third.Reveal()[len(third.Reveal())-5:] {
		t.Fatalf("the application has %+v", list)
	}
	for name, c := range map[string]struct {
		which domain.SecretID
		want  domain.Kind
	}{
		"the last live one": {list[2].ID, domain.Conflict}, "one that has stopped": {list[0].ID, domain.Conflict}, "one that is not": {"sec_none", domain.NotFound},
	} {
		if err := w.RetireSecret(t.Context(), by, a.ID, c.which); kind(err) != c.want {
			t.Errorf("retire %s: got %v, want %v", name, err, c.want)
		}
	}
	fourth, err := w.AddSecret(t.Context(), by, a.ID, time.Hour, 0)
	must(t, err)
	must(t, w.RetireSecret(t.Context(), by, a.ID, list[2].ID))
	if w.opens(a.ID, third) || !w.opens(a.ID, fourth) {
		t.Error("what was retired still opens")
	}
	for name, err := range map[string]error{
		"add": second2(w.AddSecret(t.Context(), by, "app_none", time.Hour, 0)), "replace": second2(w.ReplaceSecret(t.Context(), by, "app_none", 0)),
		"retire": w.RetireSecret(t.Context(), by, "app_none", "sec_none"), "disable": w.SetDisabled(t.Context(), by, "app_none", true),
	} {
		if kind(err) != domain.NotFound {
			t.Errorf("%s of an unknown application: got %v, want not found", name, err)
		}
	}
	public, _ := w.app(t, registry.NewApplication{Name: "public", Type: domain.Public})
	if _, err := w.ReplaceSecret(t.Context(), by, public.ID, 0); kind(err) != domain.Invalid {
		t.Errorf("a secret for a public client: got %v, want invalid", err)
	}
	if got, want := strings.Join(w.actions(t), " "), "key.publish key.activate partner.create application.create secret.add secret.replace secret.add secret.retire application.create"; got != want {
		t.Errorf("the audit log has %s, want %s: what is refused leaves nothing", got, want)
	}
	entries, err := w.store.Entries(t.Context(), "", 1000)
	must(t, err)
	for _, e := range entries {
		for _, s := range []domain.Secret{first, second, third, fourth} {
			if strings.Contains(e.Detail+e.Object, s.Reveal()[:20]) {
				t.Errorf("the audit log holds a secret: %+v", e)
			}
		}
	}
}

func second2(_ domain.Secret, err error) error { return err }

// TestWhatEndsTokens: what was issued before dies at once, for the application
// itself and for the users it acts for; what is issued afterwards lives.
func TestWhatEndsTokens(t *testing.T) {
	for name, c := range map[string]struct {
		act        func(*testing.T, *world, domain.ClientID)
		dies, back bool // and whether new tokens count afterwards
	}{
		"nothing": {func(*testing.T, *world, domain.ClientID) {}, false, true},
		"a replaced secret": {func(t *testing.T, w *world, id domain.ClientID) {
			_, err := w.ReplaceSecret(t.Context(), by, id, 0)
			must(t, err)
		}, true, true},
		"an added secret does not": {func(t *testing.T, w *world, id domain.ClientID) {
			_, err := w.AddSecret(t.Context(), by, id, time.Hour, 0)
			must(t, err)
		}, false, true},
		"disabling": {func(t *testing.T, w *world, id domain.ClientID) { must(t, w.SetDisabled(t.Context(), by, id, true)) }, true, false},
		"disabling and enabling": {func(t *testing.T, w *world, id domain.ClientID) {
			must(t, w.SetDisabled(t.Context(), by, id, true))
			must(t, w.SetDisabled(t.Context(), by, id, false))
		}, true, true},
		"a narrower role": {func(t *testing.T, w *world, _ domain.ClientID) {
			must(t, w.SetRole(t.Context(), by, domain.Role{Name: domain.RolePartnerIntegration, Permissions: domain.CustomerPermissions}))
		}, true, true},
		"a wider role does not": {func(t *testing.T, w *world, _ domain.ClientID) {
			must(t, w.SetRole(t.Context(), by, domain.Role{Name: domain.RolePartnerIntegration, Permissions: domain.AllPermissions()}))
		}, false, true},
		"another role does not": {func(t *testing.T, w *world, _ domain.ClientID) {
			must(t, w.SetRole(t.Context(), by, domain.Role{Name: domain.RoleThirdPartyViewer}))
		}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a, _ := w.app(t, registry.NewApplication{})
			const user = "usr_0c1a3b5e7f204a639a516f0c2d9be714"
			before := []string{w.token(t, a.ID, ""), w.token(t, a.ID, user)}
			c.act(t, w, a.ID) // in the same microsecond
			w.now = w.now.Add(time.Microsecond)
			for i, raw := range before {
				if _, ok := w.counts(raw); ok == c.dies {
					t.Errorf("token %d from before counts: %t, want %t", i, ok, !c.dies)
				}
			}
			for i, raw := range []string{w.token(t, a.ID, ""), w.token(t, a.ID, user)} {
				if _, ok := w.counts(raw); ok != c.back {
					t.Errorf("token %d from afterwards counts: %t, want %t", i, ok, c.back)
				}
			}
		})
	}
}

// TestRoleCheck is the manual's step 12 (K14).
func TestRoleCheck(t *testing.T) {
	w := newWorld(t)
	check := func() string {
		t.Helper()
		list, err := w.CheckRoles(t.Context())
		must(t, err)
		var wrong []string
		for _, c := range list {
			if !c.OK() {
				wrong = append(wrong, string(c.Name)+" -"+strings.Join(c.Missing, ",")+" +"+strings.Join(c.Extra, ","))
			}
		}
		return strings.Join(wrong, "; ")
	}
	if got := check(); got != "" {
		t.Errorf("a new environment has %s", got)
	}
	viewer := domain.DocumentedRoles()[0]
	must(t, w.SetRole(t.Context(), by, domain.Role{Name: viewer.Name, Permissions: domain.PermissionSet(domain.CanQueryProperty)}))
	must(t, w.SetRole(t.Context(), by, domain.Role{Name: domain.RoleMeteringIntegration, Permissions: domain.PermissionSet(domain.CanSubmitMeasurements, domain.CanManageWebhooks)}))
	if got, want := check(), "THIRD_PARTY_UTILITY_USAGE_DATA_VIEWER -CAN_VIEW_DETAILED_USAGE +; METERING_INTEGRATION - +CAN_MANAGE_WEBHOOKS"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, role := range domain.DocumentedRoles() {
		must(t, w.SetRole(t.Context(), by, role))
	}
	if got := check(); got != "" {
		t.Errorf("after the repair there is %s", got)
	}
	for name, role := range map[string]domain.Role{
		"more than the documented two":    {Name: viewer.Name, Permissions: viewer.Permissions | domain.PermissionSet(domain.CanImpersonate)},
		"no name":                         {},
		"a name in lower case":            {Name: "viewer"},
		"a name with a space":             {Name: "A B"},
		"a name that is longer than most": {Name: domain.RoleName(strings.Repeat("A", 101))},
	} {
		if err := w.SetRole(t.Context(), by, role); kind(err) != domain.Invalid {
			t.Errorf("%s: got %v, want invalid", name, err)
		}
	}
	own := domain.Role{Name: "READER_2", Permissions: domain.PermissionSet(domain.CanQueryProperty)}
	must(t, w.SetRole(t.Context(), by, own))
	a, _ := w.app(t, registry.NewApplication{Role: own.Name})
	c, ok := w.counts(w.token(t, a.ID, ""))
	if !ok || c.Permissions != own.Permissions {
		t.Errorf("a role of one's own gives %v, %t", c.Permissions.Names(), ok)
	}
}

func TestUsersThatCannotBe(t *testing.T) {
	w := newWorld(t)
	good := domain.User{Partner: w.partner, Customer: true, Email: "ada@example.com", FirstName: "Ada", Surname: "Byron"}
	u, number, err := w.AddUser(t.Context(), by, good, registry.Password{})
	must(t, err)
	if u.ID == "" || number == "" || u.CustomerNumber == "" || !u.CreatedAt.Equal(w.now) {
		t.Errorf("got %+v, %q", u, number)
	}
	with := func(change func(*domain.User)) domain.User {
		x := good
		x.Email = "eva@example.com"
		change(&x)
		return x
	}
	for name, c := range map[string]struct {
		user     domain.User
		password string
		want     domain.Kind
	}{
		"the same address":           {good, "", domain.Conflict},
		"no address":                 {with(func(u *domain.User) { u.Email = "" }), "", domain.Invalid},
		"a name with the address":    {with(func(u *domain.User) { u.Email = "Eva <eva@example.com>" }), "", domain.Invalid},
		"neither customer nor staff": {with(func(u *domain.User) { u.Customer = false }), "", domain.Invalid},
		"a customer of nobody":       {with(func(u *domain.User) { u.Partner = "" }), "", domain.Invalid},
		"a customer without a name":  {with(func(u *domain.User) { u.Surname = "" }), "", domain.Invalid},
		"a customer with rights":     {with(func(u *domain.User) { u.Permissions = 1 }), "", domain.Invalid},
		"an unknown partner":         {with(func(u *domain.User) { u.Partner = "prt_none" }), "", domain.NotFound},
		"a short password":           {with(func(*domain.User) {}), "hunter2", domain.Invalid},
		"a password without end":     {with(func(*domain.User) {}), strings.Repeat("x", 257), domain.Invalid},
	} {
		if _, _, err := w.AddUser(t.Context(), by, c.user, registry.Password{Text: domain.NewSecret(c.password)}); kind(err) != c.want {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if _, err := w.AddPartner(t.Context(), by, "Partner"); kind(err) != domain.Conflict {
		t.Errorf("the same partner: got %v, want a conflict", err)
	}
	if _, err := w.AddPartner(t.Context(), by, " "); kind(err) != domain.Invalid {
		t.Errorf("a partner without a name: got %v, want invalid", err)
	}
	entries, err := w.store.Entries(t.Context(), "", 1000)
	must(t, err)
	for _, e := range entries {
		if strings.Contains(e.Detail+e.Object, "ada@") || strings.Contains(e.Detail, "Byron") {
			t.Errorf("the audit log holds what is personal: %+v", e)
		}
	}
}

// TestUsesAreCounted: routine issuance writes nothing until it is flushed.
func TestUsesAreCounted(t *testing.T) {
	w := newWorld(t)
	a, s := w.app(t, registry.NewApplication{})
	for range 3 {
		w.now = w.now.Add(time.Second)
		if !w.opens(a.ID, s) {
			t.Fatal("the secret does not open")
		}
	}
	uses := func() domain.SecretUse {
		t.Helper()
		m, err := w.Store.SecretUses(t.Context(), a.ID)
		must(t, err)
		for _, u := range m {
			return u
		}
		return domain.SecretUse{}
	}
	if got := uses(); got.Tokens != 0 {
		t.Errorf("counted %d before the flush", got.Tokens)
	}
	for range 2 { // the second has nothing to add
		must(t, w.Flush(t.Context()))
		if got := uses(); got.Tokens != 3 || !got.LastUsed.Equal(w.now) {
			t.Errorf("counted %+v, want 3, the last at %v", got, w.now)
		}
	}
}
