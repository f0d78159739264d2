package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"
	"testing"
)

// highS reports whether a signature is the one of an ECDSA signature's two
// texts that we do not write, and therefore do not read (RFC 8725 §3 has no
// word on it; one token shall have one text).
func highS(public crypto.PublicKey, signature []byte) bool {
	p, ok := public.(*ecdsa.PublicKey)
	if !ok || p.Curve != elliptic.P256() || len(signature) != 64 {
		return false
	}
	s := new(big.Int).SetBytes(signature[32:])
	return s.Cmp(new(big.Int).Rsh(p.Curve.Params().N, 1)) > 0
}

// tally counts how a verifier met the vectors of a file.
type tally struct {
	accepted, refused int // as it should be
	wrong             int // accepts and refusals; each is an error
	foreign           int // valid ones of algorithms or keys that are not ours, refused
	acceptable        int // those that the vectors leave to the verifier, refused
	high              int // valid ones that we refuse for their higher s
}

func (c tally) log(t *testing.T, name string) {
	t.Helper()
	t.Logf("counted: %s: %d accepted, %d refused, %d wrong", name, c.accepted, c.refused, c.wrong)
	for why, n := range map[string]int{
		"of an algorithm or a key that is not ours, refused":                                            c.foreign,
		"left to the verifier by the vectors, refused":                                                  c.acceptable,
		"valid and refused: of the two signatures (r, s) and (r, n-s) we write and read only the lower": c.high,
	} {
		if n > 0 {
			t.Logf("counted: %s: %d %s", name, n, why)
		}
	}
	if c.accepted == 0 || c.refused == 0 {
		t.Errorf("%s: the vectors prove nothing: none accepted, or none refused", name)
	}
}

// meet compares what a verifier said of a vector with what it should have
// said. Ours says whether algorithm and key are such that we issue or accept.
func (c *tally) meet(t *testing.T, v vector, ours bool, err error) {
	t.Helper()
	switch {
	case err == nil && v.Result == "valid" && ours:
		c.accepted++
	case err == nil:
		c.wrong++
		t.Errorf("%d (%s, %s, %v): accepted", v.ID, v.Comment, v.Result, v.Flags)
	case v.Result == "acceptable":
		c.acceptable++
	case v.Result == "invalid":
		c.refused++
	case !ours:
		c.foreign++
	default:
		c.wrong++
		t.Errorf("%d (%s): refused: %v", v.ID, v.Comment, err)
	}
}
