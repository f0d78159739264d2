//go:build !race

package main

// detector is whether the race detector watches, under which the program is many
// times slower.
const detector = false
