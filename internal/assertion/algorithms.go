package assertion

// Algorithms lists the names of the algorithms that an assertion may have
// (RFC 7518 §3.1), for the metadata.
func Algorithms() []string {
	list := make([]string, len(algorithms))
	for i, a := range algorithms {
		list[i] = string(a)
	}
	return list
}
