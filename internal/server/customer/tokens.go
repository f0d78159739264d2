package customer

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/session"
)

// Logins issue and end the tokens of account users.
type Logins interface {
	ByPassword(ctx context.Context, partner domain.PartnerID, email string, password domain.Secret, from domain.Origin) (issuance.LoggedIn, error)
	ByKey(ctx context.Context, key domain.Secret, from domain.Origin) (issuance.LoggedIn, error)
	ByPreSigned(ctx context.Context, key domain.Secret, from domain.Origin) (issuance.LoggedIn, error)
	Renew(ctx context.Context, refresh domain.Secret, from domain.Origin) (issuance.LoggedIn, error)
	Masquerade(ctx context.Context, key domain.Secret, user domain.UserID, from domain.Origin) (issuance.LoggedIn, error)
	Extend(ctx context.Context, caller domain.Caller, kraken string, from domain.Origin) (issuance.LoggedIn, error)
	End(ctx context.Context, caller domain.Caller, refresh domain.Secret, from domain.Origin) (time.Time, error)
	EndAllOf(ctx context.Context, caller domain.Caller, email string, from domain.Origin) error
	Reauthenticate(ctx context.Context, caller domain.Caller, thirdParties bool, from domain.Origin) (time.Time, error)
	NewKey(ctx context.Context, caller domain.Caller, from domain.Origin) (domain.Secret, error)
	PreSign(ctx context.Context, caller domain.Caller, email string, days int, permissions domain.Permissions, from domain.Origin) (domain.Secret, error)
	EndPreSigned(ctx context.Context, key domain.Secret, from domain.Origin) error
	EndPreSignedOf(ctx context.Context, caller domain.Caller, email string, from domain.Origin) error
}

// The codes of what is wrong with log-ins (dialect-kraken §4).
var (
	krakenExpired  = code{typeApplication, "KT-CT-1120", "The Kraken Token has expired.", "The token in the input is over: obtain a new one."}
	needsKraken    = code{typeValidation, "KT-CT-1121", "Please use Kraken Token to issue long-lived refresh tokens.", "The token in the input is none of ours."}
	accountUsers   = code{typeValidation, "KT-CT-1122", "Long-lived refresh tokens can only be issued for account users.", "The token in the input is not one that an account user has obtained."}
	checkRoles     = code{typeAuthorization, "KT-CT-1128", "Unauthorized.", "Check authentication or roles/permissions."}
	noPreSigned    = code{typeAuthorization, "KT-CT-1129", "Unauthorized.", "The pre-signed token is not accepted."}
	notYourRefresh = code{typeAuthorization, "KT-CT-1130", "Unauthorized.", "There is no such refresh token, or it is not yours."}
	noPresigning   = code{typeAuthorization, "KT-CT-1131", "Unauthorized.", "There is no such user, or no token can be made for them."}
	noExtension    = code{typeAuthorization, "KT-CT-1132", "Unauthorized.", "Only third parties obtain long-lived refresh tokens, with a token of their own in the header."}
	refreshExpired = code{typeValidation, "KT-CT-1134", "Invalid data.", "The refresh token has expired."}
	noRefresh      = code{typeValidation, "KT-CT-1135", "Invalid data.", "Please make sure the refresh token is correct."}
	noCredentials  = code{typeValidation, "KT-CT-1138", "Please make sure the credentials are correct.", "Please make sure the credentials are correct."}
	noAPIKey       = code{typeValidation, "KT-CT-1139", "Invalid data.", "Authentication failed."}
	noMatch        = code{typeAuthorization, "KT-CT-1145", "Account/user details do not match.", "The masquerade token is not accepted, or was issued for another user."}
	noOrganization = code{typeValidation, "KT-CT-11100", "API key authentication not available.", "Applications fetch their tokens at the authorization server."}
)

// tokenCodes lists those.
var tokenCodes = []code{
	krakenExpired, needsKraken, accountUsers, checkRoles, noPreSigned, notYourRefresh, noPresigning, noExtension,
	refreshExpired, noRefresh, noCredentials, noAPIKey, noMatch, noOrganization,
}

// atInput is an error about a part of the input, which it names by its path.
type atInput struct {
	path  []string
	cause error
}

func (e *atInput) Error() string { return e.cause.Error() }
func (e *atInput) Unwrap() error { return e.cause }

