package customer

// Kinds are the types of all errors, by their numbers.
func Kinds() map[string]string {
	kinds := make(map[string]string, len(codes))
	for _, c := range codes {
		kinds[c.number] = c.kind
	}
	return kinds
}
