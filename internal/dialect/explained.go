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
	{oauth.InvalidDPoPProof, "The header DPoP is missing, stands twice, or holds a proof that is not good for this request: see that typ, alg, jwk, htm, htu, iat, jti and, with a token, ath are right, and make a new proof for every request."},
	{oauth.UseDPoPNonce, "The DPoP proof needs a nonce of this server, or a newer one: the header DPoP-Nonce of the answer has it. Try again with a new proof that holds it."},
	{oauth.InvalidToken, "The access token is missing, expired, revoked, for another API, or none of ours. Get a new one and try once more."},
	{oauth.InsufficientScope, "The access token is good and does not allow this."},
	{oauth.NotFound, "There is no such object, or it is not yours to see."},
	{oauth.ServerError, "Our fault. The header X-Request-Id of the answer finds the cause in our log."},
	{oauth.TemporarilyUnavailable, "Not now. Try again after the time that the header Retry-After gives."},
	{oauth.AccessDenied, "The person said no, or there is nobody who could say yes. Do not ask again by yourself."},
	{oauth.UnsupportedResponseType, "This server answers an authorization request with a code: response_type=code."},
	{oauth.InvalidRequestURI, "The request_uri is unknown, has been used, has run out after a minute, or belongs to another application. Push the request again."},
	{oauth.LoginRequired, "The request forbade to ask (prompt=none), and nobody is logged in, or not recently enough. Send the person again without prompt=none."},
	{oauth.ConsentRequired, "The request forbade to ask (prompt=none), and the person has to be asked. Send the person again without prompt=none."},
	{oauth.InteractionRequired, "The request forbade to ask (prompt=none), and the person has to do something. Send the person again without prompt=none."},
	{oauth.AuthorizationPending, "The person has not decided yet. Ask again after the interval that the device authorization gave."},
	{oauth.ExpiredToken, "The device code has run out before anybody decided. Start again."},
	{oauth.SlowDown, "Too many tries failed. Wait for the seconds that the header Retry-After gives, and look at what you send: trying before that may make the wait longer."},
}
