package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

func secret(w *world, id string) domain.StoredSecret {
	s := domain.StoredSecret{ID: domain.SecretID("sec_" + id), Client: w.alpha.app.ID, Hint: "abcde", CreatedAt: past, ExpiresAt: future}
	copy(s.Digest[:], id)
	return s
}

// setSecrets makes the list the secrets of alpha's application.
func (w *world) setSecrets(t *testing.T, list ...domain.StoredSecret) {
	t.Helper()
	must(t, w.ChangeSecrets(t.Context(), w.alpha.app.ID, func(*domain.Application, []domain.StoredSecret) ([]domain.StoredSecret, error) {
		return list, nil
	}, w.entry("secret.update")))
}

var secrets = []promise{
	{"a link belongs to its application, and is opened once and in time", func(t *testing.T, w *world) {
		h := domain.Handover{Digest: [32]byte{1}, Client: w.alpha.app.ID, Overlap: time.Hour, MadeAt: past, Until: future}
		short := domain.Handover{Digest: [32]byte{2}, Client: w.beta.app.ID, MadeAt: past, Until: past.Add(time.Hour)}
		must(t, w.AddHandover(t.Context(), h, w.entry("secret.handover")))
		must(t, w.AddHandover(t.Context(), short, w.entry("secret.handover")))
		refused(t, "the same link", w.AddHandover(t.Context(), h, w.entry("secret.handover")), domain.Conflict)
		for app, want := range map[domain.ClientID][]domain.Handover{w.alpha.app.ID: {h}, w.beta.app.ID: {short}, "app_none": {}} {
			got, err := w.Handovers(t.Context(), app)
			must(t, err)
			equal(t, "links of "+string(app), got, want)
		}
		_, err := w.FindHandover(t.Context(), [32]byte{3})
		refused(t, "no such link", err, domain.NotFound)
		at := past.Add(2 * time.Hour)
		_, err = w.OpenHandover(t.Context(), short.Digest, at, w.entry("secret.handover.open"))
		refused(t, "a link that has run out", err, domain.NotFound)
		opened, err := w.OpenHandover(t.Context(), h.Digest, at, w.entry("secret.handover.open"))
		must(t, err)
		h.OpenedAt = at
		equal(t, "link", opened, h)
		_, err = w.OpenHandover(t.Context(), h.Digest, at, w.entry("secret.handover.open"))
		refused(t, "a link that was opened", err, domain.NotFound)
		got, err := w.FindHandover(t.Context(), h.Digest)
		must(t, err)
		equal(t, "link", got, h)
	}},
	{"an application cannot take another one's secret", func(t *testing.T, w *world) {
		s := secret(w, "one")
		w.setSecrets(t, s)
		s.Hint = "taken"
		err := w.ChangeSecrets(t.Context(), w.beta.app.ID, func(_ *domain.Application, old []domain.StoredSecret) ([]domain.StoredSecret, error) {
			return append(old, s), nil
		}, w.entry("secret.update"))
		refused(t, "the secret of another application", err, domain.Conflict)
		got, err := w.Secrets(t.Context(), w.alpha.app.ID)
		must(t, err)
		equal(t, "secrets", got, []domain.StoredSecret{secret(w, "one")})
	}},
	{"a first secret comes with its application, and both or none", func(t *testing.T, w *world) {
		a := w.alpha.app
		a.ID, a.Name = "app_new", "new"
		s := secret(w, "first")
		s.Client = a.ID
		must(t, w.AddApplication(t.Context(), a, &s, w.entry("application.create")))
		got, err := w.Secrets(t.Context(), a.ID)
		must(t, err)
		equal(t, "secrets", got, []domain.StoredSecret{s})
		a.ID, a.Name = "app_newer", "newer"
		refused(t, "a secret that exists", w.AddApplication(t.Context(), a, &s, w.entry("application.create")), domain.Conflict)
		_, err = w.FindApplication(t.Context(), a.ID)
		refused(t, "its application", err, domain.NotFound)
	}},
	{"new ones are added, changed ones updated, none is deleted", func(t *testing.T, w *world) {
		one, two := secret(w, "one"), secret(w, "two")
		two.CreatedAt = past.Add(time.Hour)
		w.setSecrets(t, one)
		one.RetiredAt, one.Hint = future, "other"
		must(t, w.ChangeSecrets(t.Context(), w.alpha.app.ID, func(a *domain.Application, old []domain.StoredSecret) ([]domain.StoredSecret, error) {
			a.ChangedAt = future
			old[0].RetiredAt, old[0].Hint = future, "other" // in place
			return append(old, two), nil
		}, w.entry("secret.update")))
		w.setSecrets(t) // leaving them out is not deleting
		got, err := w.Secrets(t.Context(), w.alpha.app.ID)
		must(t, err)
		equal(t, "secrets", got, []domain.StoredSecret{one, two})
		a, err := w.FindApplication(t.Context(), w.alpha.app.ID)
		must(t, err)
		equal(t, "changed at", a.ChangedAt, future)
	}},
	{"a change that fails changes nothing, and its error comes back", func(t *testing.T, w *world) {
		before := len(w.all(t))
		one, two := secret(w, "one"), secret(w, "two")
		two.ID = one.ID // the second cannot be stored
		for sentence, c := range map[string]struct {
			list []domain.StoredSecret
			err  error
		}{
			"the change fails":  {[]domain.StoredSecret{one}, errNo},
			"a secret is twice": {[]domain.StoredSecret{one, two}, nil},
		} {
			err := w.ChangeSecrets(t.Context(), w.alpha.app.ID, func(a *domain.Application, _ []domain.StoredSecret) ([]domain.StoredSecret, error) {
				a.Disabled = true
				return c.list, c.err
			}, w.entry("secret.update"))
			if c.err != nil && err != c.err { //nolint:errorlint // it must be the very same
				t.Errorf("%s: got the error %v, want %v", sentence, err, c.err)
			}
			if c.err == nil {
				refused(t, sentence, err, domain.Conflict)
			}
			w.unchanged(t, before)
			got, err := w.Secrets(t.Context(), w.alpha.app.ID)
			must(t, err)
			equal(t, sentence+": number of secrets", len(got), 0)
		}
		_, err := w.Secrets(t.Context(), unknownClient)
		refused(t, "the secrets of nobody", err, domain.NotFound)
	}},
	{"a rule about the number of secrets holds at the same time", func(t *testing.T, w *world) {
		w.together(t, 32, func(i int) error {
			return w.ChangeSecrets(t.Context(), w.alpha.app.ID, func(_ *domain.Application, old []domain.StoredSecret) ([]domain.StoredSecret, error) {
				if len(old) >= 2 {
					return old, nil
				}
				return append(old, secret(w, fmt.Sprint(i))), nil
			}, w.entry("secret.update"))
		})
		got, err := w.Secrets(t.Context(), w.alpha.app.ID)
		must(t, err)
		equal(t, "number of secrets", len(got), 2)
	}},
	{"uses are added up", func(t *testing.T, w *world) {
		one, two := secret(w, "one"), secret(w, "two")
		w.setSecrets(t, one, two)
		got, err := w.SecretUses(t.Context(), w.alpha.app.ID)
		must(t, err)
		equal(t, "number of uses", len(got), 0)
		w.together(t, 16, func(int) error {
			return w.CountUses(t.Context(), map[domain.SecretID]domain.SecretUse{
				one.ID: {LastUsed: past, Tokens: 3}, two.ID: {LastUsed: past, Tokens: 1},
			})
		})
		must(t, w.CountUses(t.Context(), map[domain.SecretID]domain.SecretUse{one.ID: {LastUsed: future, Tokens: 1}}))
		must(t, w.CountUses(t.Context(), map[domain.SecretID]domain.SecretUse{one.ID: {LastUsed: past, Tokens: 1}}))
		got, err = w.SecretUses(t.Context(), w.alpha.app.ID)
		must(t, err)
		equal(t, "uses", got, map[domain.SecretID]domain.SecretUse{
			one.ID: {LastUsed: future, Tokens: 50}, two.ID: {LastUsed: past, Tokens: 16},
		})
		err = w.CountUses(t.Context(), map[domain.SecretID]domain.SecretUse{"sec_unknown": {Tokens: 1}, two.ID: {Tokens: 1}})
		refused(t, "uses of an unknown secret", err, domain.NotFound)
		got, err = w.SecretUses(t.Context(), w.alpha.app.ID)
		must(t, err)
		equal(t, "tokens after a refusal", got[two.ID].Tokens, int64(16))
		_, err = w.SecretUses(t.Context(), unknownClient)
		refused(t, "uses of nobody's secrets", err, domain.NotFound)
	}},
}
