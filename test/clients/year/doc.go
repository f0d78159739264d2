// Package year answers one question: what does genqlient make of our schema?
//
// The code is generated from the schema that the server publishes and from
// year.graphql; year_test.go compares, and writes it anew with -update.
package year
