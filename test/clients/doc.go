// Package clients answers one question: can other people's clients talk to us?
//
// It is a module of its own: clients in Go, Python and JavaScript that have
// never heard of Wattgate run against the real server. Where one of them needs
// a line that its own documents do not have, that line is a finding.
package clients
