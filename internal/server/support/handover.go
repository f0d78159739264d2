package support

import (
	"net/http"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
)

// linkView shows staff a link that they pass on.
type linkView struct {
	shellView
	App   domain.Application
	Link  string
	Until time.Time
}

// handOver makes a link under which a new secret appears, once (E9).
func (h *Host) handOver(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	return h.change(w, r, call, func(f fields, app domain.Application) error {
		overlap := time.Duration(-1)
		if f.get("overlap") == "none" {
			overlap = 0
		}
		for _, x := range overlaps {
			if x.value == f.get("overlap") {
				overlap = x.span
			}
		}
		if overlap < 0 {
			return wrongly("Choose how long the old secret goes on working.")
		}
		return h.showLink(w, r, call, app, overlap)
	})
}

func (h *Host) showLink(w http.ResponseWriter, r *http.Request, call *server.Call, app domain.Application, overlap time.Duration) error {
	link, until, err := h.Registry.HandOver(r.Context(), by(call), app.ID, overlap)
	if err != nil {
		return err
	}
	return h.site(w, r, http.StatusOK, linkPage(linkView{
		shellView: h.shell(call, "A link for "+app.Name, "applications"), App: app, Link: h.SupportURL + linkTo(handoverPath, "link", link.Reveal()), Until: until,
	}))
}

// handoverPath is where a link leads. What it holds stands in the query string,
// which no log keeps.
const handoverPath = "/handover"

// handover shows the developer what the link is for. Nothing is opened by looking:
// programs that preview links look too.
func (h *Host) handover(w http.ResponseWriter, r *http.Request, _ *server.Call) error {
	link := r.URL.Query().Get("link")
	app, err := h.Registry.WaitingHandover(r.Context(), domain.NewSecret(link))
	if err != nil {
		return err
	}
	return h.site(w, r, http.StatusOK, handoverPage(app.Name, link))
}

// openHandover makes the secret and shows it.
func (h *Host) openHandover(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	app, secret, err := h.Registry.OpenHandover(r.Context(), domain.NewSecret(f.get("link")), call.Origin)
	if err != nil {
		return err
	}
	call.Event.Client(app.ID, app.Partner)
	return h.site(w, r, http.StatusOK, openedPage(app, secret.Reveal(), h.example(app)))
}
