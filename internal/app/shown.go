package app

import (
	"time"

	"github.com/wattgate/wattgate/internal/domain"
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
	// PropertyView is a property.
	PropertyView struct {
		ID       domain.PropertyID    `json:"id"`
		Partner  domain.PartnerID     `json:"partner"`
		Account  domain.AccountNumber `json:"account,omitempty"`
		Label    string               `json:"label"`
		Address  []string             `json:"address,omitempty"`
		Postcode string               `json:"postcode,omitempty"`
		Zone     string               `json:"timezone"`
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
		TLSSubject        string            `json:"tlsSubject,omitempty"`
		FAPI              bool              `json:"fapi,omitempty"`
		TrustedOnly       bool              `json:"trustedDocumentsOnly,omitempty"`
		Disabled          bool              `json:"disabled"`
		Created           time.Time         `json:"created"`
		Use               *Use              `json:"use,omitempty"` // app show, unless it is public
	}
	// SecretView is what can be known of a secret. It has no digest: not even
	// that is shown.
	SecretView struct {
		ID      domain.SecretID `json:"id"`
		Hint    string          `json:"hint"`
		State   string          `json:"state"` // current, stops, stopped, expired
		Created time.Time       `json:"created"`
		Expires *time.Time      `json:"expires,omitempty"`
		Stops   *time.Time      `json:"stops,omitempty"`
		Use
	}
	// Use is how often something has opened the door: a secret, or all that an
	// application has.
	Use struct {
		LastUsed *time.Time `json:"lastUsed,omitempty"`
		Tokens   int64      `json:"tokens"`
		Hour     int64      `json:"tokensThisHour"`
		Day      int64      `json:"tokensIn24Hours"` // this one included
		Hours    []HourView `json:"hours,omitempty"` // that had any, of the last 48, oldest first
	}
	// HourView is how many tokens there were in the hour that begins then.
	HourView struct {
		Hour   time.Time `json:"hour"`
		Tokens int64     `json:"tokens"`
	}
	// RoleView is an API role.
	RoleView struct {
		Name        domain.RoleName `json:"name"`
		Permissions []string        `json:"permissions"`
		Documented  bool            `json:"documented"`
		Missing     []string        `json:"missing,omitempty"`
		Extra       []string        `json:"extra,omitempty"`
	}
	// HandoverView is a link under which a new secret appears, once.
	HandoverView struct {
		ID    domain.ClientID `json:"clientId"`
		Link  string          `json:"link"`
		Until time.Time       `json:"until"`
	}
	// Issued is an application with its new secret, which is never shown again.
	Issued struct {
		Application ApplicationView `json:"application"`
		Secret      string          `json:"clientSecret,omitempty"`
	}
)
