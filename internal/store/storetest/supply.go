package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/supply"
)

// moving is a day in spring 2025, at midnight in Amsterdam.
var moving = time.Date(2025, time.April, 30, 22, 0, 0, 0, time.UTC)

// moved returns alpha's only customer and a neighbour, between whom the home
// changed hands at the instant moving.
func (w *world) moved(t *testing.T) (was, is domain.Occupancy) {
	t.Helper()
	neighbour, account := w.customer(t, w.alpha.partner.ID, "3")
	had := w.periods(t, w.alpha.scope(), w.alpha.property.ID)
	if len(had) != 1 || !had[0].From.IsZero() || !had[0].Until.IsZero() || had[0].Account != w.alpha.account.Number {
		t.Fatalf("a property without dates has the periods %+v, want one without ends", had)
	}
	was, is = had[0], domain.Occupancy{
		ID: "occ_33333333333333333333333333333333", Partner: w.alpha.partner.ID, Property: w.alpha.property.ID,
		Account: account.Number, User: neighbour.ID, From: moving, Zone: w.alpha.property.Zone,
	}
	was.Until = moving
	for _, o := range []domain.Occupancy{was, is} {
		got, err := w.Move(t.Context(), w.alpha.scope(), o.Property, func(supply.Place) (domain.Occupancy, error) { return o, nil }, w.entry("move"))
		must(t, err)
		equal(t, "what was stored", got, o)
	}
	return was, is
}

func (w *world) periods(t *testing.T, scope domain.Scope, id domain.PropertyID) []domain.Occupancy {
	t.Helper()
	list, err := w.Occupancies(t.Context(), scope, domain.OccupancyFilter{Property: id})
	must(t, err)
	return list
}

// acts counts the entries of the audit log with an action.
func (w *world) acts(t *testing.T, action string) (n int) {
	t.Helper()
	list, err := w.Entries(t.Context(), "", 1000)
	must(t, err)
	for _, e := range list {
		if e.Action == action {
			n++
		}
	}
	return n
}

