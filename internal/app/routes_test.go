package app_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/app"
)

// TestTheTableOfRoutes shows every door of every host with its guard. A new
// line in that file is read by somebody; a route that nobody guards never
// becomes one.
func TestTheTableOfRoutes(t *testing.T) {
	a := open(t, 1, &clock{}, nil)
	hosts, err := a.Tables(app.URLs{Auth: "http://wattgate.test", Customer: "http://wattgate.test", Support: "http://wattgate.test"})
	if err = errors.Join(err, a.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, h := range hosts {
		for _, r := range h.Routes {
			method, path, _ := strings.Cut(r.Pattern, " ")
			lines = append(lines, fmt.Sprintf("%-9s%-7s%-45s%s\n", h.Name, method, path, r.Guard))
			if !r.Guard.Admits() {
				t.Errorf("%s %q: the guard admits nobody: it was forgotten", h.Name, r.Pattern)
			}
			if strings.HasPrefix(r.Guard.String(), "CAN_") && h.Authenticate == nil {
				t.Errorf("%s %q: guarded by %s, on a host that authenticates nobody", h.Name, r.Pattern, r.Guard)
			}
		}
	}
	slices.Sort(lines)
	g := newGolden(t, "")
	g.check(t, "routes.txt", strings.Join(lines, ""))
}
