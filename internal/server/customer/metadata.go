package customer

import (
	"encoding/json"
	"net/http"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/dpop"
	"github.com/wattgate/wattgate/internal/server"
)

// protectedResource is what this host says of itself to whoever wants a token
// for it (RFC 9728 §2). The scopes are those that any field of the schema asks
// for, the one way to present a token is the header (RFC 6750 §2.1).
type protectedResource struct {
	Resource             string   `json:"resource"` // also what RFC 8707 calls resource
	AuthorizationServers []string `json:"authorization_servers"`
	Scopes               []string `json:"scopes_supported"`
	BearerMethods        []string `json:"bearer_methods_supported"`
	DPoP                 []string `json:"dpop_signing_alg_values_supported"`
	Certificates         bool     `json:"tls_client_certificate_bound_access_tokens,omitempty"`
}

// metadata returns the routes of that document (RFC 9728 §3).
func (h *Host) metadata() ([]server.Route, error) {
	body, err := json.Marshal(protectedResource{
		Resource: h.URL, AuthorizationServers: []string{h.AuthURL}, Scopes: h.api.guard.scopes(), BearerMethods: []string{"header"},
		DPoP: dpop.Algorithms(), Certificates: h.Certificates,
	})
	if err != nil {
		return nil, err
	}
	document := server.NewDocument("application/json", body, h.MaxAge)
	answer := func(w http.ResponseWriter, r *http.Request, _ *server.Call) error {
		document.Write(w, r)
		return nil
	}
	const path = "GET /.well-known/oauth-protected-resource"
	return []server.Route{
		{Pattern: path, Guard: server.Public, Handler: answer, Dialect: server.Plain()},
		{Pattern: path + "/{$}", Guard: server.Public, Handler: answer, Dialect: server.Plain()},
	}, nil
}

// scopes lists the scopes of all permissions that open a field.
func (g guard) scopes() []string {
	var needed domain.Permissions
	for _, r := range g.rules {
		if !r.public {
			needed |= domain.PermissionSet(r.need)
		}
	}
	list := []string{}
	for _, p := range needed.List() {
		list = append(list, p.Scope())
	}
	return list
}
