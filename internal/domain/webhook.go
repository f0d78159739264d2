package domain

import "io"

type (
	// EndpointID names an application's web hook: whk_ and letters and digits.
	EndpointID string
	// DeliveryID names what a web hook is sent, and so the event that it tells of:
	// evt_ and letters and digits. Who gets one twice got the same event twice.
	DeliveryID string
)

const (
	prefixEndpoint = "whk_"
	prefixDelivery = "evt_"
)

// ParseEndpointID reads a web hook's identifier as it enters the program.
func ParseEndpointID(s string) (EndpointID, error) {
	return parseID[EndpointID](s, prefixEndpoint, "a web hook")
}

// ParseDeliveryID reads a delivery's identifier as it enters the program.
func ParseDeliveryID(s string) (DeliveryID, error) {
	return parseID[DeliveryID](s, prefixDelivery, "a delivery")
}

// NewEndpointID draws a new identifier from chance.
func NewEndpointID(chance io.Reader) EndpointID {
	return EndpointID(prefixEndpoint + randomText(chance, 16))
}

// NewDeliveryID draws a new identifier from chance.
func NewDeliveryID(chance io.Reader) DeliveryID {
	return DeliveryID(prefixDelivery + randomText(chance, 20))
}
