package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/registry"
)

// Demo is what a demo installation consists of: kept in its data folder, so
// that a second start finds the same identifiers and secrets.
type Demo struct {
	PartnerClientID         domain.ClientID
	PartnerClientSecret     string
	CustomerUserID          domain.UserID
	CustomerEmail           string
	CustomerPassword        string
	AccountNumber           domain.AccountNumber
	SupportUserID           domain.UserID
	OtherPartnerClientID    domain.ClientID
	OtherPartnerSecret      string
	OtherCustomerUserID     domain.UserID
	OtherPropertyID         domain.PropertyID
	ThirdPartyClientID      domain.ClientID
	ThirdPartyClientSecret  string
	PropertyID              domain.PropertyID
	SupplyPointID           string
	OAuthManagerEmail       string
	OAuthManagerPassword    string
	APIEngineerEmail        string
	APIEngineerPassword     string
	HouseholdFirst          domain.Date
	OtherHouseholdFirst     domain.Date
	HouseholdSupplyPoint    string
	OtherHouseholdSupply    string
	SolarCoachClientID      domain.ClientID // reads what customers allow; empty in a folder from before
	SolarCoachClientSecret  string
	SolarCoachRedirectURI   string
	Partner, OtherPartner   domain.PartnerID
	PartnerName, OthersName string
}

const (
	demoFile       = "demo.json"
	demoUnfinished = "demo.unfinished" // stands while the folder is being filled
	demoZone       = "Europe/Amsterdam"
	// demoDays is how long ago the household moved in: more than 400 days, so
	// that both changes of the clock are inside whatever the day.
	demoDays  = 430
	otherDays = 60
)

