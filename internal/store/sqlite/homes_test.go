package sqlite_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

const homeOwner, homeStranger domain.PartnerID = "prt_owner", "prt_stranger"

// homestead has two partners, one customer and a property with a supply point.
func homestead(t *testing.T, s *sqlite.Store) domain.SupplyPoint {
	t.Helper()
	var point domain.SupplyPoint
	entry := func(id string) domain.Entry {
		return domain.Entry{ID: "aud_home_" + id, At: noon, Action: "test", By: "test"}
	}
	for _, err := range []error{
		s.AddPartner(t.Context(), domain.Partner{ID: homeOwner, Name: "Owner", CreatedAt: noon}, entry("1")),
		s.AddPartner(t.Context(), domain.Partner{ID: homeStranger, Name: "Stranger", CreatedAt: noon}, entry("2")),
		s.AddUser(t.Context(), domain.User{ID: user(7), Partner: homeOwner, Customer: true, CustomerNumber: "C-7", CreatedAt: noon}, "x",
			&domain.Account{Number: "A-7", Partner: homeOwner, User: user(7)}, entry("3")),
		s.AddProperty(t.Context(), domain.Property{ID: "prop_home", Partner: homeOwner, Account: "A-7", Address: []string{"Dam 1"}, Zone: "Europe/Amsterdam"}, entry("4")),
		s.TakeIn(t.Context(), func(tx intake.Tx) (err error) {
			point, err = tx.AddSupplyPoint(domain.SupplyPoint{
				Partner: homeOwner, Property: "prop_home", Market: domain.MarketNLDElectricity, Identifier: "871690000000000000", Zone: "Europe/Amsterdam",
			})
			return err
		}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return point
}

func addRegister(t *testing.T, s *sqlite.Store, point domain.SupplyPoint, register string) {
	t.Helper()
	err := s.TakeIn(t.Context(), func(tx intake.Tx) error {
		_, err := tx.AddChannel(domain.Channel{SupplyPoint: point, Register: register, Unit: domain.KilowattHour, Zone: point.Zone})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Others than the partner find nothing of a property, however often the partner
// has asked for it.
func TestHomesAreTheirPartnersAlone(t *testing.T) {
	s := open(t, "", options())
	addRegister(t, s, homestead(t, s), "1")
	whole := domain.Scope{Partner: homeOwner}
	for range 3 {
		for name, scope := range map[string]domain.Scope{
			"another partner":   {Partner: homeStranger},
			"no partner":        {},
			"another customer":  {Partner: homeOwner, User: user(8)},
			"without a consent": {Partner: homeOwner, Application: "app_x", At: noon, Need: domain.CanViewDetailedUsage},
		} {
			if p, err := s.Property(t.Context(), scope, "prop_home"); kind(err) != domain.NotFound {
				t.Errorf("%s: got %+v, %v, want not found", name, p, err)
			}
			if list, err := s.Channels(t.Context(), scope, "prop_home"); kind(err) != domain.NotFound {
				t.Errorf("%s: got %d channels, %v, want not found", name, len(list), err)
			}
		}
		p, err := s.Property(t.Context(), whole, "prop_home")
		list, err2 := s.Channels(t.Context(), whole, "prop_home")
		if err != nil || err2 != nil || p.ID != "prop_home" || len(list) != 1 || len(p.Address) != 1 || p.Address[0] != "Dam 1" || list[0].Register != "1" {
			t.Fatalf("the partner: got %+v, %+v, %v, %v", p, list, err, err2)
		}
		p.Address[0], list[0].Register = "changed by who asked", "changed" // and not what is kept
	}
}

func kind(err error) domain.Kind {
	if e, ok := errors.AsType[*domain.Error](err); ok {
		return e.Kind
	}
	return domain.Internal
}

// What is committed is seen by whoever asks afterwards, while others ask all the
// time for what was there before.
func TestHomesFollowTheFile(t *testing.T) {
	s := open(t, "", options())
	point := homestead(t, s)
	addRegister(t, s, point, "0")
	whole := domain.Scope{Partner: homeOwner}
	end := make(chan struct{})
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				list, err := s.Channels(t.Context(), whole, "prop_home")
				p, err2 := s.Property(t.Context(), whole, "prop_home")
				if err != nil || err2 != nil || len(list) == 0 || p.ID == "" {
					t.Errorf("got %d channels, %+v, %v, %v", len(list), p, err, err2)
					return
				}
			}
		})
	}
	for i := 1; i <= 40; i++ {
		addRegister(t, s, point, fmt.Sprint(i))
		list, err := s.Channels(t.Context(), whole, "prop_home")
		if err != nil || len(list) != i+1 {
			t.Errorf("after %d were added: got %d channels, %v, want %d", i, len(list), err, i+1)
		}
		label := fmt.Sprintf("label %d", i)
		if err := s.Exec(t.Context(), `UPDATE property SET label = '`+label+`'`); err != nil {
			t.Fatal(err)
		}
		if p, err := s.Property(t.Context(), whole, "prop_home"); err != nil || p.Label != label {
			t.Errorf("got the label %q, %v, want %q", p.Label, err, label)
		}
	}
	close(end)
	asking.Wait()
	if err := s.Exec(t.Context(), `UPDATE supply_point SET property = NULL`); err != nil {
		t.Fatal(err)
	}
	if list, err := s.Channels(t.Context(), whole, "prop_home"); err != nil || len(list) != 0 {
		t.Errorf("without its supply point: got %d channels, %v, want none", len(list), err)
	}
}

// What another process has changed is known with the next change of ours.
func TestHomesFollowOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wattgate.db")
	s := open(t, path, options())
	point := homestead(t, s)
	addRegister(t, s, point, "1")
	whole := domain.Scope{Partner: homeOwner}
	if _, err := s.Channels(t.Context(), whole, "prop_home"); err != nil {
		t.Fatal(err)
	}
	other, err := zombie.OpenConn(path, zombie.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := sqlitex.Execute(other, `UPDATE channel SET register = 'other'`, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.AddPartner(t.Context(), domain.Partner{ID: "prt_third", Name: "Third", CreatedAt: noon}, domain.Entry{ID: "aud_home_9", At: noon, Action: "test", By: "test"}); err != nil {
		t.Fatal(err)
	}
	list, err := s.Channels(t.Context(), whole, "prop_home")
	if err != nil || !slices.ContainsFunc(list, func(c domain.Channel) bool { return c.Register == "other" }) {
		t.Errorf("got %+v, %v, want the register that the other has named", list, err)
	}
}
