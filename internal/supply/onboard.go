package supply

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// ErrReference is the cause inside a [domain.Conflict] about a reference that was
// used for another customer.
var ErrReference = errors.New("the reference was used for something else")

// NewCustomer is a customer whom a partner brings.
type NewCustomer struct {
	Reference      string // the partner's own name for this
	FirstName      string
	MiddleName     string
	Surname        string
	Email          string
	Phone          string
	BirthDate      domain.Date
	CustomerNumber string // empty: that of the account
	Invoice        *InvoiceAddress
	Properties     []NewProperty
}

// NewProperty is a property that nobody has known before.
type NewProperty struct {
	Label    string
	Address  []string
	Postcode string
	Zone     string
	FirstDay *domain.Date // of the customer there; nil: from the beginning
	Points   []domain.SupplyPointRef
}

// Add brings a customer with an account, properties and supply points. Whoever
// brings one again with the same reference gets the same one; with another
// content it is [domain.Conflict].
func (s *Service) Add(ctx context.Context, caller domain.Caller, origin domain.Origin, n NewCustomer) (Customer, error) {
	if err := manages(caller); err != nil {
		return Customer{}, err
	}
	n.trim()
	if err := n.check(s.Now()); err != nil {
		return Customer{}, err
	}
	content, err := json.Marshal(n)
	if err != nil {
		return Customer{}, fmt.Errorf("supply: digest: %w", err)
	}
	o, err := s.onboarding(caller.Partner, n)
	if err != nil {
		return Customer{}, err
	}
	o.Digest = sha256.Sum256(content)
	o.Entry = s.entry(caller, origin, domain.CanManageCustomers, "customer.create", string(o.User.ID),
		fmt.Sprintf("account %s, properties %d", o.Account.Number, len(o.Homes)))
	id, err := s.Store.Onboard(ctx, o)
	switch {
	case errors.Is(err, ErrReference):
		return Customer{}, conflict("input.reference", "this reference was used for another customer, or with another content")
	case err != nil:
		return Customer{}, At("input", err)
	}
	return s.find(ctx, domain.Scope{Partner: caller.Partner}, id)
}

// manages demands an application that changes all customers of its partner.
func manages(caller domain.Caller) error {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanManageCustomers}); err != nil {
		return err
	}
	if caller.User != "" || caller.Reach != domain.ReachPartner {
		return forbidden("only an application that reaches all of the partner's customers may do this")
	}
	return nil
}

// onboarding draws the identifiers of what is new.
func (s *Service) onboarding(partner domain.PartnerID, n NewCustomer) (Onboarding, error) {
	o := Onboarding{Reference: n.Reference, Invoice: n.Invoice, User: domain.User{
		ID: domain.NewUserID(s.Chance), Partner: partner, Customer: true, Email: n.Email, FirstName: n.FirstName, MiddleName: n.MiddleName,
		Surname: n.Surname, Phone: n.Phone, BirthDate: n.BirthDate, CustomerNumber: n.CustomerNumber, CreatedAt: s.Now(),
	}}
	o.Account = domain.Account{Number: domain.NewAccountNumber(s.Chance), Partner: partner, User: o.User.ID}
	if o.User.CustomerNumber == "" {
		o.User.CustomerNumber = strings.TrimPrefix(string(o.Account.Number), "A-")
	}
	for _, p := range n.Properties {
		h := Home{Property: domain.Property{
			ID: domain.NewPropertyID(s.Chance), Partner: partner, Account: o.Account.Number,
			Label: p.Label, Address: p.Address, Postcode: p.Postcode, Zone: p.Zone,
		}}
		h.Period = domain.Occupancy{
			ID: domain.NewOccupancyID(s.Chance), Partner: partner, Property: h.Property.ID, Account: o.Account.Number, User: o.User.ID, Zone: p.Zone,
		}
		if p.FirstDay != nil {
			loc, err := interval.Zone(p.Zone)
			if err != nil {
				return o, err
			}
			h.Period.From, _ = interval.Span(*p.FirstDay, loc)
		}
		for _, ref := range p.Points {
			h.Points = append(h.Points, domain.SupplyPoint{
				Partner: partner, Property: h.Property.ID, Market: ref.Market, Identifier: ref.Identifier, Zone: p.Zone,
			})
		}
		o.Homes = append(o.Homes, h)
	}
	return o, nil
}

// What one onboarding may bring at most.
const (
	maxProperties = 20
	maxPoints     = 20
)

