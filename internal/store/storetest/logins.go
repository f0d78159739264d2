package storetest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// text is the digest of a text that works like a password.
func text(s string) domain.LoginDigest { return sha256.Sum256([]byte(s)) }

// began is when the log-ins of the tests begin: what is revoked at past does not
// reach them.
var began = past.Add(time.Hour)

// ofLogin is a log-in of a house's customer, with the name's refresh token.
func ofLogin(h house, name string) domain.Login {
	return domain.Login{
		Family: "fam_" + name, Partner: h.partner.ID, User: h.customer.ID, Method: domain.LoginPassword,
		Permissions: domain.CustomerPermissions, StartedAt: began, Until: future,
	}
}

// login adds a log-in and returns the digest of its refresh token.
func (w *world) login(t *testing.T, l domain.Login, proof domain.LoginProof) domain.LoginDigest {
	t.Helper()
	name := strings.TrimPrefix(l.Family, "fam_")
	_, err := w.AddLogin(t.Context(), l, text(name), proof, began, w.entry("user.login"))
	must(t, err)
	return text(name)
}

// ended demands which of the log-ins of names have ended, whose tokens are denied.
func (w *world) ended(t *testing.T, what string, want map[string]bool) {
	t.Helper()
	for name, over := range want {
		_, err := w.FindLogin(t.Context(), text(name))
		if over {
			refused(t, what+": the log-in "+name, err, domain.NotFound)
		} else if err != nil {
			t.Errorf("%s: the log-in %s has ended: %v", what, name, err)
		}
		equal(t, what+": the tokens of "+name+" are denied", w.denied(t, "fam_"+name), over)
	}
}

