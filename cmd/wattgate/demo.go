package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wattgate/wattgate/internal/app"
)

func demoCommand(w world) *cobra.Command {
	var addr, data, envFile, alg string
	cmd := &cobra.Command{
		Use: "demo", Short: "Run everything at once, filled with an example", Args: cobra.NoArgs,
		Long: "Run everything in one process, with two partners, their customers and staff, applications, and a\n" +
			"simulated household of more than 400 days of half-hours up to yesterday. As soon as it serves it\n" +
			"prints what to open and what to paste.\n\n" +
			"--env-file is written when ready, mode 0600, with NAME=value lines:\n  " +
			strings.Join(envNames(), " "),
		RunE: func(cmd *cobra.Command, _ []string) error { return runDemo(cmd, w, addr, data, envFile, alg) },
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:8080", "address to listen on; port 0 picks a free one")
	cmd.Flags().StringVar(&data, "data", "", "folder to keep the demo in; default: a temporary one, removed at the end")
	cmd.Flags().StringVar(&envFile, "env-file", "", "file to write the addresses, ids and secrets to")
	cmd.Flags().StringVar(&alg, "token-alg", "ES256", "signature of access tokens: ES256, EdDSA or RS256")
	return cmd
}

func runDemo(cmd *cobra.Command, w world, addr, data, envFile, alg string) (err error) {
	if data == "" {
		if data, err = os.MkdirTemp("", "wattgate-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	}
	c, err := app.Load(app.Sources{
		Flags: map[string]string{
			"data": data, "listen": addr, "token-alg": alg,
			"graphql-introspection": "public", // whoever tries it out has no token yet
		},
		Environment: func(string) (string, bool) { return "", false }, // a demo is the same everywhere
	})
	if err != nil {
		return usageError{err}
	}
	if err := app.PrepareDemo(c); err != nil {
		return err
	}
	a, err := app.Open(cmd.Context(), c, app.World{Now: w.now, Log: w.err})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close(cmd.Context())) }()
	d, err := a.OpenDemo(cmd.Context())
	if err != nil {
		return err
	}
	return a.Serve(cmd.Context(), func(u app.URLs) error {
		printDemo(w.out, d, u)
		if envFile == "" {
			return nil
		}
		return writeEnv(envFile, demoEnv(d, u))
	})
}

// demoEnv returns the NAME=value lines of the env file, in the documented order.
func demoEnv(d *app.Demo, u app.URLs) [][2]string {
	return [][2]string{
		{"WATTGATE_AUTH_URL", u.Auth},
		{"WATTGATE_CUSTOMER_URL", u.Customer},
		{"WATTGATE_GRAPHQL_URL", u.Customer + "/v1/graphql/"},
		{"WATTGATE_SUPPORT_URL", u.Support},
		{"WATTGATE_GRAPHIQL_URL", u.Customer + "/graphiql/"},
		{"PARTNER_CLIENT_ID", string(d.PartnerClientID)},
		{"PARTNER_CLIENT_SECRET", d.PartnerClientSecret},
		{"CUSTOMER_USER_ID", string(d.CustomerUserID)},
		{"CUSTOMER_EMAIL", d.CustomerEmail},
		{"CUSTOMER_PASSWORD", d.CustomerPassword},
		{"ACCOUNT_NUMBER", string(d.AccountNumber)},
		{"SUPPORT_USER_ID", string(d.SupportUserID)},
		{"OTHER_PARTNER_CLIENT_ID", string(d.OtherPartnerClientID)},
		{"OTHER_PARTNER_CLIENT_SECRET", d.OtherPartnerSecret},
		{"OTHER_CUSTOMER_USER_ID", string(d.OtherCustomerUserID)},
		{"OTHER_PROPERTY_ID", string(d.OtherPropertyID)},
		{"THIRD_PARTY_CLIENT_ID", string(d.ThirdPartyClientID)},
		{"THIRD_PARTY_CLIENT_SECRET", d.ThirdPartyClientSecret},
		{"PROPERTY_ID", string(d.PropertyID)},
		{"SUPPLY_POINT_ID", d.SupplyPointID},
		{"OAUTH_MANAGER_EMAIL", d.OAuthManagerEmail},
		{"OAUTH_MANAGER_PASSWORD", d.OAuthManagerPassword},
		{"API_ENGINEER_EMAIL", d.APIEngineerEmail},
		{"API_ENGINEER_PASSWORD", d.APIEngineerPassword},
		{"SOLAR_COACH_CLIENT_ID", string(d.SolarCoachClientID)},
		{"SOLAR_COACH_CLIENT_SECRET", d.SolarCoachClientSecret},
		{"SOLAR_COACH_REDIRECT_URI", d.SolarCoachRedirectURI},
	}
}

func envNames() []string {
	var names []string
	for _, line := range demoEnv(&app.Demo{}, app.URLs{}) {
		names = append(names, line[0])
	}
	return names
}

// writeEnv writes the file beside its place and moves it there, so that who
// waits for it never reads half of it.
func writeEnv(path string, lines [][2]string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".env-") // mode 0600
	if err != nil {
		return err
	}
	for _, line := range lines {
		_, _ = fmt.Fprintf(f, "%s=%s\n", line[0], line[1]) // Sync tells
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// printDemo prints what to open and what to paste.
func printDemo(w io.Writer, d *app.Demo, u app.URLs) {
	text := demoText
	for _, line := range demoEnv(d, u) {
		text = strings.ReplaceAll(text, "$"+line[0]+"$", line[1])
	}
	_, _ = io.WriteString(w, text) // nobody is left to tell
}

const demoText = `Wattgate demo: $WATTGATE_AUTH_URL$ (Ctrl-C ends it)

Support site: $WATTGATE_SUPPORT_URL$/support/
(log in as $OAUTH_MANAGER_EMAIL$ with $OAUTH_MANAGER_PASSWORD$)

A customer's own pages: $WATTGATE_SUPPORT_URL$/my/
(log in as $CUSTOMER_EMAIL$ with $CUSTOMER_PASSWORD$)

Queries in a browser: $WATTGATE_GRAPHIQL_URL$
(its button "Get a token" takes the ids and secrets below)

A partner asks for a token, valid for 5 minutes:

  curl --location '$WATTGATE_AUTH_URL$/oauth2/token' \
    --form 'grant_type="client_credentials"' \
    --form 'scope="openid offline"' \
    --form 'client_id="$PARTNER_CLIENT_ID$"' \
    --form 'client_secret="$PARTNER_CLIENT_SECRET$"'

With it, a token for one customer, valid for 1 hour:

  curl --location '$WATTGATE_AUTH_URL$/v1/auth/impersonate?user_id=$CUSTOMER_USER_ID$' \
    --header 'Authorization: Bearer <token of the step before>'

(the header works without the word Bearer too). With that, the customer's data:

  curl --location '$WATTGATE_CUSTOMER_URL$' \
    --header 'Content-Type: application/json' \
    --header 'Authorization: Bearer <token of the step before>' \
    --data '{"query":"query me{\n me {\n firstName,\n surname\n }\n}","variables":{}}'

A third party asks for a token and reads half-hours:

  TOKEN=$(curl -s '$WATTGATE_AUTH_URL$/token/' \
    -d grant_type=client_credentials \
    -d client_id=$THIRD_PARTY_CLIENT_ID$ \
    -d client_secret=$THIRD_PARTY_CLIENT_SECRET$ | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -s '$WATTGATE_GRAPHQL_URL$' -H "Authorization: $TOKEN" -H 'Content-Type: application/json' \
    -d '{"query":"{ property(id: \"$PROPERTY_ID$\") { measurements(last: 4) { edges { node { value unit readAt } } } } }"}'

The same token with Python (Debian: python3-requests):

  python3 -c 'import requests; print(requests.post("$WATTGATE_AUTH_URL$/token/", data={"grant_type": "client_credentials", "client_id": "$THIRD_PARTY_CLIENT_ID$", "client_secret": "$THIRD_PARTY_CLIENT_SECRET$"}).json()["access_token"])'

Log lines follow on standard error.
`
