package app

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

// What verbs show. The names are the API's; a clear secret stands in Issued
// only, which is what creates one.
type (
	// PartnerView is a partner.
	PartnerView struct {
		ID       domain.PartnerID `json:"id"`
		Name     string           `json:"name"`
		Disabled bool             `json:"disabled"`
		Created  time.Time        `json:"created"`
	}
	// UserView is a user.
	UserView struct {
		ID             domain.UserID          `json:"id"`
		UUID           string                 `json:"uuid"`
		Partner        domain.PartnerID       `json:"partner,omitempty"`
		Email          string                 `json:"email"`
		FirstName      string                 `json:"firstName,omitempty"`
		Surname        string                 `json:"surname,omitempty"`
		Kind           []string               `json:"kind"` // customer, staff
		Permissions    []string               `json:"permissions"`
		CustomerNumber string                 `json:"customerNumber,omitempty"`
		Accounts       []domain.AccountNumber `json:"accounts,omitempty"`
		Disabled       bool                   `json:"disabled"`
		Created        time.Time              `json:"created"`
	}
	// ApplicationView is an application.
	ApplicationView struct {
		ID                domain.ClientID   `json:"clientId"`
		Name              string            `json:"name"`
		Partner           domain.PartnerID  `json:"partner"`
		Type              domain.ClientType `json:"clientType"`
		Grants            []string          `json:"grants"`
		URIs              []string          `json:"allowedUris"`
		SkipAuthorization bool              `json:"skipAuthorization"`
		Reach             domain.Reach      `json:"reach"`
		Role              domain.RoleName   `json:"role"`
		Permissions       []string          `json:"permissions"`
		Audiences         []string          `json:"audiences"`
		Lifetime          int               `json:"lifetime"` // seconds
		AuthMethod        domain.AuthMethod `json:"authMethod,omitempty"`
		Disabled          bool              `json:"disabled"`
		Created           time.Time         `json:"created"`
	}
	// SecretView is what can be known of a secret. It has no digest: not even
	// that is shown.
	SecretView struct {
		ID       domain.SecretID `json:"id"`
		Hint     string          `json:"hint"`
		State    string          `json:"state"` // current, stops, stopped, expired
		Created  time.Time       `json:"created"`
		Expires  *time.Time      `json:"expires,omitempty"`
		Stops    *time.Time      `json:"stops,omitempty"`
		LastUsed *time.Time      `json:"lastUsed,omitempty"`
		Tokens   int64           `json:"tokens"`
	}
	// RoleView is an API role.
	RoleView struct {
		Name        domain.RoleName `json:"name"`
		Permissions []string        `json:"permissions"`
		Documented  bool            `json:"documented"`
		Missing     []string        `json:"missing,omitempty"`
		Extra       []string        `json:"extra,omitempty"`
	}
	// Issued is an application with its new secret, which is never shown again.
	Issued struct {
		Application ApplicationView `json:"application"`
		Secret      string          `json:"clientSecret,omitempty"`
	}
)

// What verbs take.
type (
	// Named names an object by its identifier, or by its name where that is unique.
	Named struct {
		ID string `json:"id"`
	}
	// UserCreate is a new user.
	UserCreate struct {
		Partner        string   `json:"partner"`
		Email          string   `json:"email"`
		FirstName      string   `json:"firstName"`
		MiddleName     string   `json:"middleName"`
		Surname        string   `json:"surname"`
		Phone          string   `json:"phone"`
		BirthDate      string   `json:"birthDate"`
		CustomerNumber string   `json:"customerNumber"`
		Customer       bool     `json:"customer"`
		Staff          bool     `json:"staff"`
		Permissions    []string `json:"permissions"`
		Password       string   `json:"password"`
	}
	// UserList filters users.
	UserList struct {
		Partner string `json:"partner"`
		Email   string `json:"email"`
	}
	// UserPassword is a new password.
	UserPassword struct {
		ID       string `json:"id"`
		Password string `json:"password"`
	}
	// AppCreate is a new application.
	AppCreate struct {
		Name              string   `json:"name"`
		Partner           string   `json:"partner"`
		Type              string   `json:"type"`
		Grants            []string `json:"grants"`
		URIs              []string `json:"uris"`
		SkipAuthorization bool     `json:"skipAuthorization"`
		Reach             string   `json:"reach"`
		Role              string   `json:"role"`
		Audiences         []string `json:"audiences"`
		Lifetime          int      `json:"lifetime"` // seconds; 0: the role's default
		AuthMethod        string   `json:"authMethod"`
		Expires           int64    `json:"expires"` // seconds; 0: twelve months; negative: never
	}
	// SecretChange names an application, and what its verb needs besides.
	SecretChange struct {
		ID      string `json:"id"`
		Secret  string `json:"secret"`  // retire: which
		Overlap int64  `json:"overlap"` // add: seconds
		Expires int64  `json:"expires"` // seconds; 0: twelve months; negative: never
	}
	// RoleSet attaches permissions to a role.
	RoleSet struct {
		Name        string   `json:"name"`
		Permissions []string `json:"permissions"`
	}
	// RoleCheckRequest asks for the check of step 12, and for its repair.
	RoleCheckRequest struct {
		Repair bool `json:"repair"`
	}
)