var logins = []promise{
	{"a log-in is ended by its user only, and another's is like one that nobody has", func(t *testing.T, w *world) {
		mine := w.login(t, ofLogin(w.alpha, "mine"), domain.LoginProof{PasswordHash: "hash"})
		theirs := w.login(t, ofLogin(w.beta, "theirs"), domain.LoginProof{})
		neighbour, _ := w.customer(t, w.alpha.partner.ID, "3")
		end := func(refresh domain.LoginDigest, by domain.Caller) ([]string, error) {
			return w.EndLogin(t.Context(), refresh, by, past, w.entry("login.end"))
		}
		alpha := domain.Caller{Partner: w.alpha.partner.ID, User: w.alpha.customer.ID}
		_, foreign := end(theirs, alpha)
		_, unknown := end(text("nobody's"), alpha)
		alike(t, "a log-in", foreign, unknown)
		for who, by := range map[string]domain.Caller{
			"a neighbour":                {Partner: w.alpha.partner.ID, User: neighbour.ID},
			"the user at another's":      {Partner: w.beta.partner.ID, User: w.alpha.customer.ID},
			"an application":             {Partner: w.alpha.partner.ID, Client: w.alpha.app.ID},
			"nobody of the same partner": {Partner: w.alpha.partner.ID},
		} {
			_, err := end(mine, by)
			refused(t, "the end by "+who, err, domain.NotFound)
		}
		w.ended(t, "before", map[string]bool{"mine": false, "theirs": false})
		got, err := end(mine, alpha)
		must(t, err)
		equal(t, "ended", got, []string{"fam_mine"})
		w.ended(t, "after", map[string]bool{"mine": true, "theirs": false})
		before := len(w.all(t))
		got, err = end(mine, alpha)
		must(t, err)
		equal(t, "ended again", len(got), 0)
		equal(t, "number of entries", len(w.all(t)), before)
	}},
	{"a log-in comes back as it was added, by its refresh token alone", func(t *testing.T, w *world) {
		l := ofLogin(w.alpha, "a")
		l.Method, l.Client, l.Permissions = domain.LoginThirdParty, w.alpha.app.ID, domain.PermissionSet(domain.CanQueryProperty)
		w.login(t, l, domain.LoginProof{})
		got, err := w.FindLogin(t.Context(), text("a"))
		must(t, err)
		equal(t, "log-in", got, l)
		_, err = w.FindLogin(t.Context(), text("fam_a"))
		refused(t, "the family's name", err, domain.NotFound)
		l.Family, l.Partner = "fam_b", w.beta.partner.ID
		_, err = w.AddLogin(t.Context(), l, text("b"), domain.LoginProof{}, began, w.entry("user.login"))
		refused(t, "a log-in of another partner's customer", err, domain.NotFound)
		l.Partner, l.Client = w.alpha.partner.ID, w.beta.app.ID
		_, err = w.AddLogin(t.Context(), l, text("b"), domain.LoginProof{}, began, w.entry("user.login"))
		refused(t, "a log-in for another partner's application", err, domain.NotFound)
	}},
	{"what proved a log-in must still be so, and nothing is recorded otherwise", func(t *testing.T, w *world) {
		before := len(w.all(t))
		for what, proof := range map[string]domain.LoginProof{
			"a password from before": {PasswordHash: "old"},
			"a key that nobody has":  {Key: text("key")},
		} {
			_, err := w.AddLogin(t.Context(), ofLogin(w.alpha, "x"), text("x"), proof, began, w.entry("user.login"))
			refused(t, what, err, domain.NotFound)
		}
		equal(t, "number of entries", len(w.all(t)), before)
		_, err := w.SetLiveKey(t.Context(), w.beta.partner.ID, w.beta.customer.ID, text("key"), past, w.entry("user.key"))
		must(t, err)
		_, err = w.AddLogin(t.Context(), ofLogin(w.alpha, "x"), text("x"), domain.LoginProof{Key: text("key")}, began, w.entry("user.login"))
		refused(t, "another person's key", err, domain.NotFound)
		w.login(t, ofLogin(w.beta, "y"), domain.LoginProof{Key: text("key")})
	}},
	{"a log-in stands with its user, the partner, the third party and the password", func(t *testing.T, w *world) {
		third := ofLogin(w.alpha, "third")
		third.Method, third.Client = domain.LoginThirdParty, w.alpha.app.ID
		w.login(t, third, domain.LoginProof{})
		w.login(t, ofLogin(w.beta, "other"), domain.LoginProof{})
		for _, disabled := range []bool{true, false} {
			must(t, w.ChangeApplication(t.Context(), w.alpha.app.ID, func(a *domain.Application) error {
				a.Disabled = disabled
				return nil
			}, w.entry("application.disable")))
			refused(t, "the log-in of a third party that was disabled", one(w.FindLogin(t.Context(), text("third"))), domain.NotFound)
		}
		user := func(disabled bool, dead time.Time) error {
			return w.DisableUser(t.Context(), w.alpha.customer.ID, disabled, dead, w.entry("user.disable"))
		}
		partner := func(disabled bool, dead time.Time) error {
			return w.DisablePartner(t.Context(), w.alpha.partner.ID, disabled, dead, w.entry("partner.disable"))
		}
		for i, c := range []struct {
			what   string
			change func(time.Time) error
			undo   func() error
		}{
			{"the password is another", func(time.Time) error {
				return one(w.SetPassword(t.Context(), w.alpha.customer.ID, "new", past, w.entry("user.password")))
			}, func() error { return nil }},
			{"the user is disabled", func(dead time.Time) error { return user(true, dead) }, func() error { return user(false, time.Time{}) }},
			{"the partner is disabled", func(dead time.Time) error { return partner(true, dead) }, func() error { return partner(false, time.Time{}) }},
		} {
			l := ofLogin(w.alpha, fmt.Sprint("n", i))
			l.StartedAt = began.Add(time.Duration(i) * time.Hour)
			refresh := w.login(t, l, domain.LoginProof{})
			must(t, one(w.FindLogin(t.Context(), refresh)))
			must(t, c.change(l.StartedAt))
			refused(t, "a log-in when "+c.what, one(w.FindLogin(t.Context(), refresh)), domain.NotFound)
			must(t, c.undo())
			refused(t, "a log-in after "+c.what, one(w.FindLogin(t.Context(), refresh)), domain.NotFound)
		}
		w.ended(t, "of another partner", map[string]bool{"other": false})
	}},
	{"the log-ins of one customer end together, with or without those of third parties", func(t *testing.T, w *world) {
		third := ofLogin(w.alpha, "third")
		third.Method, third.Client = domain.LoginThirdParty, w.alpha.app.ID
		w.login(t, ofLogin(w.alpha, "one"), domain.LoginProof{})
		w.login(t, ofLogin(w.alpha, "two"), domain.LoginProof{})
		w.login(t, third, domain.LoginProof{})
		w.login(t, ofLogin(w.beta, "other"), domain.LoginProof{})
		_, foreign := w.EndLogins(t.Context(), w.beta.partner.ID, w.alpha.customer.ID, true, past, w.entry("user.logout"))
		_, unknown := w.EndLogins(t.Context(), w.beta.partner.ID, unknownUser, true, past, w.entry("user.logout"))
		alike(t, "a customer", foreign, unknown)
		got, err := w.EndLogins(t.Context(), w.alpha.partner.ID, w.alpha.customer.ID, false, past, w.entry("user.logout"))
		must(t, err)
		equal(t, "number ended", len(got), 2)
		w.ended(t, "without third parties", map[string]bool{"one": true, "two": true, "third": false, "other": false})
		_, err = w.EndLogins(t.Context(), w.alpha.partner.ID, w.alpha.customer.ID, true, past, w.entry("user.logout"))
		must(t, err)
		w.ended(t, "with third parties", map[string]bool{"third": true, "other": false})
	}},
	{"everything that speaks for a customer ends together, and another's goes on", func(t *testing.T, w *world) {
		s, other := w.session(t, w.alpha, 1, [32]byte{}), w.session(t, w.beta, 2, [32]byte{})
		w.allow(t, w.alpha, "a")
		w.login(t, ofLogin(w.alpha, "one"), domain.LoginProof{})
		w.login(t, ofLogin(w.beta, "other"), domain.LoginProof{})
		_, err := w.EndTokens(t.Context(), w.beta.partner.ID, w.alpha.customer.ID, began, past, w.entry("user.reauthenticate"))
		refused(t, "by another partner", err, domain.NotFound)
		got, err := w.EndTokens(t.Context(), w.alpha.partner.ID, w.alpha.customer.ID, began, past, w.entry("user.reauthenticate"))
		must(t, err)
		equal(t, "number ended", len(got), 2)
		w.ended(t, "after", map[string]bool{"one": true, "other": false})
		equal(t, "the family is denied", w.denied(t, "fam_a"), true)
		_, _, err = w.FindSession(t.Context(), s.Digest)
		refused(t, "the session", err, domain.NotFound)
		_, _, err = w.FindSession(t.Context(), other.Digest)
		must(t, err)
		d, err := w.Directory(t.Context())
		must(t, err)
		equal(t, "tokens are dead until", d.Revoked, map[domain.UserID]time.Time{w.alpha.customer.ID: began})
	}},
	{"the oldest log-in of very many ends for a new one, of the same holder only", func(t *testing.T, w *world) {
		third := ofLogin(w.alpha, "third")
		third.Method, third.Client = domain.LoginThirdParty, w.alpha.app.ID
		w.login(t, third, domain.LoginProof{})
		w.login(t, ofLogin(w.beta, "other"), domain.LoginProof{})
		for i := range 101 {
			l := ofLogin(w.alpha, fmt.Sprint(i))
			l.StartedAt = began.Add(time.Duration(i) * time.Second)
			ended, err := w.AddLogin(t.Context(), l, text(fmt.Sprint(i)), domain.LoginProof{}, began, w.entry("user.login"))
			must(t, err)
			if want := i / 100; len(ended) != want {
				t.Fatalf("log-in %d ended %v, want %d", i, ended, want)
			}
		}
		w.ended(t, "after 101", map[string]bool{"0": true, "1": false, "100": false, "third": false, "other": false})
	}},
	{"what is over is known for a week, and then forgotten on the way", func(t *testing.T, w *world) {
		l := ofLogin(w.alpha, "old")
		l.Until = began.Add(time.Second)
		w.login(t, l, domain.LoginProof{})
		must(t, one(w.FindLogin(t.Context(), text("old"))))
		next := ofLogin(w.alpha, "next")
		_, err := w.AddLogin(t.Context(), next, text("next"), domain.LoginProof{}, began.Add(7*24*time.Hour), w.entry("user.login"))
		must(t, err)
		must(t, one(w.FindLogin(t.Context(), text("old"))))
		next.Family = "fam_last"
		_, err = w.AddLogin(t.Context(), next, text("last"), domain.LoginProof{}, began.Add(8*24*time.Hour), w.entry("user.login"))
		must(t, err)
		refused(t, "one of last week", one(w.FindLogin(t.Context(), text("old"))), domain.NotFound)
	}},
	{"an e-mail address tells the partner where one customer has it", func(t *testing.T, w *world) {
		partner, err := w.OnlyPartner(t.Context(), "PERSON1@example.com")
		must(t, err)
		equal(t, "partner", partner, w.alpha.partner.ID)
		_, err = w.OnlyPartner(t.Context(), "nobody@example.com")
		refused(t, "nobody's address", err, domain.NotFound)
		_, err = w.OnlyPartner(t.Context(), "")
		refused(t, "no address", err, domain.NotFound)
		twin := w.beta.customer
		twin.ID, twin.Email = "usr_"+domain.UserID(strings.Repeat("7", 32)), w.alpha.customer.Email
		must(t, w.AddUser(t.Context(), twin, "hash", nil, w.entry("user.create")))
		_, err = w.OnlyPartner(t.Context(), w.alpha.customer.Email)
		refused(t, "an address of two", err, domain.NotFound)
	}},
	{"a key has one owner, and ends what the one before has brought", func(t *testing.T, w *world) {
		set := func(h house, key string) ([]string, error) {
			return w.SetLiveKey(t.Context(), h.partner.ID, h.customer.ID, text(key), began, w.entry("user.key"))
		}
		_, err := set(w.alpha, "first")
		must(t, err)
		w.login(t, ofLogin(w.alpha, "bykey"), domain.LoginProof{Key: text("first")})
		w.login(t, ofLogin(w.alpha, "byword"), domain.LoginProof{PasswordHash: "hash"})
		u, err := w.LiveKeyOwner(t.Context(), text("first"))
		must(t, err)
		equal(t, "owner", u, w.alpha.customer)
		_, err = set(w.beta, "first")
		refused(t, "a key that somebody has", err, domain.Conflict)
		ended, err := set(w.alpha, "second")
		must(t, err)
		equal(t, "ended", ended, []string{"fam_bykey"})
		w.ended(t, "with the key", map[string]bool{"bykey": true, "byword": false})
		_, err = w.LiveKeyOwner(t.Context(), text("first"))
		refused(t, "the key before", err, domain.NotFound)
		wrong := w.beta
		wrong.partner = w.alpha.partner
		_, err = set(wrong, "third")
		refused(t, "a key of another partner's customer", err, domain.NotFound)
		_, err = w.SetPassword(t.Context(), w.alpha.customer.ID, "new", past, w.entry("user.password"))
		must(t, err)
		_, err = w.LiveKeyOwner(t.Context(), text("second"))
		refused(t, "the key of before the new password", err, domain.NotFound)
	}},
	{"the key of who does not stand opens nothing", func(t *testing.T, w *world) {
		_, err := w.SetLiveKey(t.Context(), w.alpha.partner.ID, w.alpha.customer.ID, text("key"), began, w.entry("user.key"))
		must(t, err)
		must(t, w.DisableUser(t.Context(), w.alpha.customer.ID, true, past, w.entry("user.disable")))
		_, err = w.LiveKeyOwner(t.Context(), text("key"))
		refused(t, "a disabled user's key", err, domain.NotFound)
		must(t, w.DisableUser(t.Context(), w.alpha.customer.ID, false, time.Time{}, w.entry("user.enable")))
		must(t, w.DisablePartner(t.Context(), w.alpha.partner.ID, true, past, w.entry("partner.disable")))
		_, err = w.LiveKeyOwner(t.Context(), text("key"))
		refused(t, "a disabled partner's customer's key", err, domain.NotFound)
	}},
	{"a pre-signed token is its partner's customer's, until it is over or ended", func(t *testing.T, w *world) {
		made := func(h house, name string) domain.PreSigned {
			return domain.PreSigned{
				Digest: text(name), Partner: h.partner.ID, User: h.customer.ID, Client: h.app.ID,
				Permissions: domain.PermissionSet(domain.CanQueryProperty), Until: future,
			}
		}
		a := made(w.alpha, "a")
		must(t, w.AddPreSigned(t.Context(), a, w.entry("user.presign")))
		must(t, w.AddPreSigned(t.Context(), made(w.alpha, "a2"), w.entry("user.presign")))
		must(t, w.AddPreSigned(t.Context(), made(w.beta, "b"), w.entry("user.presign")))
		for what, wrong := range map[string]domain.PreSigned{
			"of another partner's customer":       {Digest: text("x"), Partner: a.Partner, User: w.beta.customer.ID, Client: a.Client, Until: future},
			"by another partner's application":    {Digest: text("x"), Partner: a.Partner, User: a.User, Client: w.beta.app.ID, Until: future},
			"of a customer who is not the caller": {Digest: text("x"), Partner: w.beta.partner.ID, User: a.User, Client: w.beta.app.ID, Until: future},
		} {
			refused(t, "one "+what, w.AddPreSigned(t.Context(), wrong, w.entry("user.presign")), domain.NotFound)
		}
		got, err := w.FindPreSigned(t.Context(), text("a"), began)
		must(t, err)
		equal(t, "pre-signed token", got, a)
		_, err = w.FindPreSigned(t.Context(), text("a"), future)
		refused(t, "one that is over", err, domain.NotFound)
		w.login(t, ofLogin(w.alpha, "by-a"), domain.LoginProof{Key: text("a")})
		w.login(t, ofLogin(w.alpha, "by-a2"), domain.LoginProof{Key: text("a2")})
		ended, err := w.EndPreSigned(t.Context(), text("a"), "", "", began, w.entry("presigned.end"))
		must(t, err)
		equal(t, "ended", ended, []string{"fam_by-a"})
		_, err = w.EndPreSigned(t.Context(), text("a"), "", "", began, w.entry("presigned.end"))
		refused(t, "one that has ended", err, domain.NotFound)
		_, err = w.EndPreSigned(t.Context(), domain.LoginDigest{}, w.beta.partner.ID, w.alpha.customer.ID, began, w.entry("presigned.end"))
		refused(t, "all of another partner's customer", err, domain.NotFound)
		_, err = w.EndPreSigned(t.Context(), domain.LoginDigest{}, w.alpha.partner.ID, w.alpha.customer.ID, began, w.entry("presigned.end"))
		must(t, err)
		w.ended(t, "with the tokens", map[string]bool{"by-a2": true})
		must(t, one(w.FindPreSigned(t.Context(), text("b"), began)))
	}},
	{"a look takes its token once, by staff who may look at that partner's customers", looks},
	{"of many looks at once with one token, one is taken", func(t *testing.T, w *world) {
		m := domain.Masquerade{Digest: text("m"), Partner: w.alpha.partner.ID, User: w.alpha.customer.ID, Until: future}
		must(t, w.AddMasquerade(t.Context(), m, began, w.entry("user.masquerade")))
		var mu sync.Mutex
		taken := 0
		w.together(t, 16, func(i int) error {
			l := ofLogin(w.alpha, fmt.Sprint("look", i))
			l.Method = domain.LoginMasquerade
			_, err := w.TakeMasquerade(t.Context(), text("m"), l, began, domain.Entry{ID: fmt.Sprintf("aud_look_%02d", i), Action: "user.login"})
			if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			taken++
			return err
		})
		equal(t, "taken", taken, 1)
	}},
}