// tokenErrors says which code a refusal has, and about which part of the input.
var tokenErrors = []struct {
	err error
	code
	path []string
}{
	{session.ErrWrong, noCredentials, nil},
	{issuance.ErrGone, noCredentials, nil},
	{issuance.ErrAPIKey, noAPIKey, []string{"input", "apiKey"}},
	{issuance.ErrPreSigned, noPreSigned, nil},
	{issuance.ErrRefresh, noRefresh, []string{"input", "refreshToken"}},
	{issuance.ErrRefreshExpired, refreshExpired, []string{"input", "refreshToken"}},
	{issuance.ErrMasquerade, noMatch, nil},
	{issuance.ErrNotYours, notYourRefresh, nil},
	{issuance.ErrNotTheirs, checkRoles, nil},
	{issuance.ErrPresign, noPresigning, nil},
	{issuance.ErrExtendExpired, krakenExpired, nil},
	{issuance.ErrExtendForeign, needsKraken, []string{"input", "krakenToken"}},
	{issuance.ErrExtendNobody, accountUsers, []string{"input", "krakenToken"}},
	{issuance.ErrExtend, noExtension, nil},
	{errOrganization, noOrganization, []string{"input", "organizationSecretKey"}},
}

var errOrganization = &domain.Error{Kind: domain.Invalid, Public: "an application's secret is for the authorization server"}

// tokenError gives a refusal its code. Who was throttled, and other errors, stay
// as they are.
func tokenError(err error) error {
	if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind == domain.Throttled {
		return err
	}
	for _, known := range tokenErrors {
		if errors.Is(err, known.err) {
			return &atInput{known.path, &hidden{known.code, err}}
		}
	}
	return err
}

// originOf returns where a request came from, and when.
func (a *API) originOf(ctx context.Context) domain.Origin {
	if call, ok := ctx.Value(callKey{}).(*server.Call); ok {
		return call.Origin
	}
	return domain.Origin{Address: askerOf(ctx).address, At: a.Now()}
}

type mutations resolvers

func (r resolvers) Mutation() graph.MutationResolver { return mutations(r) }

// logins returns what issues tokens, and where the request came from.
func (m mutations) logins(ctx context.Context) (Logins, domain.Origin, error) {
	if m.api.Logins == nil {
		return nil, domain.Origin{}, &domain.Error{Kind: domain.Forbidden, Err: errors.New("nobody can log in here")}
	}
	return m.api.Logins, m.api.originOf(ctx), nil
}

// ObtainKrakenToken resolves Mutation.obtainKrakenToken.
func (m mutations) ObtainKrakenToken(ctx context.Context, in graph.ObtainJSONWebTokenInput) (*graph.ObtainKrakenJSONWebToken, error) {
	got, err := m.obtain(ctx, in)
	if err != nil {
		return nil, tokenError(err)
	}
	until, ends := int(got.Until.Unix()), graph.FormatDateTime(got.Until.UTC().Truncate(time.Second))
	return &graph.ObtainKrakenJSONWebToken{
		PossibleErrors: m.possible("obtainKrakenToken"),
		Token:          got.Token.Reveal(), Payload: graph.GenericScalar(got.Payload),
		RefreshToken: optional(got.Refresh.Reveal()), RefreshExpiresIn: &until, RefreshEndsAt: &ends,
	}, nil
}

func (m mutations) obtain(ctx context.Context, in graph.ObtainJSONWebTokenInput) (issuance.LoggedIn, error) {
	logins, from, err := m.logins(ctx)
	if err != nil {
		return issuance.LoggedIn{}, err
	}
	given := 0
	for _, method := range []bool{in.Email != nil || in.Password != nil || in.PartnerID != nil, in.APIKey != nil, in.OrganizationSecretKey != nil, in.PreSignedKey != nil, in.RefreshToken != nil} {
		if method {
			given++
		}
	}
	switch {
	case given != 1:
		return issuance.LoggedIn{}, oneMethod
	case in.APIKey != nil:
		return logins.ByKey(ctx, domain.NewSecret(*in.APIKey), from)
	case in.OrganizationSecretKey != nil:
		return issuance.LoggedIn{}, errOrganization
	case in.PreSignedKey != nil:
		return logins.ByPreSigned(ctx, domain.NewSecret(*in.PreSignedKey), from)
	case in.RefreshToken != nil:
		return logins.Renew(ctx, domain.NewSecret(*in.RefreshToken), from)
	case in.Email == nil || in.Password == nil:
		return issuance.LoggedIn{}, oneMethod
	}
	var partner domain.PartnerID
	if in.PartnerID != nil {
		if partner, err = domain.ParsePartnerID(*in.PartnerID); err != nil {
			partner = "prt_" // nobody's: what cannot be a partner has no customers either
		}
	}
	return logins.ByPassword(ctx, partner, *in.Email, domain.NewSecret(*in.Password), from)
}