// verb is one administrative act.
type verb func(ctx context.Context, a *App, in []byte) (any, error)

// verbs is the table of all administrative acts.
var verbs = map[string]verb{
	"partner.create": typed(createPartner),
	"partner.list":   typed(listPartners),
	"user.create":    typed(createUser),
	"user.list":      typed(listUsers),
	"user.show":      typed(showUser),
	"user.password":  typed(setPassword),
	"app.create":     typed(createApp),
	"app.list":       typed(listApps),
	"app.show":       typed(showApp),
	"app.disable":    typed(disableApp(true)),
	"app.enable":     typed(disableApp(false)),
	"secret.list":    typed(listSecrets),
	"secret.add":     typed(addSecret),
	"secret.replace": typed(replaceSecret),
	"secret.retire":  typed(retireSecret),
	"role.list":      typed(listRoles),
	"role.show":      typed(showRole),
	"role.set":       typed(setRole),
	"role.check":     typed(checkRoles),
}

// typed reads the argument of a verb; an unknown field is a mistake.
func typed[In, Out any](f func(context.Context, *App, In) (Out, error)) verb {
	return func(ctx context.Context, a *App, body []byte) (any, error) {
		var in In
		d := json.NewDecoder(strings.NewReader(string(body)))
		d.DisallowUnknownFields()
		if err := d.Decode(&in); err != nil {
			return nil, &domain.Error{Kind: domain.Invalid, Public: "the argument of the verb cannot be read", Err: err}
		}
		return f(ctx, a, in)
	}
}

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
		return views(list, userView), err
	}
	var partner domain.PartnerID
	if in.Partner != "" {
		var err error
		if partner, err = a.partner(ctx, in.Partner); err != nil {
			return nil, err
		}
	}
	list, err := a.Registry.Store.Users(ctx, partner, in.Partner == "")
	return views(list, userView), err
}

func showUser(ctx context.Context, a *App, in Named) (UserView, error) {
	u, err := a.user(ctx, in.ID)
	if err != nil {
		return UserView{}, err
	}
	accounts, err := a.Registry.Store.UserAccounts(ctx, u.ID)
	v := userView(u)
	for _, account := range accounts {
		v.Accounts = append(v.Accounts, account.Number)
	}
	return v, err
}

func setPassword(ctx context.Context, a *App, in UserPassword) (UserView, error) {
	u, err := a.user(ctx, in.ID)
	if err != nil {
		return UserView{}, err
	}
	return userView(u), a.Registry.SetPassword(ctx, by(), u.ID, registry.Password{Text: domain.NewSecret(in.Password)})
}

func createApp(ctx context.Context, a *App, in AppCreate) (Issued, error) {
	n := registry.NewApplication{
		Name: in.Name, Type: domain.ClientType(in.Type), Grants: in.Grants, URIs: in.URIs, SkipAuthorization: in.SkipAuthorization,
		Reach: domain.Reach(in.Reach), Role: domain.RoleName(in.Role), Lifetime: time.Duration(in.Lifetime) * time.Second,
		AuthMethod: domain.AuthMethod(in.AuthMethod), SecretExpires: time.Duration(in.Expires) * time.Second,
	}
	var err error
	if n.Partner, err = a.partner(ctx, in.Partner); err != nil {
		return Issued{}, err
	}
	if n.Audiences, err = domain.ParseAudiences(in.Audiences); err != nil {
		return Issued{}, err
	}
	app, secret, err := a.Registry.AddApplication(ctx, by(), n)
	if err != nil {
		return Issued{}, err
	}
	return Issued{a.appView(app), secret.Reveal()}, nil
}

func listApps(ctx context.Context, a *App, _ struct{}) ([]ApplicationView, error) {
	list, err := a.Registry.Store.Applications(ctx)
	return views(list, a.appView), err
}

func showApp(ctx context.Context, a *App, in Named) (ApplicationView, error) {
	app, err := a.application(ctx, in.ID)
	return a.appView(app), err
}

