package customer_test

import (
	"slices"
	"testing"

	"github.com/wattgate/wattgate/internal/server/customer"
)

func FuzzShortCursor(f *testing.F) {
	keys := []string{"", "NLD_ELECTRICITY\x008716", "NLD_GAS\x00", "key:", "\xff"}
	slices.Sort(keys)
	one := 1
	for after := (*string)(nil); ; {
		shown, _, end, err := customer.PageOf(keys, nil, after, &one, nil)
		if err != nil {
			f.Fatal(err)
		}
		if len(shown) == 0 {
			break
		}
		f.Add(end)
		after = &end
	}
	for _, text := range []string{"YXJyYXljb25uZWN0aW9uOjA=", "YXJyYXljb25uZWN0aW9uOi0x", "YXJyYXljb25uZWN0aW9uOjk5OTk5OTk5OTk5OTk5OTk5OTk5", "!", "a2V5Og"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		after, _, end, err := customer.PageOf(keys, nil, &cursor, nil, nil)
		before, start, _, err2 := customer.PageOf(keys, &cursor, nil, nil, nil)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("cursor %q is one for after (%v) and not for before (%v), or the other way round", cursor, err, err2)
		}
		if err != nil || cursor == "" {
			return
		}
		// Before and after a place is everything, but what stands there.
		if n := len(before) + len(after); n < len(keys)-1 || n > len(keys) || !slices.IsSorted(append(slices.Clone(before), after...)) {
			t.Fatalf("cursor %q: %q before, %q after, of %q", cursor, before, after, keys)
		}
		if len(after) > 0 && end == "" || len(before) > 0 && start == "" {
			t.Fatalf("cursor %q: pages without cursors of their own", cursor)
		}
	})
}