var oneMethod = &atInput{[]string{"input"}, &domain.Error{
	Kind: domain.Invalid, Public: "give exactly one of email and password, APIKey, preSignedKey, refreshToken",
}}

// ObtainLongLivedRefreshToken resolves Mutation.obtainLongLivedRefreshToken.
func (m mutations) ObtainLongLivedRefreshToken(ctx context.Context, in graph.ObtainLongLivedRefreshTokenInput) (*graph.ObtainLongLivedRefreshToken, error) {
	logins, from, err := m.logins(ctx)
	if err != nil {
		return nil, err
	}
	got, err := logins.Extend(ctx, askerOf(ctx).caller, in.KrakenToken, from)
	if err != nil {
		return nil, tokenError(err)
	}
	until := int(got.Until.Unix())
	return &graph.ObtainLongLivedRefreshToken{PossibleErrors: m.possible("obtainLongLivedRefreshToken"), RefreshToken: optional(got.Refresh.Reveal()), RefreshExpiresIn: &until}, nil
}

// InvalidateRefreshToken resolves Mutation.invalidateRefreshToken.
func (m mutations) InvalidateRefreshToken(ctx context.Context, in graph.InvalidateRefreshTokenInput) (*graph.InvalidateRefreshToken, error) {
	logins, from, err := m.logins(ctx)
	if err != nil {
		return nil, err
	}
	at, err := logins.End(ctx, askerOf(ctx).caller, domain.NewSecret(in.RefreshToken), from)
	if err != nil {
		return nil, tokenError(err)
	}
	ended := graph.FormatDateTime(at.UTC().Truncate(time.Microsecond))
	return &graph.InvalidateRefreshToken{PossibleErrors: m.possible("invalidateRefreshToken"), Token: &graph.RefreshToken{Key: in.RefreshToken, ExpiryDt: &ended}}, nil
}

// InvalidateRefreshTokensForUser resolves Mutation.invalidateRefreshTokensForUser.
func (m mutations) InvalidateRefreshTokensForUser(ctx context.Context, in graph.InvalidateRefreshTokensForUserInput) (*graph.InvalidateRefreshTokensForUser, error) {
	logins, from, err := m.logins(ctx)
	if err != nil {
		return nil, err
	}
	if err := logins.EndAllOf(ctx, askerOf(ctx).caller, in.Email, from); err != nil {
		return nil, tokenError(err)
	}
	return &graph.InvalidateRefreshTokensForUser{PossibleErrors: m.possible("invalidateRefreshTokensForUser"), Status: optional(invalidated)}, nil
}

// possible lists what a mutation may answer with.
func (m mutations) possible(name string) []*graph.PossibleErrorType {
	d := m.api.schema.Mutation
	f := d.Fields.ForName(name)
	return possible(slices.Concat(authErrors(m.api.schema, d, f), ownErrors(f)))
}

// invalidated is the status of what has ended.
const invalidated = "INVALIDATED"

// ForceReauthentication resolves Mutation.forceReauthentication.
func (m mutations) ForceReauthentication(ctx context.Context, in graph.ForceReauthenticationInput) (*graph.ForceReauthentication, error) {
	logins, from, err := m.logins(ctx)
	if err != nil {
		return nil, err
	}
	at, err := logins.Reauthenticate(ctx, askerOf(ctx).caller, in.IncludeThirdParties, from)
	if err != nil {
		return nil, tokenError(err)
	}
	return &graph.ForceReauthentication{PossibleErrors: m.possible("forceReauthentication"), TokensInvalidated: true, EffectiveAt: graph.FormatDateTime(at.UTC().Truncate(time.Microsecond))}, nil
}

