package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// client speaks to a Wattgate anywhere, as the programs of partners and third
// parties do: by its public API, with the credentials of the environment.
type client struct {
	auth     string // the auth host's address
	customer string // the customer host's
	id       string
	secret   domain.Secret
	http     *http.Client
}

// headTime is how long an answer may take to begin; how long it takes to come
// is up to its size.
const headTime = time.Minute

// maxSaid is how many bytes of a refusal, or of a token, are read.
const maxSaid = 64 << 10

// newClient reads WATTGATE_AUTH_URL, WATTGATE_CLIENT_ID and WATTGATE_CLIENT_SECRET,
// and where the API is: WATTGATE_CUSTOMER_URL, or WATTGATE_GRAPHQL_URL without its
// path.
func newClient(w world) (*client, error) {
	need := map[string]string{"WATTGATE_AUTH_URL": "", "WATTGATE_CLIENT_ID": "", "WATTGATE_CLIENT_SECRET": ""}
	for name := range need {
		if need[name], _ = w.env(name); need[name] == "" {
			return nil, usageError{fmt.Errorf("%s is not set", name)}
		}
	}
	api, _ := w.env("WATTGATE_CUSTOMER_URL")
	if api == "" {
		graphQL, _ := w.env("WATTGATE_GRAPHQL_URL")
		u, err := url.Parse(graphQL)
		if err != nil || u.Host == "" {
			return nil, usageError{fmt.Errorf("neither WATTGATE_CUSTOMER_URL nor WATTGATE_GRAPHQL_URL is the address of an API")}
		}
		api = u.Scheme + "://" + u.Host
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = headTime
	return &client{
		auth: strings.TrimSuffix(need["WATTGATE_AUTH_URL"], "/"), customer: strings.TrimSuffix(api, "/"),
		id: need["WATTGATE_CLIENT_ID"], secret: domain.NewSecret(need["WATTGATE_CLIENT_SECRET"]),
		// A secret and a token go nowhere else than where they were meant for.
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// token fetches an access token (RFC 6749 §4.4).
func (c *client) token(ctx context.Context) (string, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.id}, "client_secret": {c.secret.Reveal()}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.auth+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := c.http.Do(r)
	if err != nil {
		return "", fmt.Errorf("ask for a token: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // only read from
	var said struct {
		Token       string `json:"access_token"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	err = json.NewDecoder(io.LimitReader(answer.Body, maxSaid)).Decode(&said)
	switch {
	case answer.StatusCode == http.StatusOK && err == nil && said.Token != "":
		return said.Token, nil
	case said.Error == "":
		return "", refusal(answer.StatusCode, "")
	}
	kind := kindOf(answer.StatusCode)
	if kind == domain.Invalid { // RFC 6749 §5.2: what the client may not have is a 400 too
		kind = domain.Forbidden
	}
	return "", &domain.Error{Kind: kind, Public: "no token: " + strings.Trim(said.Error+": "+said.Description, ": ")}
}

// get asks the API for something. The caller closes the body.
func (c *client) get(ctx context.Context, path string, query url.Values) (*http.Response, error) {
	token, err := c.token(ctx)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.customer+path+"?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusOK {
		return answer, nil
	}
	defer func() { _ = answer.Body.Close() }() // only read from
	var problem struct {
		Detail string `json:"detail"`
	}
	_ = json.NewDecoder(io.LimitReader(answer.Body, maxSaid)).Decode(&problem) // the status says enough
	return nil, refusal(answer.StatusCode, problem.Detail)
}

// refusal is an answer other than the one that was hoped for.
func refusal(status int, sentence string) error {
	if sentence == "" {
		sentence = fmt.Sprintf("the server answered %d %s", status, http.StatusText(status))
	}
	return &domain.Error{Kind: kindOf(status), Public: sentence}
}

func kindOf(status int) domain.Kind {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return domain.Invalid
	case http.StatusUnauthorized:
		return domain.Unauthenticated
	case http.StatusForbidden:
		return domain.Forbidden
	case http.StatusNotFound:
		return domain.NotFound
	case http.StatusConflict:
		return domain.Conflict
	case http.StatusTooManyRequests:
		return domain.Throttled
	case http.StatusServiceUnavailable:
		return domain.Unavailable
	}
	return domain.Internal
}
