// Package storetest answers one question: does an engine keep its promises?
//
// [Run] holds what every engine must pass. In each group the first test is
// whether partners are kept apart.
package storetest

import (
	"testing"

	"github.com/wattgate/wattgate/internal/store"
)

// A promise is one test of an engine, in a world of its own.
type promise struct {
	sentence string
	holds    func(*testing.T, *world)
}

// Run tests an engine. open returns a new and empty one, and sees to its end.
func Run(t *testing.T, open func(t *testing.T) store.Engine) {
	for _, group := range []struct {
		name     string
		promises []promise
	}{
		{"users", users},
		{"accounts", accounts},
		{"properties", properties},
		{"occupancies", occupancies},
		{"supplied", supplied},
		{"applications", applications},
		{"secrets", secrets},
		{"documents", documents},
		{"directory", directory},
		{"intake", intakes},
		{"days", days},
		{"indices", indices},
		{"seals", seals},
		{"audit", audits},
		{"keys", keys},
		{"revocations", revocations},
		{"assertions", assertions},
		{"disabling", disablings},
		{"marks", marks},
		{"own uses", ownUses},
		{"hours of use", hoursOfUse},
		{"known ranges", knownRanges},
		{"sessions", sessions},
		{"logins", logins},
		{"staff", staff},
		{"consented", consented},
		{"readers", readers},
		{"authorizations", authorizations},
		{"families", families},
		{"devices", devices},
		{"web hooks", webhooks},
		{"life", life},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, p := range group.promises {
				t.Run(p.sentence, func(t *testing.T) { p.holds(t, newWorld(t, open(t))) })
			}
		})
	}
}
