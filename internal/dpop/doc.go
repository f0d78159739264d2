// Package dpop answers one question: who signed this request?
//
// A client that has a key of its own sends with each request a proof: a JWT over
// the request's method and URL, signed with that key, which the header brings
// along (RFC 9449). A token that is bound to the key is worth nothing to whoever
// finds it. A proof is good once, for some minutes, and only with a nonce that
// this server gave out.
package dpop
