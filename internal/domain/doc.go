// Package domain answers one question: what are the nouns of the trade?
//
// They are partners, users, applications,
// supply points, channels and readings, with their identifiers and the errors
// that every room understands.
//
// It decides nothing, stores nothing and speaks no wire format.
package domain
