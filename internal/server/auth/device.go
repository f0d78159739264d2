package auth

import (
	"net/http"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/server"
)

// device begins the authorization of a device that has no browser (RFC 8628 §3.1).
func (h *Host) device(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	app, p, err := h.asking(r, call)
	if err != nil {
		return err
	}
	if !slices.Contains(app.Grants, oauth.GrantDeviceCode) {
		return errGrant(oauth.GrantDeviceCode)
	}
	req, err := h.Desk.CheckDevice(p)
	if err != nil {
		return direct(err)
	}
	answer, err := h.Desk.Device(r.Context(), app, req)
	if err != nil {
		return err
	}
	dialect.WriteDevice(w, dialect.Device{
		DeviceCode: answer.DeviceCode.Reveal(), UserCode: answer.UserCode, VerificationURI: h.DeviceURL,
		Lifetime: int64(answer.Lifetime / time.Second), Interval: int64(answer.Interval / time.Second),
	})
	return nil
}

// errGrant refuses a grant that the application is not set up for (RFC 6749 §5.2).
func errGrant(name string) error {
	return &oauth.Error{Code: oauth.UnauthorizedClient, Description: "this application may not use the grant " + name}
}
