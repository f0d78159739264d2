package storetest

import (
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
)

const (
	unknownUser     = domain.UserID("usr_ffffffffffffffffffffffffffffffff")
	unknownAccount  = domain.AccountNumber("A-FFFFFFFF")
	unknownProperty = domain.PropertyID("prop_unknown")
	unknownClient   = domain.ClientID("app_unknown")
)

var users = []promise{
	{"a scope sees its own partner's users only", func(t *testing.T, w *world) {
		neighbour, _ := w.customer(t, w.alpha.partner.ID, "3")
		for _, scope := range []domain.Scope{w.alpha.scope(), w.alpha.own()} {
			got, err := w.User(t.Context(), scope, w.alpha.customer.ID)
			must(t, err)
			equal(t, "user", got, w.alpha.customer)
			_, foreign := w.User(t.Context(), scope, w.beta.customer.ID)
			_, unknown := w.User(t.Context(), scope, unknownUser)
			alike(t, "a user", foreign, unknown)
			got2, err := w.Partner(t.Context(), scope)
			must(t, err)
			equal(t, "partner", got2, w.alpha.partner)
		}
		_, err := w.User(t.Context(), w.alpha.own(), neighbour.ID)
		refused(t, "a neighbour", err, domain.NotFound)
		_, err = w.User(t.Context(), domain.Scope{}, w.alpha.customer.ID)
		refused(t, "a user for nobody", err, domain.NotFound)
		_, err = w.User(t.Context(), domain.Scope{User: w.alpha.customer.ID}, w.alpha.customer.ID)
		refused(t, "a user without a partner", err, domain.NotFound)
		_, err = w.Partner(t.Context(), domain.Scope{})
		refused(t, "nobody's partner", err, domain.NotFound)
	}},
	{"platform staff are outside every scope", func(t *testing.T, w *world) {
		staff := domain.User{ID: "usr_" + domain.UserID(strings.Repeat("a", 32)), Staff: true, Email: "staff@example.com"}
		must(t, w.AddUser(t.Context(), staff, "", nil, w.entry("user.create")))
		for _, scope := range []domain.Scope{{}, {User: staff.ID}, w.alpha.scope()} {
			_, err := w.User(t.Context(), scope, staff.ID)
			refused(t, "platform staff", err, domain.NotFound)
		}
	}},
	{"only a customer of the partner who is nothing else can be impersonated", impersonable},
	{"a user comes back as it was added", func(t *testing.T, w *world) {
		u := domain.User{
			ID: "usr_" + domain.UserID(strings.Repeat("b", 32)), Staff: true, Email: "boss@example.com", Disabled: true,
			RevokedBefore: past, CreatedAt: past,
		}
		u.Permissions, _ = domain.ParseStaffPermissions([]string{"OAUTH_MANAGER", "SUPPORT_VIEWER"})
		must(t, w.AddUser(t.Context(), u, "hash", nil, w.entry("user.create")))
		got, err := w.FindUser(t.Context(), u.ID)
		must(t, err)
		equal(t, "user", got, u)
		_, err = w.FindUser(t.Context(), unknownUser)
		refused(t, "an unknown user", err, domain.NotFound)
	}},
	{"an e-mail address is unique within a partner, in any case of letters", func(t *testing.T, w *world) {
		twin := w.alpha.customer
		twin.ID, twin.Email = "usr_"+domain.UserID(strings.Repeat("c", 32)), strings.ToUpper(twin.Email)
		before := w.all(t)
		refused(t, "the same address again", w.AddUser(t.Context(), twin, "", nil, w.entry("user.create")), domain.Conflict)
		equal(t, "audit log after a refusal", len(w.all(t)), len(before))
		twin.Partner = w.beta.partner.ID
		must(t, w.AddUser(t.Context(), twin, "", nil, w.entry("user.create")))
		got, err := w.UsersByEmail(t.Context(), strings.ToLower(twin.Email))
		must(t, err)
		equal(t, "users with the address", got, []domain.User{w.alpha.customer, twin})
		staff := domain.User{ID: "usr_" + domain.UserID(strings.Repeat("d", 32)), Staff: true, Email: twin.Email}
		must(t, w.AddUser(t.Context(), staff, "", nil, w.entry("user.create")))
		staff.ID = "usr_" + domain.UserID(strings.Repeat("e", 32))
		refused(t, "the same address among staff", w.AddUser(t.Context(), staff, "", nil, w.entry("user.create")), domain.Conflict)
	}},
	{"users are listed by partner", func(t *testing.T, w *world) {
		staff := domain.User{ID: "usr_" + domain.UserID(strings.Repeat("a", 32)), Staff: true, Email: "a@example.com"}
		must(t, w.AddUser(t.Context(), staff, "", nil, w.entry("user.create")))
		for sentence, c := range map[string]struct {
			partner domain.PartnerID
			all     bool
			want    []domain.User
		}{
			"one partner's":  {w.alpha.partner.ID, false, []domain.User{w.alpha.customer}},
			"platform staff": {"", false, []domain.User{staff}},
			"everybody":      {"", true, []domain.User{staff, w.alpha.customer, w.beta.customer}},
		} {
			got, err := w.Users(t.Context(), c.partner, c.all)
			must(t, err)
			equal(t, sentence, got, c.want)
		}
	}},
	{"partners are listed by name, which is unique", func(t *testing.T, w *world) {
		got, err := w.Partners(t.Context())
		must(t, err)
		equal(t, "partners", got, []domain.Partner{w.alpha.partner, w.beta.partner})
		twin := domain.Partner{ID: "prt_twin", Name: "alpha"}
		refused(t, "a partner's name again", w.AddPartner(t.Context(), twin, w.entry("partner.create")), domain.Conflict)
	}},
	{"a password can be set for who exists", func(t *testing.T, w *world) {
		w.password(t, w.alpha.customer.ID, "new", past)
		_, err := w.SetPassword(t.Context(), unknownUser, "new", past, w.entry("user.password"))
		refused(t, "the password of nobody", err, domain.NotFound)
	}},
	{"a user of a partner that does not exist is refused", func(t *testing.T, w *world) {
		u := domain.User{ID: unknownUser, Partner: "prt_unknown", Customer: true, Email: "x@example.com"}
		refused(t, "an unknown partner", w.AddUser(t.Context(), u, "", nil, w.entry("user.create")), domain.NotFound)
	}},
}

