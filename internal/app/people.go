package app

import (
	"context"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

func createPartner(ctx context.Context, a *App, in Named) (PartnerView, error) {
	p, err := a.Registry.AddPartner(ctx, by(), in.ID)
	return partnerView(p), err
}

func listPartners(ctx context.Context, a *App, _ struct{}) ([]PartnerView, error) {
	list, err := a.Registry.Store.Partners(ctx)
	return views(list, partnerView), err
}

func createUser(ctx context.Context, a *App, in UserCreate) (UserView, error) {
	u := domain.User{
		Email: in.Email, FirstName: in.FirstName, MiddleName: in.MiddleName, Surname: in.Surname, Phone: in.Phone,
		CustomerNumber: in.CustomerNumber, Customer: in.Customer, Staff: in.Staff,
	}
	var err error
	if in.BirthDate != "" {
		if u.BirthDate, err = domain.ParseDate(in.BirthDate); err != nil {
			return UserView{}, err
		}
	}
	if u.Permissions, err = domain.ParseStaffPermissions(in.Permissions); err != nil {
		return UserView{}, err
	}
	if in.Partner != "" {
		if u.Partner, err = a.partner(ctx, in.Partner); err != nil {
			return UserView{}, err
		}
	}
	u, number, err := a.Registry.AddUser(ctx, by(), u, registry.Password{Text: domain.NewSecret(in.Password)})
	if err != nil {
		return UserView{}, err
	}
	v := userView(u)
	if number != "" {
		v.Accounts = []domain.AccountNumber{number}
	}
	return v, nil
}

func listUsers(ctx context.Context, a *App, in UserList) ([]UserView, error) {
	if in.Email != "" {
		list, err := a.Registry.Store.UsersByEmail(ctx, in.Email)
		if err != nil {
			return nil, err
		}
		return a.withAccounts(ctx, list)
	}
	var partner domain.PartnerID
	if in.Partner != "" {
		var err error
		if partner, err = a.partner(ctx, in.Partner); err != nil {
			return nil, err
		}
	}
	list, err := a.Registry.Store.Users(ctx, partner, in.Partner == "")
	if err != nil {
		return nil, err
	}
	return a.withAccounts(ctx, list)
}

// withAccounts shows users with the numbers of their accounts.
func (a *App) withAccounts(ctx context.Context, list []domain.User) ([]UserView, error) {
	out := views(list, userView)
	for i, u := range list {
		if !u.Customer {
			continue
		}
		accounts, err := a.Registry.Store.UserAccounts(ctx, u.ID)
		if err != nil {
			return nil, err
		}
		for _, account := range accounts {
			out[i].Accounts = append(out[i].Accounts, account.Number)
		}
	}
	return out, nil
}

func showUser(ctx context.Context, a *App, in Named) (UserView, error) {
	u, err := a.user(ctx, in.ID)
	if err != nil {
		return UserView{}, err
	}
	shown, err := a.withAccounts(ctx, []domain.User{u})
	if err != nil {
		return UserView{}, err
	}
	return shown[0], nil
}

// unenrol takes a second factor away, for a member of staff who has lost it.
func unenrol(ctx context.Context, a *App, in Named) (UserView, error) {
	u, err := a.user(ctx, in.ID)
	if err != nil {
		return UserView{}, err
	}
	if err := a.Registry.RemoveFactor(ctx, by(), u.ID); err != nil {
		return UserView{}, err
	}
	return showUser(ctx, a, Named{string(u.ID)})
}

func setPassword(ctx context.Context, a *App, in UserPassword) (UserView, error) {
	u, err := a.user(ctx, in.ID)
	if err != nil {
		return UserView{}, err
	}
	if err := a.Registry.SetPassword(ctx, by(), u.ID, registry.Password{Text: domain.NewSecret(in.Password)}); err != nil {
		return UserView{}, err
	}
	return showUser(ctx, a, Named{string(u.ID)})
}

// createProperty adds a property, for the channels that are imported next.
func createProperty(ctx context.Context, a *App, in PropertyCreate) (PropertyView, error) {
	p := domain.Property{Label: in.Label, Address: in.Address, Postcode: in.Postcode, Zone: in.Zone}
	var err error
	if p.Partner, err = a.partner(ctx, in.Partner); err != nil {
		return PropertyView{}, err
	}
	if in.Account != "" {
		if p.Account, err = domain.ParseAccountNumber(in.Account); err != nil {
			return PropertyView{}, err
		}
	}
	p, err = a.Registry.AddProperty(ctx, by(), p)
	return PropertyView{p.ID, p.Partner, p.Account, p.Label, p.Address, p.Postcode, p.Zone}, err
}
