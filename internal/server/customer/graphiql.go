package customer

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
)

// graphiql is the query page (K20): GraphiQL, and a button that gets a token. It
// reads no cookie and sets none; the browser sends the API what stands in its
// headers tab.
type graphiql struct {
	page   []byte // nil: nobody has built it
	tag    string // its entity tag
	policy string // what it may load and ask
	assets fs.FS  // what it names, packed
}

// queryPage puts the built page together. Without one, in a program that was
// built where there is no Node, there is a page that says so.
func (h *Host) queryPage() (*graphiql, error) {
	none := &graphiql{policy: pagePolicy("")}
	if h.Web == nil {
		return none, nil
	}
	text, err := fs.ReadFile(h.Web, "index.html")
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return nil, err
	}
	// Where the token endpoint is on another origin it answers no script from here
	// (CORS is off on it), so that the page says how to ask instead of asking. The
	// GraphQL API is always of the page's own origin.
	page := strings.NewReplacer(
		"%GRAPHQL%", "/v1/graphql/", "%AUTH%", html.EscapeString(h.AuthURL),
		"%AWAY%", strconv.FormatBool(h.AuthURL != h.URL), "%ENVIRONMENT%", html.EscapeString(h.Environment),
	).Replace(string(text))
	assets, err := fs.Sub(h.Web, "assets")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(page))
	socket := "ws" + strings.TrimPrefix(h.URL, "http")
	return &graphiql{page: []byte(page), policy: pagePolicy(socket), tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`, assets: assets}, nil
}

// routes returns the page's table of contents.
func (g *graphiql) routes() []server.Route {
	plain := server.Plain()
	return []server.Route{
		{Pattern: "GET /graphiql", Guard: server.Public, Handler: g.moved, Dialect: plain},
		{Pattern: "GET /graphiql/{$}", Guard: server.Public, Handler: g.show, Dialect: plain},
		{Pattern: "GET /graphiql/assets/{file}", Guard: server.Public, Handler: g.asset, Dialect: plain},
	}
}

// moved sends a browser to the same page with a slash; the query string stays here.
func (g *graphiql) moved(w http.ResponseWriter, r *http.Request, _ *server.Call) error {
	w.Header().Set("Location", "/graphiql/")
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// pagePolicy lets the page run its own script and ask its own origin, and nothing
// else: no script, style, font, picture or answer of anybody else's, and none
// that was written into the page. The pictures as data are its icon and those of
// its style sheet. socket is its own origin once more, for subscriptions: not to
// every browser is a WebSocket there 'self'.
func pagePolicy(socket string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; connect-src " + strings.TrimSpace("'self' "+socket) + "; img-src 'self' data:; font-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// show sends the page. It names its files by their content, so that they can be
// kept for good and the page itself must be asked for.
func (g *graphiql) show(w http.ResponseWriter, r *http.Request, _ *server.Call) error {
	h := w.Header()
	h.Set("Content-Security-Policy", g.policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
	h.Set("X-Frame-Options", "DENY") // for browsers from before frame-ancestors
	h.Set("Cache-Control", "no-cache")
	if g.page == nil {
		server.WriteBody(w, http.StatusNotFound, "text/html; charset=utf-8", []byte(unbuilt))
		return nil
	}
	h.Set("ETag", g.tag)
	if server.Has(r, g.tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	server.WriteBody(w, http.StatusOK, "text/html; charset=utf-8", g.page)
	return nil
}

const unbuilt = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>GraphiQL is not in this program</title>
<h1>GraphiQL is not in this program</h1>
<p>The query page is put together by Node, and this program was built without it. On a machine with Node and npm,
<code>make web build</code> builds both. The API is here all the same: send queries with <code>POST</code> to
<code>/v1/graphql/</code>.
</html>
`

// assetTypes are the kinds of files that the page has.
var assetTypes = map[string]string{
	".js":  "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".txt": "text/plain; charset=utf-8",
}

// asset sends one file of the page as it is kept, packed, and unpacks it for
// whoever does not read that.
func (g *graphiql) asset(w http.ResponseWriter, r *http.Request, _ *server.Call) (err error) {
	name := r.PathValue("file")
	kind, known := assetTypes[path.Ext(name)]
	if g.page == nil || !known {
		return errNoFile
	}
	packed, err := g.assets.Open(name + ".gz")
	if err != nil {
		return errNoFile // a name out of place is none either
	}
	defer func() { err = errors.Join(err, packed.Close()) }()
	about, err := packed.Stat()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Vary", "Accept-Encoding")
	body := io.Reader(packed)
	if unpacks(r.Header["Accept-Encoding"]) {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.FormatInt(about.Size(), 10))
	} else if body, err = gzip.NewReader(packed); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, body) // nobody is left to tell
	}
	return nil
}

var errNoFile = &domain.Error{Kind: domain.NotFound, Public: "there is nothing at this path"}

// unpacks reports whether a client reads gzip (RFC 9110 §12.5.3): it says so, or
// that it reads everything, and not with a weight of zero.
func unpacks(lists []string) bool {
	rest := false
	for _, list := range lists {
		for offer := range strings.SplitSeq(list, ",") {
			coding, parameters, _ := strings.Cut(strings.TrimSpace(offer), ";")
			name, weight, _ := strings.Cut(strings.ReplaceAll(parameters, " ", ""), "=")
			wanted := true
			if strings.EqualFold(name, "q") {
				q, err := strconv.ParseFloat(weight, 64)
				wanted = err == nil && q > 0
			}
			switch coding = strings.TrimSpace(coding); {
			case strings.EqualFold(coding, "gzip"), strings.EqualFold(coding, "x-gzip"):
				return wanted
			case coding == "*":
				rest = wanted
			}
		}
	}
	return rest
}
