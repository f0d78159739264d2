package customer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/server"
)

// Intake is who takes batches of readings.
type Intake interface {
	Take(ctx context.Context, b intake.Batch, file intake.File, to intake.Target, progress func(bytes int64)) (intake.Report, error)
}

// counter is where batches are handed in.
type counter struct {
	intake Intake
	folder string           // of what is spooled
	most   int64            // bytes of a batch
	clock  func() time.Time // the machine's
	gate   *gate
	turns  chan struct{} // holds a token for each batch that is read
}

// maxTurns is how many batches are read at once, of which one is written. It is
// small: whoever asks for a token is served beside them.
const maxTurns = 2

// submitRoutes is the door for readings.
func (h *Host) submitRoutes() []server.Route {
	if h.Intake == nil {
		return nil
	}
	c := &counter{
		intake: h.Intake, folder: h.Spool, most: h.MaxBatch, clock: h.Machine, turns: make(chan struct{}, maxTurns),
		gate: &gate{things: "uploads", most: maxUploads, partner: maxUploadsOfAll, of: maxUploadsOfOne, retry: retryUploads},
	}
	if c.most == 0 {
		c.most = maxBatch
	}
	guard := server.Permission(domain.CanSubmitMeasurements, domain.AudienceMeasurements)
	dialect := submitProblems{problems{h.URL + "/.well-known/oauth-protected-resource"}}
	return []server.Route{{Pattern: "POST /v1/measurements", Guard: guard, Handler: c.submit, Dialect: dialect}}
}

// submitted is the answer to a batch.
type submitted struct {
	Batch     string             `json:"batch"`
	Accepted  int64              `json:"accepted"`
	Corrected int64              `json:"corrected"`
	Unchanged int64              `json:"unchanged"`
	Rejected  []intake.Rejection `json:"rejected"`
	// InAll says how many were rejected where not all are listed.
	InAll int64 `json:"rejectedCount,omitempty"`
}

// submit takes one batch.
func (c *counter) submit(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	if err := maySubmit(call.Caller); err != nil {
		return err
	}
	asked, err := readSubmission(r, c.most)
	if err != nil {
		return err
	}
	leave, err := c.gate.enter(call.Caller)
	if err != nil {
		return err
	}
	defer leave()
	upload, err := c.receive(w, r, asked)
	defer upload.end()
	if err != nil {
		return err
	}
	report, err := c.take(r.Context(), call, asked, upload)
	if err != nil {
		return err
	}
	call.Event.Add(slog.Int64("accepted", report.Accepted), slog.Int64("corrected", report.Corrected), slog.Int64("rejected", report.Rejected))
	answer := submitted{Batch: asked.key, Accepted: report.Accepted, Corrected: report.Corrected, Unchanged: report.Unchanged, Rejected: report.Rejections}
	if report.Rejections == nil {
		answer.Rejected = []intake.Rejection{}
	}
	if report.Rejected > int64(len(report.Rejections)) {
		answer.InAll = report.Rejected
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	upload.answering()
	w.Header().Set("Cache-Control", "no-store")
	server.WriteBody(w, http.StatusOK, "application/json", body)
	return nil
}

// maySubmit refuses who holds the permission and is not meant: readings come
// from an application by itself that is its partner's for all supply points,
// never from somebody for whom a customer has been asked.
func maySubmit(caller domain.Caller) error {
	switch {
	case caller.User != "":
		return &domain.Error{Kind: domain.Forbidden, Public: "this token speaks for a customer; readings are submitted with an application's own"}
	case caller.Reach != domain.ReachPartner:
		return &domain.Error{Kind: domain.Forbidden, Public: "this application reads by consent, and submits nothing"}
	}
	return nil
}

// take waits for its turn and takes what was uploaded.
func (c *counter) take(ctx context.Context, call *server.Call, asked submission, u *upload) (intake.Report, error) {
	select {
	case c.turns <- struct{}{}:
		defer func() { <-c.turns }()
	case <-ctx.Done():
		return intake.Report{}, gone(ctx.Err())
	}
	caller := call.Caller
	report, err := c.intake.Take(ctx,
		intake.Batch{Sender: string(caller.Client), ID: asked.key, Digest: u.digest, Format: asked.format, Partial: asked.partial},
		intake.File{Name: batchName, Content: u.file, Size: u.size},
		intake.Target{
			Partner: caller.Partner, Known: true, Reason: asked.reason,
			By: domain.CanSubmitMeasurements.String(), Client: caller.Client, Origin: call.Origin,
		}, nil)
	switch {
	case err == nil:
		return report, nil
	case ctx.Err() != nil:
		return report, gone(err)
	}
	if line, ok := intake.RejectionOf(err); ok {
		return report, &misfit{status: http.StatusUnprocessableEntity, rejection: line, err: err}
	}
	return report, err
}

// batchName is what errors call the file; nobody is shown it.
const batchName = "batch"

// gone is why nobody hears the answer.
func gone(err error) error {
	return &domain.Error{Kind: domain.Unavailable, Public: "the upload ended early", Err: err}
}

// misfit is a refusal whose status no kind of error has.
type misfit struct {
	status    int
	sentence  string // where it is about no line
	rejection intake.Rejection
	accept    [2]string // a header that says what is taken
	err       error
}

// Error returns the operator's text. It quotes nothing of the batch: a log is no
// place for readings.
func (m *misfit) Error() string {
	if m.rejection.Line > 0 {
		return fmt.Sprintf("line %d of the batch is refused", m.rejection.Line)
	}
	return m.sentence
}

// Unwrap returns the cause.
func (m *misfit) Unwrap() error { return m.err }

// As makes it a [domain.Error] that is the sender's matter, for the log.
func (m *misfit) As(target any) bool {
	t, ok := target.(**domain.Error)
	if ok {
		*t = &domain.Error{Kind: domain.Invalid, Public: m.sentence, Err: m.err}
	}
	return ok
}

// submitProblems is problems with the place in the file.
type submitProblems struct{ problems }

// misfitProblem has the line and the reason as members of their own (RFC 9457
// §3.2), like an entry of a batch that was taken in part.
type misfitProblem struct {
	problem
	*intake.Rejection
}

// WriteError writes a refusal.
func (p submitProblems) WriteError(w http.ResponseWriter, err error) {
	m, ok := errors.AsType[*misfit](err)
	if !ok {
		p.problems.WriteError(w, err)
		return
	}
	shown := misfitProblem{problem: problem{http.StatusText(m.status), m.status, m.sentence}}
	if m.rejection.Line > 0 {
		shown.Detail = "Nothing of the batch is stored: " + where(m.rejection)
		shown.Rejection = &m.rejection
	}
	if m.accept[0] != "" {
		w.Header().Set(m.accept[0], m.accept[1])
	}
	body, _ := json.Marshal(shown) // texts and numbers always marshal
	w.Header().Set("Cache-Control", "no-store")
	server.WriteBody(w, m.status, "application/problem+json", body)
}
