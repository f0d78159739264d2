package support

import (
	"context"
	"encoding/csv"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/audit"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/session"
)

// How many entries of the log book a page, and a file, have at most.
const (
	auditPerPage = 50
	auditPerFile = 10_000
)

// auditView is a page of the log book.
type auditView struct {
	shellView
	Action, About string
	From, To      string
	Wrong         string
	Rows          []auditRow
	Older, Newest string // the addresses of other pages; empty: there is none
	File          string
}

type auditRow struct {
	Number                       int64
	At                           time.Time
	Who, Action, Object, Detail  string
	By, Partner, Request, Origin string
}

// auditLog shows the log book, the latest first.
func (h *Host) auditLog(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	q := r.URL.Query()
	v := auditView{
		shellView: h.shell(call, "Audit log", "audit"), Action: strings.TrimSpace(q.Get("action")), About: strings.TrimSpace(q.Get("about")),
		From: q.Get("from"), To: q.Get("to"),
	}
	f, err := auditFilter(q, call.Person)
	if _, sentence, told := retold(w, call, err); told {
		v.Wrong = sentence
		return h.site(w, r, http.StatusBadRequest, auditPage(v))
	}
	f.Limit = auditPerPage + 1
	leaves, err := h.Shelf.AuditLeaves(r.Context(), f)
	if err != nil {
		return err
	}
	if len(leaves) > auditPerPage {
		leaves = leaves[1:]
		q.Set("before", strconv.FormatInt(leaves[0].Number, 10))
		v.Older = "/support/audit?" + q.Encode()
	}
	if f.Before > 0 {
		q.Del("before")
		v.Newest = "/support/audit?" + q.Encode()
	}
	q.Del("before")
	v.File = "/support/audit.csv?" + q.Encode()
	names := h.staffNames(r.Context())
	for i := len(leaves) - 1; i >= 0; i-- {
		v.Rows = append(v.Rows, h.auditRow(leaves[i], names))
	}
	return h.site(w, r, http.StatusOK, auditPage(v))
}

// auditFile writes the same as a file, the earliest first.
func (h *Host) auditFile(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	f, err := auditFilter(r.URL.Query(), call.Person)
	if err != nil {
		return err
	}
	f.Limit = auditPerFile + 1
	leaves, err := h.Shelf.AuditLeaves(r.Context(), f)
	if err != nil {
		return err
	}
	if len(leaves) > auditPerFile { // nothing is left out in silence
		return &domain.Error{Kind: domain.Invalid, Public: "These are more than 10,000 entries. Choose fewer days, or export them with `wattgate audit export`."}
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="audit.csv"`)
	w.Header().Set("Cache-Control", "no-store")
	out := csv.NewWriter(w)
	if err := out.Write([]string{"number", "at", "action", "partner", "client", "user", "object", "by", "request_id", "address", "detail"}); err != nil {
		return err
	}
	for _, leaf := range leaves {
		e := leaf.Entry
		line := []string{
			strconv.FormatInt(leaf.Number, 10), e.At.UTC().Format(time.RFC3339Nano), e.Action, string(e.Partner), string(e.Client), string(e.User),
			e.Object, e.By, e.RequestID, e.Address, e.Detail,
		}
		for i := range line {
			line[i] = tame(line[i])
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// tame keeps a spreadsheet from taking a text for a formula.
func tame(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// auditFilter reads the filters from the address. Staff of one partner see what is
// about that partner.
func auditFilter(q url.Values, p *session.Person) (audit.Filter, error) {
	f := audit.Filter{Action: strings.TrimSpace(q.Get("action")), Object: strings.TrimSpace(q.Get("about")), Partner: p.Partner, Newest: true}
	if id, err := domain.ParseClientID(f.Object); err == nil { // also as who acted
		f.Client, f.Object = id, ""
	} else if id, err := domain.ParseUserID(f.Object); err == nil {
		f.User, f.Object = id, ""
	}
	for name, at := range map[string]*time.Time{"from": &f.From, "to": &f.To} {
		text := q.Get(name)
		if text == "" {
			continue
		}
		day, err := domain.ParseDate(text)
		if err != nil {
			return f, wrongly("“" + text + "” is not a day. Write it as 2026-11-25.")
		}
		if name == "to" {
			day++ // that day included
		}
		year, month, of := day.Civil()
		*at = time.Date(year, month, of, 0, 0, 0, 0, time.UTC)
	}
	if text := q.Get("before"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 {
			return f, wrongly("This address is not complete. Begin at the newest entry.")
		}
		f.Before = n
	}
	return f, nil
}

// staffNames remembers the names of members of staff for one page.
func (h *Host) staffNames(ctx context.Context) func(domain.UserID) string {
	names := map[domain.UserID]string{}
	return func(id domain.UserID) string {
		if names[id] == "" {
			names[id] = string(id)
			if u, err := h.Shelf.FindUser(ctx, id); err == nil && u.Staff { // of customers the log book holds no names
				names[id] = strings.TrimSpace(u.FirstName + " " + u.Surname)
			}
		}
		return names[id]
	}
}

func (h *Host) auditRow(leaf audit.Leaf, name func(domain.UserID) string) auditRow {
	e := leaf.Entry
	row := auditRow{
		Number: leaf.Number, At: e.At, Who: e.By, Action: e.Action, Object: e.Object, Detail: e.Detail, By: e.By,
		Partner: string(e.Partner), Request: e.RequestID, Origin: e.Address,
	}
	switch {
	case e.User != "":
		row.Who = name(e.User)
	case e.Client != "":
		row.Who = h.name(e.Client)
	}
	return row
}
