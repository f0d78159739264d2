package session_test

import (
	"bytes"
	"encoding/base32"
	"fmt"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/secret"
	"github.com/wattgate/wattgate/internal/session"
)

var office = domain.Origin{Address: "192.0.2.7", RequestID: "r"}

// officer adds a member of staff of the platform.
func (w *world) officer(t *testing.T) domain.User {
	t.Helper()
	return w.user(t, domain.User{Staff: true, Permissions: 1 << domain.OAuthManager, Email: "officer@example.com"}, password)
}

func (w *world) staffIn(t *testing.T, word string) domain.Secret {
	t.Helper()
	value, err := w.LogInStaff(t.Context(), "officer@example.com", domain.NewSecret(word), domain.Secret{}, office)
	must(t, err)
	return value
}

func (w *world) who(t *testing.T, value domain.Secret) session.Person {
	t.Helper()
	p, err := w.Person(t.Context(), value)
	must(t, err)
	return p
}

func TestOneAnswerToStaffWhoDoNotGetIn(t *testing.T) {
	w := newWorld(t)
	w.officer(t)
	for sentence, c := range map[string]struct{ email, word string }{
		"a wrong password":               {"officer@example.com", "wrong"},
		"an address that nobody has":     {"nobody@example.com", password},
		"a customer's address":           {email, password + "Alpha"},
		"no address":                     {"", ""},
		"an address with more behind it": {"officer@example.com\x00", password},
	} {
		_, err := w.LogInStaff(t.Context(), c.email, domain.NewSecret(c.word), domain.Secret{}, domain.Origin{Address: "198.51.100." + string(rune('1'+len(sentence)%9))})
		if kind(err) != domain.Forbidden || err.Error() != session.ErrWrong.Error() {
			t.Errorf("%s: got %v, want %v", sentence, err, session.ErrWrong)
		}
	}
	if w.who(t, w.staffIn(t, password)).ProvenAt.IsZero() {
		t.Error("without a second factor the password proves in full")
	}
}

func TestStaffGuessingIsSlowedDown(t *testing.T) {
	w := newWorld(t)
	w.officer(t)
	var err error
	for range 6 {
		_, err = w.LogInStaff(t.Context(), "officer@example.com", domain.NewSecret("wrong"), domain.Secret{}, office)
	}
	if kind(err) != domain.Throttled {
		t.Errorf("got %v after six wrong passwords, want to be slowed down", err)
	}
	if _, err := w.LogInStaff(t.Context(), "officer@example.com", domain.NewSecret(password), domain.Secret{}, domain.Origin{Address: "203.0.113.9"}); err != nil {
		t.Errorf("got %v from elsewhere, want in: nobody locks somebody else out", err)
	}
}

func TestSecondFactor(t *testing.T) {
	w := newWorld(t)
	w.SecondFactor, w.Sealer, w.Name = true, secret.NewSealer([32]byte{1}), "Wattgate"
	w.officer(t)
	value := w.staffIn(t, password)
	p := w.who(t, value)
	if !p.ProvenAt.IsZero() || p.IsFresh(w.now) {
		t.Error("the password alone proves in full, want the second factor")
	}
	if _, err := w.ProvePassword(t.Context(), p, value, domain.NewSecret(password), office); kind(err) != domain.Forbidden {
		t.Errorf("got %v for the password in place of a code, want no", err)
	}
	e, err := w.NewEnrolment(p)
	must(t, err)
	if _, err := png.Decode(bytes.NewReader(e.Picture)); err != nil || !strings.HasPrefix(e.Address.Reveal(), "otpauth://totp/Wattgate:officer@example.com?") {
		t.Errorf("got the address %q and a picture with the error %v", e.Address.Reveal(), err)
	}
	code := func() string {
		c, err := totp.GenerateCode(e.Key.Reveal(), w.now)
		must(t, err)
		return c
	}
	if _, _, err := w.Enrol(t.Context(), p, value, e.Key, "000000", office); kind(err) != domain.Forbidden {
		t.Errorf("got %v for a wrong first code, want no", err)
	}
	recovery, value, err := w.Enrol(t.Context(), p, value, e.Key, code(), office)
	must(t, err)
	p = w.who(t, value)
	if !p.ProvenAt.Equal(w.now) || len(recovery) != 10 {
		t.Errorf("got proven at %v and %d recovery codes", p.ProvenAt, len(recovery))
	}

	value = w.staffIn(t, password)
	p = w.who(t, value)
	if _, err := w.ProveCode(t.Context(), p, value, code(), office); kind(err) != domain.Forbidden {
		t.Errorf("got %v for the code of the set-up once more, want no", err)
	}
	w.now = w.now.Add(30 * time.Second)
	proven, err := w.ProveCode(t.Context(), p, value, code()[:3]+" "+code()[3:], office)
	must(t, err)
	if _, err := w.Person(t.Context(), value); err == nil {
		t.Error("the session's value from before the proof is alive")
	}
	p = w.who(t, proven)
	w.now = w.now.Add(session.Fresh)
	if p.IsFresh(w.now) {
		t.Error("a proof is fresh for ever")
	}
	again, err := w.ProveCode(t.Context(), p, proven, strings.ToLower(recovery[3]), office)
	must(t, err)
	if _, err := w.ProveCode(t.Context(), w.who(t, again), again, recovery[3], office); kind(err) != domain.Forbidden {
		t.Errorf("got %v for a recovery code once more, want no", err)
	}
	if _, err := base32.StdEncoding.DecodeString(recovery[4]); err != nil || len(recovery[4]) != 16 {
		t.Errorf("got the recovery code %q", recovery[4])
	}
}

