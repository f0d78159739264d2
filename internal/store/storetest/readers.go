package storetest

import (
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
)

// readersOf are who may read what a house's customer has.
func readersOf(h house) domain.ReaderFilter {
	return domain.ReaderFilter{Partner: h.partner.ID, User: h.customer.ID}
}

var readers = []promise{
	{"who may read is told of one's own consents only", func(t *testing.T, w *world) {
		w.consent(t, w.alpha, nil)
		want := []domain.Reader{{Application: w.alpha.app.ID, Name: w.alpha.app.Name}}
		mixed := readersOf(w.alpha)
		mixed.Partner = w.beta.partner.ID
		for name, c := range map[string]struct {
			filter domain.ReaderFilter
			want   []domain.Reader
		}{
			"of who allowed it":              {readersOf(w.alpha), want},
			"of another partner's customer":  {readersOf(w.beta), []domain.Reader{}},
			"of the customer, at another":    {mixed, []domain.Reader{}},
			"of nobody":                      {domain.ReaderFilter{}, []domain.Reader{}},
			"of nobody at the partner":       {domain.ReaderFilter{Partner: w.alpha.partner.ID}, []domain.Reader{}},
			"of the customer, at no partner": {domain.ReaderFilter{User: w.alpha.customer.ID}, []domain.Reader{}},
		} {
			got, err := w.Readers(t.Context(), c.filter, between)
			must(t, err)
			equal(t, "who may read, "+name, got, c.want)
		}
	}},
	{"who may read holds an active consent for something, and is listed once", func(t *testing.T, w *world) {
		for name, change := range map[string]func(*domain.Consent){
			"one that is over":  func(c *domain.Consent) { c.ValidUntil = between },
			"one for nothing":   func(c *domain.Consent) { c.Permissions = 0 },
			"one that is ended": func(c *domain.Consent) { c.Purpose = "end" },
		} {
			c := w.consent(t, w.alpha, change)
			if c.Purpose == "end" {
				_, err := w.EndConsent(t.Context(), c.ID, domain.Caller{Partner: w.alpha.partner.ID, User: w.alpha.customer.ID}, between, w.entry("consent.end"))
				must(t, err)
			}
			got, err := w.Readers(t.Context(), readersOf(w.alpha), between)
			must(t, err)
			equal(t, "who may read by "+name, len(got), 0)
		}
		w.consent(t, w.alpha, func(c *domain.Consent) { c.Account = w.alpha.account.Number })
		second := w.alpha.app
		second.ID, second.Name = "app_second", "adviser"
		must(t, w.AddApplication(t.Context(), second, nil, w.entry("application.create")))
		w.consent(t, w.alpha, func(c *domain.Consent) { c.Application = second.ID })
		both := []domain.Reader{{Application: second.ID, Name: "adviser"}, {Application: w.alpha.app.ID, Name: w.alpha.app.Name}}
		_, other := w.customer(t, w.alpha.partner.ID, "3")
		for name, c := range map[string]struct {
			change func(*domain.ReaderFilter)
			want   []domain.Reader
		}{
			"all":                {func(*domain.ReaderFilter) {}, both},
			"of the account":     {func(f *domain.ReaderFilter) { f.Account = w.alpha.account.Number }, both},
			"of another account": {func(f *domain.ReaderFilter) { f.Account = other.Number }, both[:1]},
			"one application":    {func(f *domain.ReaderFilter) { f.Application = second.ID }, both[:1]},
		} {
			f := readersOf(w.alpha)
			c.change(&f)
			got, err := w.Readers(t.Context(), f, between)
			must(t, err)
			equal(t, "who may read: "+name, got, c.want)
		}
		must(t, w.ChangeApplication(t.Context(), second.ID, func(a *domain.Application) error {
			a.Disabled = true
			return nil
		}, w.entry("application.disable")))
		got, err := w.Readers(t.Context(), readersOf(w.alpha), between)
		must(t, err)
		equal(t, "who may read beside a disabled application", got, both[1:])
	}},
}
