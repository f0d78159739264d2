package auth

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/wattgate/wattgate/internal/assertion"
	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/server"
)

// grant is a way to a token: its grant_type, and who answers for it.
type grant struct {
	name  string
	token func(h *Host, r *http.Request, call *server.Call, app *domain.Listing, req *dialect.TokenRequest) (oauth.Token, error)
}

// grants are all of them. The token endpoint knows these and no other, and the
// metadata lists them.
var grants = []grant{
	{oauth.GrantClientCredentials, (*Host).clientCredentials}, // RFC 6749 §4.4
	{oauth.GrantTokenExchange, (*Host).exchange},              // RFC 8693
	{oauth.GrantAuthorizationCode, (*Host).code},              // RFC 6749 §4.1
	{oauth.GrantRefreshToken, (*Host).refresh},                // RFC 6749 §6
	{oauth.GrantDeviceCode, (*Host).deviceCode},               // RFC 8628
}

// member is one member of a metadata document.
type member struct {
	name  string
	value any
}

// metadata returns the routes of the two metadata documents, which describe the
// routes that there are: everything that works, and nothing else. A route is
// listed by the name that it carries; its URL begins with the issuer, which
// comes from the configuration and never from a request.
func (h *Host) metadata(routes []server.Route) []server.Route {
	all := append(h.endpoints(routes), h.statements()...)
	all = append(all, h.bindings()...)
	all = append(all,
		member{"service_documentation", h.URL + "/"},
		member{"scopes_supported", issuance.Scopes()},
		member{"response_types_supported", []string{"code"}},
		member{"response_modes_supported", []string{"query"}},
		member{"code_challenge_methods_supported", []string{"S256"}},   // RFC 7636 §6.2
		member{"authorization_response_iss_parameter_supported", true}, // RFC 9207 §3
		member{"grant_types_supported", grantNames()},
		// Of OpenID Connect, and here too (RFC 8414 §2 allows more members): a client
		// that has read only this document gets ID tokens with the scope openid, and
		// would believe that they are all RS256.
		member{"id_token_signing_alg_values_supported", h.algorithms()},
	)
	// OpenID Connect Discovery 1.0 §3 wants more. The subject of a token is the same
	// for every application, hence public. ID tokens are signed by the ring that
	// signs all else: RS256, which every server ought to have, only where it is set.
	// Where request_uri_parameter_supported is missing it means true, and that of
	// this server's own making is another thing (RFC 9126 §5).
	openID := append(all[:len(all):len(all)],
		member{"subject_types_supported", []string{"public"}},
		member{"claims_supported", []string{"sub", "name", "given_name", "family_name", "email", "auth_time"}},
		member{"prompt_values_supported", []string{"none", "login", "consent", "select_account"}},
		member{"request_parameter_supported", false},
		member{"request_uri_parameter_supported", false},
	)
	var list []server.Route
	for path, members := range map[string][]member{
		"/.well-known/oauth-authorization-server": all,    // RFC 8414 §3
		"/.well-known/openid-configuration":       openID, // OpenID Connect Discovery 1.0 §4
	} {
		document := server.NewDocument("application/json", object(members), h.MaxAge)
		answer := func(w http.ResponseWriter, r *http.Request, _ *server.Call) error {
			document.Write(w, r)
			return nil
		}
		for _, twin := range []string{path, path + "/{$}"} {
			list = append(list, server.Route{Pattern: "GET " + twin, Guard: server.Public, Handler: answer, Dialect: h.EnergyZero})
		}
	}
	return list
}

// endpoints lists the issuer and the routes that carry a name. Where clients
// authenticate at one, how they do stands beside it.
func (h *Host) endpoints(routes []server.Route) []member {
	list := []member{{"issuer", h.URL}}
	for _, route := range routes {
		if route.Metadata == "" {
			continue
		}
		method, path, _ := strings.Cut(route.Pattern, " ")
		list = append(list, member{route.Metadata, h.URL + strings.TrimSuffix(path, "{$}")})
		switch { // the others' methods are those of the token endpoint (RFC 9126 §5, RFC 8628 §4)
		case method != http.MethodPost:
		case route.Metadata == "token_endpoint", route.Metadata == "revocation_endpoint", route.Metadata == "introspection_endpoint":
			methods := slices.Concat(dialect.ClientMethods, h.Bound.Methods)
			if route.Metadata != "introspection_endpoint" {
				methods = append(methods, "none") // public applications (RFC 7591 §2, RFC 7009 §2.1)
			}
			list = append(list,
				member{route.Metadata + "_auth_methods_supported", methods},
				member{route.Metadata + "_auth_signing_alg_values_supported", assertion.Algorithms()}, // goes with private_key_jwt
			)
		}
	}
	return list
}

// statements lists what introspections can be signed with (RFC 9701 §7).
func (h *Host) statements() []member {
	if h.Statements == nil {
		return nil
	}
	return []member{{"introspection_signing_alg_values_supported", h.Statements.Algorithms()}}
}

// algorithms are those that tokens and statements are signed with.
func (h *Host) algorithms() []string {
	if h.Statements == nil {
		return []string{}
	}
	return h.Statements.Algorithms()
}

func grantNames() []string {
	names := make([]string, len(grants))
	for i, g := range grants {
		names[i] = g.name
	}
	return names
}

// object writes members in their order.
func object(members []member) []byte {
	var b bytes.Buffer
	for i, m := range members {
		if i > 0 {
			b.WriteByte(',')
		} else {
			b.WriteByte('{')
		}
		value, _ := json.Marshal(m.value) // texts, lists of texts and booleans always marshal
		b.WriteString(`"` + m.name + `":`)
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes()
}