var occupancies = []promise{
	{"a scope sees the periods of its own customers only", func(t *testing.T, w *world) {
		was, is := w.moved(t)
		for name, c := range map[string]struct {
			scope domain.Scope
			want  []domain.Occupancy
		}{
			"the partner":      {w.alpha.scope(), []domain.Occupancy{was, is}},
			"who was there":    {w.alpha.own(), []domain.Occupancy{was}},
			"who is there":     {domain.Scope{Partner: is.Partner, User: is.User}, []domain.Occupancy{is}},
			"another partner":  {w.beta.scope(), []domain.Occupancy{}},
			"another's user":   {w.beta.own(), []domain.Occupancy{}},
			"nobody":           {domain.Scope{}, []domain.Occupancy{}},
			"without consents": {w.alpha.agreed(), []domain.Occupancy{}},
		} {
			equal(t, name, w.periods(t, c.scope, w.alpha.property.ID), c.want)
			list, err := w.Occupancies(t.Context(), c.scope, domain.OccupancyFilter{})
			must(t, err)
			equal(t, name+", asking for nothing", len(list), 0)
		}
		for name, f := range map[string]domain.OccupancyFilter{
			"of an account": {Account: is.Account}, "of a person": {User: is.User},
			"of an account at the property": {Account: is.Account, Property: is.Property}, "of both": {Account: is.Account, User: is.User},
		} {
			list, err := w.Occupancies(t.Context(), w.alpha.scope(), f)
			must(t, err)
			equal(t, name, list, []domain.Occupancy{is})
			list, err = w.Occupancies(t.Context(), w.beta.scope(), f)
			must(t, err)
			equal(t, name+", for another partner", len(list), 0)
		}
		w.consent(t, w.alpha, nil)
		equal(t, "who has agreed", w.periods(t, w.alpha.agreed(), w.alpha.property.ID), []domain.Occupancy{was})
	}},
	{"who had a property sees it, and who never had does not", func(t *testing.T, w *world) {
		was, is := w.moved(t)
		stranger, _ := w.customer(t, w.alpha.partner.ID, "4")
		for user, account := range map[domain.UserID]domain.AccountNumber{was.User: was.Account, is.User: is.Account} {
			scope := domain.Scope{Partner: is.Partner, User: user}
			want := w.alpha.property
			want.Account = account
			got, err := w.Property(t.Context(), scope, want.ID)
			must(t, err)
			equal(t, "property", got, want)
			list, err := w.Properties(t.Context(), scope, account)
			must(t, err)
			equal(t, "properties", list, []domain.Property{want})
			channels, err := w.Channels(t.Context(), scope, want.ID)
			must(t, err)
			equal(t, "channels", channels, []domain.Channel{w.alpha.channel})
			point, err := w.SupplyPoint(t.Context(), scope, w.alpha.point.Market, w.alpha.point.Identifier)
			must(t, err)
			equal(t, "supply point", point, w.alpha.point)
		}
		scope := domain.Scope{Partner: is.Partner, User: stranger.ID}
		_, err := w.Property(t.Context(), scope, is.Property)
		refused(t, "the property, for a stranger", err, domain.NotFound)
		_, err = w.Channels(t.Context(), scope, is.Property)
		refused(t, "the channels, for a stranger", err, domain.NotFound)
		got, err := w.Property(t.Context(), w.alpha.scope(), is.Property)
		must(t, err)
		equal(t, "whose it is now", got.Account, is.Account)
	}},
	{"another partner's property is moved no more than one that does not exist", func(t *testing.T, w *world) {
		before := w.periods(t, w.beta.scope(), w.beta.property.ID)
		move := func(scope domain.Scope, id domain.PropertyID) error {
			_, err := w.Move(t.Context(), scope, id, func(supply.Place) (domain.Occupancy, error) {
				t.Errorf("%+v: was asked about %s", scope, id)
				return domain.Occupancy{}, nil
			}, w.entry("move"))
			return err
		}
		alike(t, "a property", move(w.alpha.scope(), w.beta.property.ID), move(w.alpha.scope(), unknownProperty))
		refused(t, "one's own, with a customer's scope", move(w.alpha.own(), w.alpha.property.ID), domain.NotFound)
		refused(t, "one's own, with an application's scope", move(w.alpha.agreed(), w.alpha.property.ID), domain.NotFound)
		refused(t, "one's own, for nobody", move(domain.Scope{}, w.alpha.property.ID), domain.NotFound)
		_, err := w.Move(t.Context(), w.alpha.scope(), w.alpha.property.ID, func(p supply.Place) (domain.Occupancy, error) {
			return domain.Occupancy{
				ID: "occ_1", Partner: p.Property.Partner, Property: p.Property.ID, Account: w.beta.account.Number, From: moving,
			}, nil
		}, w.entry("move"))
		refused(t, "another partner's customer", err, domain.NotFound)
		equal(t, "beta's periods", w.periods(t, w.beta.scope(), w.beta.property.ID), before)
		equal(t, "entries", w.acts(t, "move"), 0)
	}},
	{"what is decided to stay is not written, and what fails changes nothing", func(t *testing.T, w *world) {
		was, is := w.moved(t)
		same := func(p supply.Place) (domain.Occupancy, error) {
			equal(t, "what is to be decided", p.Periods, []domain.Occupancy{was, is})
			return p.Periods[0], nil
		}
		_, err := w.Move(t.Context(), w.alpha.scope(), is.Property, same, w.entry("again"))
		must(t, err)
		equal(t, "entries of a move that was none", w.acts(t, "again"), 0)
		no := errors.New("no")
		_, err = w.Move(t.Context(), w.alpha.scope(), is.Property, func(supply.Place) (domain.Occupancy, error) { return is, no }, w.entry("again"))
		if !errors.Is(err, no) {
			t.Errorf("got the error %v, want that of the decision", err)
		}
		equal(t, "entries of moves", w.acts(t, "move"), 2)
		is.Until = moving.AddDate(1, 0, 0)
		_, err = w.Move(t.Context(), w.alpha.scope(), is.Property, func(supply.Place) (domain.Occupancy, error) { return is, nil }, w.entry("move"))
		must(t, err)
		got, err := w.Property(t.Context(), w.alpha.scope(), is.Property)
		must(t, err)
		equal(t, "whose it is once all have moved out", got.Account, domain.AccountNumber(""))
	}},
	{"a customer is offered what they have, and not what they had", func(t *testing.T, w *world) {
		_, is := w.moved(t)
		_, points, err := w.CustomersPoints(t.Context(), w.alpha.own())
		must(t, err)
		equal(t, "supply points of who has left", len(points), 0)
		_, points, err = w.CustomersPoints(t.Context(), domain.Scope{Partner: is.Partner, User: is.User})
		must(t, err)
		equal(t, "supply points of who has come", len(points), 1)
	}},
}

