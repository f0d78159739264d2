// Package customer answers one question: how does the customer host speak
// GraphQL?
//
// The schema is written by hand in schema/, gqlgen makes package graph of it,
// and what is here stands around that: the transport (GraphQL over HTTP), the
// guard that holds each field's permission, the resolvers, and the errors in
// the Kraken dialect's words. What is true about a customer's energy is
// decided in package usage.
package customer
