package clients

import (
	"testing"

	"github.com/wattgate/wattgate/test/demo"
)

// npm's graphql-http: its audits of GraphQL over HTTP, by nobody and by somebody.
func TestGraphQLOverHTTP(t *testing.T) {
	s := demo.Start(t)
	for _, who := range []string{"nobody", "somebody"} {
		t.Run(who, func(t *testing.T) { runNode(t, s, "graphql-http", "audits", "AUDITED_AS="+who) })
	}
}

// npm's graphql, the reference implementation: our schema as it is introspected
// and as it is published.
func TestGraphQLSchema(t *testing.T) { runNode(t, demo.Start(t), "graphql", "schema") }

// npm's graphql-ws: subscriptions.
func TestGraphQLOverWebSocket(t *testing.T) {
	s := demo.Start(t)
	id, secret := s.Application(t, "--name", "Metering", "--role", "METERING_INTEGRATION", "--audience", "measurements")
	runNode(t, s, "graphql-ws", "graphql-ws", "METERING_CLIENT_ID="+id, "METERING_CLIENT_SECRET="+secret)
}
