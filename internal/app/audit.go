package app

import (
	"context"
	"encoding/hex"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/audit"
	"github.com/wattgate/wattgate/internal/domain"
)

// What the verbs about the audit log take and show.
type (
	// AuditList chooses entries; what is empty lets everything through.
	AuditList struct {
		Action  string    `json:"action"` // a glob pattern: user.*
		Partner string    `json:"partner"`
		Client  string    `json:"client"`
		User    string    `json:"user"`
		Object  string    `json:"object"`
		Address string    `json:"address"` // or its pseudonym
		From    time.Time `json:"from"`    // at or after
		To      time.Time `json:"to"`      // before
		First   int64     `json:"first"`   // the number at which to begin
		Newest  bool      `json:"newest"`  // the last ones, otherwise the first
		Limit   int       `json:"limit"`
	}
	// AuditEntryView is an entry of the audit log.
	AuditEntryView struct {
		Number    int64            `json:"number"`
		ID        string           `json:"id"`
		At        time.Time        `json:"at"`
		Action    string           `json:"action"`
		Partner   domain.PartnerID `json:"partner,omitempty"`
		Client    domain.ClientID  `json:"clientId,omitempty"`
		User      domain.UserID    `json:"user,omitempty"`
		Object    string           `json:"object,omitempty"`
		By        string           `json:"by,omitempty"`
		RequestID string           `json:"requestId,omitempty"`
		Address   string           `json:"address,omitempty"`
		Detail    string           `json:"detail,omitempty"`
		Hash      string           `json:"hash"` // of the leaf, hexadecimal
	}
	// AuditVerify brings checkpoints from elsewhere, one after the other.
	AuditVerify struct {
		Checkpoints string `json:"checkpoints"`
	}
	// AuditReport says what came of a verification.
	AuditReport struct {
		Entries     int64        `json:"entries"`
		Root        string       `json:"root"`        // base64, as in the checkpoints
		Checkpoints int          `json:"checkpoints"` // that were reproduced
		Vouched     int64        `json:"vouched"`     // entries that the newest of them is about
		Unreadable  int          `json:"unreadable"`  // checkpoints that are none of ours
		Verifier    string       `json:"verifier"`    // the public key of the checkpoints
		Faults      []AuditFault `json:"faults"`
		More        int          `json:"more"` // faults that are not listed
	}
	// AuditFault is something that is not as it was recorded.
	AuditFault struct {
		Number  int64  `json:"number"`
		Problem string `json:"problem"`
	}
)

const (
	auditPage = 100    // entries where nothing else is asked
	auditMost = 10_000 // entries in one answer
)

func listAudit(ctx context.Context, a *App, in AuditList) ([]AuditEntryView, error) {
	f := audit.Filter{
		Action: in.Action, Object: in.Object, From: in.From, To: in.To, First: max(in.First, 0), Newest: in.Newest, Limit: in.Limit,
	}
	if f.Limit <= 0 {
		f.Limit = auditPage
	}
	f.Limit = min(f.Limit, auditMost)
	if in.Address != "" {
		f.Address = in.Address
		if !strings.HasPrefix(in.Address, "ip_") {
			f.Address = a.trail.pseudonyms.Of(in.Address)
		}
	}
	if err := a.whom(ctx, in, &f); err != nil {
		return nil, err
	}
	if in.First == 0 { // what is only counted so far is part of the answer
		if err := a.trail.refusals.Flush(ctx); err != nil {
			return nil, err
		}
	}
	list, err := a.store.AuditLeaves(ctx, f)
	return views(list, entryView), err
}

// whom finds out whom a filter is about. Who is named by an identifier need not
// exist any more.
func (a *App) whom(ctx context.Context, in AuditList, f *audit.Filter) (err error) {
	if in.Partner != "" {
		if f.Partner, err = domain.ParsePartnerID(in.Partner); err != nil {
			if f.Partner, err = a.partner(ctx, in.Partner); err != nil {
				return err
			}
		}
	}
	if in.Client != "" {
		if f.Client, err = domain.ParseClientID(in.Client); err != nil {
			app, err := a.application(ctx, in.Client)
			if err != nil {
				return err
			}
			f.Client = app.ID
		}
	}
	if in.User != "" {
		if f.User, err = domain.ParseUserID(in.User); err != nil {
			u, err := a.user(ctx, in.User)
			if err != nil {
				return err
			}
			f.User = u.ID
		}
	}
	return nil
}

func entryView(l audit.Leaf) AuditEntryView {
	e, hash := l.Entry, audit.LeafHash(l.Entry)
	return AuditEntryView{
		Number: l.Number, ID: e.ID, At: e.At, Action: e.Action, Partner: e.Partner, Client: e.Client, User: e.User, Object: e.Object,
		By: e.By, RequestID: e.RequestID, Address: e.Address, Detail: e.Detail, Hash: hex.EncodeToString(hash[:]),
	}
}

func verifyAudit(ctx context.Context, a *App, in AuditVerify) (AuditReport, error) {
	witnesses, unreadable, err := a.witnesses([]byte(in.Checkpoints))
	if err != nil {
		return AuditReport{}, err
	}
	r, err := audit.Verify(ctx, a.store, witnesses)
	if err != nil {
		return AuditReport{}, err
	}
	out := AuditReport{
		Entries: r.Size, Root: r.Root.String(), Checkpoints: r.Checkpoints, Vouched: r.Vouched, Unreadable: unreadable,
		Verifier: a.trail.signer.Verifier(), Faults: []AuditFault{}, More: r.More,
	}
	for _, f := range r.Faults {
		out.Faults = append(out.Faults, AuditFault(f))
	}
	if len(witnesses) == 0 && r.Size > 0 {
		out.Faults = append(out.Faults, AuditFault{r.Size, "there is no checkpoint, so nothing vouches for where the log ends; a server writes one when it starts"})
	}
	return out, nil
}
