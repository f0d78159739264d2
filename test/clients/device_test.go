package clients

import (
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/wattgate/wattgate/test/demo"
)

// golang.org/x/oauth2: the device grant (RFC 8628). The person opens the page
// that the device shows, logs in and agrees, while the device asks on. This
// client never authenticates where it asks for the codes, which RFC 8628 §3.1
// allows to public clients only; others hand their secret over as a parameter.
func TestDevice(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"Public", "Confidential"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := demo.Start(t)
			c, _ := web(t, s, "--type", kind)
			var options []oauth2.AuthCodeOption
			if c.ClientSecret != "" {
				options = append(options, oauth2.SetAuthURLParam("client_secret", c.ClientSecret))
			}
			device, err := c.DeviceAuth(t.Context(), options...)
			if err != nil {
				t.Fatal(err)
			}
			if device.UserCode == "" || device.Interval > 5 || time.Until(device.Expiry) < time.Minute {
				t.Errorf("got %+v", device)
			}
			customer := s.Customer(t)
			customer.Code = device.UserCode
			customer.Visit(t, device.VerificationURI, "")
			token, err := c.DeviceAccessToken(t.Context(), device)
			if err != nil {
				t.Fatal(err)
			}
			query(t, c.Client(t.Context(), token), s, property(s), `"id":"prop_`)
		})
	}
}
