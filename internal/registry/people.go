package registry

import (
	"context"
	"net/mail"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// AddPartner creates a partner.
func (r *Registry) AddPartner(ctx context.Context, by By, name string) (domain.Partner, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 200 {
		return domain.Partner{}, invalid("the name must have 1 to 200 characters")
	}
	if !readable(name) {
		return domain.Partner{}, invalid("the name must stand on one line, without characters that control how text is shown")
	}
	p := domain.Partner{ID: domain.NewPartnerID(r.Chance), Name: name, CreatedAt: r.Now()}
	if err := r.Store.AddPartner(ctx, p, r.entry(by, "partner.create", string(p.ID), p.ID, "name "+name)); err != nil {
		return domain.Partner{}, err
	}
	return p, r.Refresh(ctx)
}

// Password is a new password. Drawn says that chance chose it, with 96 bits or
// more, rather than a person.
type Password struct {
	Text  domain.Secret
	Drawn bool
}

// AddUser creates a user; a customer gets an account, whose number is returned.
// The e-mail address of a user never reaches the audit log.
func (r *Registry) AddUser(ctx context.Context, by By, u domain.User, password Password) (domain.User, domain.AccountNumber, error) {
	u.Email = strings.TrimSpace(u.Email)
	if err := r.checkUser(ctx, u); err != nil {
		return u, "", err
	}
	hash := ""
	if !password.Text.Empty() {
		var err error
		if hash, err = r.hash(ctx, password); err != nil {
			return u, "", err
		}
	}
	u.ID, u.CreatedAt = domain.NewUserID(r.Chance), r.Now()
	var account *domain.Account
	if u.Customer {
		account = &domain.Account{Number: domain.NewAccountNumber(r.Chance), Partner: u.Partner, User: u.ID}
		if u.CustomerNumber == "" {
			u.CustomerNumber = strings.TrimPrefix(string(account.Number), "A-")
		}
	}
	if err := r.Store.AddUser(ctx, u, hash, account, r.entry(by, "user.create", string(u.ID), u.Partner, "")); err != nil {
		return u, "", err
	}
	if account == nil {
		return u, "", nil
	}
	return u, account.Number, nil
}

// checkUser refuses a user that cannot be.
func (r *Registry) checkUser(ctx context.Context, u domain.User) error {
	if a, err := mail.ParseAddress(u.Email); err != nil || a.Address != u.Email || len(u.Email) > 254 {
		return invalid("%q is not an e-mail address", u.Email)
	}
	switch {
	case !u.Customer && !u.Staff:
		return invalid("a user is a customer, a member of staff, or both")
	case u.Customer && u.Partner == "":
		return invalid("a customer belongs to a partner: name one")
	case u.Customer && (u.FirstName == "" || u.Surname == ""):
		return invalid("a customer has a first name and a surname")
	case !u.Staff && u.Permissions != 0:
		return invalid("only staff hold staff permissions")
	}
	if u.Partner == "" {
		return nil
	}
	partners, err := r.Store.Partners(ctx)
	if err != nil {
		return err
	}
	for _, p := range partners {
		if p.ID == u.Partner {
			return nil
		}
	}
	return &domain.Error{Kind: domain.NotFound, Public: "there is no such partner"}
}

// SetPassword replaces a user's password. Whoever used the old one loses what it
// brought: the sessions, and the tokens of every application that was allowed
// something with them. What was allowed stays, for the next log-in.
func (r *Registry) SetPassword(ctx context.Context, by By, id domain.UserID, password Password) error {
	u, err := r.Store.FindUser(ctx, id)
	if err != nil {
		return err
	}
	hash, err := r.hash(ctx, password)
	if err != nil {
		return err
	}
	now := r.Now()
	families, err := r.Store.SetPassword(ctx, id, hash, now, r.entry(by, "user.password", string(id), u.Partner, ""))
	if err != nil || r.Denied == nil {
		return err
	}
	for _, family := range families {
		r.Denied.Add(domain.RevokeFamily(family, now), now)
	}
	return nil
}

// RemoveFactor takes the second factor and the recovery codes away from a member
// of staff, and ends their sessions: at the next log-in they set up another one.
func (r *Registry) RemoveFactor(ctx context.Context, by By, id domain.UserID) error {
	u, err := r.Store.FindUser(ctx, id)
	if err != nil {
		return err
	}
	return r.Store.RemoveFactor(ctx, id, r.entry(by, "staff.unenrol", string(id), u.Partner, ""))
}

// hash checks the length of a password (NIST SP 800-63B-4 §3.1.1.2) and hashes it.
func (r *Registry) hash(ctx context.Context, password Password) (string, error) {
	if n := len([]rune(password.Text.Reveal())); n < 12 || n > 256 {
		return "", invalid("a password has 12 to 256 characters")
	}
	if password.Drawn {
		return r.Passwords.HashDrawn(password.Text)
	}
	return r.Passwords.Hash(ctx, password.Text)
}

// AddProperty creates a property. Its supply points come with measurements.
func (r *Registry) AddProperty(ctx context.Context, by By, p domain.Property) (domain.Property, error) {
	if p.Partner == "" {
		return p, invalid("a property belongs to a partner: name one")
	}
	if _, err := interval.Zone(p.Zone); err != nil {
		return p, err
	}
	p.ID = domain.NewPropertyID(r.Chance)
	return p, r.Store.AddProperty(ctx, p, r.entry(by, "property.create", string(p.ID), p.Partner, ""))
}
