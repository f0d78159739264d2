package authn

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/wattgate/wattgate/internal/assertion"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// Replays remembers which assertions have been used. The verb is one step:
// among many at once exactly one is told that the jti is fresh. It is durable
// when it returns, so that a restart does not make an old assertion good again.
type Replays interface {
	RememberJTI(ctx context.Context, client domain.ClientID, jti string, until time.Time) (fresh bool, err error)
}

// Assertion finds the application that signed an assertion (private_key_jwt,
// RFC 7523 §2.2). An assertion is good once. The answer to a refused one is that
// to a refused secret.
func (c *Clients) Assertion(ctx context.Context, id, raw string, from domain.Origin) (*domain.Listing, error) {
	claimed, err := assertion.Subject(raw)
	if err != nil {
		claimed = ""
	}
	if id == "" {
		id = string(claimed)
	}
	a := c.Throttle.attempt(id, from.Address, c.Now())
	if err := c.Throttle.refuses(a); err != nil {
		return nil, err
	}
	app, err := c.assertion(ctx, domain.ClientID(id), raw)
	if err == nil {
		c.Throttle.succeeded(a)
		if c.UsedOwn != nil {
			c.UsedOwn(app.ID, c.Now(), from.Token)
		}
		return app, nil
	}
	if e, ok := errors.AsType[*oauth.Error](err); ok && e.Code == oauth.InvalidClient {
		err = c.Throttle.failed(a, err)
	}
	return nil, err
}

// assertion is [Clients.Assertion] without a limit.
func (c *Clients) assertion(ctx context.Context, id domain.ClientID, raw string) (*domain.Listing, error) {
	app := c.Directory.Directory().Application(id)
	keys, err := c.keysOf(app)
	if err != nil {
		return nil, err
	}
	audiences := c.Audiences
	if app != nil && app.FAPI { // the issuer and nothing else (FAPI 2.0 Security Profile §5.3.2.1)
		audiences = audiences[:min(1, len(audiences))]
	}
	// The same work whoever it is: a signature is checked in any case.
	claims, err := keys.Verify(raw, assertion.Expect{Client: id, Audiences: audiences, Now: c.Now()})
	switch {
	case app == nil:
		return nil, errClient("unknown client", "")
	case app.AuthMethod != domain.PrivateKeyJWT:
		return nil, errClient("not set up for "+string(domain.PrivateKeyJWT), app.ID)
	case err != nil:
		return nil, errClient("assertion: "+err.Error(), app.ID)
	case app.Closed:
		return nil, errClient("disabled", app.ID)
	case app.Held: // the assertion is as good as it was: it can come again
		return nil, errHeld
	}
	fresh, err := c.Replays.RememberJTI(ctx, app.ID, claims.ID, claims.Expires)
	if err != nil {
		return nil, err
	}
	if !fresh {
		return nil, errClient("assertion: used before", app.ID)
	}
	return app, nil
}

// readKeys are an application's keys as they were read from a text.
type readKeys struct {
	text []byte
	keys assertion.Keys
}

// keysOf returns the keys of an application, from memory where they have been
// read before: reading costs as much as checking a signature. An application
// that has none, or is none, has the keys that accept nothing.
func (c *Clients) keysOf(app *domain.Listing) (assertion.Keys, error) {
	if app == nil || app.AuthMethod != domain.PrivateKeyJWT {
		return assertion.Keys{}, nil
	}
	if v, ok := c.read.Load(app.ID); ok {
		if read := v.(*readKeys); bytes.Equal(read.text, app.Keys) {
			return read.keys, nil
		}
	}
	keys, err := assertion.ParseKeys(app.Keys)
	if err != nil {
		return assertion.Keys{}, err
	}
	c.read.Store(app.ID, &readKeys{app.Keys, keys}) // one for each application, which is what there are
	return keys, nil
}
