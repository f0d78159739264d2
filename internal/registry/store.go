package registry

import (
	"context"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Store is what the registry needs of an engine. Every change takes the entry
// of the audit log that is written in the same transaction, and is durable when
// it returns. What does not exist is [domain.NotFound], what exists already is
// [domain.Conflict].
type Store interface {
	// Directory reads everything that the token path needs, in one transaction.
	Directory(ctx context.Context) (*domain.Directory, error)

	// AddPartner adds a partner; its name is unique.
	AddPartner(ctx context.Context, p domain.Partner, e domain.Entry) error
	// Partners lists all partners by name.
	Partners(ctx context.Context) ([]domain.Partner, error)

	// AddUser adds a user, with the account of a customer. The e-mail address
	// is unique within a partner, and within platform staff.
	AddUser(ctx context.Context, u domain.User, passwordHash string, account *domain.Account, e domain.Entry) error
	// FindUser finds a user of any partner.
	FindUser(ctx context.Context, id domain.UserID) (domain.User, error)
	// UsersByEmail finds the users with an e-mail address, of any partner.
	UsersByEmail(ctx context.Context, email string) ([]domain.User, error)
	// Users lists the users of a partner by e-mail, platform staff for the
	// empty partner; all where all is set.
	Users(ctx context.Context, partner domain.PartnerID, all bool) ([]domain.User, error)
	// UserAccounts lists the accounts of a user.
	UserAccounts(ctx context.Context, id domain.UserID) ([]domain.Account, error)
	// SetPassword replaces the hash of a user's password, and ends the user's
	// sessions, families of tokens, log-ins and keys in the same transaction. It
	// returns the families, for the list of this node.
	SetPassword(ctx context.Context, id domain.UserID, hash string, now time.Time, e domain.Entry) (families []string, err error)
	// EndTokens ends everything that speaks for a customer of the partner, in one
	// transaction: sessions, families and log-ins, whose names it returns, and all
	// else that was issued at or before dead.
	EndTokens(ctx context.Context, partner domain.PartnerID, id domain.UserID, dead, now time.Time, e domain.Entry) (ended []string, err error)
	// AddMasquerade adds a token for a look at a customer of its partner. Staff
	// who look are of that partner or the platform, may (SUPPORT_VIEWER), and are
	// not disabled; otherwise it is [domain.NotFound].
	AddMasquerade(ctx context.Context, m domain.Masquerade, now time.Time, e domain.Entry) error
	// DisableUser disables a user or enables one again; DisablePartner does it
	// with a partner. Tokens for the user, or of the partner's applications, that
	// were issued at or before dead, where it is not zero, stay dead.
	DisableUser(ctx context.Context, id domain.UserID, disabled bool, dead time.Time, e domain.Entry) error
	DisablePartner(ctx context.Context, id domain.PartnerID, disabled bool, dead time.Time, e domain.Entry) error

	// AddApplication adds an application with its first secret, if it has one.
	// Its name is unique within its partner.
	AddApplication(ctx context.Context, a domain.Application, first *domain.StoredSecret, e domain.Entry) error
	// FindApplication finds an application of any partner.
	FindApplication(ctx context.Context, id domain.ClientID) (domain.Application, error)
	// Applications lists all applications by name.
	Applications(ctx context.Context) ([]domain.Application, error)
	// AddDocument adds a GraphQL document that an application of the partner trusts,
	// RemoveDocument removes one, and Documents lists them, oldest first.
	AddDocument(ctx context.Context, d domain.Document, e domain.Entry) error
	RemoveDocument(ctx context.Context, p domain.PartnerID, id domain.ClientID, d domain.Digest, e domain.Entry) error
	Documents(ctx context.Context, p domain.PartnerID, id domain.ClientID) ([]domain.Document, error)
	// ChangeApplication stores what change makes of an application, in one
	// transaction with the reading of it. change may run twice.
	ChangeApplication(ctx context.Context, id domain.ClientID, change func(*domain.Application) error, e domain.Entry) error
	// Secrets lists the secrets of an application, oldest first.
	Secrets(ctx context.Context, id domain.ClientID) ([]domain.StoredSecret, error)
	// ChangeSecrets stores what change makes of an application and its
	// secrets: new ones are added, changed ones updated, none is deleted.
	// change may run twice.
	ChangeSecrets(ctx context.Context, id domain.ClientID, change func(*domain.Application, []domain.StoredSecret) ([]domain.StoredSecret, error), e domain.Entry) error
	// RemoveFactor removes the second factor of a person, with the recovery codes
	// and all sessions. It is [domain.NotFound] where there is none.
	RemoveFactor(ctx context.Context, id domain.UserID, e domain.Entry) error
	// AddHandover adds a link, FindHandover finds one, and Handovers lists those of
	// an application, the newest first. OpenHandover marks one as opened; one that
	// was opened before, or has run out, is [domain.NotFound].
	AddHandover(ctx context.Context, h domain.Handover, e domain.Entry) error
	FindHandover(ctx context.Context, digest [32]byte) (domain.Handover, error)
	Handovers(ctx context.Context, id domain.ClientID) ([]domain.Handover, error)
	OpenHandover(ctx context.Context, digest [32]byte, now time.Time, e domain.Entry) (domain.Handover, error)
	// SecretUses returns when each secret of an application was last used, how
	// many tokens it brought, and how many in each hour that is still kept.
	SecretUses(ctx context.Context, id domain.ClientID) (map[domain.SecretID]domain.SecretUse, error)
	// CountUses adds to those counts, in one transaction. The hours may come in
	// any order; those [domain.UseHours] before the latest, of whatever secret,
	// are forgotten.
	CountUses(ctx context.Context, uses map[domain.SecretID]domain.SecretUse) error
	// OwnUse returns when an application last came with a key or certificate of
	// its own, and how often; CountOwnUses adds to that, in one transaction.
	OwnUse(ctx context.Context, id domain.ClientID) (domain.SecretUse, error)
	CountOwnUses(ctx context.Context, uses map[domain.ClientID]domain.SecretUse) error
	// Mark returns the latest instant of issue that was stored, zero before the
	// first; RaiseMark stores one, and never lets it go back.
	Mark(ctx context.Context) (time.Time, error)
	RaiseMark(ctx context.Context, at time.Time) error

	// Roles lists all API roles by name.
	Roles(ctx context.Context) ([]domain.Role, error)
	// SetRole adds a role or replaces its permissions. Tokens issued at or
	// before revoke, where it is not zero, die for every application with the role.
	SetRole(ctx context.Context, r domain.Role, revoke time.Time, e domain.Entry) error

	// AddProperty adds a property; its supply points come with measurements.
	AddProperty(ctx context.Context, p domain.Property, e domain.Entry) error
	// Record adds an entry to the audit log; it is durable when Record
	// returns. Many at once share one write to the disk.
	Record(ctx context.Context, e domain.Entry) error
}