// newcomer is an onboarding at a partner; digit makes it unlike others.
func (w *world) newcomer(h house, digit string) supply.Onboarding {
	user := domain.User{
		ID: domain.UserID("usr_" + fmt.Sprintf("%032s", digit)), Partner: h.partner.ID, Customer: true, Email: "new" + digit + "@example.com",
		FirstName: "Eva", Surname: "Zon", Phone: "+31 6", BirthDate: domain.NewDate(1990, 1, 2), CustomerNumber: "N" + digit, CreatedAt: past,
	}
	account := domain.Account{Number: domain.AccountNumber("A-NEW" + digit), Partner: h.partner.ID, User: user.ID}
	property := domain.Property{
		ID: domain.PropertyID("prop_new" + digit), Partner: h.partner.ID, Account: account.Number, Label: "new", Address: []string{"Weg 1"}, Postcode: "1", Zone: "Europe/Amsterdam",
	}
	return supply.Onboarding{
		Reference: "order-1", Digest: [32]byte{1}, User: user, Account: account,
		Invoice: &supply.InvoiceAddress{Lines: []string{"Postbus 1"}, Postcode: "2", City: "Delft", Country: "NL"},
		Homes: []supply.Home{{
			Property: property,
			Period: domain.Occupancy{
				ID: domain.OccupancyID("occ_" + fmt.Sprintf("%032s", digit)), Partner: h.partner.ID, Property: property.ID,
				Account: account.Number, User: user.ID, From: moving, Zone: property.Zone,
			},
			Points: []domain.SupplyPoint{{
				Partner: h.partner.ID, Property: property.ID, Market: domain.MarketNLDElectricity, Identifier: "NEW" + digit, Zone: property.Zone,
			}},
		}},
		Entry: w.entry("customer.create"),
	}
}

