//go:build race

package secret_test

// raced says that the race detector is on. A sync.Pool drops things at random
// then, so that allocations cannot be counted.
const raced = true
