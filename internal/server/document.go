package server

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Document is an answer that is the same for everybody, and that caches may
// keep.
type Document struct {
	Type   string // Content-Type
	Body   []byte
	ETag   string        // quotes included
	MaxAge time.Duration // how long a cache may keep it without asking
}

// NewDocument returns a document whose entity tag follows from its bytes.
func NewDocument(contentType string, body []byte, maxAge time.Duration) Document {
	sum := sha256.Sum256(body)
	return Document{Type: contentType, Body: body, ETag: `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`, MaxAge: maxAge}
}

// Write sends the document, or 304 to who has it already (RFC 9110 §13.1.2).
func (d Document) Write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(d.MaxAge/time.Second)))
	h.Set("ETag", d.ETag)
	if known(r.Header["If-None-Match"], d.ETag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	WriteBody(w, http.StatusOK, d.Type, d.Body)
}

// Has reports whether the client says that it has what an entity tag, given with
// its quotes, names (RFC 9110 §13.1.2).
func Has(r *http.Request, etag string) bool { return known(r.Header["If-None-Match"], etag) }

// known reports whether an entity tag is in the lists of If-None-Match, by the
// weak comparison (RFC 9110 §8.8.3.2). What is no list ends the search: then the
// whole document is sent, which is never wrong.
func known(lists []string, etag string) bool {
	for _, rest := range lists {
		if strings.Trim(rest, " \t") == "*" {
			return true
		}
		for rest = strings.TrimLeft(rest, " \t,"); rest != ""; rest = strings.TrimLeft(rest, " \t,") {
			rest = strings.TrimPrefix(rest, "W/")
			if rest == "" || rest[0] != '"' {
				break
			}
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				break
			}
			if rest[:end+2] == etag {
				return true
			}
			rest = rest[end+2:]
			if rest != "" && !strings.ContainsAny(rest[:1], " \t,") {
				break
			}
		}
	}
	return false
}
