package clients

import (
	"os/exec"
	"regexp"
	"slices"
	"testing"

	"github.com/wattgate/wattgate/test/demo"
)

// debianPython is Debian's own interpreter: its packages are those that the
// libraries come with, whatever other Python a machine has.
const debianPython = "/usr/bin/python3"

// Debian's python3-authlib and python3-requests-oauthlib.
func TestPython(t *testing.T) {
	for module, library := range map[string]string{"authlib_client": "authlib", "requests_oauthlib_client": "requests_oauthlib"} {
		t.Run(library, func(t *testing.T) {
			t.Parallel()
			if err := exec.CommandContext(t.Context(), debianPython, "-c", "import "+library).Run(); err != nil {
				missing(t, "Debian's python3-"+library)
			}
			s := demo.Start(t)
			cmd := exec.CommandContext(t.Context(), debianPython, "-B", "-m", "unittest", "-v", module)
			cmd.Dir = "python"
			cmd.Env = s.Environ(slices.Concat(keyed(t, s, "ES256"), consented(t, s), []string{"AUTHLIB_INSECURE_TRANSPORT=1", "OAUTHLIB_INSECURE_TRANSPORT=1"})...)
			report(t, cmd, unittest)
		})
	}
}

// report runs a library's own tests and demands that they all ran.
func report(t *testing.T, cmd *exec.Cmd, passed *regexp.Regexp) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	ran := passed.FindSubmatch(out)
	if err != nil || ran == nil || string(ran[1]) == "0" {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("counted: %s: %s tests passed", t.Name(), ran[1])
}