var supplied = []promise{
	{"a partner finds its own customers only", func(t *testing.T, w *world) {
		for _, c := range []struct{ scope domain.Scope }{{w.alpha.scope()}, {w.alpha.own()}} {
			got, err := w.Customers(t.Context(), c.scope, supply.Search{Limit: 10})
			must(t, err)
			equal(t, "customers", got, []domain.User{w.alpha.customer})
			n, err := w.CountCustomers(t.Context(), c.scope, "")
			must(t, err)
			equal(t, "number of customers", n, 1)
			for _, text := range []string{"person2", w.beta.point.Identifier, string(w.beta.account.Number), w.beta.customer.CustomerNumber} {
				got, err := w.Customers(t.Context(), c.scope, supply.Search{Text: text, Limit: 10})
				must(t, err)
				equal(t, "customers of beta, found by "+text, len(got), 0)
				n, err := w.CountCustomers(t.Context(), c.scope, text)
				must(t, err)
				equal(t, "number of customers of beta, found by "+text, n, 0)
			}
			_, foreign := w.CustomerDetails(t.Context(), c.scope, w.beta.customer.ID)
			_, unknown := w.CustomerDetails(t.Context(), c.scope, unknownUser)
			alike(t, "the details of a customer", foreign, unknown)
			got, err = w.Customers(t.Context(), c.scope, supply.Search{After: w.beta.customer.ID, Limit: 10})
			must(t, err)
			equal(t, "customers behind one of beta", len(got), 0)
		}
		for name, scope := range map[string]domain.Scope{"nobody": {}, "an application by consent": w.alpha.agreed()} {
			got, err := w.Customers(t.Context(), scope, supply.Search{Limit: 10})
			must(t, err)
			equal(t, "customers for "+name, len(got), 0)
		}
	}},
	{"a partner changes its own customers only", func(t *testing.T, w *world) {
		change := func(u *domain.User, d *supply.Details) error {
			u.Email, u.Phone, d.Invoice = "other@example.com", "1", w.newcomer(w.alpha, "7").Invoice
			return nil
		}
		foreign := w.ChangeCustomer(t.Context(), w.alpha.scope(), w.beta.customer.ID, change, w.entry("change"))
		unknown := w.ChangeCustomer(t.Context(), w.alpha.scope(), unknownUser, change, w.entry("change"))
		alike(t, "a customer", foreign, unknown)
		neighbour, _ := w.customer(t, w.alpha.partner.ID, "3")
		refused(t, "a neighbour", w.ChangeCustomer(t.Context(), w.alpha.own(), neighbour.ID, change, w.entry("change")), domain.NotFound)
		refused(t, "with a consent", w.ChangeCustomer(t.Context(), w.alpha.agreed(), w.alpha.customer.ID, change, w.entry("change")), domain.NotFound)
		refused(t, "nobody's", w.ChangeCustomer(t.Context(), domain.Scope{}, w.alpha.customer.ID, change, w.entry("change")), domain.NotFound)
		staff := domain.User{ID: "usr_" + "55555555555555555555555555555555", Partner: w.alpha.partner.ID, Staff: true, Email: "staff@example.com", CreatedAt: past}
		must(t, w.AddUser(t.Context(), staff, "hash", nil, w.entry("user.create")))
		refused(t, "staff", w.ChangeCustomer(t.Context(), w.alpha.scope(), staff.ID, change, w.entry("change")), domain.NotFound)
		got, err := w.FindUser(t.Context(), w.beta.customer.ID)
		must(t, err)
		equal(t, "beta's customer", got, w.beta.customer)
		equal(t, "entries", w.acts(t, "change"), 0)
		for range 2 { // the second time there is nothing to change
			must(t, w.ChangeCustomer(t.Context(), w.alpha.own(), w.alpha.customer.ID, change, w.entry("change")))
		}
		equal(t, "entries", w.acts(t, "change"), 1)
		want := w.alpha.customer
		want.Email, want.Phone = "other@example.com", "1"
		got, err = w.User(t.Context(), w.alpha.own(), want.ID)
		must(t, err)
		equal(t, "alpha's customer", got, want)
		details, err := w.CustomerDetails(t.Context(), w.alpha.own(), want.ID)
		must(t, err)
		equal(t, "details", details, supply.Details{Invoice: w.newcomer(w.alpha, "7").Invoice})
		must(t, w.ChangeCustomer(t.Context(), w.alpha.scope(), want.ID, func(_ *domain.User, d *supply.Details) error {
			d.Invoice = nil
			return nil
		}, w.entry("change")))
		details, err = w.CustomerDetails(t.Context(), w.alpha.own(), want.ID)
		must(t, err)
		equal(t, "details without an address", details, supply.Details{})
		err = w.ChangeCustomer(t.Context(), w.alpha.scope(), want.ID, func(u *domain.User, _ *supply.Details) error {
			u.Email = "PERSON3@example.com"
			return nil
		}, w.entry("change"))
		refused(t, "a neighbour's address", err, domain.Conflict)
	}},
	{"a reference of one partner is another's to use", func(t *testing.T, w *world) {
		one, two := w.newcomer(w.alpha, "7"), w.newcomer(w.beta, "8")
		for _, o := range []supply.Onboarding{one, two} {
			id, err := w.Onboard(t.Context(), o)
			must(t, err)
			equal(t, "who it is", id, o.User.ID)
			scope := domain.Scope{Partner: o.User.Partner, User: o.User.ID}
			user, err := w.User(t.Context(), scope, id)
			must(t, err)
			equal(t, "user", user, o.User)
			details, err := w.CustomerDetails(t.Context(), scope, id)
			must(t, err)
			equal(t, "details", details, supply.Details{Reference: "order-1", Invoice: o.Invoice})
			list, err := w.Properties(t.Context(), scope, o.Account.Number)
			must(t, err)
			equal(t, "properties", list, []domain.Property{o.Homes[0].Property})
			equal(t, "periods", w.periods(t, scope, o.Homes[0].Property.ID), []domain.Occupancy{o.Homes[0].Period})
			points, err := w.SupplyPoints(t.Context(), scope, o.Homes[0].Property.ID)
			must(t, err)
			equal(t, "number of supply points", len(points), 1)
			_, err = w.ImpersonableCustomer(t.Context(), o.User.Partner, id)
			must(t, err)
		}
	}},
	{"who brings the same customer again gets the same, and nothing is written", func(t *testing.T, w *world) {
		first := w.newcomer(w.alpha, "7")
		_, err := w.Onboard(t.Context(), first)
		must(t, err)
		again := w.newcomer(w.alpha, "8") // other identifiers, the same content
		id, err := w.Onboard(t.Context(), again)
		must(t, err)
		equal(t, "who it is", id, first.User.ID)
		again.Digest = [32]byte{2}
		_, err = w.Onboard(t.Context(), again)
		refused(t, "another content", err, domain.Conflict)
		if !errors.Is(err, supply.ErrReference) {
			t.Errorf("another content: got the error %v, want the reference to be the cause", err)
		}
		_, err = w.FindUser(t.Context(), again.User.ID)
		refused(t, "the second", err, domain.NotFound)
		equal(t, "entries", w.acts(t, "customer.create"), 1)
	}},
	{"what cannot be brought whole is not brought at all", func(t *testing.T, w *world) {
		for name, change := range map[string]func(*supply.Onboarding){
			"an e-mail address that is taken":         func(o *supply.Onboarding) { o.User.Email = "person1@example.com" },
			"a supply point that is taken":            func(o *supply.Onboarding) { o.Homes[0].Points[0].Identifier = w.alpha.point.Identifier },
			"a supply point that another partner has": func(o *supply.Onboarding) { o.Homes[0].Points[0].Identifier = w.beta.point.Identifier },
		} {
			o := w.newcomer(w.alpha, "7")
			change(&o)
			_, err := w.Onboard(t.Context(), o)
			refused(t, name, err, domain.Conflict)
			if _, ok := errors.AsType[supply.Field](err); !ok {
				t.Errorf("%s: got the error %v, want it to say where", name, err)
			}
			_, err = w.FindUser(t.Context(), o.User.ID)
			refused(t, name+": the user", err, domain.NotFound)
			_, err = w.Property(t.Context(), w.alpha.scope(), o.Homes[0].Property.ID)
			refused(t, name+": the property", err, domain.NotFound)
		}
		equal(t, "entries", w.acts(t, "customer.create"), 0)
	}},
	{"customers are found by what is known of them, and come in their order", func(t *testing.T, w *world) {
		o := w.newcomer(w.alpha, "7")
		_, err := w.Onboard(t.Context(), o)
		must(t, err)
		third, _ := w.customer(t, w.alpha.partner.ID, "3")
		ids := func(list []domain.User) (got []domain.UserID) {
			for _, u := range list {
				got = append(got, u.ID)
			}
			return got
		}
		ada, eva := []domain.UserID{w.alpha.customer.ID, third.ID}, []domain.UserID{o.User.ID}
		for text, want := range map[string][]domain.UserID{
			"": append(append([]domain.UserID{}, ada...), eva...), "ada": ada, "DE WIT": ada, "ada wit": ada, "zon": eva,
			"New7@": eva, "n7": eva, "a-new7": eva, "NEW7": eva, "NLD_ELECTRICITY:NEW7": eva, "NLD_GAS:NEW7": nil, "%": nil, "_": nil, "nobody": nil,
		} {
			list, err := w.Customers(t.Context(), w.alpha.scope(), supply.Search{Text: text, Limit: 10})
			must(t, err)
			equal(t, fmt.Sprintf("customers by %q", text), ids(list), want)
			n, err := w.CountCustomers(t.Context(), w.alpha.scope(), text)
			must(t, err)
			equal(t, fmt.Sprintf("number of customers by %q", text), n, len(want))
		}
		for name, c := range map[string]struct {
			search supply.Search
			want   []domain.UserID
		}{
			"the first two":         {supply.Search{Limit: 2}, ada},
			"the last two":          {supply.Search{Limit: 2, Last: true}, []domain.UserID{third.ID, o.User.ID}},
			"behind the first":      {supply.Search{After: ada[0], Limit: 5}, []domain.UserID{third.ID, o.User.ID}},
			"before the last":       {supply.Search{Before: o.User.ID, Limit: 5}, ada},
			"the last of before":    {supply.Search{Before: o.User.ID, Limit: 1, Last: true}, ada[1:]},
			"between the two":       {supply.Search{After: ada[0], Before: o.User.ID, Limit: 5}, ada[1:]},
			"behind whom nobody is": {supply.Search{After: unknownUser, Limit: 5}, nil},
		} {
			list, err := w.Customers(t.Context(), w.alpha.scope(), c.search)
			must(t, err)
			equal(t, name, ids(list), c.want)
		}
	}},
}
