package support

import (
	"bytes"
	"context"
	_ "embed" // the style sheet
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
)

// stylePath is where the style sheet of these pages is.
const stylePath = "/login/style.css"

//go:embed style.css
var styleText []byte

var style = server.NewDocument("text/css; charset=utf-8", styleText, time.Hour)

func (h *Host) style(w http.ResponseWriter, r *http.Request, _ *server.Call) error {
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	style.Write(w, r)
	return nil
}

// show renders a page whose forms may lead to ourselves and, after them, to the
// application: browsers hold form-action against every redirect that follows.
func show(w http.ResponseWriter, r *http.Request, status int, redirect string, page templ.Component) error {
	var b bytes.Buffer
	if err := page.Render(r.Context(), &b); err != nil {
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
