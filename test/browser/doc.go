// Package browser answers one question: do the pages work in a real browser?
//
// It drives Debian's chromium over its debugging protocol against the built
// program, as somebody at the keyboard would. It is a module of its own, so that
// nothing of it comes near the server.
package browser