func impersonable(t *testing.T, w *world) {
	got, err := w.ImpersonableCustomer(t.Context(), w.alpha.partner.ID, w.alpha.customer.ID)
	must(t, err)
	equal(t, "customer", got, domain.User{ID: w.alpha.customer.ID, Partner: w.alpha.partner.ID, Customer: true})
	closed := domain.Partner{ID: "prt_closed", Name: "closed", Disabled: true}
	must(t, w.AddPartner(t.Context(), closed, w.entry("partner.create")))
	_, unknown := w.ImpersonableCustomer(t.Context(), w.alpha.partner.ID, unknownUser)
	for sentence, c := range map[string]struct {
		digit string
		user  domain.User
		asks  domain.PartnerID
	}{
		"another partner's customer":            {"4", domain.User{Partner: w.beta.partner.ID, Customer: true}, w.alpha.partner.ID},
		"a member of the partner's staff":       {"5", domain.User{Partner: w.alpha.partner.ID, Staff: true}, w.alpha.partner.ID},
		"a customer who is also staff":          {"6", domain.User{Partner: w.alpha.partner.ID, Customer: true, Staff: true}, w.alpha.partner.ID},
		"a disabled customer":                   {"7", domain.User{Partner: w.alpha.partner.ID, Customer: true, Disabled: true}, w.alpha.partner.ID},
		"a customer of a disabled partner":      {"8", domain.User{Partner: closed.ID, Customer: true}, closed.ID},
		"platform staff, asked for by nobody":   {"9", domain.User{Staff: true}, ""},
		"a customer of the partner, for nobody": {"a", domain.User{Partner: w.alpha.partner.ID, Customer: true}, ""},
	} {
		c.user.ID = domain.UserID("usr_" + strings.Repeat(c.digit, 32))
		must(t, w.AddUser(t.Context(), c.user, "", nil, w.entry("user.create")))
		_, err := w.ImpersonableCustomer(t.Context(), c.asks, c.user.ID)
		alike(t, sentence, err, unknown)
	}
}
