// Package session answers one question: who is at this browser, or this program?
//
// A person logs in with an e-mail address and a password, and the browser gets a
// value that nobody can guess. Only its SHA-256 is kept. A session ends when it
// has not been used for half an hour, twelve hours after the log-in, or with its
// person; every log-in makes a new value, so that a value which somebody else
// has put into the browser is never worth anything.
package session
