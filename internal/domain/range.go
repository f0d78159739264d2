package domain

// KnownRange is a range of addresses from which an application has proven who it
// is. Neither can be read from it: the digest is made under a key.
type KnownRange struct {
	Digest [16]byte
	Hour   int64 // since 1970, the last time
}
