package authn

import (
	"crypto/x509"
	"sync"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/secret"
)

// Directory gives the present picture of applications, secrets and roles.
type Directory interface {
	Directory() *domain.Directory
}

// Clients finds out which application is asking, by its secret.
type Clients struct {
	Directory   Directory
	Pepper      secret.Pepper
	Environment secret.Environment
	Now         func() time.Time
	// Used is told which secret opened the door, so that people can see which
	// one is safe to retire, and whether it was for a token. It must not block.
	Used func(id domain.SecretID, at time.Time, token bool)
	// UsedOwn is told which application came with its own key or certificate, and
	// whether for a token. It must not block.
	UsedOwn func(id domain.ClientID, at time.Time, token bool)
	// Audiences are our issuer, first, and token endpoints, one of which an assertion
	// must name; Replays remembers those that have been used.
	Audiences []string
	Replays   Replays
	// ClientCAs are the authorities of client certificates (tls_client_auth); nil: none.
	ClientCAs *x509.CertPool
	// Throttle slows down who fails too often; nil: nobody.
	Throttle *Throttle

	read sync.Map // domain.ClientID -> *readKeys
}

// errClient is the one answer to an unknown client, a wrong, expired or retired
// secret, a disabled application, a method the application does not use and no
// credentials at all: nobody learns which it was (RFC 6749 §5.2).
func errClient(why string, client domain.ClientID) error {
	return &oauth.Error{
		Code:        oauth.InvalidClient,
		Description: "the client is unknown, or its secret is not right",
		Err:         cause{why, client},
	}
}

// cause is what only the operator reads. The client is named where it exists:
// what else was sent as client_id may be anything, a secret too. The text is
// put together when it is read, so that no cause costs more than another.
type cause struct {
	why    string
	client domain.ClientID
}

// Error returns the cause.
func (c cause) Error() string {
	if c.client == "" {
		return c.why
	}
	return c.why + ": " + string(c.client)
}

// Refusal tells the audit log why, and which application it was about.
func (c cause) Refusal() (why string, client domain.ClientID) { return c.why, c.client }

// Client finds the application that the credentials belong to. It does the same
// work whether the application is unknown or the secret is wrong. Who has failed
// too often, at the address that the request came from, is [domain.Throttled].
func (c *Clients) Client(id string, given domain.Secret, method domain.AuthMethod, from domain.Origin) (*domain.Listing, error) {
	a := c.Throttle.attempt(id, from.Address, c.Now())
	if err := c.Throttle.refuses(a); err != nil {
		return nil, err
	}
	app, err := c.client(id, given, method, from.Token)
	if err == nil {
		c.Throttle.succeeded(a)
		return app, nil
	}
	if err != errHeld { // which was right
		err = c.Throttle.failed(a, err)
	}
	return nil, err
}

// client is [Clients.Client] without a limit.
func (c *Clients) client(id string, given domain.Secret, method domain.AuthMethod, token bool) (*domain.Listing, error) {
	text := given.Reveal()
	digest := c.Pepper.Digest(text)
	wellFormed := secret.WellFormed(text, c.Environment)

	app := c.Directory.Directory().Application(domain.ClientID(id))
	now := c.Now()
	var match domain.SecretID
	secrets := noSecrets
	if app != nil {
		secrets = app.Secrets
	}
	for i := range secrets {
		if secret.Equal(secrets[i].Digest, digest) && secrets[i].Live(now) {
			match = secrets[i].ID
		}
	}
	switch {
	case method == "":
		return nil, errClient("no credentials that can be read", "")
	case app == nil:
		return nil, errClient("unknown client", "")
	case !wellFormed || match == "":
		return nil, errClient("wrong secret", app.ID)
	case app.Closed:
		return nil, errClient("disabled", app.ID)
	case app.Held:
		return nil, errHeld
	case app.Type != domain.Confidential:
		return nil, errClient("a public client has no secret", app.ID)
	case app.AuthMethod != "" && app.AuthMethod != method:
		return nil, errClient("pinned to "+string(app.AuthMethod), app.ID)
	}
	if c.Used != nil {
		c.Used(match, now, token)
	}
	return app, nil
}

// errHeld asks to come again, to a moment in which a secret of the application
// is being replaced or the application disabled.
var errHeld = &domain.Error{Kind: domain.Unavailable, Public: "this application is being changed; try again"}

// noSecrets stands in for the secrets of an unknown client, so that one digest
// is compared there too.
var noSecrets = []domain.StoredSecret{{}}
