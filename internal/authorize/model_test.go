package authorize_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
)

// family is what a model knows of one family of tokens.
type family struct {
	code    string
	spent   bool // the code was presented
	ended   bool
	consent domain.ConsentID
	grant   authorize.Grant
	refresh []*presented
	access  []string
	lasting bool
}

// presented is a refresh token, and whether it was used.
type presented struct {
	text domain.Secret
	used bool
}

// TestFamilyModel holds the desk against a model under random acts of clients,
// thieves and customers. No code and no refresh token is ever accepted twice, and
// no access token opens anything after its family has ended.
func TestFamilyModel(t *testing.T) {
	w := newWorld(t)
	rapid.Check(t, func(rt *rapid.T) {
		var all []*family
		some := func(with func(*family) bool) *family {
			var fit []*family
			for _, f := range all {
				if with(f) {
					fit = append(fit, f)
				}
			}
			if len(fit) == 0 {
				return nil
			}
			return rapid.SampledFrom(fit).Draw(rt, "family")
		}
		issued := func(f *family, g authorize.Grant) {
			f.access = append(f.access, w.access(t, g).Access)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"allow": func(*rapid.T) {
				if len(all) < 4 {
					for _, f := range all { // the person's latest decision counts
						f.ended = true
					}
					all = append(all, &family{code: w.code(t)})
				}
			},
			"redeem": func(rt *rapid.T) {
				f := some(func(*family) bool { return true })
				if f == nil {
					return
				}
				proof := rapid.SampledFrom([]string{verifier, "wrong"}).Draw(rt, "verifier")
				g, err := w.Redeem(t.Context(), w.listing(), f.code, callback, proof, w.origin())
				if want := !f.spent && !f.ended && proof == verifier; (err == nil) != want {
					rt.Fatalf("Redeem: got %v, want success %t of %+v", err, want, f)
				}
				f.ended, f.spent = f.ended || f.spent, true
				if err != nil {
					return
				}
				f.grant, f.consent = g, g.Consent
				issued(f, g)
				f.lasting = rapid.Bool().Draw(rt, "lasting")
				g.Lasting = f.lasting
				text, err := w.Remember(t.Context(), g, authorize.RefreshLifetime)
				if err != nil {
					rt.Fatal(err)
				}
				f.refresh = append(f.refresh, &presented{text: text})
			},
			"renew": func(rt *rapid.T) {
				f := some(func(f *family) bool { return len(f.refresh) > 0 })
				if f == nil {
					return
				}
				r := rapid.SampledFrom(f.refresh).Draw(rt, "token")
				g, next, err := w.Renew(t.Context(), w.listing(), r.text, "", nil, w.origin())
				if want := !r.used && !f.ended; (err == nil) != want {
					rt.Fatalf("Renew: got %v, want success %t of %+v", err, want, f)
				}
				if err != nil {
					f.ended = true // it was used before, or had ended
					return
				}
				issued(f, g)
				if (next.Reveal() == r.text.Reveal()) != f.lasting {
					rt.Fatalf("Renew gave the same token: %t, of %+v", !f.lasting, f)
				}
				if !f.lasting {
					r.used = true
					f.refresh = append(f.refresh, &presented{text: next})
				}
			},
			"end the family": func(rt *rapid.T) {
				f := some(func(f *family) bool { return len(f.refresh) > 0 })
				if f == nil {
					return
				}
				if err := w.EndFamily(t.Context(), w.listing(), rapid.SampledFrom(f.refresh).Draw(rt, "token").text, w.origin()); err != nil {
					rt.Fatal(err)
				}
				f.ended = true
			},
			"end the consent": func(*rapid.T) {
				f := some(func(f *family) bool { return f.consent != "" })
				if f == nil {
					return
				}
				if err := w.EndConsent(t.Context(), f.consent, domain.Caller{Partner: w.user.Partner, User: w.user.ID}, w.origin()); err != nil {
					rt.Fatal(err)
				}
				f.ended = true
			},
			"": func(rt *rapid.T) {
				for _, f := range all {
					for i, access := range f.access {
						if w.opens(access) == f.ended {
							rt.Fatalf("access token %d opens: %t, of a family that has ended: %t", i, !f.ended, f.ended)
						}
					}
				}
			},
		})
	})
}

// TestScopeModel asks for any scopes, first and at renewals. The token never
// holds more than the role, a customer and the first request.
func TestScopeModel(t *testing.T) {
	w := newWorld(t)
	names := []string{"openid", "offline_access", "offline", "email"}
	for _, p := range domain.AllPermissions().List() {
		names = append(names, p.Scope())
	}
	scopes := rapid.SliceOfN(rapid.SampledFrom(names), 0, 3)
	role := w.listing().Permissions.And(domain.CustomerPermissions)
	held := func(g authorize.Grant) domain.Permissions {
		caller, err := w.tokens.Caller(w.access(t, g).Access, domain.AudienceCustomer)
		must(t, err)
		return caller.Permissions
	}
	rapid.Check(t, func(rt *rapid.T) {
		p := w.params()
		p.Scope = join(scopes.Draw(rt, "asked"))
		req, err := w.Check(p)
		if err != nil {
			return
		}
		challenge, err := w.Begin(t.Context(), req)
		must(t, err)
		to, err := w.Allow(t.Context(), challenge, w.user, w.decision(), w.origin())
		must(t, err)
		g, err := w.Redeem(t.Context(), w.listing(), codeIn(t, to), callback, verifier, w.origin())
		must(t, err)
		first := held(g)
		if first&^role != 0 || first == 0 {
			rt.Fatalf("scope %q: the token holds %v of %v", p.Scope, first.Names(), role.Names())
		}
		refresh, err := w.Remember(t.Context(), g, authorize.RefreshLifetime)
		must(t, err)
		for range 3 {
			again := join(scopes.Draw(rt, "asked again"))
			g, next, err := w.Renew(t.Context(), w.listing(), refresh, again, nil, w.origin())
			if err != nil {
				continue
			}
			refresh = next
			if got := held(g); got&^first != 0 || got == 0 {
				rt.Fatalf("scope %q after %q: the token holds %v of %v", again, p.Scope, got.Names(), first.Names())
			}
		}
	})
}
