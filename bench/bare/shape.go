package bare

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Shape is what an answer of a token endpoint looks like: what is signed, and
// what stands around the token.
type Shape struct {
	Algorithm     string // EdDSA or ES256
	Header        string // the JOSE header, as JSON
	Claims        string // the claims, as JSON
	Before, After string // the body around the access token
	Head          http.Header
	Authorization bool // the head carries the token too (E15)
	Get           bool // asked by GET with a user_id, as an impersonation is (E17)
}

// Learn takes the shape from an answer that a server has given.
func Learn(head http.Header, body []byte) (Shape, error) {
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return Shape{}, fmt.Errorf("bare: answer is no JSON object: %w", err)
	}
	parts := strings.Split(answer.Token, ".")
	if len(parts) != 3 {
		return Shape{}, fmt.Errorf("bare: got an access_token of %d parts, want 3", len(parts))
	}
	header, err := encoding.DecodeString(parts[0])
	if err != nil {
		return Shape{}, fmt.Errorf("bare: token's header: %w", err)
	}
	claims, err := encoding.DecodeString(parts[1])
	if err != nil {
		return Shape{}, fmt.Errorf("bare: token's claims: %w", err)
	}
	var named struct {
		Algorithm string `json:"alg"`
	}
	if err := json.Unmarshal(header, &named); err != nil {
		return Shape{}, fmt.Errorf("bare: token's header: %w", err)
	}
	before, after, ok := bytes.Cut(body, []byte(answer.Token))
	if !ok {
		return Shape{}, errors.New("bare: the token stands in the body with escapes")
	}
	shape := Shape{
		Algorithm: named.Algorithm, Header: string(header), Claims: string(claims),
		Before: string(before), After: string(after), Head: http.Header{},
	}
	for name, values := range head {
		switch name {
		case "Authorization":
			shape.Authorization = slices.Contains(values, "Bearer "+answer.Token)
		case "Date", "Content-Length", "Connection", "Transfer-Encoding": // net/http writes these itself
		default:
			shape.Head[name] = values
		}
	}
	return shape, nil
}

// Usual is the shape that the documents describe (E13 to E16), for when there
// is no server to learn it from.
func Usual(algorithm string) Shape {
	return Shape{
		Algorithm: algorithm,
		Header:    `{"alg":"` + algorithm + `","kid":"0123456789abcdef0123456789abcdef","typ":"at+jwt"}`,
		Claims: `{"iss":"https://auth.example.test","sub":"app_01hzy3v7q6r9m2k8w4t5x1c0de",` +
			`"aud":["auth","customer","measurements"],"client_id":"app_01hzy3v7q6r9m2k8w4t5x1c0de",` +
			`"partner":"prt_01hzy3v7q6r9m2k8w4t5x1c0de","scp":["openid","offline"],"scope":"openid offline",` +
			`"perm":["CAN_IMPERSONATE","CAN_MANAGE_CUSTOMERS","CAN_MANAGE_WEBHOOKS","CAN_QUERY_PROPERTY",` +
			`"CAN_VIEW_DETAILED_USAGE","CAN_VIEW_PERSONAL_DATA"],"iat":1750000000,"nbf":1750000000,` +
			`"exp":1750000300,"jti":"0123456789abcdef012345"}`,
		Before: `{"access_token":"`,
		After:  `","expires_in":299,"scope":"openid offline","token_type":"bearer"}`,
		Head: http.Header{
			"Cache-Control": {"no-store"}, "Pragma": {"no-cache"},
			"Content-Type": {"application/json;charset=UTF-8"}, "X-Request-Id": {"0123456789abcdef0123456789"},
		},
		Authorization: true,
	}
}
