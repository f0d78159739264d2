// Package authn answers one question: who is asking?
package authn
