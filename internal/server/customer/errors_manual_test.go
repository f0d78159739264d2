package customer_test

import (
	"maps"
	"os"
	"regexp"
	"testing"

	"github.com/wattgate/wattgate/internal/server/customer"
)

// TestTheManualKnowsEveryError: each code has a row of its own in the manual's
// table, with its type, a cause and a cure, and there are no others.
func TestTheManualKnowsEveryError(t *testing.T) {
	manual, err := os.ReadFile("../../../docs/manual/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(KT-CT-[0-9]+)` \\| `([A-Z_]+)` \\| .+ \\| .+ \\|$").FindAllSubmatch(manual, -1) {
		number := string(row[1])
		if _, twice := got[number]; twice {
			t.Errorf("%s has two rows", number)
		}
		got[number] = string(row[2])
	}
	want := customer.Kinds()
	for number, kind := range want {
		if got[number] != kind {
			t.Errorf("%s: got the type %q in the manual, want %q", number, got[number], kind)
		}
	}
	maps.DeleteFunc(got, func(number, _ string) bool { _, known := want[number]; return known })
	for number := range got {
		t.Errorf("the manual has %s, which the API does not", number)
	}
}
