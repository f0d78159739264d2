package authorize_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/registry"
	"github.com/wattgate/wattgate/internal/secret"
	"github.com/wattgate/wattgate/internal/store/sqlite"
	"github.com/wattgate/wattgate/internal/token"
)

const (
	issuer   = "https://auth.example.com"
	callback = "https://app.example.com/cb"
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B
	pkce     = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

var by = registry.By{Means: "test"}

// world is a desk on a database in memory, with a clock that is moved, and all
// that a token has to pass to open anything.
type world struct {
	*authorize.Desk
	store    *sqlite.Store
	registry *registry.Registry
	issuer   *issuance.Issuer
	tokens   *authn.Tokens
	keys     *token.Ring
	micros   atomic.Int64 // of the clock
	user     domain.User
	other    domain.User // of another partner
	app      domain.ClientID
	point    domain.SupplyPointRef
	foreign  domain.SupplyPointRef // the other's
}

func (w *world) now() time.Time       { return time.UnixMicro(w.micros.Load()).UTC() }
func (w *world) pass(d time.Duration) { w.micros.Add(d.Microseconds()) }
func (w *world) origin() domain.Origin {
	return domain.Origin{RequestID: "r", Address: "a", At: w.now()}
}
func (w *world) listing() *domain.Listing { return w.registry.Directory().Application(w.app) }

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{}
	w.micros.Store(time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC).UnixMicro())
	var err error
	w.store, err = sqlite.Open(t.Context(), "", sqlite.Options{Now: w.now})
	must(t, err)
	t.Cleanup(func() { must(t, w.store.Close()) })
	master := secret.NewMaster(nil)
	w.registry = &registry.Registry{
		Store: w.store, Pepper: master.Pepper(), Environment: secret.Staging, Now: w.now, Passwords: secret.NewPasswords(1, nil),
	}
	must(t, w.registry.Refresh(t.Context()))
	w.keys, err = token.OpenRing(t.Context(), token.Settings{Store: w.store, Cipher: master.Sealer(), Now: w.now, Policy: token.Policy{}})
	must(t, err)
	denied := &authn.DenyList{}
	w.tokens = &authn.Tokens{Keys: w.keys, Directory: w.registry, Issuer: issuer, Now: w.now, Denied: denied}
	w.issuer = &issuance.Issuer{URL: issuer, Keys: w.keys, Customers: w.store, Now: w.now}
	w.Desk = &authorize.Desk{Store: w.store, Directory: w.registry, Denied: denied, Targets: w.issuer.Targets, Issuer: issuer, Now: w.now}
	w.user, w.point = w.household(t, "1")
	w.other, w.foreign = w.household(t, "2")
	w.app = w.add(t, registry.NewApplication{Name: "third party"})
	return w
}

// household adds a partner with one customer, who has one supply point.
func (w *world) household(t testing.TB, digit string) (domain.User, domain.SupplyPointRef) {
	t.Helper()
	p, err := w.registry.AddPartner(t.Context(), by, "Partner "+digit)
	must(t, err)
	u, account, err := w.registry.AddUser(t.Context(), by, domain.User{
		Partner: p.ID, Customer: true, Email: "ada" + digit + "@example.com", FirstName: "Ada", Surname: "Wit",
	}, registry.Password{})
	must(t, err)
	property, err := w.registry.AddProperty(t.Context(), by, domain.Property{Partner: p.ID, Account: account, Label: "home", Zone: "Europe/Amsterdam"})
	must(t, err)
	ref := domain.SupplyPointRef{Market: domain.MarketNLDElectricity, Identifier: "EAN" + digit}
	must(t, w.store.TakeIn(t.Context(), func(tx intake.Tx) error {
		_, err := tx.AddSupplyPoint(domain.SupplyPoint{Partner: p.ID, Property: property.ID, Market: ref.Market, Identifier: ref.Identifier, Zone: "Europe/Amsterdam"})
		return err
	}))
	return u, ref
}

