// Package jose answers one question: do others read our signatures as we do?
//
// It is a module of its own, so that what it tests with never comes near the
// server: three JOSE libraries read the tokens of a real server, and Project
// Wycheproof's vectors are held against our own verifiers.
package jose
