// Package webhook answers one question: whom do we tell, and did it arrive?
//
// An application keeps endpoints: addresses of its own that are told what is new.
// What is new is noted in the transaction that stores it ([Note]); a note becomes
// a [Delivery] for every endpoint whose application may know of it, and a delivery
// is sent until it arrives, or is given up. What it says is read when it is sent,
// and only what the application may read then: a delivery holds no readings.
//
// What sends over HTTP is handed in ([Sender]).
package webhook

import (
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Event is what an endpoint is told of.
type Event string

// The events. Tested is sent because somebody asks for it; no endpoint lists it.
const (
	ReadingsArrived Event = "readings.arrived"
	ReadingsRevised Event = "readings.revised"
	SecretExpiring  Event = "secret.expiring"
	Tested          Event = "test"
)

// Events lists what an endpoint may ask for.
func Events() []Event { return []Event{ReadingsArrived, ReadingsRevised, SecretExpiring} }

// Endpoint is an address of an application that is told what is new.
type Endpoint struct {
	ID          domain.EndpointID
	Application domain.ClientID
	Partner     domain.PartnerID
	URL         string
	Events      []Event // in the order of [Events]
	Key         []byte  // with which deliveries are signed, sealed
	CreatedAt   time.Time
	ChangedAt   time.Time
	Paused      bool // its owner wants nothing sent for now
	// DeliveredAt is when something arrived last, and FailingSince when a delivery
	// was given up since then; zero: never, and not at all.
	DeliveredAt, FailingSince time.Time
}

// Wants reports whether the endpoint asks for an event.
func (e *Endpoint) Wants(event Event) bool { return slices.Contains(e.Events, event) }

// Owner is whose endpoints a question is about: it stands in every statement.
type Owner struct {
	Partner     domain.PartnerID
	Application domain.ClientID
}

// State is what became of a delivery.
type State string

// The states. A delivery that is withheld told of nothing that its application
// may read any more.
const (
	Waiting   State = "waiting"
	Delivered State = "delivered"
	Failed    State = "failed"
	Withheld  State = "withheld"
)

// Delivery is one event for one endpoint.
type Delivery struct {
	N        int64 // the place in the order of all; the store gives it
	ID       domain.DeliveryID
	Endpoint domain.EndpointID
	Event    Event

	// Readings: what a channel recorded at one instant, of the days from First to
	// Last.
	Channel     domain.ChannelID
	RecordedAt  time.Time
	First, Last domain.Date
	// Secret is whose end is near, and About what no endpoint is told of twice;
	// empty: it may be.
	Secret domain.SecretID
	About  string

	CreatedAt time.Time
	State     State
	Attempts  int
	NextAt    time.Time // when it is sent, or sent again
	SettledAt time.Time // when it was no longer waiting
	// Status is that of the last answer, 0 where there was none, and Problem says
	// in a few words why it has not arrived.
	Status  int
	Problem string
}

// Note says that a transaction has recorded days of a channel whose partner has
// endpoints. It is stored with them, and is gone once its deliveries are stored.
type Note struct {
	ID         int64
	Channel    domain.Channel
	RecordedAt time.Time
}

// Due is a delivery that is to be sent, and where to.
type Due struct {
	Endpoint Endpoint
	Delivery Delivery
	Channel  domain.Channel // of readings
}

// Outcome is what an attempt has made of a delivery. It counts only where the
// delivery still has as many attempts behind it as before.
type Outcome struct {
	Delivery
	Before int
	// Marks of the endpoint: that something arrived, or was given up.
	Arrived, GivenUp bool
	At               time.Time
}
