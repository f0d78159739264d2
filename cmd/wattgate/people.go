package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/wattgate/wattgate/internal/app"
)

func partnerCommand(w world) *cobra.Command {
	var name string
	create := &cobra.Command{Use: "create", Short: "Create a partner"}
	create.Flags().StringVar(&name, "name", "", "name of the partner (required)")
	need(create, "name")
	by := func(use, short, verb string) *cobra.Command {
		return adminCommand(w, &cobra.Command{Use: use + " PARTNER", Short: short, Args: cobra.ExactArgs(1)}, verb, named,
			func(p app.PartnerView) table { return partners([]app.PartnerView{p}) })
	}
	return group("partner", "White-label partners",
		adminCommand(w, create, "partner.create", func([]string) (any, error) { return app.Named{ID: name}, nil },
			func(p app.PartnerView) table { return partners([]app.PartnerView{p}) }),
		adminCommand(w, &cobra.Command{Use: "list", Short: "List all partners"}, "partner.list", nothing, partners),
		by("disable", "Disable a partner: close its applications and end all their tokens", "partner.disable"),
		by("enable", "Enable a partner again", "partner.enable"),
	)
}

// nothing is the argument of a verb that takes none.
func nothing([]string) (any, error) { return struct{}{}, nil }

// named is the argument of a verb that takes what is named on the command line.
func named(args []string) (any, error) { return app.Named{ID: args[0]}, nil }

func partners(list []app.PartnerView) table {
	t := table{columns: []string{"partner", "name", "created", "state"}}
	for _, p := range list {
		t.rows = append(t.rows, []string{string(p.ID), p.Name, moment(&p.Created), state(p.Disabled)})
	}
	return t
}

// state says whether something is disabled.
func state(disabled bool) string {
	if disabled {
		return "disabled"
	}
	return "active"
}

func userCommand(w world) *cobra.Command {
	one := func(u app.UserView) table { return users([]app.UserView{u}) }
	var filter app.UserList
	list := &cobra.Command{Use: "list", Short: "List users"}
	list.Flags().StringVar(&filter.Partner, "partner", "", "only of this partner")
	list.Flags().StringVar(&filter.Email, "email", "", "only with this e-mail address")

	var passwordFile string
	password := &cobra.Command{Use: "password USER", Short: "Replace a user's password", Args: cobra.ExactArgs(1)}
	password.Flags().StringVar(&passwordFile, "password-file", "-", "file with the password; - is standard input")
	by := func(use, short, verb string) *cobra.Command {
		return adminCommand(w, &cobra.Command{Use: use + " USER", Short: short, Args: cobra.ExactArgs(1)}, verb, named, one)
	}
	return group("user", "Customers, staff and support staff",
		userCreateCommand(w),
		adminCommand(w, list, "user.list", func([]string) (any, error) { return filter, nil }, users),
		adminCommand(w, &cobra.Command{Use: "show USER", Short: "Show a user by id, UUID or e-mail address", Args: cobra.ExactArgs(1)}, "user.show", named, one),
		masqueradeCommand(w),
		by("disable", "Disable a user and end all tokens for them", "user.disable"),
		by("enable", "Enable a user again", "user.enable"),
		by("unenrol", "Take the second factor away from staff who have lost it; they set up another one", "user.unenrol"),
		adminCommand(w, password, "user.password", func(args []string) (any, error) {
			text, err := readPassword(w, passwordFile)
			return app.UserPassword{ID: args[0], Password: text}, err
		}, one),
	)
}

func masqueradeCommand(w world) *cobra.Command {
	var in app.MasqueradeAs
	cmd := &cobra.Command{
		Use: "masquerade USER", Short: "Make a token to look on as a customer: once, for an hour at most, changing nothing", Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&in.Reason, "reason", "", "why, for the audit log (required)")
	cmd.Flags().StringVar(&in.Staff, "staff", "", "the member of staff who looks, who holds SUPPORT_VIEWER; without it the operator does")
	need(cmd, "reason")
	return adminCommand(w, cmd, "user.masquerade", func(args []string) (any, error) {
		in.ID = args[0]
		return in, nil
	}, func(m app.Masquerade) table {
		return table{columns: []string{"user", "masquerade token", "expires"}, rows: [][]string{{string(m.User), m.Token, moment(&m.Expires)}}}
	})
}

func userCreateCommand(w world) *cobra.Command {
	var in app.UserCreate
	var passwordFile string
	cmd := &cobra.Command{Use: "create", Short: "Create a user"}
	f := cmd.Flags()
	f.StringVar(&in.Partner, "partner", "", "partner by id or name; platform staff have none")
	f.StringVar(&in.Email, "email", "", "e-mail address (required)")
	f.StringVar(&in.FirstName, "first-name", "", "first name")
	f.StringVar(&in.MiddleName, "middle-name", "", "middle name")
	f.StringVar(&in.Surname, "surname", "", "surname")
	f.StringVar(&in.Phone, "phone", "", "telephone number")
	f.StringVar(&in.BirthDate, "birth-date", "", "date of birth, YYYY-MM-DD")
	f.StringVar(&in.CustomerNumber, "customer-number", "", "the partner's number of the customer")
	f.BoolVar(&in.Customer, "customer", false, "is a customer; gets an account")
	f.BoolVar(&in.Staff, "staff", false, "is a member of staff")
	f.StringSliceVar(&in.Permissions, "permission", nil, "staff permission: OAUTH_MANAGER, API_ENGINEER, SUPPORT_VIEWER; may repeat")
	f.StringVar(&passwordFile, "password-file", "", "file with the password; - is standard input")
	need(cmd, "email")
	return adminCommand(w, cmd, "user.create", func([]string) (any, error) {
		var err error
		in.Password, err = readPassword(w, passwordFile)
		return in, err
	}, func(u app.UserView) table { return users([]app.UserView{u}) })
}

func propertyCommand(w world) *cobra.Command {
	var in app.PropertyCreate
	create := &cobra.Command{Use: "create", Short: "Create a property, for the channels of the files imported next"}
	f := create.Flags()
	f.StringVar(&in.Partner, "partner", "", "partner by id or name (required)")
	f.StringVar(&in.Account, "account", "", "number of the account that the property belongs to")
	f.StringVar(&in.Label, "label", "", "what the property is called")
	f.StringSliceVar(&in.Address, "address", nil, "line of the address; may repeat")
	f.StringVar(&in.Postcode, "postcode", "", "postal code")
	f.StringVar(&in.Zone, "timezone", "", "IANA name such as Europe/Amsterdam, or a fixed offset such as +10:00 (required)")
	need(create, "partner", "timezone")
	return group("property", "Places with supply points",
		adminCommand(w, create, "property.create", func([]string) (any, error) { return in, nil }, func(p app.PropertyView) table {
			return table{
				columns: []string{"property", "partner", "account", "label", "timezone"},
				rows:    [][]string{{string(p.ID), string(p.Partner), string(p.Account), p.Label, p.Zone}},
			}
		}),
	)
}

func users(list []app.UserView) table {
	t := table{columns: []string{"user", "email", "kind", "permissions", "partner", "accounts", "state"}}
	for _, u := range list {
		accounts := make([]string, len(u.Accounts))
		for i, a := range u.Accounts {
			accounts[i] = string(a)
		}
		t.rows = append(t.rows, []string{
			string(u.ID), u.Email, strings.Join(u.Kind, " "), strings.Join(u.Permissions, " "), string(u.Partner), strings.Join(accounts, " "), state(u.Disabled),
		})
	}
	return t
}
