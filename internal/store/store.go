// Package store answers one question: what must an engine be able to do?
//
// The interfaces belong to whoever calls them; an engine is whatever satisfies
// them all. Package storetest holds what every engine must pass.
package store

import (
	"context"

	"github.com/wattgate/wattgate/internal/audit"
	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/registry"
	"github.com/wattgate/wattgate/internal/session"
	"github.com/wattgate/wattgate/internal/supply"
	"github.com/wattgate/wattgate/internal/token"
	"github.com/wattgate/wattgate/internal/usage"
	"github.com/wattgate/wattgate/internal/webhook"
)

// Engine keeps everything that Wattgate remembers.
//
// All errors are [domain.Error]: NotFound, Conflict and Invalid with a sentence
// for the caller, Unavailable where the same request may succeed later (a full
// disk, a busy or closed database, a context that ended), Internal otherwise.
// Instants are kept to the microsecond, in UTC.
type Engine interface {
	registry.Store
	usage.Store
	intake.Store
	issuance.CustomerFinder
	issuance.Journal
	issuance.RevocationStore
	issuance.LoginStore
	authn.RevocationSource
	authn.Replays
	authn.RangeStore
	session.Store
	token.KeyStore
	audit.Log
	authorize.Store
	supply.Store
	webhook.Store

	// Entries returns up to limit entries of the audit log in the order in
	// which they were recorded: from the beginning, or those that follow the
	// entry with the identifier after.
	Entries(ctx context.Context, after string, limit int) ([]domain.Entry, error)
	// TrustedDocument returns the text of a document of an application of the
	// partner, by its digest.
	TrustedDocument(ctx context.Context, p domain.PartnerID, id domain.ClientID, d domain.Digest) (string, error)
	// FindConsent finds a consent of any partner.
	FindConsent(ctx context.Context, id domain.ConsentID) (domain.Consent, error)
	// NewestConsents lists consents of all partners, newest first: up to limit,
	// from the newest on, or those that follow the one with the identifier after.
	NewestConsents(ctx context.Context, after domain.ConsentID, limit int) ([]domain.Consent, error)
	// Seal packs months that are closed by the rule, and packs again what was
	// corrected in sealed ones, at most limit months of channels. It returns how
	// many there were: fewer than limit when nothing is left. Readers notice
	// nothing, and nobody who writes waits long.
	Seal(ctx context.Context, rule domain.SealRule, limit int) (sealed int, err error)
	// Check reads a little, and fails where the engine cannot be used.
	Check(ctx context.Context) error
	// Close waits for the changes that were accepted, and leaves the engine's
	// files complete. Whatever is asked afterwards is Unavailable.
	Close() error
}
