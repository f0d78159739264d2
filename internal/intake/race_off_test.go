//go:build !race

package intake_test

// detector is whether the race detector watches, under which the database is
// some fifty times slower.
const detector = false
