package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/session"
)

// TestProve: who is it, for a program. Both customers have the same address, at a
// partner each.
func TestProve(t *testing.T) {
	w := newWorld(t)
	only := w.user(t, domain.User{Partner: w.partner[0], Customer: true, Email: "only@example.com"}, password+"Only")
	w.user(t, domain.User{Partner: w.partner[0], Staff: true, Email: "staff@example.com"}, password+"Staff")
	for name, c := range map[string]struct {
		partner     domain.PartnerID
		email, word string
		want        domain.UserID
	}{
		"the right password, with the partner":    {partner: w.partner[0], email: email, word: password + "Alpha", want: w.customer[0].ID},
		"the other partner's":                     {partner: w.partner[1], email: " " + email + " ", word: password + "Beta", want: w.customer[1].ID},
		"without a partner, where one has it":     {email: "ONLY@example.com", word: password + "Only", want: only.ID},
		"without a partner, where two have it":    {email: email, word: password + "Alpha"},
		"the password of the other":               {partner: w.partner[0], email: email, word: password + "Beta"},
		"a partner who has nobody of the address": {partner: w.partner[1], email: "only@example.com", word: password + "Only"},
		"nobody's address":                        {email: "nobody@example.com", word: password + "Only"},
		"no address":                              {word: password + "Only"},
		"staff":                                   {email: "staff@example.com", word: password + "Staff"},
		"staff, with the partner":                 {partner: w.partner[0], email: "staff@example.com", word: password + "Staff"},
	} {
		u, hash, err := w.Prove(t.Context(), c.partner, c.email, domain.NewSecret(c.word), domain.Origin{Address: "192.0.2.1"})
		if c.want == "" && (!errors.Is(err, session.ErrWrong) || u.ID != "" || hash != "") {
			t.Errorf("%s: got %v, %v, want the one refusal", name, u.ID, err)
		}
		if c.want != "" && (err != nil || u.ID != c.want || hash == "") {
			t.Errorf("%s: got %v, %v, want %v", name, u.ID, err, c.want)
		}
	}
}

// TestProveAndLogInShareTheirLimits: who has failed as a program waits as a
// browser, and the other way round; a text that nobody can guess counts for the
// address alone.
func TestProveAndLogInShareTheirLimits(t *testing.T) {
	w := newWorld(t)
	const here, there = "192.0.2.1", "198.51.100.7"
	prove := func(word, address string) error {
		_, _, err := w.Prove(t.Context(), w.partner[0], email, domain.NewSecret(word), domain.Origin{Address: address})
		return err
	}
	for i := range 5 {
		if err := prove("wrong", here); !errors.Is(err, session.ErrWrong) {
			t.Fatalf("failure %d: got %v", i+1, err)
		}
	}
	if _, err := w.in(t, 0, email, password+"Alpha", domain.Secret{}, here); kind(err) != domain.Throttled {
		t.Errorf("the right password in the browser: got %v, want to be throttled", err)
	}
	if err := prove(password+"Alpha", here); kind(err) != domain.Throttled {
		t.Errorf("the right password of the program: got %v, want to be throttled", err)
	}
	if err := prove(password+"Alpha", there); err != nil {
		t.Errorf("from another address: got %v", err)
	}
	w.now = w.now.Add(time.Hour)
	from := domain.Origin{Address: here}
	for i := range 20 {
		if err := errors.Join(w.MayGuess(from), w.Guessed(from, nil)); err != nil {
			t.Fatalf("guess %d: got %v", i+1, err)
		}
	}
	if err := w.MayGuess(from); kind(err) != domain.Throttled {
		t.Errorf("one guess more: got %v, want to be throttled", err)
	}
	if err := prove(password+"Alpha", here); kind(err) != domain.Throttled {
		t.Errorf("a password from there: got %v, want to be throttled", err)
	}
	if err := w.MayGuess(domain.Origin{Address: there}); err != nil {
		t.Errorf("a guess from another address: got %v", err)
	}
}
