package authn

import (
	"github.com/wattgate/wattgate/internal/domain"
)

// Public finds a public application by its client_id alone: it cannot keep a
// secret (RFC 6749 §2.1), and its method is none (RFC 7591 §2). It has proven
// nothing; what it is given must be bound to something else, such as the verifier
// of PKCE. The answer to every other application is that to a wrong secret.
func (c *Clients) Public(id string, from domain.Origin) (*domain.Listing, error) {
	a := c.Throttle.attempt(id, from.Address, c.Now())
	if err := c.Throttle.refuses(a); err != nil {
		return nil, err
	}
	app := c.Directory.Directory().Application(domain.ClientID(id))
	switch {
	case app == nil:
		return nil, c.Throttle.failed(a, errClient("unknown client", ""))
	case app.Type != domain.Public:
		return nil, c.Throttle.failed(a, errClient("no credentials that can be read", app.ID))
	case app.Closed:
		return nil, c.Throttle.failed(a, errClient("disabled", app.ID))
	case app.Held:
		return nil, errHeld
	}
	return app, nil
}
