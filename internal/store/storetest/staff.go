package storetest

import (
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/session"
)

const staffEmail = "Staff@example.com"

// staffOf adds a member of staff of a partner, or of the platform.
func (w *world) staffOf(t *testing.T, p domain.PartnerID, id domain.UserID) domain.User {
	t.Helper()
	u := domain.User{ID: id, Partner: p, Staff: true, Permissions: 1 << domain.APIEngineer, Email: staffEmail, FirstName: "Ada", Surname: "Wit", CreatedAt: past}
	must(t, w.AddUser(t.Context(), u, "hash of "+string(id), nil, w.entry("user.create")))
	return u
}

// staffSession logs a member of staff in.
func (w *world) staffSession(t *testing.T, u domain.User, digit byte) session.Session {
	t.Helper()
	s := session.Session{Digest: session.Digest{digit}, User: u.ID, AuthTime: future, SeenAt: future}
	must(t, w.AddStaffSession(t.Context(), s, "hash of "+string(u.ID), session.Digest{}, past, w.entry("staff.login")))
	return s
}

var staff = []promise{
	{"staff of all scopes is found by e-mail, customers and the disabled are not", func(t *testing.T, w *world) {
		list, err := w.StaffPasswords(t.Context(), w.alpha.customer.Email)
		must(t, err)
		equal(t, "staff with a customer's address", len(list), 0)
		ours, alpha, beta := w.staffOf(t, "", "usr_a"), w.staffOf(t, w.alpha.partner.ID, "usr_b"), w.staffOf(t, w.beta.partner.ID, "usr_c")
		find := func(want ...domain.User) {
			t.Helper()
			list, err := w.StaffPasswords(t.Context(), "STAFF@example.com")
			must(t, err)
			got := []domain.User{}
			for _, c := range list {
				equal(t, "hash", c.Hash, "hash of "+string(c.ID))
				got = append(got, c.User)
			}
			equal(t, "staff", got, want)
		}
		find(ours, alpha, beta)
		must(t, w.DisablePartner(t.Context(), w.alpha.partner.ID, true, past, w.entry("partner.disable")))
		must(t, w.DisableUser(t.Context(), beta.ID, true, past, w.entry("user.disable")))
		find(ours)
		for id, kind := range map[domain.UserID]domain.Kind{alpha.ID: domain.NotFound, beta.ID: domain.NotFound, w.beta.customer.ID: domain.NotFound} {
			_, err := w.StaffPassword(t.Context(), id)
			refused(t, string(id), err, kind)
			s := session.Session{Digest: session.Digest{9}, User: id, AuthTime: future, SeenAt: future}
			refused(t, string(id), w.AddStaffSession(t.Context(), s, "hash of "+string(id), session.Digest{}, past, w.entry("staff.login")), kind)
		}
		hash, err := w.StaffPassword(t.Context(), ours.ID)
		must(t, err)
		equal(t, "hash", hash, "hash of usr_a")
	}},
	{"a session of staff is proven under a new digest", func(t *testing.T, w *world) {
		u := w.staffOf(t, "", "usr_a")
		s := w.staffSession(t, u, 1)
		got, who, err := w.FindSession(t.Context(), s.Digest)
		must(t, err)
		equal(t, "session", got, s)
		equal(t, "person", who, u)
		is := session.Digest{2}
		must(t, w.Prove(t.Context(), u.ID, session.Proof{}, s.Digest, is, future.Add(1000), w.entry("staff.prove")))
		_, _, err = w.FindSession(t.Context(), s.Digest)
		refused(t, "the old digest", err, domain.NotFound)
		s.Digest, s.ProvenAt = is, future.Add(1000)
		got, _, err = w.FindSession(t.Context(), is)
		must(t, err)
		equal(t, "session", got, s)
		other := w.staffOf(t, w.alpha.partner.ID, "usr_b")
		refused(t, "somebody else's session", w.Prove(t.Context(), other.ID, session.Proof{}, is, session.Digest{3}, future, w.entry("staff.prove")), domain.NotFound)
	}},
	{"a code and a recovery code are used up once", func(t *testing.T, w *world) {
		u := w.staffOf(t, "", "usr_a")
		s := w.staffSession(t, u, 1)
		_, err := w.FindFactor(t.Context(), u.ID)
		refused(t, "no second factor", err, domain.NotFound)
		f := session.Factor{Sealed: []byte{1, 2, 3}, Since: past, LastStep: 10}
		code := session.Digest{77}
		must(t, w.AddFactor(t.Context(), u.ID, f, []session.Digest{code, {78}}, s.Digest, session.Digest{2}, future, w.entry("staff.enrol")))
		got, err := w.FindFactor(t.Context(), u.ID)
		must(t, err)
		equal(t, "factor", got, f)
		refused(t, "a second one", w.AddFactor(t.Context(), u.ID, f, nil, session.Digest{2}, session.Digest{3}, future, w.entry("staff.enrol")), domain.Conflict)
		prove := func(by session.Proof, was, is byte) error {
			return w.Prove(t.Context(), u.ID, by, session.Digest{was}, session.Digest{is}, future, w.entry("staff.prove"))
		}
		refused(t, "the step of the set-up", prove(session.Proof{Step: 10}, 2, 3), domain.Conflict)
		must(t, prove(session.Proof{Step: 12}, 2, 3))
		refused(t, "the same step", prove(session.Proof{Step: 12}, 3, 4), domain.Conflict)
		refused(t, "a step before", prove(session.Proof{Step: 11}, 3, 4), domain.Conflict)
		must(t, prove(session.Proof{Recovery: code}, 3, 4))
		refused(t, "the same recovery code", prove(session.Proof{Recovery: code}, 4, 5), domain.Conflict)
		refused(t, "a step with a session that is over", prove(session.Proof{Step: 13}, 3, 5), domain.NotFound)
		must(t, prove(session.Proof{Step: 13}, 4, 5)) // what failed used nothing up
		must(t, w.RemoveFactor(t.Context(), u.ID, w.entry("staff.unenrol")))
		_, err = w.FindFactor(t.Context(), u.ID)
		refused(t, "a second factor that was removed", err, domain.NotFound)
		_, _, err = w.FindSession(t.Context(), session.Digest{5})
		refused(t, "a session from before", err, domain.NotFound)
		refused(t, "once more", w.RemoveFactor(t.Context(), u.ID, w.entry("staff.unenrol")), domain.NotFound)
	}},
}