// RegenerateSecretKey resolves Mutation.regenerateSecretKey. It is the one place
// that shows a key.
func (m mutations) RegenerateSecretKey(ctx context.Context) (*graph.RegenerateSecretKey, error) {
	logins, from, err := m.logins(ctx)
	if err != nil {
		return nil, err
	}
	shown, err := queries(m).Viewer(ctx) // before anything changes
	if err != nil {
		return nil, err
	}
	key, err := logins.NewKey(ctx, askerOf(ctx).caller, from)
	if err != nil {
		return nil, tokenError(err)
	}
	shown.LiveSecretKey = optional(key.Reveal())
	return &graph.RegenerateSecretKey{PossibleErrors: m.possible("regenerateSecretKey"), Viewer: shown}, nil
}

// MasqueradeAuthentication resolves Mutation.masqueradeAuthentication.
func (m mutations) MasqueradeAuthentication(ctx context.Context, masqueradeToken string, userID string) (*graph.MasqueradeAuthentication, error) {
	logins, from, err := m.logins(ctx)
	if err != nil {
		return nil, err
	}
	user, err := domain.ParseUserID(userID)
	if err != nil {
		user = "" // nobody's
	}
	got, err := logins.Masquerade(ctx, domain.NewSecret(masqueradeToken), user, from)
	if err != nil {
		return nil, tokenError(err)
	}
	return &graph.MasqueradeAuthentication{PossibleErrors: m.possible("masqueradeAuthentication"), Token: optional(got.Token.Reveal())}, nil
}

// preSignedFor is what a pre-signed token of each scope allows.
var preSignedFor = map[graph.PreSignedTokenScope]domain.Permissions{
	graph.PreSignedTokenScopeViewDetailedUsage:    domain.PermissionSet(domain.CanQueryProperty, domain.CanViewDetailedUsage),
	graph.PreSignedTokenScopeViewAccountNumber:    domain.PermissionSet(domain.CanQueryProperty),
	graph.PreSignedTokenScopeUpdateAccountDetails: domain.CustomerPermissions,
}

// GeneratePreSignedToken resolves Mutation.generatePreSignedToken.
func (m mutations) GeneratePreSignedToken(ctx context.Context, email string, numberOfDaysAllowed int, scope graph.PreSignedTokenScope) (*graph.GeneratePreSignedToken, error) {
	logins, from, err := m.logins(ctx)
	if err != nil {
		return nil, err
	}
	text, err := logins.PreSign(ctx, askerOf(ctx).caller, email, numberOfDaysAllowed, preSignedFor[scope], from)
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.Invalid {
		err = &atInput{[]string{"numberOfDaysAllowed"}, err}
	}
	if err != nil {
		return nil, tokenError(err)
	}
	return &graph.GeneratePreSignedToken{PossibleErrors: m.possible("generatePreSignedToken"), Token: optional(text.Reveal())}, nil
}

// InvalidatePreSignedToken resolves Mutation.invalidatePreSignedToken.
func (m mutations) InvalidatePreSignedToken(ctx context.Context, in graph.InvalidatePreSignedTokenInput) (*graph.InvalidatePreSignedToken, error) {
	logins, from, err := m.logins(ctx)
	if err != nil {
		return nil, err
	}
	if err := logins.EndPreSigned(ctx, domain.NewSecret(in.Token), from); err != nil {
		return nil, tokenError(err)
	}
	return &graph.InvalidatePreSignedToken{PossibleErrors: m.possible("invalidatePreSignedToken"), Status: optional(invalidated)}, nil
}

// InvalidatePreSignedTokensForUser resolves Mutation.invalidatePreSignedTokensForUser.
func (m mutations) InvalidatePreSignedTokensForUser(ctx context.Context, in graph.InvalidatePreSignedTokensForUserInput) (*graph.InvalidatePreSignedTokensForUser, error) {
	logins, from, err := m.logins(ctx)
	if err != nil {
		return nil, err
	}
	if err := logins.EndPreSignedOf(ctx, askerOf(ctx).caller, in.Email, from); err != nil {
		return nil, tokenError(err)
	}
	return &graph.InvalidatePreSignedTokensForUser{PossibleErrors: m.possible("invalidatePreSignedTokensForUser"), Status: optional(invalidated)}, nil
}
