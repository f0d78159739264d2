package auth

import (
	"bytes"
	"encoding/json"
	"net/http"
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
	all := h.endpoints(routes)
	all = append(all,
		member{"service_documentation", h.URL + "/"},
		member{"scopes_supported", issuance.Scopes()},
		// REQUIRED (RFC 8414 §2), and empty: there is no authorization endpoint.
		// An empty list is to be left out (§3.2), but a required one cannot be.
		member{"response_types_supported", []string{}},
		member{"grant_types_supported", grantNames()},
	)
	// OpenID Connect Discovery 1.0 §3 wants three more. There are no ID tokens, so
	// no algorithm signs one, and the required list is empty: RS256 would be a lie.
	// The subject of a token is the same for every application, hence public.
	// Where request_uri_parameter_supported is missing it means true.
	openID := append(all[:len(all):len(all)],
		member{"subject_types_supported", []string{"public"}},
		member{"id_token_signing_alg_values_supported", []string{}},
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
		if method == http.MethodPost {
			list = append(list,
				member{route.Metadata + "_auth_methods_supported", dialect.ClientMethods},
				member{route.Metadata + "_auth_signing_alg_values_supported", assertion.Algorithms()}, // goes with private_key_jwt
			)
		}
	}
	return list
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
