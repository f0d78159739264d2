// Package token answers one question: did we sign this, and what does it say?
//
// A token is a JWT access token (RFC 9068) in the compact form of a JWS
// (RFC 7515 §3.1). We read only what we wrote ourselves, and we write it in one
// way only: the header is one of the few texts that our keys have, byte for
// byte, and the claims have one order and one spelling. So there is no field to
// choose an algorithm or a key by, nothing that stands twice, and no second text
// of the same token (RFC 8725 §3).
package token

import (
	"errors"

	"github.com/wattgate/wattgate/internal/domain"
)

// Algorithm is a signature algorithm by its name in JOSE (RFC 7518 §3.1,
// RFC 8037 §3.1). A key has one, and a token never chooses.
type Algorithm string

// The algorithms.
const (
	ES256 Algorithm = "ES256" // ECDSA with P-256: every gateway and library knows it
	EdDSA Algorithm = "EdDSA" // Ed25519: the fastest
	RS256 Algorithm = "RS256" // RSA of 2,048 bits: for old verifiers only
)

// Type is the typ of every access token (RFC 9068 §2.1).
const Type = "at+jwt"

// MaxLength is the longest token in bytes that is made or read.
const MaxLength = 8 << 10

// Claims is what a token says. Times are seconds since 1970-01-01 UTC.
type Claims struct {
	Issuer      string              // iss
	Subject     string              // sub: app_… for an application itself, usr_… for a user
	Audiences   domain.Audiences    // aud, always an array
	Expires     int64               // exp: from this second on the token is dead
	IssuedAt    int64               // iat
	NotBefore   int64               // nbf
	ID          string              // jti, from [NewID] at the instant of IssuedAt
	ClientID    domain.ClientID     // client_id; empty: an account user has logged in, without any
	Partner     domain.PartnerID    // partner
	Scope       string              // scope, and scp as an array
	Permissions domain.Permissions  // perm, an array of names
	Actor       domain.ClientID     // act.sub (RFC 8693 §4.1), where somebody acts as the user
	SID         string              // sid: the act's entry in the audit log; without act, the family of what the user allowed
	Bound       domain.Confirmation // cnf: the key or certificate without which the token is worth nothing

	// Of the tokens that account users get at the customer API, and of no others;
	// tokenUse is "access" in all of them.
	Method       domain.LoginMethod // gty
	OriginallyAt int64              // origIat: when the user logged in
	Staff        domain.UserID      // act.sub, where a member of staff looks on
}

// What is wrong with a token, for errors.Is. No error holds any part of it.
var (
	// ErrMalformed is for what no key of ours would have signed.
	ErrMalformed = errors.New("token: malformed")
	// ErrUnknownKey is for a header that belongs to no key of the ring: a
	// foreign token, one of a removed key, or one that asks for special treatment.
	ErrUnknownKey = errors.New("token: the header is none of ours")
	// ErrSignature is for a signature that is not the key's.
	ErrSignature = errors.New("token: the signature is wrong")
	// ErrExpired is for a token of ours whose time is over.
	ErrExpired = errors.New("token: expired")
	// ErrNotYet is for a token of ours from the future.
	ErrNotYet = errors.New("token: not valid yet")
	// ErrIssuer is for a token of ours of another kind than expected.
	ErrIssuer = errors.New("token: another issuer")
	// ErrType is for a token of ours of another type than expected.
	ErrType = errors.New("token: another type")
	// ErrClaims is for claims that cannot be signed. It is our mistake.
	ErrClaims = errors.New("token: these claims cannot be signed")
)
