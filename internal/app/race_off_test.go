//go:build !race

package app_test

// detector is whether the race detector watches, under which the database is
// some fifty times slower and pools forget.
const detector = false
