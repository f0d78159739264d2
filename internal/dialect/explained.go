package dialect

import "github.com/wattgate/wattgate/internal/oauth"

// Explanation says what an error code means and what to do about it.
type Explanation struct {
	Code    oauth.Code
	Meaning string
}

// Explained lists every code that the auth host sends. A test holds it against
// the codes that exist.
var Explained = []Explanation{
	{oauth.InvalidRequest, "Something in the request is missing, stands twice or cannot be read: error_description says what. Send the parameters as a form in the body."},
	{oauth.InvalidClient, "The client is unknown, its secret is wrong, expired or retired, or the application is disabled. The answer is the same for all of these. Ask whoever set the application up."},
	{oauth.InvalidGrant, "The code or refresh token is not, or no longer, good. Start again."},
	{oauth.UnauthorizedClient, "The application is not set up for this grant, or no audience is granted to it."},
	{oauth.UnsupportedGrantType, "The server does not know that grant_type."},
	{oauth.InvalidScope, "A scope is unknown or not granted. Leave scope out to get all that is granted."},
	{oauth.InvalidTarget, "A resource is unknown or not granted. Leave resource out to get all that is granted."},
	{oauth.InvalidToken, "The access token is missing, expired, revoked, for another API, or none of ours. Get a new one and try once more."},
	{oauth.InsufficientScope, "The access token is good and does not allow this."},
	{oauth.NotFound, "There is no such object, or it is not yours to see."},
	{oauth.ServerError, "Our fault. The header X-Request-Id of the answer finds the cause in our log."},
	{oauth.TemporarilyUnavailable, "Not now. Try again after the time that the header Retry-After gives."},
	{oauth.SlowDown, "Too many tries failed. Wait for the seconds that the header Retry-After gives, and look at what you send: trying before that may make the wait longer."},
}
