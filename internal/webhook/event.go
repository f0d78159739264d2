package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// message is the body of a delivery: what has happened, and where to read more.
// It holds no readings, and nothing of anybody's but the name of a meter.
type message struct {
	ID        domain.DeliveryID `json:"id"`
	Type      Event             `json:"type"`
	CreatedAt string            `json:"createdAt"`

	PropertyID  domain.PropertyID `json:"propertyId,omitempty"`
	SupplyPoint *point            `json:"supplyPoint,omitempty"`
	Direction   string            `json:"direction,omitempty"`
	RegisterID  *string           `json:"registerId,omitempty"`
	RecordedAt  string            `json:"recordedAt,omitempty"`
	Changes     []change          `json:"changes,omitempty"`
	Cursor      string            `json:"cursor,omitempty"`

	ApplicationID domain.ClientID `json:"applicationId,omitempty"`
	SecretID      domain.SecretID `json:"secretId,omitempty"`
	ExpiresAt     string          `json:"expiresAt,omitempty"`
}

type point struct {
	MarketName         domain.Market `json:"marketName"`
	ExternalIdentifier string        `json:"externalIdentifier"`
}

type change struct {
	Day      domain.Date `json:"day"`
	Revision int32       `json:"revision"`
}

// request makes what is sent; told is false where there is nothing that the
// application may be told of.
func (d *Deliverer) request(ctx context.Context, due *Due) (r Request, told bool, err error) {
	caller, app, ok := d.caller(&due.Endpoint)
	if !ok {
		return Request{}, false, nil
	}
	m := message{ID: due.Delivery.ID, Type: due.Delivery.Event, CreatedAt: moment(due.Delivery.CreatedAt)}
	switch due.Delivery.Event {
	case ReadingsArrived, ReadingsRevised:
		told, err = d.readings(ctx, caller, due, &m)
	case SecretExpiring:
		told = m.secret(app, due.Delivery.Secret)
	case Tested:
		told = true
	}
	if err != nil || !told {
		return Request{}, false, err
	}
	body, err := json.Marshal(m)
	if err != nil {
		return Request{}, false, fmt.Errorf("write an event: %w", err)
	}
	key, err := d.Sealer.Open(sealName(due.Endpoint.ID), due.Endpoint.Key)
	if err != nil {
		return Request{}, false, fmt.Errorf("open the key of %s: %w", due.Endpoint.ID, err)
	}
	return Request{URL: due.Endpoint.URL, Body: body, Header: [][2]string{
		{"Content-Type", "application/json"},
		{HeaderEvent, string(m.Type)},
		{HeaderDelivery, string(m.ID)},
		{HeaderSignature, Signature(string(key), d.Now(), body)},
		{HeaderLegacy, Legacy(string(key), body)},
	}}, true, nil
}

// readings says which days are new, as far as the caller may read them now.
func (d *Deliverer) readings(ctx context.Context, caller domain.Caller, due *Due, m *message) (bool, error) {
	channel, what := &due.Channel, &due.Delivery
	r, err := d.recorded(ctx, caller, channel, what.RecordedAt)
	if err != nil {
		return false, err
	}
	changes := slices.DeleteFunc(ofEvent(r.Changes, what.Event), func(c domain.Change) bool { return c.Day < what.First || c.Day > what.Last })
	if len(changes) == 0 {
		return false, nil
	}
	for _, c := range changes {
		m.Changes = append(m.Changes, change{c.Day, c.Revision})
	}
	m.PropertyID, m.SupplyPoint = r.Property, &point{channel.SupplyPoint.Market, channel.SupplyPoint.Identifier}
	m.Direction, m.RegisterID, m.RecordedAt, m.Cursor = channel.Direction.String(), &channel.Register, moment(what.RecordedAt), r.Cursor()
	return true, nil
}

// secret says which one ends when, if it still counts.
func (m *message) secret(app *domain.Listing, id domain.SecretID) bool {
	i := slices.IndexFunc(app.Secrets, func(s domain.StoredSecret) bool { return s.ID == id && s.RetiredAt.IsZero() })
	if i < 0 {
		return false
	}
	m.ApplicationID, m.SecretID, m.ExpiresAt = app.ID, id, moment(app.Secrets[i].ExpiresAt)
	return true
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
