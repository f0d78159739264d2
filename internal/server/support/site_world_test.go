package support_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/wattgate/wattgate/internal/audit"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
	"github.com/wattgate/wattgate/internal/secret"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/server/support"
	"github.com/wattgate/wattgate/internal/session"
	"github.com/wattgate/wattgate/internal/store/sqlite"
	"github.com/wattgate/wattgate/internal/throttle"
)

// site is the support site on a database in memory, with a clock that is moved.
type site struct {
	handler  http.Handler
	host     *support.Host
	table    *server.Host
	store    *sqlite.Store
	registry *registry.Registry
	keeper   *session.Keeper
	shelf    *shelf
	now      time.Time
	by       registry.By
}

const word = "correct horse battery staple"

// newSite opens a site; a second factor is asked for as under serve.
func newSite(t testing.TB, factor bool) *site {
	t.Helper()
	s := &site{now: noon, by: registry.By{Means: "test"}}
	clock := func() time.Time { return s.now }
	var err error
	s.store, err = sqlite.Open(t.Context(), "", sqlite.Options{Now: clock})
	must(t, err)
	t.Cleanup(func() { must(t, s.store.Close()) })
	s.registry = &registry.Registry{
		Store: s.store, Pepper: secret.NewMaster(nil).Pepper(), Environment: secret.Staging, Now: clock, Passwords: secret.NewPasswords(2, nil),
	}
	must(t, s.registry.Refresh(t.Context()))
	s.keeper = &session.Keeper{
		Store: s.store, Passwords: s.registry.Passwords, Failures: session.NewFailures(), Now: clock,
		SecondFactor: factor, Sealer: secret.NewSealer([32]byte{1}), Name: "Wattgate",
	}
	s.shelf = &shelf{Store: s.store}
	s.host = &support.Host{
		AuthURL: "http://127.0.0.1", CustomerURL: "http://127.0.0.1", SupportURL: "http://127.0.0.1", Environment: "staging",
		Sessions: s.keeper, Officers: s.keeper, Registry: s.registry, Shelf: s.shelf, Directory: s.registry, Partners: s.store,
		WrongCodes: throttle.New(support.WrongUserCodes, 1),
	}
	s.table = s.host.Table()
	s.handler, err = (&server.Serving{Log: slog.New(slog.DiscardHandler), Now: clock}).OneOrigin(s.table)
	must(t, err)
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *site) partner(t testing.TB, name string) domain.PartnerID {
	t.Helper()
	p, err := s.registry.AddPartner(t.Context(), s.by, name)
	must(t, err)
	return p.ID
}

func (s *site) application(t testing.TB, partner domain.PartnerID, name string) domain.Application {
	t.Helper()
	app, _, err := s.registry.AddApplication(t.Context(), s.by, registry.NewApplication{Name: name, Partner: partner, Role: domain.RoleThirdPartyViewer})
	must(t, err)
	return app
}

// user adds a user whose password is hashed at the least cost.
func (s *site) user(t testing.TB, u domain.User) domain.User {
	t.Helper()
	u.FirstName, u.Surname = "Ada", "Wit"
	u, _, err := s.registry.AddUser(t.Context(), s.by, u, registry.Password{Text: domain.NewSecret(word), Drawn: true})
	must(t, err)
	return u
}

// staff adds a member of staff and logs them in, by the password alone.
func (s *site) staff(t testing.TB, email string, partner domain.PartnerID, permissions ...domain.StaffPermission) domain.Secret {
	t.Helper()
	s.user(t, domain.User{Partner: partner, Staff: true, Permissions: domain.StaffPermissionSet(permissions...), Email: email})
	return s.in(t, email)
}

func (s *site) in(t testing.TB, email string) domain.Secret {
	t.Helper()
	value, err := s.keeper.LogInStaff(t.Context(), email, domain.NewSecret(word), domain.Secret{}, domain.Origin{})
	must(t, err)
	return value
}

// prove sets up a second factor.
func (s *site) prove(t testing.TB, value domain.Secret) domain.Secret {
	t.Helper()
	p, err := s.keeper.Person(t.Context(), value)
	must(t, err)
	e, err := s.keeper.NewEnrolment(p)
	must(t, err)
	code, err := totp.GenerateCode(e.Key.Reveal(), s.now)
	must(t, err)
	_, value, err = s.keeper.Enrol(t.Context(), p, value, e.Key, code, domain.Origin{})
	must(t, err)
	return value
}

// as sends a request with a session; the form, if any, is posted.
func (s *site) as(value domain.Secret, method, target string, form url.Values) *httptest.ResponseRecorder {
	if value.Empty() {
		return send(s.handler, method, target, form)
	}
	return sendWith(s.handler, method, target, form, "Cookie", "wattgate="+value.Reveal())
}

// shelf counts the questions that pages ask of the store.
type shelf struct {
	*sqlite.Store
	asked  atomic.Int64
	unused bool // no application was ever used
}

func (s *shelf) Partners(ctx context.Context) ([]domain.Partner, error) {
	s.asked.Add(1)
	return s.Store.Partners(ctx)
}

func (s *shelf) FindApplication(ctx context.Context, id domain.ClientID) (domain.Application, error) {
	s.asked.Add(1)
	return s.Store.FindApplication(ctx, id)
}

func (s *shelf) Secrets(ctx context.Context, id domain.ClientID) ([]domain.StoredSecret, error) {
	s.asked.Add(1)
	return s.Store.Secrets(ctx, id)
}

func (s *shelf) SecretUses(ctx context.Context, id domain.ClientID) (map[domain.SecretID]domain.SecretUse, error) {
	if s.asked.Add(1); s.unused {
		return nil, nil
	}
	return s.Store.SecretUses(ctx, id)
}

func (s *shelf) Handovers(ctx context.Context, id domain.ClientID) ([]domain.Handover, error) {
	s.asked.Add(1)
	return s.Store.Handovers(ctx, id)
}

func (s *shelf) OwnUse(ctx context.Context, id domain.ClientID) (domain.SecretUse, error) {
	if s.asked.Add(1); s.unused {
		return domain.SecretUse{}, nil
	}
	return s.Store.OwnUse(ctx, id)
}

func (s *shelf) Roles(ctx context.Context) ([]domain.Role, error) {
	s.asked.Add(1)
	return s.Store.Roles(ctx)
}

func (s *shelf) FindUser(ctx context.Context, id domain.UserID) (domain.User, error) {
	s.asked.Add(1)
	return s.Store.FindUser(ctx, id)
}

func (s *shelf) AuditLeaves(ctx context.Context, f audit.Filter) ([]audit.Leaf, error) {
	s.asked.Add(1)
	return s.Store.AuditLeaves(ctx, f)
}
