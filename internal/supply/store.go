package supply

import (
	"context"

	"github.com/wattgate/wattgate/internal/domain"
)

// Store is what questions about customers need of an engine. Whatever lies
// outside the scope, or is another partner's, is answered with [domain.NotFound].
// Every change takes the entry of the audit log that is written in the same
// transaction, and is durable when it returns.
type Store interface {
	// User finds a user of the scope's partner; with scope.User set, only that one.
	User(ctx context.Context, scope domain.Scope, id domain.UserID) (domain.User, error)
	// Partner finds the scope's partner.
	Partner(ctx context.Context, scope domain.Scope) (domain.Partner, error)
	// Accounts lists the accounts of one user, by number.
	Accounts(ctx context.Context, scope domain.Scope, user domain.UserID) ([]domain.Account, error)
	// Property finds a property.
	Property(ctx context.Context, scope domain.Scope, id domain.PropertyID) (domain.Property, error)
	// Occupancies lists the periods in which properties are accounts', by property
	// and in the order of time.
	Occupancies(ctx context.Context, scope domain.Scope, f domain.OccupancyFilter) ([]domain.Occupancy, error)
	// Customers lists the customers of the scope's partner that fit, in the order of
	// surname, first name and identifier; CountCustomers counts those that fit the
	// search.
	Customers(ctx context.Context, scope domain.Scope, q Search) ([]domain.User, error)
	CountCustomers(ctx context.Context, scope domain.Scope, text string) (int, error)
	// CustomerDetails finds what is kept of a user of the scope beside who they are.
	CustomerDetails(ctx context.Context, scope domain.Scope, id domain.UserID) (Details, error)

	// Onboard adds a customer with all that comes along, once for each reference of a
	// partner. It returns who the customer is: for a reference that is known, who it
	// was the first time. [domain.Conflict] with [ErrReference] inside says that it
	// was used for something else.
	Onboard(ctx context.Context, o Onboarding) (domain.UserID, error)
	// ChangeCustomer stores what change makes of a customer's e-mail address,
	// telephone number and details, in one transaction with the reading of them.
	// change may run twice. Where it changes nothing, nothing is written, and there
	// is no entry.
	ChangeCustomer(ctx context.Context, scope domain.Scope, id domain.UserID, change func(*domain.User, *Details) error, e domain.Entry) error
	// Move stores what decide makes of who has a property, in one transaction with
	// the reading of it: a new period, or one of those that there are with another
	// end. decide may run twice. Where it changes nothing, nothing is written, and
	// there is no entry. It returns the period.
	Move(ctx context.Context, scope domain.Scope, id domain.PropertyID, decide func(Place) (domain.Occupancy, error), e domain.Entry) (domain.Occupancy, error)
}

// Search says which customers to list.
type Search struct {
	// Text is in the name or the e-mail address, or is the customer number, the
	// number of an account, or the identifier of a supply point, with its market or
	// without. Empty: all customers. Capital and small letters of ASCII are alike,
	// but in a supply point's identifier.
	Text string
	// After and Before are customers between which to list; empty: no bound.
	After, Before domain.UserID
	Limit         int
	Last          bool // the last ones, rather than the first; in the same order
}

// Place is a property and who has it when.
type Place struct {
	Property domain.Property
	Periods  []domain.Occupancy // in the order of time
}

// Onboarding is a new customer with all that comes along.
type Onboarding struct {
	Reference string
	Digest    [32]byte // of what was said
	User      domain.User
	Account   domain.Account
	Invoice   *InvoiceAddress
	Homes     []Home
	Entry     domain.Entry
}

// Home is a new property, who has it from when, and where the grid ends there.
type Home struct {
	Property domain.Property
	Period   domain.Occupancy
	Points   []domain.SupplyPoint
}
