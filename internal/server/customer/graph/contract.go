package graph

import (
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/supply"
)

// Contract is a period in which a customer has a property.
type Contract struct{ supply.Contract }

// ID returns the UUID.
func (c *Contract) ID() string { return c.Contract.ID.UUID() }

// Phase returns how far it has got; the names are the same.
func (c *Contract) Phase() ContractPhase { return ContractPhase(c.Contract.Phase) }

// AccountNumber returns the number of the account that it is on.
func (c *Contract) AccountNumber() string { return string(c.Account) }

// StartDate returns the first day.
func (c *Contract) StartDate() *domain.Date { return c.FirstDay }

// EndDate returns the last day.
func (c *Contract) EndDate() *domain.Date { return c.LastDay }
