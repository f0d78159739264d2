package postgres_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/store/postgres"
	"github.com/wattgate/wattgate/internal/store/storetest"
)

func TestConsentsOpenWhatTheySay(t *testing.T) {
	storetest.Consents(t, open(t, "", options()), 50)
}

// TestWhoMovesOutTakesTheConsentAlong: when a home or an account becomes
// somebody else's, or a home goes to another account than the consent's, the
// consent opens nothing of it.
func TestWhoMovesOutTakesTheConsentAlong(t *testing.T) {
	s := open(t, "", options())
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	entries := 0
	entry := func() domain.Entry {
		entries++
		return domain.Entry{ID: fmt.Sprint("aud_", entries), At: noon, Action: "test"}
	}
	must(s.AddPartner(t.Context(), domain.Partner{ID: "prt_a", Name: "a"}, entry()))
	for _, name := range []string{"old", "new"} {
		u := domain.User{ID: domain.UserID("usr_" + name), Partner: "prt_a", Customer: true, Email: name + "@example.com"}
		must(s.AddUser(t.Context(), u, "x", &domain.Account{Number: domain.AccountNumber("A-" + name), Partner: "prt_a", User: u.ID}, entry()))
	}
	must(s.Exec(t.Context(), "INSERT INTO account (partner, number, person) VALUES ('prt_a', 'A-second', 'usr_old')"))
	must(s.AddProperty(t.Context(), domain.Property{ID: "prop_a", Partner: "prt_a", Account: "A-old", Zone: "UTC"}, entry()))
	must(s.AddProperty(t.Context(), domain.Property{ID: "prop_b", Partner: "prt_a", Zone: "UTC"}, entry()))
	point := domain.SupplyPoint{Partner: "prt_a", Property: "prop_a", Market: domain.MarketNLDElectricity, Identifier: "1", Zone: "UTC"}
	must(s.TakeIn(t.Context(), func(tx intake.Tx) error {
		p, err := tx.AddSupplyPoint(point)
		if err == nil {
			_, err = tx.AddChannel(domain.Channel{SupplyPoint: p, Register: "1", Unit: domain.KilowattHour, Zone: "UTC"})
		}
		return err
	}))
	must(s.AddApplication(t.Context(), domain.Application{ID: "app_a", Name: "a", Partner: "prt_a", Reach: domain.ReachConsented, Role: domain.RoleThirdPartyViewer}, nil, entry()))
	allow(t, s, domain.Consent{
		ID: "con_a", Application: "app_a", Partner: "prt_a", User: "usr_old", Account: "A-old", Permissions: domain.CustomerPermissions,
		SupplyPoints: []domain.SupplyPointRef{{Market: point.Market, Identifier: point.Identifier}}, ValidUntil: noon.Add(time.Hour), CreatedAt: noon,
	}, entry())

	for _, c := range []struct {
		sentence, sql string
		account       domain.AccountNumber
		sees          bool
	}{
		{"as it was", "UPDATE occupancy SET account = 'A-old'", "A-old", true},
		{"the home is another's", "UPDATE occupancy SET account = 'A-new'", "A-new", false},
		{"the home is at another account of the same person", "UPDATE occupancy SET account = 'A-second'", "A-second", false},
		{"nobody lives there", "UPDATE occupancy SET property = 'prop_b'", "A-old", false},
		{"back again", "UPDATE occupancy SET account = 'A-old', property = 'prop_a'", "A-old", true},
		{"another has moved in, and what was before stays", "UPDATE occupancy SET until_at = 1; INSERT INTO occupancy VALUES ('occ_2', 'prt_a', 'prop_a', 'A-new', 1, 0)", "A-old", true},
		{"the account is another's", "UPDATE account SET person = 'usr_new' WHERE number = 'A-old'", "A-old", false},
	} {
		must(s.Exec(t.Context(), c.sql))
		scope := domain.Scope{Partner: "prt_a", Application: "app_a", At: noon, Need: domain.CanViewDetailedUsage}
		_, property := s.Property(t.Context(), scope, "prop_a")
		_, account := s.Account(t.Context(), scope, c.account)
		_, properties := s.Properties(t.Context(), scope, c.account)
		_, channels := s.Channels(t.Context(), scope, "prop_a")
		for what, err := range map[string]error{"property": property, "account": account, "properties": properties, "channels": channels} {
			e, ok := errors.AsType[*domain.Error](err)
			if c.sees && err != nil || !c.sees && (!ok || e.Kind != domain.NotFound) {
				t.Errorf("%s: %s: got the error %v, want it found: %v", c.sentence, what, err, c.sees)
			}
		}
		if active, err := s.ActiveConsents(t.Context(), scope, "prop_a"); err != nil || len(active) > 0 != c.sees {
			t.Errorf("%s: got the consents %v (%v), want any: %v", c.sentence, active, err, c.sees)
		}
	}
}

// allow stores a consent as a person's decision does.
func allow(t *testing.T, s *postgres.Store, c domain.Consent, e domain.Entry) {
	t.Helper()
	key, until := authorize.Digest(sha256.Sum256([]byte(c.ID))), noon.Add(time.Hour)
	kept := s.KeepRequest(t.Context(), authorize.KindChallenge, key, authorize.Request{Client: c.Application, Partner: c.Partner}, until, noon)
	_, err := s.Approve(t.Context(), authorize.Approval{
		Challenge: key, Consent: &c, Now: noon, Until: until, Entry: e,
		Grant: authorize.Grant{Family: "fam_" + string(c.ID), Client: c.Application, Partner: c.Partner, User: c.User, Consent: c.ID},
		Code:  &authorize.Code{Digest: key, Until: until},
	})
	if err := errors.Join(kept, err); err != nil {
		t.Fatal(err)
	}
}
