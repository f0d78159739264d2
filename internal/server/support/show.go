package support

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
)

//go:embed pages
var files embed.FS

// templates are the pages, each around the same frame.
var templates = func() map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, name := range []string{"login", "consent", "device", "done"} {
		all[name] = template.Must(template.ParseFS(files, "pages/frame.html", "pages/"+name+".html"))
	}
	return all
}()

// stylePath is where the style sheet of these pages is.
const stylePath = "/login/style.css"

var style = func() server.Document {
	text, err := files.ReadFile("pages/style.css")
	if err != nil {
		panic(err) // it is embedded
	}
	return server.NewDocument("text/css; charset=utf-8", text, time.Hour)
}()

func (h *Host) style(w http.ResponseWriter, r *http.Request, _ *server.Call) error {
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	style.Write(w, r)
	return nil
}

// show renders a page whose forms may lead to ourselves and, after them, to the
// application: browsers hold form-action against every redirect that follows.
func (h *Host) show(w http.ResponseWriter, status int, name, redirect string, data map[string]any) error {
	data["Style"] = stylePath
	var b bytes.Buffer
	if err := templates[name].ExecuteTemplate(&b, "frame.html", data); err != nil {
		return err
	}
	forms := "'self'"
	if source := source(redirect); source != "" {
		forms += " " + source
	}
	server.Page{Status: status, HTML: b.Bytes(), Styled: true, Forms: forms}.Write(w)
	return nil
}

// source is the origin of a redirect URI in the words of
// Content-Security-Policy: scheme and host, or the scheme alone of an
// application's own (RFC 8252 §7.1). What could be more than that is none.
func source(redirect string) string {
	u, err := url.Parse(redirect)
	if err != nil || u.Scheme == "" {
		return ""
	}
	s := u.Scheme + ":"
	if u.Scheme == "https" || u.Scheme == "http" {
		s += "//" + u.Host
	}
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:/-_[]+") != "" {
		return ""
	}
	return s
}

// returns is where the person will be afterwards, as people read it.
func returns(redirect string) string {
	u, err := url.Parse(redirect)
	if err != nil {
		return ""
	}
	return u.Host
}

// partner is what the application's partner is called.
func (h *Host) partner(ctx context.Context, id domain.PartnerID) (string, error) {
	list, err := h.Partners.Partners(ctx)
	if err != nil {
		return "", err
	}
	for _, p := range list {
		if p.ID == id {
			return p.Name, nil
		}
	}
	return "", &domain.Error{Kind: domain.Internal, Public: "the application's partner is gone"}
}