func (n *NewCustomer) trim() {
	for _, text := range []*string{&n.Reference, &n.FirstName, &n.MiddleName, &n.Surname, &n.Email, &n.Phone, &n.CustomerNumber} {
		*text = strings.TrimSpace(*text)
	}
}

func (n *NewCustomer) check(now time.Time) error {
	year, _, _ := n.BirthDate.Civil()
	switch {
	case !isText(n.Reference, 1, 100):
		return invalid("input.reference", "the reference must have 1 to 100 printable characters")
	case !isText(n.FirstName, 1, 100):
		return invalid("input.firstName", "the first name must have 1 to 100 printable characters")
	case !isText(n.MiddleName, 0, 100):
		return invalid("input.middleName", "the middle name must have up to 100 printable characters")
	case !isText(n.Surname, 1, 100):
		return invalid("input.surname", "the surname must have 1 to 100 printable characters")
	case !isEmail(n.Email):
		return invalid("input.email", "%s is not an e-mail address", domain.Quote(n.Email))
	case n.Phone != "" && !isPhone(n.Phone):
		return invalid("input.phoneNumber", "%s is not a telephone number", domain.Quote(n.Phone))
	case year < 1880 || n.BirthDate > domain.DateOf(now.UTC())+1:
		return invalid("input.birthDate", "nobody was born on %s", n.BirthDate)
	case !isText(n.CustomerNumber, 0, 64):
		return invalid("input.customerNumber", "the customer number must have up to 64 printable characters")
	case len(n.Properties) > maxProperties:
		return invalid("input.properties", "%d properties are too many: want up to %d", len(n.Properties), maxProperties)
	}
	if n.Invoice != nil {
		if err := n.Invoice.check("input.invoiceAddress"); err != nil {
			return err
		}
	}
	met := map[domain.SupplyPointRef]bool{}
	for i, p := range n.Properties {
		if err := p.check(Field(fmt.Sprintf("input.properties.%d", i)), met); err != nil {
			return err
		}
	}
	return nil
}

func (p *NewProperty) check(here Field, met map[domain.SupplyPointRef]bool) error {
	if err := checkAddress(here+".address", p.Address); err != nil {
		return err
	}
	switch {
	case !isText(p.Label, 0, 100):
		return invalid(here+".label", "the label must have up to 100 printable characters")
	case !isText(p.Postcode, 1, 16):
		return invalid(here+".postcode", "the postal code must have 1 to 16 printable characters")
	case len(p.Points) > maxPoints:
		return invalid(here+".supplyPoints", "%d supply points are too many: want up to %d", len(p.Points), maxPoints)
	}
	if _, err := interval.Zone(p.Zone); err != nil {
		return invalid(here+".timezone", "%s is not a time zone we know", domain.Quote(p.Zone))
	}
	if p.FirstDay != nil {
		if err := checkDay(here+".moveInDate", *p.FirstDay); err != nil {
			return err
		}
	}
	for j, ref := range p.Points {
		at := here + Field(fmt.Sprintf(".supplyPoints.%d", j))
		switch {
		case !isMarket(ref.Market):
			return invalid(at+".marketName", "%s is not a market such as NLD_ELECTRICITY", domain.Quote(string(ref.Market)))
		case !isIdentifier(ref.Identifier):
			return invalid(at+".externalIdentifier", "an identifier has 1 to 64 letters, digits, points, hyphens and underscores")
		case met[ref]:
			return invalid(at, "the supply point %s:%s is named twice", ref.Market, ref.Identifier)
		}
		met[ref] = true
	}
	return nil
}

func (a *InvoiceAddress) check(here Field) error {
	if err := checkAddress(here+".lines", a.Lines); err != nil {
		return err
	}
	switch {
	case !isText(a.Postcode, 1, 16):
		return invalid(here+".postcode", "the postal code must have 1 to 16 printable characters")
	case !isText(a.City, 1, 100):
		return invalid(here+".city", "the city must have 1 to 100 printable characters")
	case len(a.Country) != 2 || strings.Trim(a.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return invalid(here+".country", "%s is not a country of two capital letters, such as NL", domain.Quote(a.Country))
	}
	return nil
}

func checkAddress(here Field, lines []string) error {
	if len(lines) < 1 || len(lines) > 6 || slices.ContainsFunc(lines, func(l string) bool { return !isText(l, 1, 100) }) {
		return invalid(here, "an address has 1 to 6 lines of 1 to 100 printable characters")
	}
	return nil
}

// PointField is the way to a supply point of a property that is brought.
func PointField(property, point int) Field {
	return Field(fmt.Sprintf("input.properties.%d.supplyPoints.%d", property, point))
}
