package usage

import (
	"context"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Store is what the customer's questions need of an engine. Whatever lies
// outside the scope is answered with [domain.NotFound].
type Store interface {
	// User finds a user of the scope's partner; with scope.User set, only that one.
	User(ctx context.Context, scope domain.Scope, id domain.UserID) (domain.User, error)
	// Partner finds the scope's partner.
	Partner(ctx context.Context, scope domain.Scope) (domain.Partner, error)
	// Account finds an account.
	Account(ctx context.Context, scope domain.Scope, number domain.AccountNumber) (domain.Account, error)
	// Accounts lists the accounts of one user, by number.
	Accounts(ctx context.Context, scope domain.Scope, user domain.UserID) ([]domain.Account, error)
	// Property finds a property.
	Property(ctx context.Context, scope domain.Scope, id domain.PropertyID) (domain.Property, error)
	// Properties lists the properties of an account, by identifier.
	Properties(ctx context.Context, scope domain.Scope, account domain.AccountNumber) ([]domain.Property, error)
	// Channels lists the channels of a property's supply points in the order
	// market, identifier, direction, register, unit.
	Channels(ctx context.Context, scope domain.Scope, property domain.PropertyID) ([]domain.Channel, error)
	// SupplyPoints lists the supply points of a property, by market and identifier,
	// those without channels too.
	SupplyPoints(ctx context.Context, scope domain.Scope, property domain.PropertyID) ([]domain.SupplyPoint, error)
	// SupplyPoint finds a supply point that lies on a property, by its name.
	SupplyPoint(ctx context.Context, scope domain.Scope, market domain.Market, identifier string) (domain.SupplyPoint, error)
	// ActiveConsents lists what the consents of the scope's application that are
	// active at scope.At and allow scope.Need open of a property: each consent once
	// for every one of its supply points there, as its only one. It is asked with an application
	// in the scope only.
	ActiveConsents(ctx context.Context, scope domain.Scope, property domain.PropertyID) ([]domain.Consent, error)
	// Readers lists the applications, by name, that may read by a consent that is
	// active at an instant; disabled ones may not.
	Readers(ctx context.Context, f domain.ReaderFilter, at time.Time) ([]domain.Reader, error)
	// Occupancies lists the periods in which properties are accounts', by property
	// and in the order of time. An application in the scope sees those of customers
	// who have agreed.
	Occupancies(ctx context.Context, scope domain.Scope, f domain.OccupancyFilter) ([]domain.Occupancy, error)
	// Extent returns how far a channel's days go.
	Extent(ctx context.Context, channel domain.ChannelID) (domain.Extent, error)
	// Days calls f with each stored day of the channel that is asked for, in
	// order. All of them are from one picture of the store. It stops at the first
	// error of f and returns it. Data is valid until f returns.
	Days(ctx context.Context, channel domain.ChannelID, asked domain.DayRange, f func(domain.Day) error) error
	// Changes lists up to limit revisions of a channel's days, those that follow
	// after in the order of RecordedAt and Day; the zero Change is before all. A
	// later transaction has a later RecordedAt, so that whoever goes on from the
	// last one gets every revision once.
	Changes(ctx context.Context, channel domain.ChannelID, after domain.Change, limit int) ([]domain.Change, error)
	// Indices calls f with what the channel's register showed at the instants that
	// are asked for, in order, each in the newest revision that was known then. It
	// stops at the first error of f and returns it.
	Indices(ctx context.Context, channel domain.ChannelID, asked domain.IndexRange, f func(domain.Index) error) error
}
