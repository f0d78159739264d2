package dialect

import (
	"net/http"
	"net/url"
	"strconv"
)

// Device is what a device shows to its person (RFC 8628 §3.2).
type Device struct {
	DeviceCode, UserCode string
	VerificationURI      string
	Lifetime, Interval   int64 // in seconds
}

// WriteDevice writes the answer of the device authorization endpoint. The
// complete address, for a code that a camera reads, holds the user code.
func WriteDevice(w http.ResponseWriter, d Device) {
	private(w.Header())
	body := appendString([]byte(`{"device_code":`), d.DeviceCode)
	body = appendString(append(body, `,"user_code":`...), d.UserCode)
	body = appendString(append(body, `,"verification_uri":`...), d.VerificationURI)
	body = appendString(append(body, `,"verification_uri_complete":`...), d.VerificationURI+"?user_code="+url.QueryEscape(d.UserCode))
	body = strconv.AppendInt(append(body, `,"expires_in":`...), d.Lifetime, 10)
	body = strconv.AppendInt(append(body, `,"interval":`...), d.Interval, 10)
	send(w, http.StatusOK, append(body, '}'))
}
