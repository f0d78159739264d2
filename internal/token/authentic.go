package token

import "fmt"

// Authentic returns what a token says if a key of the ring signed it, whatever
// its time: it may have expired, or be from a future that a wrong clock made.
// It opens nothing; it is for who ends a token.
func (r *Ring) Authentic(raw string) (Claims, error) {
	c, err := r.authentic(raw)
	if err != nil {
		return Claims{}, err
	}
	if why := c.problem(); why != "" {
		return Claims{}, fmt.Errorf("%w: %s", ErrMalformed, why)
	}
	return c, nil
}
