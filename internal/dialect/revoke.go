package dialect

import "net/http"

// About is what is asked about one token, to revoke it (RFC 7009 §2.1) or to
// look into it (RFC 7662 §2.1). token_type_hint is read and not needed: a token
// tells by itself what it is.
type About struct {
	Token  string
	Client Credentials
}

// ReadAbout reads the form of both endpoints. The token stands in the body
// only: in the query it is refused.
func ReadAbout(r *http.Request) (*About, error) {
	f, err := ReadForm(r)
	if err != nil {
		return nil, err
	}
	about := &About{Token: f.Get("token")}
	if about.Token == "" {
		return nil, refused("the parameter token is missing")
	}
	about.Client, err = credentials(r.Header["Authorization"], f)
	if err != nil {
		return nil, err
	}
	return about, nil
}

// WriteRevoked answers a revocation: 200 and nothing else, whatever the token
// was (RFC 7009 §2.2).
func WriteRevoked(w http.ResponseWriter) {
	private(w.Header())
	delete(w.Header(), "Content-Type")
	send(w, http.StatusOK, nil)
}
