package app

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// ImportRequest says what is imported and where it goes.
type ImportRequest struct {
	Name     string `json:"name"` // of the file, as errors show it
	Partner  string `json:"partner,omitempty"`
	Property string `json:"property,omitempty"`
	Reason   string `json:"reason,omitempty"` // of corrections
}

// ImportReport says what a file changed.
type ImportReport struct {
	File          string         `json:"file"`
	Summary       string         `json:"summary"`
	Changed       bool           `json:"changed"`
	Channels      int            `json:"channels"`
	NewChannels   int            `json:"newChannels"`
	Accepted      int64          `json:"accepted"`
	Corrected     int64          `json:"corrected"`
	Unchanged     int64          `json:"unchanged"`
	Days          int            `json:"days"`
	RegisterReads int64          `json:"registerReads"`
	From          *time.Time     `json:"from,omitempty"`
	To            *time.Time     `json:"to,omitempty"`
	SupplyPoints  []ImportedInto `json:"supplyPoints"`
}

// ImportedInto is a supply point that a file has readings of.
type ImportedInto struct {
	SupplyPoint string            `json:"supplyPoint"` // MARKET:identifier
	Partner     domain.PartnerID  `json:"partner"`
	Property    domain.PropertyID `json:"property"`
	Created     bool              `json:"created"`
}

// importLine is one line of the answer: how far it is, and at the end what came
// of it.
type importLine struct {
	Done   int64         `json:"done,omitempty"`
	Report *ImportReport `json:"report,omitempty"`
	Error  *adminProblem `json:"error,omitempty"`
}

// answerImport takes in a file: one line of JSON, then the file's bytes. They
// are spooled, because the file is read twice.
func (a *App) answerImport(w http.ResponseWriter, r *http.Request) {
	body := bufio.NewReader(r.Body)
	head, err := body.ReadBytes('\n')
	var in ImportRequest
	if err == nil {
		err = json.Unmarshal(head, &in)
	}
	if err != nil {
		refuseAdmin(w, &domain.Error{Kind: domain.Invalid, Public: "the head of the import cannot be read", Err: err})
		return
	}
	lines := json.NewEncoder(w)
	tell := func(l importLine) {
		_ = lines.Encode(l) // nobody is left to tell
		_ = http.NewResponseController(w).Flush()
	}
	report, err := a.takeIn(r, in, body, func(done int64) { tell(importLine{Done: done}) })
	if err != nil {
		a.log.Info("admin", "verb", "import", "refused", kindOf(err)) // the text quotes the file
		tell(importLine{Error: problemOf(err)})
		return
	}
	a.log.Info("admin", "verb", "import", "days", report.Days)
	tell(importLine{Report: report})
}

// takeIn spools and imports a file.
func (a *App) takeIn(r *http.Request, in ImportRequest, body io.Reader, tell func(int64)) (_ *ImportReport, err error) {
	to := intake.Target{By: by().Means, Origin: by().Origin, Reason: in.Reason}
	if in.Partner != "" {
		if to.Partner, err = a.partner(r.Context(), in.Partner); err != nil {
			return nil, err
		}
	}
	if in.Property != "" {
		if to.Property, err = domain.ParsePropertyID(in.Property); err != nil {
			return nil, err
		}
	}
	spool, err := os.CreateTemp(a.Config.Data, "import-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, spool.Close()) }()
	// Without a name it ends with the process, however that ends.
	if err := os.Remove(spool.Name()); err != nil {
		return nil, err
	}
	name := filepath.ToSlash(in.Name)
	size, err := unpackInto(spool, name, body)
	if err != nil {
		return nil, err
	}
	last := a.world.Now()
	report, err := a.Importer.Import(r.Context(), intake.File{Name: name, Content: spool, Size: size}, to, func(done int64) {
		if now := a.world.Now(); now.Sub(last) >= 100*time.Millisecond {
			last = now
			tell(done)
		}
	})
	if err != nil {
		return nil, err
	}
	return importReport(&report), nil
}

// maxUnpacked bounds what a packed file may hold, as that of an archive is.
const maxUnpacked = 1 << 30

// unpackInto spools a file, unpacked where it is packed by gzip or zstd, whatever
// its name says.
func unpackInto(spool io.Writer, name string, body io.Reader) (int64, error) {
	r := bufio.NewReader(body)
	head, err := r.Peek(meterfile.PackingLength)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	packing := meterfile.PackingOf(head)
	if packing == meterfile.Unpacked {
		return io.Copy(spool, r) // the operator's own file, as long as they like
	}
	return meterfile.Unpack(name, spool, r, packing, maxUnpacked)
}

func importReport(r *intake.Report) *ImportReport {
	out := &ImportReport{
		File: r.File, Summary: r.Summary(), Changed: r.Changed(), Channels: r.Channels, NewChannels: r.NewChannels,
		Accepted: r.Accepted, Corrected: r.Corrected, Unchanged: r.Unchanged, Days: r.Days, RegisterReads: r.Indexes,
		SupplyPoints: views(r.SupplyPoints, func(p intake.SupplyPoint) ImportedInto {
			return ImportedInto{p.Name, p.Partner, p.Property, p.Created}
		}),
	}
	if !r.From.IsZero() {
		from, to := r.From.UTC(), r.To.UTC()
		out.From, out.To = &from, &to
	}
	return out
}
