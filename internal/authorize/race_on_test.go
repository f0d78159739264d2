//go:build race

package authorize_test

// raced is how many codes, and how many refresh tokens, are raced for: the
// detector makes the database some fifty times slower.
const raced = 5
