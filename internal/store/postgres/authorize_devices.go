package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
)

const aDevice = "this device"

// KeepDevice keeps a device until an instant.
func (s *Store) KeepDevice(ctx context.Context, device, userCode authorize.Digest, r authorize.Request, pause time.Duration, until, now time.Time) error {
	const sql = `
		INSERT INTO device_code (digest, user_code, client, request, state, until, polled_at, pause)
		VALUES ($1, $2, $3, $4, 'waiting', $5, 0, $6)`
	text, err := json.Marshal(r)
	if err != nil {
		return stored(err)
	}
	return s.changeSilently(ctx, "keep a device", func(ctx context.Context, c conn) error {
		if err := sweep(ctx, c, now); err != nil {
			return err
		}
		return insert(ctx, c, "this user code is taken", sql, device[:], userCode[:], r.Client, string(text), micros(until), pause.Microseconds())
	})
}

// FindDevice finds a device that waits for its person.
func (s *Store) FindDevice(ctx context.Context, userCode authorize.Digest, now time.Time) (device authorize.Digest, r authorize.Request, err error) {
	const sql = `SELECT digest, request FROM device_code WHERE user_code = $1 AND state = 'waiting' AND until > $2`
	err = s.read(ctx, "find a device", func(ctx context.Context, c conn) error {
		r, err = one(ctx, c, aDevice, func(row pgx.CollectableRow) (authorize.Request, error) {
			var key []byte
			var text string
			if err := row.Scan(&key, &text); err != nil {
				return r, err
			}
			copy(device[:], key)
			return parseRequest(text)
		}, sql, userCode[:], micros(now))
		return err
	})
	return device, r, err
}

// polled is a device as it is kept.
type polled struct {
	state       string
	until, last time.Time
	pause       time.Duration
	family      string
}

// PollDevice asks for the decision, and takes it. Who asks again and again before
// anything can have happened is answered without a write.
func (s *Store) PollDevice(ctx context.Context, device authorize.Digest, client domain.ClientID, more time.Duration, now time.Time, reuse domain.Entry) (g authorize.Grant, how authorize.Outcome, err error) {
	const find = `SELECT state, until, polled_at, pause, family FROM device_code WHERE digest = $1 AND client = $2`
	quiet := false
	err = s.read(ctx, "look for a decision", func(ctx context.Context, c conn) error {
		found, err := all(ctx, c, scanPolled, find, device[:], client)
		if err == nil && len(found) > 0 {
			how, quiet = found[0].quiet(now)
		}
		return err
	})
	if err != nil || quiet {
		return authorize.Grant{}, how, err
	}
	err = s.changeSilently(ctx, "ask for a decision", func(ctx context.Context, c conn) error {
		g, how = authorize.Grant{}, authorize.Unknown
		found, err := all(ctx, c, scanPolled, find, device[:], client)
		if err != nil || len(found) == 0 {
			return err
		}
		switch p := found[0]; {
		case p.state == "taken" || p.state == "allowed" && now.Before(p.until):
			g, how, err = s.takeDevice(ctx, c, device, p, now, reuse)
		case !now.Before(p.until):
			how = authorize.Expired
		case p.state == "denied":
			how = authorize.Declined
		default:
			how, err = await(ctx, c, device, p, more, now)
		}
		return err
	})
	return g, how, err
}

// quiet returns what a poll comes to that changes nothing: the device is over or
// refused, or a poll was noted within a second.
func (p *polled) quiet(now time.Time) (how authorize.Outcome, ok bool) {
	switch since := now.Sub(p.last); {
	case p.state == "taken" || p.state == "allowed" && now.Before(p.until):
		return authorize.Unknown, false
	case !now.Before(p.until):
		return authorize.Expired, true
	case p.state == "denied":
		return authorize.Declined, true
	default:
		return authorize.Early, since >= 0 && since < punctual
	}
}

// takeDevice takes the family of a device, once.
func (s *Store) takeDevice(ctx context.Context, c conn, device authorize.Digest, p polled, now time.Time, reuse domain.Entry) (authorize.Grant, authorize.Outcome, error) {
	const family = `SELECT ` + grantColumns + `, ` + standing + ` FROM token_family f WHERE f.id = $2`
	const take = `UPDATE device_code SET state = 'taken' WHERE digest = $1`
	t, err := one(ctx, c, aFamily, func(row pgx.CollectableRow) (t taken, err error) {
		t.until, t.used = p.until, p.state == "taken"
		t.grant, err = scanGrant(row, &t.stands)
		return t, err
	}, family, micros(now), p.family)
	if err != nil {
		return authorize.Grant{}, authorize.Unknown, err
	}
	how := t.outcome(now)
	if how == authorize.Reused {
		return t.grant, how, s.endFamily(ctx, c, t.grant, now, reuse)
	}
	return t.grant, how, run(ctx, c, take, device[:])
}

// await notes that a device has asked. Who asks too soon waits longer from then
// on (RFC 8628 §3.5), but never longer than [authorize.DeviceIntervalMost].
func await(ctx context.Context, c conn, device authorize.Digest, p polled, more time.Duration, now time.Time) (authorize.Outcome, error) {
	const note = `UPDATE device_code SET polled_at = $2, pause = $3 WHERE digest = $1`
	how := authorize.Waiting
	if !p.last.IsZero() && now.Sub(p.last) < p.pause-punctual {
		how = authorize.Early
		p.pause = min(p.pause+more, authorize.DeviceIntervalMost)
	}
	return how, run(ctx, c, note, device[:], micros(now), p.pause.Microseconds())
}

// punctual is how much too early somebody may be whose clock, or whose way here,
// differs a little each time; and how soon after a poll was noted another is not.
const punctual = time.Second

func scanPolled(row pgx.CollectableRow) (p polled, err error) {
	err = row.Scan(&p.state, at(&p.until), at(&p.last), span(&p.pause), maybe(&p.family))
	return p, err
}
