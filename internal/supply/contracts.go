package supply

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// Phase is how far a contract has got.
type Phase string

// The phases.
const (
	Planned   Phase = "DELIVERY_PLANNED"
	Delivered Phase = "DELIVERING"
	Stopped   Phase = "DELIVERY_STOPPED"
)

// Contract is a period in which a customer has a property, as the customer sees it.
type Contract struct {
	domain.Occupancy
	Phase Phase
	// FirstDay and LastDay are days of the property's zone, both included; nil: from
	// the beginning, and not ended.
	FirstDay, LastDay *domain.Date
}

// ContractQuery says which contracts to give, and which page of them. Without
// phases and identifiers it is all.
type ContractQuery struct {
	Phases        []Phase
	IDs           []domain.OccupancyID
	First, Last   int    // a Last above 0 takes the last ones, whatever First is
	After, Before string // cursors; empty: none
}

// ContractPage is one page of contracts, in the order of their first days.
type ContractPage struct {
	List                 []Contract
	HasNext, HasPrevious bool
	Total                int

	service *Service
	partner domain.PartnerID
}

// Cursor returns the place of contract i, for After and Before of a query about
// the same customer.
func (p *ContractPage) Cursor(i int) string {
	return p.service.seal(p.partner, string(p.List[i].ID))
}

// Contracts returns one page of a customer's contracts, which [Service.Customer]
// has found for the same caller.
func (s *Service) Contracts(ctx context.Context, caller domain.Caller, id domain.UserID, q ContractQuery) (ContractPage, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanViewPersonalData}); err != nil {
		return ContractPage{}, err
	}
	for field, n := range map[Field]int{"first": q.First, "last": q.Last} {
		if n < 0 || n > MaxPage {
			return ContractPage{}, invalid(field, "%s is %d: want 0 to %d", string(field), n, MaxPage)
		}
	}
	p := ContractPage{service: s, partner: caller.Partner}
	after, err := s.opened(caller.Partner, "after", q.After)
	if err != nil {
		return ContractPage{}, err
	}
	before, err := s.opened(caller.Partner, "before", q.Before)
	if err != nil {
		return ContractPage{}, err
	}
	list, err := s.contracts(ctx, s.scope(caller), domain.OccupancyFilter{User: id})
	if err != nil {
		return ContractPage{}, err
	}
	list = slices.DeleteFunc(list, func(c Contract) bool {
		return len(q.Phases) > 0 && !slices.Contains(q.Phases, c.Phase) || len(q.IDs) > 0 && !slices.Contains(q.IDs, c.ID)
	})
	p.Total = len(list)
	from, to := 0, len(list)
	if after != "" {
		if from = 1 + place(list, after); from == 0 {
			return ContractPage{}, invalid("after", "after is not a cursor of these contracts")
		}
	}
	if before != "" {
		if to = place(list, before); to < 0 {
			return ContractPage{}, invalid("before", "before is not a cursor of these contracts")
		}
	}
	to = max(from, to)
	if q.Last > 0 {
		from = max(from, to-q.Last)
	} else {
		to = min(to, from+q.First)
	}
	p.List, p.HasPrevious, p.HasNext = list[from:to], from > 0, to < len(list)
	return p, nil
}

func place(list []Contract, id string) int {
	return slices.IndexFunc(list, func(c Contract) bool { return string(c.ID) == id })
}

// contracts lists periods as contracts, by first day and identifier.
func (s *Service) contracts(ctx context.Context, scope domain.Scope, f domain.OccupancyFilter) ([]Contract, error) {
	periods, err := s.Store.Occupancies(ctx, scope, f)
	if err != nil {
		return nil, err
	}
	list := make([]Contract, 0, len(periods))
	for _, o := range periods {
		c, err := contract(o, s.Now())
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b Contract) int {
		return cmp.Or(a.From.Compare(b.From), strings.Compare(string(a.ID), string(b.ID)))
	})
	return list, nil
}

func contract(o domain.Occupancy, now time.Time) (Contract, error) {
	c := Contract{Occupancy: o, Phase: Delivered}
	loc, err := interval.Zone(o.Zone)
	if err != nil {
		return c, err
	}
	switch {
	case now.Before(o.From):
		c.Phase = Planned
	case !o.Until.IsZero() && !now.Before(o.Until):
		c.Phase = Stopped
	}
	if !o.From.IsZero() {
		day := interval.DateAt(o.From, loc)
		c.FirstDay = &day
	}
	if !o.Until.IsZero() {
		day := interval.DateAt(o.Until.Add(-time.Second), loc)
		c.LastDay = &day
	}
	return c, nil
}
