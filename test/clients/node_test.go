package clients

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"testing"

	"github.com/wattgate/wattgate/test/demo"
)

// tap is node's report of tests that all ran and passed.
var tap = regexp.MustCompile(`(?m)^# pass (\d+)\n# fail 0\n# cancelled 0\n# skipped 0\n# todo 0$`)

// npm's oauth4webapi and openid-client, at the versions of package-lock.json.
func TestNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node")
	}
	for _, test := range []struct{ library, algorithm string }{
		{"oauth4webapi", "ES256"}, {"oauth4webapi", "EdDSA"}, {"oauth4webapi", "RS256"}, {"openid-client", "ES256"}, {"openid-client", "EdDSA"},
	} {
		t.Run(test.library+" "+test.algorithm, func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat("node_modules/" + test.library); err != nil {
				missing(t, "the npm package "+test.library+" (make clients installs it)")
			}
			s := demo.Start(t, "--token-alg", test.algorithm)
			cmd := exec.CommandContext(t.Context(), node, "--test", "--test-reporter=tap", "node/"+test.library+".test.mjs")
			cmd.Env = s.Environ(slices.Concat(keyed(t, s, test.algorithm), consented(t, s), []string{"TOKEN_ALG=" + test.algorithm})...)
			report(t, cmd, tap)
		})
	}
}
