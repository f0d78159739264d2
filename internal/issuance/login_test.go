package issuance_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/secret"
)

// picture is a directory, and people of whom one is known.
type picture struct{ shown domain.Directory }

func (p *picture) Directory() *domain.Directory { return &p.shown }

func (p *picture) Prove(context.Context, domain.PartnerID, string, domain.Secret, domain.Origin) (domain.User, string, error) {
	return domain.User{ID: "usr_0c1a3b5e7f204a639a516f0c2d9be714", Partner: "prt_a"}, "hash", nil
}
func (*picture) MayGuess(domain.Origin) error             { return nil }
func (*picture) Guessed(_ domain.Origin, why error) error { return why }

// noStore is one that nobody may come to.
type noStore struct{ issuance.LoginStore }

// TestNobodyLogsInMeanwhile: while a change that ends tokens is under way, and on
// a node that is deaf, nothing is stored and nothing issued.
func TestNobodyLogsInMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		standing domain.PartnerStanding
		deaf     bool
		want     domain.Kind
	}{
		"a change is under way":   {domain.PartnerStanding{Held: true}, false, domain.Unavailable},
		"the partner is disabled": {domain.PartnerStanding{Closed: true}, false, domain.Forbidden},
		"the node is deaf":        {domain.PartnerStanding{}, true, domain.Unavailable},
	} {
		p := &picture{domain.Directory{Partners: map[domain.PartnerID]domain.PartnerStanding{"prt_a": c.standing}}}
		ls := &issuance.Logins{
			People: p, Directory: p, Store: noStore{}, Deaf: func() bool { return c.deaf }, Now: time.Now,
			Pepper: secret.NewMaster(nil).Pepper(), Secrets: secret.Maker{Environment: secret.Staging},
		}
		_, err := ls.ByPassword(t.Context(), "", "a@example.com", domain.NewSecret("x"), domain.Origin{At: time.Now()})
		if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != c.want {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if !c.deaf {
			continue
		}
		caller := domain.Caller{Partner: "prt_a", User: "usr_0c1a3b5e7f204a639a516f0c2d9be714", Login: domain.LoginPassword}
		_, key := ls.NewKey(t.Context(), caller, domain.Origin{})
		_, end := ls.End(t.Context(), caller, domain.NewSecret("x"), domain.Origin{})
		_, force := ls.Reauthenticate(t.Context(), caller, true, domain.Origin{})
		_, look := ls.Masquerade(t.Context(), domain.NewSecret("x"), caller.User, domain.Origin{})
		_, renew := ls.Renew(t.Context(), domain.NewSecret("x"), domain.Origin{})
		for doing, err := range map[string]error{
			"a key": key, "an end": end, "a forced log-in": force, "a look": look, "a renewal": renew,
			"the end of all": ls.EndAllOf(t.Context(), caller, "a@example.com", domain.Origin{}),
		} {
			if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != domain.Unavailable {
				t.Errorf("%s at a deaf node: got %v, want unavailable", doing, err)
			}
		}
	}
}

// TestOnlyTheUserChangesWhatLogsThemIn: nobody who speaks for a user in another
// way, and no program of theirs that has only the key.
func TestOnlyTheUserChangesWhatLogsThemIn(t *testing.T) {
	user := domain.UserID("usr_0c1a3b5e7f204a639a516f0c2d9be714")
	p := &picture{}
	ls := &issuance.Logins{People: p, Directory: p, Store: noStore{}, Now: time.Now}
	for name, c := range map[string]domain.Caller{
		"an application":            {Partner: "prt_a", Client: "app_a", Reach: domain.ReachPartner, Permissions: domain.AllPermissions()},
		"one that acts as the user": {Partner: "prt_a", Client: "app_a", User: user, Actor: "app_a"},
		"one that was allowed":      {Partner: "prt_a", Client: "app_a", User: user},
		"a third party":             {Partner: "prt_a", Client: "app_a", User: user, Login: domain.LoginThirdParty},
		"staff who look on":         {Partner: "prt_a", User: user, Login: domain.LoginMasquerade},
		"a pre-signed token":        {Partner: "prt_a", User: user, Login: domain.LoginPreSigned},
	} {
		if _, err := ls.NewKey(t.Context(), c, domain.Origin{}); !errors.Is(err, issuance.ErrNotThemself) {
			t.Errorf("%s gets a key: %v", name, err)
		}
		if _, err := ls.Reauthenticate(t.Context(), c, false, domain.Origin{}); !errors.Is(err, issuance.ErrNotThemself) {
			t.Errorf("%s forces a log-in: %v", name, err)
		}
		if c.User == "" {
			continue
		}
		if err := ls.EndAllOf(t.Context(), c, "a@example.com", domain.Origin{}); !errors.Is(err, issuance.ErrNotTheirs) {
			t.Errorf("%s logs somebody out: %v", name, err)
		}
		if _, err := ls.Extend(t.Context(), c, "x", domain.Origin{}); !errors.Is(err, issuance.ErrExtend) {
			t.Errorf("%s gets a long-lived refresh token: %v", name, err)
		}
		if _, err := ls.PreSign(t.Context(), c, "a@example.com", 1, domain.CustomerPermissions, domain.Origin{}); !errors.Is(err, issuance.ErrPresign) {
			t.Errorf("%s makes a pre-signed token: %v", name, err)
		}
	}
}