func TestCodesAroundTheirStep(t *testing.T) {
	w := newWorld(t)
	w.SecondFactor, w.Sealer, w.Name = true, secret.NewSealer([32]byte{1}), "Wattgate"
	w.officer(t)
	value := w.staffIn(t, password)
	p := w.who(t, value)
	e, err := w.NewEnrolment(p)
	must(t, err)
	for sentence, c := range map[string]struct {
		off time.Duration
		ok  bool
	}{
		"two steps ago": {-61 * time.Second, false}, "two steps ahead": {61 * time.Second, false},
	} {
		code, err := totp.GenerateCode(e.Key.Reveal(), w.now.Add(c.off))
		must(t, err)
		if _, _, err := w.Enrol(t.Context(), p, value, e.Key, code, domain.Origin{Address: sentence}); (err == nil) != c.ok {
			t.Errorf("a code of %s: got %v, want ok=%v", sentence, err, c.ok)
		}
	}
	code, err := totp.GenerateCode(e.Key.Reveal(), w.now.Add(-30*time.Second))
	must(t, err)
	if _, _, err := w.Enrol(t.Context(), p, value, e.Key, code, office); err != nil {
		t.Errorf("a code of one step ago: got %v, want it taken", err)
	}
}

// TestOnlyWhoIsNotProvenSetsUpAFactor: where none is asked for, whoever finds a
// session open must not make it fresh by a device of their own.
func TestOnlyWhoIsNotProvenSetsUpAFactor(t *testing.T) {
	w := newWorld(t)
	w.Sealer, w.Name = secret.NewSealer([32]byte{1}), "Wattgate"
	w.officer(t)
	value := w.staffIn(t, password)
	w.now = w.now.Add(session.Fresh)
	p := w.who(t, value)
	e, err := w.NewEnrolment(p)
	must(t, err)
	code, err := totp.GenerateCode(e.Key.Reveal(), w.now)
	must(t, err)
	if _, _, err := w.Enrol(t.Context(), p, value, e.Key, code, office); kind(err) != domain.Conflict {
		t.Errorf("got %v, want no", err)
	}
	if has, err := w.HasFactor(t.Context(), p); has || err != nil || w.who(t, value).IsFresh(w.now) {
		t.Errorf("got a second factor %t (%v), or a session that is fresh", has, err)
	}
}

// TestOneCodeProvesOneBrowser: of many who send one code at once, one gets in.
func TestOneCodeProvesOneBrowser(t *testing.T) {
	w := newWorld(t)
	w.SecondFactor, w.Sealer, w.Name, w.Failures = true, secret.NewSealer([32]byte{1}), "Wattgate", nil
	w.officer(t)
	value := w.staffIn(t, password)
	p := w.who(t, value)
	e, err := w.NewEnrolment(p)
	must(t, err)
	code := func() string {
		c, err := totp.GenerateCode(e.Key.Reveal(), w.now)
		must(t, err)
		return c
	}
	recovery, _, err := w.Enrol(t.Context(), p, value, e.Key, code(), office)
	must(t, err)
	w.now = w.now.Add(time.Minute)
	for name, typed := range map[string]string{"a code": code(), "a recovery code": recovery[0]} {
		const n = 6
		values := make([]domain.Secret, n)
		for i := range values {
			values[i] = w.staffIn(t, password)
		}
		answers := make(chan error, n)
		for _, value := range values {
			go func() {
				_, err := w.ProveCode(t.Context(), p, value, typed, office)
				answers <- err
			}()
		}
		in := 0
		for range n {
			if err := <-answers; err == nil {
				in++
			} else if kind(err) != domain.Forbidden {
				t.Errorf("%s: got %v, want in or refused", name, err)
			}
		}
		if in != 1 {
			t.Errorf("%s let %d in at once, want 1", name, in)
		}
	}
}

// TestCodesAreNotTriedFromEverywhere: somebody with the password and any number of
// addresses gets a few tries at the code, and whoever has a recovery code gets in.
func TestCodesAreNotTriedFromEverywhere(t *testing.T) {
	w := newWorld(t)
	w.SecondFactor, w.Sealer, w.Name = true, secret.NewSealer([32]byte{1}), "Wattgate"
	w.officer(t)
	value := w.staffIn(t, password)
	p := w.who(t, value)
	e, err := w.NewEnrolment(p)
	must(t, err)
	code := func() string {
		c, err := totp.GenerateCode(e.Key.Reveal(), w.now)
		must(t, err)
		return c
	}
	recovery, value, err := w.Enrol(t.Context(), p, value, e.Key, code(), office)
	must(t, err)
	w.now = w.now.Add(time.Minute)
	looked := 0
	for i := range 200 {
		_, err := w.ProveCode(t.Context(), p, value, "000000", domain.Origin{Address: fmt.Sprintf("192.0.2.%d", i)})
		switch kind(err) {
		case domain.Forbidden:
			looked++
		case domain.Throttled:
		default:
			t.Fatalf("got %v for a wrong code", err)
		}
	}
	if looked != session.CodesOfAPerson.Burst {
		t.Errorf("%d wrong codes were looked at, want %d", looked, session.CodesOfAPerson.Burst)
	}
	elsewhere := domain.Origin{Address: "203.0.113.9"}
	if _, err := w.ProveCode(t.Context(), p, value, code(), elsewhere); kind(err) != domain.Throttled {
		t.Errorf("got %v for the right code, want to wait", err)
	}
	if value, err = w.ProveCode(t.Context(), p, value, recovery[0], elsewhere); err != nil {
		t.Errorf("got %v for a recovery code, want in", err)
	}
	w.now = w.now.Add(session.CodesOfAPerson.Every)
	if _, err := w.ProveCode(t.Context(), p, value, code(), elsewhere); err != nil {
		t.Errorf("got %v for the right code a minute later, want in", err)
	}
}
