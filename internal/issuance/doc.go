// Package issuance answers one question: which token, for whom, how long?
package issuance