func disableApp(disabled bool) func(context.Context, *App, Named) (ApplicationView, error) {
	return func(ctx context.Context, a *App, in Named) (ApplicationView, error) {
		app, err := a.application(ctx, in.ID)
		if err != nil {
			return ApplicationView{}, err
		}
		if err := a.Registry.SetDisabled(ctx, by(), app.ID, disabled); err != nil {
			return ApplicationView{}, err
		}
		return showApp(ctx, a, in)
	}
}

func addSecret(ctx context.Context, a *App, in SecretChange) (Issued, error) {
	return a.issueSecret(ctx, in, func(id domain.ClientID) (domain.Secret, error) {
		return a.Registry.AddSecret(ctx, by(), id, time.Duration(in.Overlap)*time.Second, time.Duration(in.Expires)*time.Second)
	})
}

func replaceSecret(ctx context.Context, a *App, in SecretChange) (Issued, error) {
	return a.issueSecret(ctx, in, func(id domain.ClientID) (domain.Secret, error) {
		return a.Registry.ReplaceSecret(ctx, by(), id, time.Duration(in.Expires)*time.Second)
	})
}

func (a *App) issueSecret(ctx context.Context, in SecretChange, issue func(domain.ClientID) (domain.Secret, error)) (Issued, error) {
	app, err := a.application(ctx, in.ID)
	if err != nil {
		return Issued{}, err
	}
	secret, err := issue(app.ID)
	if err != nil {
		return Issued{}, err
	}
	return Issued{a.appView(app), secret.Reveal()}, nil
}

func retireSecret(ctx context.Context, a *App, in SecretChange) ([]SecretView, error) {
	app, err := a.application(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	which, err := domain.ParseSecretID(in.Secret)
	if err != nil {
		return nil, err
	}
	if err := a.Registry.RetireSecret(ctx, by(), app.ID, which); err != nil {
		return nil, err
	}
	return listSecrets(ctx, a, Named{in.ID})
}

func listSecrets(ctx context.Context, a *App, in Named) ([]SecretView, error) {
	app, err := a.application(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := a.Registry.Flush(ctx); err != nil {
		return nil, err
	}
	secrets, err := a.Registry.Store.Secrets(ctx, app.ID)
	if err != nil {
		return nil, err
	}
	uses, err := a.Registry.Store.SecretUses(ctx, app.ID)
	if err != nil {
		return nil, err
	}
	now := a.world.Now()
	return views(secrets, func(s domain.StoredSecret) SecretView { return secretView(s, uses[s.ID], now) }), nil
}

func listRoles(ctx context.Context, a *App, _ struct{}) ([]RoleView, error) {
	roles, err := a.Registry.Store.Roles(ctx)
	if err != nil {
		return nil, err
	}
	checks, err := a.Registry.CheckRoles(ctx)
	return views(roles, func(r domain.Role) RoleView {
		v := RoleView{Name: r.Name, Permissions: r.Permissions.Names()}
		for _, c := range checks {
			if c.Name == r.Name {
				v.Documented, v.Missing, v.Extra = true, c.Missing, c.Extra
			}
		}
		return v
	}), err
}

func showRole(ctx context.Context, a *App, in Named) (RoleView, error) {
	list, err := listRoles(ctx, a, struct{}{})
	if err != nil {
		return RoleView{}, err
	}
	for _, r := range list {
		if string(r.Name) == in.ID {
			return r, nil
		}
	}
	return RoleView{}, &domain.Error{Kind: domain.NotFound, Public: "there is no API role " + in.ID}
}

func setRole(ctx context.Context, a *App, in RoleSet) ([]RoleView, error) {
	permissions, err := domain.ParsePermissions(in.Permissions)
	if err != nil {
		return nil, err
	}
	if err := a.Registry.SetRole(ctx, by(), domain.Role{Name: domain.RoleName(in.Name), Permissions: permissions}); err != nil {
		return nil, err
	}
	return listRoles(ctx, a, struct{}{})
}

// checkRoles is the manual's step 12 (K14), and the button that repairs it.
func checkRoles(ctx context.Context, a *App, in RoleCheckRequest) ([]RoleView, error) {
	checks, err := a.Registry.CheckRoles(ctx)
	if err != nil {
		return nil, err
	}
	for i, c := range checks {
		if c.OK() || !in.Repair {
			continue
		}
		if err := a.Registry.SetRole(ctx, by(), domain.DocumentedRoles()[i]); err != nil {
			return nil, err
		}
	}
	return listRoles(ctx, a, struct{}{})
}
