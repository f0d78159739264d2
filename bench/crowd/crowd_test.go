package crowd_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/wattgate/wattgate/bench/crowd"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

func TestFillCopiesAnApplicationAndACustomer(t *testing.T) {
	data := t.TempDir()
	open := func() *sqlite.Store {
		s, err := sqlite.Open(t.Context(), filepath.Join(data, "wattgate.db"), sqlite.Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	app := domain.Application{ID: "app_a", Name: "a", Partner: "prt_a", Role: domain.RolePartnerIntegration, Reach: domain.ReachPartner}
	customer := domain.User{ID: "usr_ffffffffffffffffffffffffffffffff", Partner: "prt_a", Customer: true}
	for _, err := range []error{
		s.AddPartner(t.Context(), domain.Partner{ID: "prt_a", Name: "a"}, domain.Entry{ID: "aud_1"}),
		s.AddApplication(t.Context(), app, nil, domain.Entry{ID: "aud_2"}),
		s.AddUser(t.Context(), customer, "", nil, domain.Entry{ID: "aud_3"}),
		s.Close(),
		crowd.Fill(t.Context(), data, "app_a", string(customer.ID), crowd.Crowd{Applications: 30, Customers: 20}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s = open()
	defer s.Close()
	d, err := s.Directory(t.Context())
	if err != nil || len(d.Applications) != 31 {
		t.Fatalf("got %d applications, %v, want 31", len(d.Applications), err)
	}
	for id, l := range d.Applications {
		if want := 1; id != "app_a" && (len(l.Secrets) != want || l.Partner != "prt_a" || l.Role != app.Role) {
			t.Errorf("%s: got %d secrets, %s, %s; want a copy of app_a with one", id, len(l.Secrets), l.Partner, l.Role)
		}
	}
	for n := range 20 {
		if _, err := s.ImpersonableCustomer(t.Context(), "prt_a", domain.UserID(crowd.Customer(n))); err != nil {
			t.Errorf("customer %d: %v", n, err)
		}
	}
	if _, err := s.ImpersonableCustomer(t.Context(), "prt_a", domain.UserID(crowd.Customer(20))); err == nil {
		t.Error("there is one customer too many")
	}
}

func TestFillRefusesWhomItDoesNotFind(t *testing.T) {
	data := t.TempDir()
	s, err := sqlite.Open(context.Background(), filepath.Join(data, "wattgate.db"), sqlite.Options{Now: time.Now})
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := crowd.Fill(t.Context(), data, "app_unknown", "usr_unknown", crowd.Crowd{Applications: 1}); err == nil {
		t.Error("an unknown application: got no error")
	}
}
