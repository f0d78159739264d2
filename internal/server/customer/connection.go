package customer

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/usage"
)

// mostListed is how many nodes a page of a short connection may hold, and how many
// it holds where neither first nor last is given.
const mostListed = 100

// stretch says which page of a short connection is asked for.
type stretch struct {
	before, after *string
	first, last   *int
}

// page cuts a page out of a list that is in the order of its keys.
func page[T any](list []T, key func(T) string, p stretch) ([]T, *graph.PageInfo, error) {
	n, name := mostListed, "first"
	switch {
	case p.first != nil && p.last != nil:
		return nil, nil, wrong("last", "first and last exclude each other")
	case p.first != nil:
		n = *p.first
	case p.last != nil:
		n, name = *p.last, "last"
	}
	if n < 0 || n > mostListed {
		return nil, nil, wrong(name, "%s is %d: want 0 to %d", name, n, mostListed)
	}
	from, to := 0, len(list)
	for _, c := range []struct {
		argument string
		cursor   *string
	}{{"after", p.after}, {"before", p.before}} {
		if text(c.cursor) == "" {
			continue
		}
		at, found, ok := seek(list, key, *c.cursor)
		switch {
		case !ok:
			return nil, nil, wrong(c.argument, "%s is not a cursor of this list", c.argument)
		case c.argument == "before":
			to = min(to, at)
		case found:
			from = at + 1
		default:
			from = at
		}
	}
	to = max(from, to)
	if p.last != nil {
		from = max(from, to-n)
	} else {
		to = min(to, from+n)
	}
	shown := list[from:to]
	info := &graph.PageInfo{HasNextPage: to < len(list), HasPreviousPage: from > 0}
	if len(shown) > 0 {
		start, end := place64(key(shown[0])), place64(key(shown[len(shown)-1]))
		info.StartCursor, info.EndCursor = &start, &end
	}
	return shown, info, nil
}

// seek finds where in a list a cursor points to, or would if it were still there.
func seek[T any](list []T, key func(T) string, cursor string) (at int, found, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(cursor, "="))
	if err != nil {
		return 0, false, false
	}
	if digits, old := strings.CutPrefix(string(b), "arrayconnection:"); old {
		n, err := strconv.Atoi(digits)
		return min(n, len(list)), n < len(list), err == nil && n >= 0
	}
	want, ok := strings.CutPrefix(string(b), cursorMark)
	at, found = slices.BinarySearchFunc(list, want, func(v T, want string) int { return strings.Compare(key(v), want) })
	return at, found, ok
}

// cursorMark is what the cursors of short connections begin with.
const cursorMark = "key:"

// place64 returns the place of a key as an opaque text.
func place64(key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(cursorMark + key))
}

// wrong is about an argument that means nothing.
func wrong(argument, format string, args ...any) error {
	return &domain.Error{Kind: domain.Invalid, Public: fmt.Sprintf(format, args...), Err: usage.Argument(argument)}
}
