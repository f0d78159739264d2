package supply

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"slices"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
)

// MaxPage is the most customers that one page may hold, and DefaultPage how many
// it holds where neither first nor last is given.
const (
	MaxPage     = 100
	DefaultPage = 20
	maxSearch   = 100 // characters
)

// Query says which page of the customers to give.
type Query struct {
	Search        string
	First, Last   *int
	After, Before string // cursors; empty: none
	Count         bool   // asks for the total
}

// Page is one page of customers, in the order of surname, first name and
// identifier.
type Page struct {
	List                 []Customer
	HasNext, HasPrevious bool
	Total                int // where the query asks for it

	service *Service
	partner domain.PartnerID
}

// Cursor returns the place of customer i, for After and Before of a query of the
// same partner.
func (p *Page) Cursor(i int) string { return p.service.seal(p.partner, string(p.List[i].ID)) }

// List returns one page of the partner's customers. A token that speaks for a
// user is [domain.Forbidden], and so is an application that reaches only who has
// agreed: such a list is the partner's own.
func (s *Service) List(ctx context.Context, caller domain.Caller, q Query) (Page, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanViewPersonalData}); err != nil {
		return Page{}, err
	}
	if caller.User != "" || caller.Reach != domain.ReachPartner {
		return Page{}, forbidden("the list of customers is for applications that reach all of the partner's")
	}
	if len([]rune(q.Search)) > maxSearch {
		return Page{}, invalid("search", "search has more than %d characters", maxSearch)
	}
	n, last, err := size(q.First, q.Last, DefaultPage, MaxPage)
	if err != nil {
		return Page{}, err
	}
	p := Page{service: s, partner: caller.Partner}
	search := Search{Text: q.Search, Limit: n + 1, Last: last}
	if search.After, err = s.open(caller.Partner, "after", q.After); err != nil {
		return Page{}, err
	}
	if search.Before, err = s.open(caller.Partner, "before", q.Before); err != nil {
		return Page{}, err
	}
	scope := s.scope(caller)
	list, err := s.Store.Customers(ctx, scope, search)
	if err != nil {
		return Page{}, err
	}
	more := len(list) > n
	p.HasNext, p.HasPrevious = search.Before != "", search.After != ""
	switch {
	case last:
		p.HasPrevious = more
		list = list[len(list)-min(n, len(list)):]
	default:
		p.HasNext = more
		list = list[:min(n, len(list))]
	}
	if q.Count {
		if p.Total, err = s.Store.CountCustomers(ctx, scope, q.Search); err != nil {
			return Page{}, err
		}
	}
	vendor, err := s.Store.Partner(ctx, scope)
	if err != nil {
		return Page{}, err
	}
	p.List = make([]Customer, 0, len(list))
	for _, u := range list {
		p.List = append(p.List, Customer{u, vendor})
	}
	return p, nil
}

// size returns how many a page holds at most, and whether they are the last.
func size(first, last *int, otherwise, most int) (n int, backwards bool, err error) {
	n, field := otherwise, Field("first")
	switch {
	case first != nil && last != nil:
		return 0, false, invalid("last", "first and last exclude each other")
	case first != nil:
		n = *first
	case last != nil:
		n, field, backwards = *last, "last", true
	}
	if n < 0 || n > most {
		return 0, false, invalid(field, "%s is %d: want 0 to %d", string(field), n, most)
	}
	return n, backwards, nil
}

const macSize = 16

// seal writes an identifier as an opaque text that holds for this partner alone.
func (s *Service) seal(partner domain.PartnerID, id string) string {
	return base64.RawURLEncoding.EncodeToString(append(s.mac(partner, id), id...))
}

// open reads what seal wrote for the same partner and nothing else.
func (s *Service) open(partner domain.PartnerID, field Field, cursor string) (domain.UserID, error) {
	id, err := s.opened(partner, field, cursor)
	return domain.UserID(id), err
}

func (s *Service) opened(partner domain.PartnerID, field Field, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) <= macSize || !hmac.Equal(b[:macSize], s.mac(partner, string(b[macSize:]))) {
		return "", invalid(field, "%s is not a cursor of this list", string(field))
	}
	return string(b[macSize:]), nil
}

func (s *Service) mac(partner domain.PartnerID, id string) []byte {
	h := hmac.New(sha256.New, s.CursorKey[:])
	for _, text := range []string{"customers", string(partner), id} {
		h.Write([]byte(text))
		h.Write([]byte{0})
	}
	return slices.Clip(h.Sum(nil)[:macSize])
}
