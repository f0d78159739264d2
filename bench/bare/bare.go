// Package bare answers one question: what could a server with none of our code
// do on this machine?
//
// Plain is the least that any token endpoint on net/http has to do. Signing is
// that and the signature, over the same bytes, in an answer of the same shape.
// Appending is the least that a page of readings takes: the same bytes, appended
// from memory. They are the yardsticks of the speed figures, so they are written
// as straightforwardly as they can be without wasting anything on purpose.
package bare

import (
	"net/http"
	"strconv"
	"strings"
)

// formLimit bounds a request's body, as the real endpoint does.
const formLimit = 64 << 10

// named reads the query and reports whether it names a user.
func named(w http.ResponseWriter, r *http.Request) bool {
	if r.ParseForm() != nil || r.Form.Get("user_id") == "" {
		http.Error(w, "want user_id", http.StatusBadRequest)
		return false
	}
	return true
}

// parse reads the form and reports whether it asks for client credentials.
func parse(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, formLimit)
	if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") != "client_credentials" {
		http.Error(w, "want grant_type=client_credentials", http.StatusBadRequest)
		return false
	}
	return true
}

// Plain answers every form with the same 1,024 bytes of JSON.
func Plain() http.Handler {
	const before, after = `{"access_token":"`, `"}`
	fill := strings.Repeat("a", 1024-len(before)-len(after)-len("e30.."))
	body := []byte(before + "e30." + fill + "." + after)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !parse(w, r) {
			return
		}
		w.Header()["Content-Type"] = []string{"application/json"}
		w.Write(body) //nolint:errcheck // a caller that has left needs no answer
	})
}

// Signing signs the claims of the shape for every request and answers as the
// shape says.
func Signing(shape Shape) (http.Handler, error) {
	sign, err := newSigner(shape.Algorithm)
	if err != nil {
		return nil, err
	}
	read := parse
	if shape.Get {
		read = named
	}
	header := encoding.EncodeToString([]byte(shape.Header)) + "."
	claims := []byte(shape.Claims)
	signed := len(header) + encoding.EncodedLen(len(claims))
	length := len(shape.Before) + signed + 1 + encoding.EncodedLen(signatureSize) + len(shape.After)
	lengthText := []string{strconv.Itoa(length)}

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !read(w, r) {
			return
		}
		body := make([]byte, 0, length)
		body = append(body, shape.Before...)
		token := len(body)
		body = append(body, header...)
		body = encoding.AppendEncode(body, claims)
		signature, err := sign(body[token:])
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		body = append(body, '.')
		body = encoding.AppendEncode(body, signature[:])
		end := len(body)
		body = append(body, shape.After...)

		head := w.Header()
		for name, values := range shape.Head {
			head[name] = values
		}
		if shape.Authorization {
			head["Authorization"] = []string{"Bearer " + string(body[token:end])}
		}
		head["Content-Length"] = lengthText
		w.Write(body) //nolint:errcheck // a caller that has left needs no answer
	}), nil
}
