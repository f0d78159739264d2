package token

import (
	"encoding/json"
	"errors"
	"fmt"
)

// SignStatement returns a JWS (RFC 7515 §3.1) of the active key that is no
// access token: its typ says what it is, for example token-introspection+jwt
// (RFC 9701 §5), and no reader of tokens takes it for one (RFC 8725 §3.11),
// least of all [Ring.Verify]. The claims are a JSON object.
func (r *Ring) SignStatement(typ string, claims []byte) (string, error) {
	if typ == "" || typ == Type || typ == "JWT" { // which would be a token
		return "", fmt.Errorf("%w: a statement has a type of its own", ErrClaims)
	}
	if len(claims) == 0 || claims[0] != '{' || !json.Valid(claims) {
		return "", fmt.Errorf("%w: a statement is a JSON object", ErrClaims)
	}
	return r.signObject(typ, claims)
}

// signObject signs a JSON object with the active key under a type.
func (r *Ring) signObject(typ string, claims []byte) (string, error) {
	k := r.keys.Load().active
	header, err := json.Marshal(struct {
		Algorithm Algorithm `json:"alg"`
		ID        string    `json:"kid"`
		Type      string    `json:"typ"`
	}{k.algorithm, k.id, typ})
	if err != nil {
		return "", err
	}
	s, _ := r.scratches.Get().(*scratch)
	defer r.scratches.Put(s)
	text := make([]byte, 0, encoding.EncodedLen(len(header))+encoding.EncodedLen(len(claims))+encoding.EncodedLen(k.signatureLength())+2)
	text = append(encoding.AppendEncode(text, header), '.')
	text = encoding.AppendEncode(text, claims)
	signature, err := k.sign(text, s)
	if err != nil {
		return "", errors.Join(errors.New("token: sign a statement"), err)
	}
	return string(encoding.AppendEncode(append(text, '.'), signature)), nil
}

// Algorithms returns the algorithms of the keys that sign now or will: what
// somebody who reads our signatures has to be able to do.
func (r *Ring) Algorithms() []string {
	set := r.keys.Load()
	names := []string{string(set.active.algorithm)}
	for _, k := range set.stored {
		if k.State == Published && string(k.Algorithm) != names[0] && len(names) == 1 {
			names = append(names, string(k.Algorithm))
		}
	}
	return names
}
