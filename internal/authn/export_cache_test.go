package authn

// Remembered returns how many verified tokens are in memory.
func (t *Tokens) Remembered() (n int) {
	for i := range t.verified.shards {
		n += len(t.verified.shards[i].tokens)
	}
	return n
}