// one leaves the error of an answer.
func one[T any](_ T, err error) error { return err }

func looks(t *testing.T, w *world) {
	staff := func(digit string, partner domain.PartnerID, permission string) domain.UserID {
		u := domain.User{ID: "usr_" + domain.UserID(strings.Repeat(digit, 32)), Partner: partner, Staff: true, Email: "staff" + digit + "@example.com"}
		u.Permissions, _ = domain.ParseStaffPermissions(strings.Fields(permission))
		must(t, w.AddUser(t.Context(), u, "", nil, w.entry("user.create")))
		return u.ID
	}
	platform, own, foreign := staff("a", "", "OAUTH_MANAGER SUPPORT_VIEWER"), staff("b", w.alpha.partner.ID, "SUPPORT_VIEWER"), staff("c", w.beta.partner.ID, "SUPPORT_VIEWER")
	manager := staff("d", "", "OAUTH_MANAGER")
	for what, id := range map[string]domain.UserID{
		"another partner's staff": foreign, "staff without the permission": manager, "a customer": w.alpha.customer.ID, "nobody": unknownUser,
	} {
		m := domain.Masquerade{Digest: text(what), Partner: w.alpha.partner.ID, User: w.alpha.customer.ID, Staff: id, Until: future}
		refused(t, "a look by "+what, w.AddMasquerade(t.Context(), m, began, w.entry("user.masquerade")), domain.NotFound)
	}
	m := domain.Masquerade{Digest: text("x"), Partner: w.beta.partner.ID, User: w.alpha.customer.ID, Until: future}
	refused(t, "a look at another partner's customer", w.AddMasquerade(t.Context(), m, began, w.entry("user.masquerade")), domain.NotFound)
	take := func(name string, user domain.UserID, now time.Time) (domain.Login, error) {
		l := domain.Login{Family: "fam_" + name, User: user, Method: domain.LoginMasquerade, Permissions: domain.CustomerPermissions, StartedAt: began}
		return w.TakeMasquerade(t.Context(), text(name), l, now, w.entry("user.login"))
	}
	for i, who := range []domain.UserID{platform, own, ""} {
		name := fmt.Sprint("m", i)
		m := domain.Masquerade{Digest: text(name), Partner: w.alpha.partner.ID, User: w.alpha.customer.ID, Staff: who, Until: began.Add(time.Hour)}
		must(t, w.AddMasquerade(t.Context(), m, began, w.entry("user.masquerade")))
		_, err := take(name, w.beta.customer.ID, began)
		refused(t, "a look at somebody else", err, domain.NotFound)
		_, err = take(name, w.alpha.customer.ID, m.Until)
		refused(t, "a look with a token that is over", err, domain.NotFound)
		got, err := take(name, w.alpha.customer.ID, began)
		must(t, err)
		want := domain.Login{
			Family: "fam_" + name, Partner: w.alpha.partner.ID, User: w.alpha.customer.ID, Staff: who, Method: domain.LoginMasquerade,
			Permissions: domain.CustomerPermissions, StartedAt: began, Until: m.Until,
		}
		equal(t, "log-in", got, want)
		_, err = take(name, w.alpha.customer.ID, began)
		refused(t, "a second look", err, domain.NotFound)
	}
	m = domain.Masquerade{Digest: text("late"), Partner: w.alpha.partner.ID, User: w.alpha.customer.ID, Staff: own, Until: future}
	must(t, w.AddMasquerade(t.Context(), m, began, w.entry("user.masquerade")))
	must(t, w.DisableUser(t.Context(), own, true, past, w.entry("user.disable")))
	_, err := take("late", w.alpha.customer.ID, began)
	refused(t, "a look by staff who was disabled since", err, domain.NotFound)
}
