package customer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/usage"
)

// The bounds on exports. Each holds less than a megabyte, however long it is.
const (
	maxExports   = 32 // at once, of which so many of one partner and of one application
	ofPartner    = 16
	ofOne        = 8
	retryExports = 2 * time.Second
	maxStall     = 30 * time.Second // for what a writer passes on at once, 64 KiB, to leave
	maxExporting = 15 * time.Minute // of all of it: what was allowed at the start may be over by then
)

// The headers that say something about an export beside its media type.
const (
	headerPresent = "Wattgate-Readings-Present" // of the readings that the span has, the share that is there
	headerZone    = "Wattgate-Zone"             // in which days begin and end
)

// exporter is where readings are handed out in files.
type exporter struct {
	usage *usage.Service
	clock func() time.Time // of the connections; nil: they keep the deadlines that they have
	gate  *gate
}

// exportRoutes is the door for files of readings: the same permission as for
// measurements in GraphQL.
func (h *Host) exportRoutes() []server.Route {
	x := &exporter{usage: h.Usage, clock: h.Machine, gate: &gate{things: "exports", most: maxExports, partner: ofPartner, of: ofOne, retry: retryExports}}
	guard := server.Permission(domain.CanViewDetailedUsage, domain.AudienceMeasurements)
	dialect := exportProblems{problems{h.URL + "/.well-known/oauth-protected-resource"}}
	return []server.Route{{Pattern: "GET /v1/measurements/{file}", Guard: guard, Handler: x.export, Dialect: dialect}}
}

// export answers with a file of one supply point's readings.
func (x *exporter) export(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	asked, err := readExport(r.PathValue("file"), r.URL.RawQuery)
	if err != nil {
		return err
	}
	leave, err := x.gate.enter(call.Caller)
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(r.Context(), maxExporting)
	defer cancel()
	e, err := x.usage.Export(ctx, call.Caller, asked.market, asked.identifier, asked.query)
	switch {
	case errors.Is(err, usage.ErrTooFine):
		return &uncarriable{err}
	case notFound(err):
		return noSupplyPoint(err)
	case err != nil:
		return err
	}
	out := &download{w: w, conn: http.NewResponseController(w), clock: x.clock, header: asked.header(e)}
	if server.Has(r, out.header.Get("ETag")[len("W/"):]) {
		out.begin(http.StatusNotModified)
		return nil
	}
	err = pour(ctx, asked.format, e, out, call.Origin.At)
	if err == nil {
		out.begin(http.StatusOK) // a file may be empty
		return nil
	}
	if out.begun {
		// Whatever were sent now would end a file that looks whole.
		call.Event.Add(slog.Bool("aborted", true))
		call.Event.Refused(err)
		panic(http.ErrAbortHandler)
	}
	if d, ok := errors.AsType[*domain.Error](err); ok && d.Kind == domain.Invalid {
		return &uncarriable{err} // the format's own refusal
	}
	return err
}

// pour writes the file.
func pour(ctx context.Context, format meterfile.Format, e *usage.Export, out *download, now time.Time) error {
	writer, err := meterfile.NewWriter(format, out, meterfile.Export{Now: now, From: e.From, To: e.To})
	if err != nil {
		return err
	}
	if err := e.Stream(ctx, writer.Write); err != nil {
		return err
	}
	return writer.Close()
}

// header is what is said of a file before it.
func (a exportAsked) header(e *usage.Export) http.Header {
	h := http.Header{}
	h.Set("Content-Type", a.format.MediaType())
	h.Set("Content-Disposition", `attachment; filename="`+a.fileName()+`"`)
	h.Set("Cache-Control", "no-store") // by a cache: who fetched it may keep it, and ask again with its tag
	h.Set("ETag", `W/"`+a.tag(e.Version)+`"`)
	h.Set(headerZone, e.Point.Zone)
	if !a.query.PointInTime { // of indices nobody knows how many there should be
		h.Set(headerPresent, share(e.Present))
	}
	return h
}

// share writes a share with three places, and 1 only where nothing is missing.
func share(of float64) string {
	return strconv.FormatFloat(float64(int(of*1000))/1000, 'f', 3, 64)
}

// download is a file on its way out. Its head is sent with its first bytes, so
// that until then it can still be refused.
type download struct {
	w      http.ResponseWriter
	conn   *http.ResponseController
	clock  func() time.Time
	header http.Header
	begun  bool
}

func (d *download) begin(status int) {
	if d.begun {
		return
	}
	d.begun = true
	for name, values := range d.header {
		d.w.Header()[name] = values
	}
	d.w.WriteHeader(status)
}

// Write sends a part of the file, for which the client has a limited time.
func (d *download) Write(p []byte) (int, error) {
	if d.clock != nil {
		_ = d.conn.SetWriteDeadline(d.clock().Add(maxStall)) // a connection without deadlines keeps those of its server
	}
	d.begin(http.StatusOK)
	n, err := d.w.Write(p)
	if err != nil {
		err = &domain.Error{Kind: domain.Unavailable, Public: "nobody takes the file", Err: err}
	}
	return n, err
}

// uncarriable is what cannot be said in the format, or at the frequency, that
// was asked for: the request is well made, and yet has no answer (RFC 9110
// §15.5.21).
type uncarriable struct{ error }

// Unwrap returns the refusal.
func (u *uncarriable) Unwrap() error { return u.error }

// exportProblems are problem details, with a status of their own for that.
type exportProblems struct{ problems }

// WriteError writes one error.
func (p exportProblems) WriteError(w http.ResponseWriter, err error) {
	u, ok := errors.AsType[*uncarriable](err)
	if !ok {
		p.problems.WriteError(w, err)
		return
	}
	sentence := ""
	if d, ok := errors.AsType[*domain.Error](u.error); ok {
		sentence = d.Public
	}
	p.write(w, http.StatusUnprocessableEntity, sentence)
}

// noSupplyPoint is the answer for a supply point that is somebody else's, for one
// that nobody has and for what cannot be one.
func noSupplyPoint(cause error) error {
	return &domain.Error{Kind: domain.NotFound, Public: "there is no such supply point", Err: cause}
}

// noFormat is the answer for a file that is none.
func noFormat() error {
	names := make([]string, 0, len(written))
	for _, f := range written {
		names = append(names, "."+string(f))
	}
	return &domain.Error{Kind: domain.NotFound, Public: fmt.Sprintf("there is no such file: want a supply point with one of the endings %s", strings.Join(names, ", "))}
}