// add adds an application that may do everything a person can allow.
func (w *world) add(t testing.TB, n registry.NewApplication) domain.ClientID {
	t.Helper()
	if n.Partner == "" {
		n.Partner = w.user.Partner
	}
	if n.Grants == nil {
		n.Grants = []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken, oauth.GrantDeviceCode}
	}
	if n.URIs == nil {
		n.URIs = []string{callback}
	}
	if n.Role == "" {
		n.Role = domain.RoleThirdPartyViewer
	}
	app, _, err := w.registry.AddApplication(t.Context(), by, n)
	must(t, err)
	return app.ID
}

// params is a request without a fault.
func (w *world) params() authorize.Params {
	return authorize.Params{
		ResponseType: "code", ClientID: string(w.app), RedirectURI: callback, Scope: "openid offline_access", State: "s t", Nonce: "n",
		CodeChallenge: pkce, CodeChallengeMethod: "S256",
	}
}

// decision allows what there is.
func (w *world) decision() authorize.Decision {
	return authorize.Decision{
		SupplyPoints: []domain.SupplyPointRef{w.point}, Finest: 30 * time.Minute, HistoryFrom: 20000,
		ValidUntil: w.now().Add(365 * 24 * time.Hour), Purpose: "advice", AuthTime: w.now().Add(-time.Minute),
	}
}

// challenge begins a request.
func (w *world) challenge(t testing.TB, p authorize.Params) string {
	t.Helper()
	req, err := w.Check(p)
	must(t, err)
	challenge, err := w.Begin(t.Context(), req)
	must(t, err)
	return challenge
}

// code has the customer allow a request, and returns the code.
func (w *world) code(t testing.TB) string {
	t.Helper()
	to, err := w.Allow(t.Context(), w.challenge(t, w.params()), w.user, w.decision(), w.origin())
	must(t, err)
	u, err := url.Parse(to)
	must(t, err)
	return u.Query().Get("code")
}

// grant goes the whole way, and returns the first refresh token too.
func (w *world) grant(t testing.TB) (authorize.Grant, domain.Secret) {
	t.Helper()
	g, err := w.Redeem(t.Context(), w.listing(), w.code(t), callback, verifier, w.origin())
	must(t, err)
	refresh, err := w.Remember(t.Context(), g, authorize.RefreshLifetime)
	must(t, err)
	return g, refresh
}

// access issues the tokens of a grant.
func (w *world) access(t testing.TB, g authorize.Grant) oauth.Token {
	t.Helper()
	made, err := w.issuer.ForUser(t.Context(), w.listing(), userGrant(g), w.origin())
	must(t, err)
	return made
}

func userGrant(g authorize.Grant) issuance.UserGrant {
	return issuance.UserGrant{
		User: g.User, Family: g.Family, Scope: g.Scope, Audience: g.Audience, Resource: g.Resource, Permissions: g.Permissions,
		Nonce: g.Nonce, AuthTime: g.AuthTime,
	}
}

// opens reports whether an access token opens the customer's API.
func (w *world) opens(access string) bool {
	_, err := w.tokens.Caller(access, domain.AudienceCustomer)
	return err == nil
}

// actions lists the audit log's actions.
func (w *world) actions(t testing.TB) string {
	t.Helper()
	entries, err := w.store.Entries(t.Context(), "", 100_000)
	must(t, err)
	var list []string
	for _, e := range entries {
		if strings.HasPrefix(e.Action, "consent.") || strings.HasPrefix(e.Action, "family.") {
			list = append(list, e.Action)
		}
	}
	return strings.Join(list, " ")
}

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// code returns the protocol's code of an error.
func codeOf(err error) string {
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		return string(e.Code)
	}
	if e, ok := errors.AsType[*authorize.Refused](err); ok {
		return e.Code
	}
	if e, ok := errors.AsType[*domain.Error](err); ok {
		return e.Kind.String()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}
