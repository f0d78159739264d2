// Package app answers one question: who gets whom?
//
// It reads the configuration, builds the rooms from below and wires them, and
// owns their beginning and their end. Time, chance and the environment enter
// here and nowhere below.
package app
