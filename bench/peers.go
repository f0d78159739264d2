package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// peer is another server's rate of tokens by client credentials. It was measured
// on a machine like this one, two shared cores with the load generator on the
// same two, but not in this run: take the order of magnitude from it.
type peer struct {
	Name string
	Rate float64 // tokens a second
	CPU  float64 // processor seconds per 1,000 tokens, those of its database included
}

var peers = []peer{
	{"Ory Hydra 26.2, PostgreSQL, JWT, defaults", 112, 15.4},
	{"Ory Hydra 26.2, PostgreSQL, cheapest JWT (ES256, 1 hash round)", 883, 1.67},
	{"Ory Hydra 26.2, PostgreSQL, opaque, cheapest", 1441, 1.15},
	{"zitadel/oidc 3.49 example, RS256, in memory", 1839, 1.04},
	{"oidc-provider 9.13 (Node), EdDSA, in memory", 2980, 0.43},
	{"django-oauth-toolkit 1.7, PostgreSQL, opaque, secrets in clear", 355, 3.68},
}

func printPeers(out io.Writer) error {
	fmt.Fprintln(out, "\nOthers, with 16 connections, measured on such a machine on another day:")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "tokens/s\tCPU s/1,000\t\t")
	for _, p := range peers {
		fmt.Fprintf(w, "%.0f\t%.2f\t  %s\t\n", p.Rate, p.CPU, p.Name)
	}
	return w.Flush()
}
