//go:build !race

package authorize_test

// raced is how many codes, and how many refresh tokens, are raced for.
const raced = 100