// PrepareDemo readies a folder for a demo before it is opened. What an
// interrupted first start left behind is removed: nobody has seen its secrets.
func PrepareDemo(c *Config) error {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return err
	}
	lock, err := lockFolder(c.Data)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }() // nothing was written to it
	mark := filepath.Join(c.Data, demoUnfinished)
	if _, err := os.Stat(filepath.Join(c.Data, demoFile)); err == nil {
		return nil
	}
	if _, err := os.Stat(mark); err == nil {
		for _, name := range []string{databaseName, databaseName + "-wal", databaseName + "-shm", keyFileName, environmentName, checkpointName} {
			if err := os.Remove(filepath.Join(c.Data, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	}
	if _, err := os.Stat(filepath.Join(c.Data, databaseName)); err == nil {
		return fmt.Errorf("%s holds an installation that is not a demo; demo wants a folder of its own", c.Data)
	}
	return writeNew(mark, nil)
}

// OpenDemo fills an empty installation with the demo, or finds it there, and
// extends its households up to yesterday.
func (a *App) OpenDemo(ctx context.Context) (*Demo, error) {
	a.isDemo = true
	path := filepath.Join(a.Config.Data, demoFile)
	d := &Demo{}
	text, err := os.ReadFile(path)
	fresh := errors.Is(err, fs.ErrNotExist)
	switch {
	case err == nil:
		if err := json.Unmarshal(text, d); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	case !fresh:
		return nil, err
	case !a.FirstRun:
		return nil, fmt.Errorf("%s holds an installation that is not a demo; demo wants a folder of its own", a.Config.Data)
	default:
		if err := a.furnish(ctx, d); err != nil {
			return nil, err
		}
	}
	if err := a.simulate(ctx, d); err != nil {
		return nil, err
	}
	if !fresh {
		return d, nil
	}
	if text, err = json.MarshalIndent(d, "", "  "); err != nil {
		return nil, err
	}
	if err := writeNew(path, text); err != nil {
		return nil, err
	}
	if err := os.Remove(filepath.Join(a.Config.Data, demoUnfinished)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return d, nil
}

// furnish creates partners, people and applications.
func (a *App) furnish(ctx context.Context, d *Demo) error {
	steps := []func(context.Context, *Demo) error{a.demoPartners, a.demoStaff, a.demoCustomers, a.demoApplications}
	for _, step := range steps {
		if err := step(ctx, d); err != nil {
			return err
		}
	}
	today := domain.DateOf(a.world.Now())
	d.HouseholdFirst, d.OtherHouseholdFirst = today-demoDays, today-otherDays
	d.HouseholdSupplyPoint, d.OtherHouseholdSupply = "871685900012345674", "871685900087654329"
	d.SupplyPointID = string(domain.MarketNLDElectricity) + ":" + d.HouseholdSupplyPoint
	return nil
}

var demoBy = registry.By{Means: "demo", Origin: domain.Origin{Address: "local"}}

func (a *App) demoPartners(ctx context.Context, d *Demo) error {
	d.PartnerName, d.OthersName = "Noordstroom", "Zuiderlicht"
	p, err := a.Registry.AddPartner(ctx, demoBy, d.PartnerName)
	if err != nil {
		return err
	}
	other, err := a.Registry.AddPartner(ctx, demoBy, d.OthersName)
	d.Partner, d.OtherPartner = p.ID, other.ID
	return err
}

// drawn draws a password that nobody can guess.
func (a *App) drawn() registry.Password {
	text := strings.TrimPrefix(string(domain.NewPropertyID(a.world.Chance)), "prop_") // 16 of 32 characters: 80 bits
	text += "-" + strings.TrimPrefix(string(domain.NewSecretID(a.world.Chance)), "sec_")
	return registry.Password{Text: domain.NewSecret(text), Drawn: true}
}

func (a *App) demoStaff(ctx context.Context, d *Demo) error {
	add := func(partner domain.PartnerID, email, first string, permissions ...domain.StaffPermission) (domain.UserID, string, error) {
		u := domain.User{Partner: partner, Staff: true, Email: email, FirstName: first, Surname: "Voorbeeld"}
		for _, p := range permissions {
			u.Permissions |= 1 << p
		}
		password := a.drawn()
		u, _, err := a.Registry.AddUser(ctx, demoBy, u, password)
		return u.ID, password.Text.Reveal(), err
	}
	var err error
	d.OAuthManagerEmail = "manager@wattgate.example"
	if _, d.OAuthManagerPassword, err = add("", d.OAuthManagerEmail, "Mara", domain.OAuthManager, domain.SupportViewer); err != nil {
		return err
	}
	d.APIEngineerEmail = "engineer@wattgate.example"
	if _, d.APIEngineerPassword, err = add("", d.APIEngineerEmail, "Erik", domain.APIEngineer); err != nil {
		return err
	}
	if _, _, err = add(d.Partner, "staff@noordstroom.example", "Stijn"); err != nil {
		return err
	}
	d.SupportUserID, _, err = add(d.Partner, "support@noordstroom.example", "Sofie", domain.SupportViewer)
	return err
}

func (a *App) demoCustomers(ctx context.Context, d *Demo) error {
	add := func(partner domain.PartnerID, email, first, surname string) (domain.UserID, domain.AccountNumber, string, error) {
		password := a.drawn()
		u, number, err := a.Registry.AddUser(ctx, demoBy, domain.User{
			Partner: partner, Customer: true, Email: email, FirstName: first, Surname: surname, Phone: "+31 20 123 4567",
			BirthDate: domain.NewDate(1985, time.April, 12),
		}, password)
		return u.ID, number, password.Text.Reveal(), err
	}
	home := func(partner domain.PartnerID, account domain.AccountNumber, street, postcode string) (domain.PropertyID, error) {
		p, err := a.Registry.AddProperty(ctx, demoBy, domain.Property{
			Partner: partner, Account: account, Label: "Home", Address: []string{street, postcode + " Voorbeeldstad"}, Postcode: postcode, Zone: demoZone,
		})
		return p.ID, err
	}
	var err error
	d.CustomerEmail = "customer@noordstroom.example"
	if d.CustomerUserID, d.AccountNumber, d.CustomerPassword, err = add(d.Partner, d.CustomerEmail, "Anna", "Voorbeeld"); err != nil {
		return err
	}
	if d.PropertyID, err = home(d.Partner, d.AccountNumber, "Zonnelaan 12", "1234 AB"); err != nil {
		return err
	}
	if _, _, _, err = add(d.Partner, "second@noordstroom.example", "Bram", "Voorbeeld"); err != nil {
		return err
	}
	other, number, _, err := add(d.OtherPartner, "customer@zuiderlicht.example", "Carla", "Ejemplo")
	if err != nil {
		return err
	}
	d.OtherCustomerUserID = other
	d.OtherPropertyID, err = home(d.OtherPartner, number, "Maanplein 7", "4321 BA")
	return err
}

func (a *App) demoApplications(ctx context.Context, d *Demo) error {
	add := func(name string, partner domain.PartnerID, role domain.RoleName) (domain.ClientID, string, error) {
		app, secret, err := a.Registry.AddApplication(ctx, demoBy, registry.NewApplication{Name: name, Partner: partner, Role: role})
		return app.ID, secret.Reveal(), err
	}
	var err error
	if d.PartnerClientID, d.PartnerClientSecret, err = add("Noordstroom app", d.Partner, domain.RolePartnerIntegration); err != nil {
		return err
	}
	if d.OtherPartnerClientID, d.OtherPartnerSecret, err = add("Zuiderlicht app", d.OtherPartner, domain.RolePartnerIntegration); err != nil {
		return err
	}
	if _, _, err = add("Noordstroom meter data", d.Partner, domain.RoleMeteringIntegration); err != nil {
		return err
	}
	if d.ThirdPartyClientID, d.ThirdPartyClientSecret, err = add("Meterwise Insights", d.Partner, domain.RoleThirdPartyViewer); err != nil {
		return err
	}
	return a.demoCoach(ctx, d)
}

// demoCoach is an application that customers allow to read, on a machine of
// theirs: nothing listens at its address, which shows the code in the browser.
func (a *App) demoCoach(ctx context.Context, d *Demo) error {
	d.SolarCoachRedirectURI = "http://127.0.0.1:9090/callback"
	app, secret, err := a.Registry.AddApplication(ctx, demoBy, registry.NewApplication{
		Name: "Solar Coach", Partner: d.Partner, Role: domain.RoleThirdPartyViewer, Reach: domain.ReachConsented, URIs: []string{d.SolarCoachRedirectURI},
		Grants: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken, oauth.GrantDeviceCode},
	})
	d.SolarCoachClientID, d.SolarCoachClientSecret = app.ID, secret.Reveal()
	return err
}
