package support

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"

	"github.com/wattgate/wattgate/internal/authorize"
)

// Who has a device's user code can type it himself and send the address that comes
// next to somebody else, who would decide about a stranger's device without having
// seen any code (RFC 8628 §5.4). So a device's question is open only in the browser
// in which the code was typed.

// devicePath is where a code is typed.
const devicePath = "/device"

// typedCookie is the name of the cookie that says which device's code was typed; its
// prefix is that of [Host.cookie].
func (h *Host) typedCookie() string { return h.cookie() + "-device" }

// typedValue is the digest of a challenge: a cookie is no place for the challenge.
func typedValue(challenge string) string {
	sum := sha256.Sum256([]byte(challenge))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// keepTyped has the browser know, for as long as the question waits, that the user
// code of the challenge's device was typed in it.
func (h *Host) keepTyped(w http.ResponseWriter, challenge string) {
	http.SetCookie(w, &http.Cookie{
		Name: h.typedCookie(), Value: typedValue(challenge), Path: "/", MaxAge: int(authorize.ChallengeLifetime.Seconds()),
		Secure: h.https(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// typed reports whether a question may be shown in this browser: that of a device
// only where its code was typed. As with the session, two cookies are none.
func (h *Host) typed(r *http.Request, q question) bool {
	if q.Device == "" {
		return true
	}
	cookies := r.CookiesNamed(h.typedCookie())
	return len(cookies) == 1 && cookies[0].Value == typedValue(q.challenge)
}
