package clients

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/test/demo"
)

func TestMain(m *testing.M) { os.Exit(demo.Main(m)) }

// missing is said where a program is not on this machine: a skip with a
// sentence, and a failure where nothing may be skipped.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing, and with CI=true nothing is skipped", what)
	}
	t.Skipf("%s is missing", what)
}

// query asks the GraphQL API with whatever a client makes of its token, and
// demands an answer with the given text.
func query(t *testing.T, c *http.Client, s *demo.Server, q, want string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": q})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.Env["WATTGATE_GRAPHQL_URL"], bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || !strings.Contains(string(text), want) {
		t.Errorf("%s: got %s and %v, want %s", q, text, err, want)
	}
}

func property(s *demo.Server) string {
	return `{ property(id: "` + s.Env["PROPERTY_ID"] + `") { id } }`
}
