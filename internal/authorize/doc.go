// Package authorize answers one question: what has a person allowed an
// application?
//
// An application asks (RFC 6749 §4.1.1, directly or pushed ahead, RFC 9126; a
// device without a browser by RFC 8628). The question waits under a one-time
// challenge while its person logs in and decides. The decision becomes a consent,
// which says which supply points may be read, how finely, from when and until
// when; and a code, which becomes tokens once. Refresh tokens form a family that
// dies as a whole when one of them is used twice (RFC 9700 §4.14).
//
// Codes, challenges, refresh tokens and device codes are kept as digests only.
package authorize
