//go:build race

package customer_test

// detector is whether the race detector watches, under which a query is
// some twenty times slower.
const detector = true
