// Package audit answers one question: who did what to what, and has anybody touched the answer since?
//
// Every act leaves an entry ([domain.Entry]). Entries are the leaves of a Merkle
// tree (RFC 6962 §2.1) whose hashes are stored with them, in the transaction of
// the act. The root is signed now and then, as a [Checkpoint], and put where
// whoever can write to the database cannot: [Verify] reproduces the tree from
// the entries and holds it against the stored hashes and against the
// checkpoints. Addresses of people never enter the log; a keyed pseudonym does
// ([Pseudonyms]).
package audit
