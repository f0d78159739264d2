// Package dialect answers one question: how is this said on the wire?
//
// It reads requests into the words of the protocol and writes answers in the
// two existing spellings: EnergyZero's and Kraken's. It decides nothing.
package dialect
