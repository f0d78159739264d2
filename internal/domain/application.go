package domain

import "time"

// RoleName names an API role, for example THIRD_PARTY_UTILITY_USAGE_DATA_VIEWER.
type RoleName string

// The API roles that exist in every environment. Which permissions they hold
// is the environment's to attach (role check says whether it did).
const (
	RoleThirdPartyViewer    RoleName = "THIRD_PARTY_UTILITY_USAGE_DATA_VIEWER"
	RolePartnerIntegration  RoleName = "PARTNER_INTEGRATION"
	RoleMeteringIntegration RoleName = "METERING_INTEGRATION"
)

// Role is an API role: a name and the API permissions attached to it.
type Role struct {
	Name        RoleName
	Permissions Permissions
}

// DocumentedRoles returns the roles as the documents describe them, which is
// how a new environment starts and what role check compares with.
func DocumentedRoles() []Role {
	return []Role{
		{RoleThirdPartyViewer, PermissionSet(CanViewDetailedUsage, CanQueryProperty)},
		{RolePartnerIntegration, PermissionSet(CanQueryProperty, CanViewDetailedUsage, CanViewPersonalData,
			CanImpersonate, CanManageCustomers, CanManageWebhooks)},
		{RoleMeteringIntegration, PermissionSet(CanSubmitMeasurements)},
	}
}

// ClientType is RFC 6749 §2.1's distinction: can the application keep a secret?
type ClientType string

// The client types. Confidential is what a form preselects.
const (
	Confidential ClientType = "Confidential"
	Public       ClientType = "Public"
)

// Reach says whose supply points an application may read, within its role.
type Reach string

// The reaches.
const (
	// ReachPartner is all supply points of the application's partner.
	ReachPartner Reach = "partner"
	// ReachConsented is only those whose customer has agreed.
	ReachConsented Reach = "consented"
)

// AuthMethod is how an application proves who it is, in the words of the OAuth
// token endpoint authentication registry (RFC 7591 §2).
type AuthMethod string

// The methods. The empty AuthMethod of an application means any secret method.
const (
	ClientSecretBasic AuthMethod = "client_secret_basic"
	ClientSecretPost  AuthMethod = "client_secret_post"
	// PrivateKeyJWT is an assertion signed with the application's own key
	// (RFC 7523). An application that uses it has no secret.
	PrivateKeyJWT AuthMethod = "private_key_jwt"
	// TLSClientAuth is a client certificate from an authority that the operator
	// trusts, for the subject that is registered (RFC 8705 §2.1).
	TLSClientAuth AuthMethod = "tls_client_auth"
	// SelfSignedTLSClientAuth is a client certificate that is registered itself
	// (RFC 8705 §2.2).
	SelfSignedTLSClientAuth AuthMethod = "self_signed_tls_client_auth"
)

// Secret reports whether applications of the method have secrets.
func (m AuthMethod) Secret() bool {
	return m == "" || m == ClientSecretBasic || m == ClientSecretPost
}

// Certificate reports whether the method is a client certificate.
func (m AuthMethod) Certificate() bool { return m == TLSClientAuth || m == SelfSignedTLSClientAuth }

// Application is an OAuth application. It belongs to one partner and holds one
// API role.
type Application struct {
	ID                ClientID
	Name              string
	Partner           PartnerID
	Type              ClientType
	Grants            []string // values of grant_type
	URIs              []string // redirect URIs; may be empty for client credentials
	SkipAuthorization bool
	Reach             Reach
	Role              RoleName
	Audiences         Audiences
	Lifetime          time.Duration // of its tokens: 60 s to 3,600 s
	AuthMethod        AuthMethod
	Keys              []byte // its public keys as a JSON Web Key Set, with PrivateKeyJWT; its certificates, with SelfSignedTLSClientAuth
	TLSSubject        string // of its certificate, with TLSClientAuth: a distinguished name, or dns:, uri:, ip: or email: and a name
	FAPI              bool   // FAPI 2.0 Security Profile: no secret, every token bound, ten minutes at most
	TrustedOnly       bool   // of GraphQL documents, only those run that were added for it
	Disabled          bool
	RevokedBefore     time.Time // tokens issued at or before this instant are dead
	CreatedAt         time.Time
	ChangedAt         time.Time
}

// The bounds and defaults of a token's lifetime.
const (
	MinLifetime           = 60 * time.Second
	MaxLifetime           = 3600 * time.Second
	DefaultLifetime       = 3600 * time.Second
	ImpersonatorLifetime  = 300 * time.Second  // default of an application with CAN_IMPERSONATE (E16)
	ImpersonationLifetime = 3600 * time.Second // of a token for a user (E20)
	MaxFAPILifetime       = 600 * time.Second  // of any token of an application in FAPI mode
)

// StoredSecret is what is kept of an application's secret: never the text.
type StoredSecret struct {
	ID        SecretID
	Client    ClientID
	Digest    [32]byte // HMAC-SHA-256 of the text under the pepper
	Hint      string   // the last five characters, so that people can tell two apart
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	RetiredAt time.Time // zero: in use; in the future: the end of an overlap
}

// Live reports whether the secret opens anything at the instant now.
func (s StoredSecret) Live(now time.Time) bool {
	return (s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt)) && (s.RetiredAt.IsZero() || now.Before(s.RetiredAt))
}

// Partner is a white-label partner: an energy retailer's brand, with users,
// supply points and applications of its own.
type Partner struct {
	ID            PartnerID
	Name          string
	Disabled      bool
	RevokedBefore time.Time
	CreatedAt     time.Time
}

// SecretUse is what is counted of a secret: routine issuance is never one
// write each, so these lag behind by a few seconds.
type SecretUse struct {
	LastUsed time.Time
	Tokens   int64
	Hours    []HourUse // in which there were any, oldest first; nil: none
}

// HourUse is how many tokens there were in one hour.
type HourUse struct {
	Hour   int64 // since 1970
	Tokens int64
}

// UseHours is how many hours of [SecretUse] are kept, the latest one included.
const UseHours = 48

// HourOf returns the hour since 1970 that an instant is in.
func HourOf(at time.Time) int64 { return at.Unix() / int64(time.Hour/time.Second) }
