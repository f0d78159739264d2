package customer

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
)

// Bounds of a page of consents.
const (
	mostConsents    = 100
	defaultConsents = 50
)

// readPage reads the parameters limit and cursor; there are no others.
func readPage(query string) (authorize.Filter, error) {
	f := authorize.Filter{Limit: defaultConsents}
	values, err := url.ParseQuery(query)
	if err != nil {
		return f, &domain.Error{Kind: domain.Invalid, Public: "the query string cannot be read", Err: err}
	}
	for name, list := range values {
		if len(list) > 1 {
			return f, &domain.Error{Kind: domain.Invalid, Public: "the parameter " + domain.Quote(name) + " stands more than once"}
		}
		switch name {
		case "limit":
			if f.Limit, err = strconv.Atoi(list[0]); err != nil || f.Limit < 1 || f.Limit > mostConsents {
				return f, &domain.Error{Kind: domain.Invalid, Public: fmt.Sprintf("limit is %s: want 1 to %d", domain.Quote(list[0]), mostConsents)}
			}
		case "cursor":
			if f.After, err = domain.ParseConsentID(list[0]); err != nil {
				return f, &domain.Error{Kind: domain.Invalid, Public: "cursor is " + domain.Quote(list[0]) + ": want the text of next in an earlier answer", Err: err}
			}
		default:
			return f, &domain.Error{Kind: domain.Invalid, Public: "there is no parameter " + domain.Quote(name) + ": there are limit and cursor"}
		}
	}
	return f, nil
}

// consentPage is one page of consents. Next is the cursor of what follows, null
// at the end.
type consentPage struct {
	Consents []consentShown    `json:"consents"`
	Next     *domain.ConsentID `json:"next"`
}

type consentShown struct {
	ID           domain.ConsentID      `json:"id"`
	Application  domain.ClientID       `json:"application"`
	Account      *domain.AccountNumber `json:"account"`     // null: all of the customer's
	Permissions  []string              `json:"permissions"` // as scopes
	SupplyPoints []pointShown          `json:"supply_points"`
	Finest       *string               `json:"finest_resolution"` // null: as measured
	HistoryFrom  domain.Date           `json:"history_from"`
	ValidUntil   string                `json:"valid_until"`
	Purpose      string                `json:"purpose"`
	Status       domain.ConsentStatus  `json:"status"`
}

type pointShown struct {
	Market     domain.Market `json:"market"`
	Identifier string        `json:"identifier"`
}

func showConsent(c domain.Consent, now time.Time) consentShown {
	shown := consentShown{
		ID: c.ID, Application: c.Application, Permissions: c.Permissions.Scopes(), SupplyPoints: []pointShown{}, HistoryFrom: c.HistoryFrom,
		ValidUntil: c.ValidUntil.UTC().Format(time.RFC3339), Purpose: c.Purpose, Status: c.Status(now),
	}
	if c.Account != "" {
		shown.Account = &c.Account
	}
	if c.Finest > 0 {
		text := isoDuration(c.Finest)
		shown.Finest = &text
	}
	for _, p := range c.SupplyPoints {
		shown.SupplyPoints = append(shown.SupplyPoints, pointShown{p.Market, p.Identifier})
	}
	return shown
}

// isoDuration writes a length of time as ISO 8601 does: PT15M, PT1H, P1D, P7D.
func isoDuration(d time.Duration) string {
	const day = 24 * time.Hour
	text := "P"
	if days := d / day; days > 0 {
		text += strconv.FormatInt(int64(days), 10) + "D"
	}
	if d %= day; d == 0 {
		return text
	}
	text += "T"
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "H"}, {time.Minute, "M"}, {time.Second, "S"}} {
		if n := d / unit.size; n > 0 {
			text += strconv.FormatInt(int64(n), 10) + unit.name
		}
		d %= unit.size
	}
	return text
}
