package authorize

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// userAlphabet has twenty consonants: no word comes of them, and none is taken
// for a digit (RFC 8628 §6.1).
const userAlphabet = "BCDFGHJKLMNPQRSTVWXZ"

// userLength makes 34 bits, for ten minutes, behind a limit on tries.
const userLength = 8

const (
	// DeviceIntervalMost is how long the pause between two polls gets, however often
	// somebody asks too soon. RFC 8628 §3.5 lets it grow by five seconds each time,
	// and a device that was wrong once should still be there in its ten minutes.
	DeviceIntervalMost = time.Minute
	// DeviceChallenges is how many decisions about one device wait at most: who
	// types its code once more ends the oldest.
	DeviceChallenges = 5
)

// Device begins the authorization of a device (RFC 8628 §3.2).
func (d *Desk) Device(ctx context.Context, app *domain.Listing, req Request) (DeviceAnswer, error) {
	if err := may(app, oauth.GrantDeviceCode); err != nil {
		return DeviceAnswer{}, err
	}
	if req.Client != app.ID {
		return DeviceAnswer{}, &oauth.Error{Code: oauth.InvalidRequest, Description: "client_id is another application than the one that authenticates"}
	}
	const tries = 3 // two user codes alike among those of ten minutes are rare enough
	for i := 1; ; i++ {
		device, key := d.draw(prefixDevice)
		user := d.drawUserCode()
		req.Device = key.String()
		now := d.now()
		err := d.Store.KeepDevice(ctx, key, userDigest(user), req, DeviceInterval, now.Add(DeviceLifetime), now)
		if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.Conflict && i < tries {
			continue
		}
		if err != nil {
			return DeviceAnswer{}, err
		}
		return DeviceAnswer{
			DeviceCode: device, UserCode: user[:userLength/2] + "-" + user[userLength/2:],
			Lifetime: DeviceLifetime, Interval: DeviceInterval,
		}, nil
	}
}

// drawUserCode draws letters evenly: a byte beyond the last whole twenty is
// thrown away.
func (d *Desk) drawUserCode() string {
	chance := d.Chance
	if chance == nil {
		chance = rand.Reader
	}
	const fair = 256 - 256%len(userAlphabet)
	var code []byte
	for len(code) < userLength {
		var b [1]byte
		if _, err := io.ReadFull(chance, b[:]); err != nil {
			panic("authorize: no randomness: " + err.Error())
		}
		if int(b[0]) < fair {
			code = append(code, userAlphabet[int(b[0])%len(userAlphabet)])
		}
	}
	return string(code)
}

func userDigest(code string) Digest { return sha256.Sum256([]byte("user code " + code)) }

// parseUserCode reads a user code as people type it: in any case, with spaces or
// dashes anywhere (RFC 8628 §6.1).
func parseUserCode(s string) (string, bool) {
	if len(s) > 64 {
		return "", false
	}
	s = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(s))
	return s, len(s) == userLength && strings.Trim(s, userAlphabet) == ""
}

// DevicePending finds the device whose user code a person has typed and begins
// its decision; otherwise [domain.NotFound]. Who calls it slows down who guesses
// (RFC 8628 §5.1).
func (d *Desk) DevicePending(ctx context.Context, userCode string) (challenge string, err error) {
	code, ok := parseUserCode(userCode)
	if !ok {
		return "", errUserCode
	}
	_, req, err := d.Store.FindDevice(ctx, userDigest(code), d.now())
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
		return "", errUserCode
	}
	if err != nil {
		return "", err
	}
	return d.Begin(ctx, req)
}

var errUserCode = &domain.Error{Kind: domain.NotFound, Public: "this code is not known, has been answered or is too old"}

// Poll asks for the decision (RFC 8628 §3.4). While there is none it is
// authorization_pending or slow_down; then access_denied, expired_token or
// invalid_grant, or once the grant (RFC 8628 §3.5).
func (d *Desk) Poll(ctx context.Context, app *domain.Listing, device domain.Secret, from domain.Origin) (Grant, error) {
	if err := may(app, oauth.GrantDeviceCode); err != nil {
		return Grant{}, err
	}
	key, ok := digest(device.Reveal(), prefixDevice)
	if !ok {
		return Grant{}, errGrant("not a device code of ours")
	}
	now := d.now()
	g, how, err := d.Store.PollDevice(ctx, key, app.ID, DeviceInterval, now, d.entry("family.end", "a device code that was used twice", from))
	if err != nil {
		return Grant{}, err
	}
	switch how {
	case Waiting:
		return Grant{}, &oauth.Error{Code: oauth.AuthorizationPending, Description: "nobody has decided yet"}
	case Early:
		return Grant{}, &oauth.Error{Code: oauth.SlowDown, Description: "asked too soon; wait five seconds longer between two tries"}
	case Declined:
		return Grant{}, &oauth.Error{Code: oauth.AccessDenied, Description: "the customer has refused"}
	case Expired:
		return Grant{}, &oauth.Error{Code: oauth.ExpiredToken, Description: "nobody decided in time; start again"}
	case Fresh, Reused, Dead, Unknown:
	}
	if err := d.settle(how, g, now); err != nil {
		return Grant{}, err
	}
	g.Offline = g.Offline && slices.Contains(app.Grants, oauth.GrantRefreshToken)
	return g, nil
}

// deviceOf returns which device a request is of.
func deviceOf(req Request) (Digest, error) {
	key, ok := ParseDigest(req.Device)
	if !ok {
		return key, errGone
	}
	return key, nil
}
