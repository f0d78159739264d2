package authn

import "github.com/wattgate/wattgate/internal/domain"

// Why nobody is known to be asking. A surface tells them apart with
// [errors.Is]; only GraphQL says more to the caller than "not accepted".
var (
	// ErrNoToken means that the request carries no token at all.
	ErrNoToken = &domain.Error{Kind: domain.Unauthenticated, Public: "the request has no access token"}
	// ErrExpired means that the token was good and its time is over.
	ErrExpired = &domain.Error{Kind: domain.Unauthenticated, Public: "the access token has expired"}
	// ErrInvalid means that the token is none of ours, or no longer counts.
	ErrInvalid = &domain.Error{Kind: domain.Unauthenticated, Public: "the access token is not valid"}
	// ErrAudience means that the token is for another API than this one.
	ErrAudience = &domain.Error{Kind: domain.Unauthenticated, Public: "the access token is not for this API"}
)
