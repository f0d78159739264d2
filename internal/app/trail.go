package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/wattgate/wattgate/internal/audit"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/server"
)

// trail is what keeps the audit log honest beside its store.
type trail struct {
	pseudonyms audit.Pseudonyms
	signer     *audit.Signer
	refusals   *audit.Refusals
	opened     int64 // entries when it was opened

	mu sync.Mutex // one checkpoint at a time
}

// checkpointName is the file of the newest checkpoint.
const checkpointName = "audit.checkpoint"

// checkpointEvery is how much of the log's end nothing vouches for, and how
// much of the counting of refusals a crash may lose.
const checkpointEvery = time.Minute

// openTrail makes what the audit log needs. The key of the checkpoints is
// derived from the installation's: there is nothing else to keep or to lose.
func (a *App) openTrail(ctx context.Context, pseudonyms audit.Pseudonyms, seed [32]byte) (err error) {
	a.trail.pseudonyms = pseudonyms
	if a.trail.signer, err = audit.NewSigner(seed); err != nil {
		return err
	}
	a.trail.refusals = &audit.Refusals{Record: a.store.Record, Now: a.world.Now, Chance: a.world.Chance}
	a.trail.opened, err = a.store.AuditSize(ctx)
	return err
}

// closeTrail records what was counted and vouches for what this process has
// added. A process that only looked at the log vouches for nothing. What fails
// here is logged: the acts themselves are recorded long since.
func (a *App) closeTrail(ctx context.Context) {
	if a.trail.refusals == nil {
		return
	}
	err := a.trail.refusals.Flush(ctx)
	size, err2 := a.store.AuditSize(ctx)
	if err2 == nil && size > a.trail.opened {
		err2 = a.checkpoint(ctx)
	}
	if err = errors.Join(err, err2); err != nil {
		a.log.Error("audit log", "error", err.Error())
	}
}

// keepTrail records refusals and writes checkpoints, until ctx ends.
func (a *App) keepTrail(ctx context.Context) error {
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		if err := errors.Join(a.trail.refusals.Flush(ctx), a.checkpoint(ctx)); err != nil && ctx.Err() == nil {
			a.log.Error("audit log", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// checkpoint signs the log as it is, if it has grown and goes on from what was
// signed last, here or at the witness.
func (a *App) checkpoint(ctx context.Context) error {
	a.trail.mu.Lock()
	defer a.trail.mu.Unlock()
	own, unreadable, err := a.checkpoints(filepath.Join(a.Config.Data, checkpointName))
	if err != nil {
		return err
	}
	if unreadable > 0 {
		return fmt.Errorf("%s: %w", checkpointName, audit.ErrCheckpoint)
	}
	elsewhere, _, err := a.checkpoints(a.Config.AuditWitness)
	if err != nil {
		a.log.Error("audit witness", "error", err.Error()) // the next one may find it again
	}
	last := newest(append(own, elsewhere...))
	next, err := audit.Next(ctx, a.store, last, a.world.Now())
	if err != nil || len(own) > 0 && newest(own).Size == next.Size && (a.Config.AuditWitness == "" || newest(elsewhere).Size == next.Size) {
		return err
	}
	note, err := a.trail.signer.Note(next)
	if err != nil {
		return err
	}
	return errors.Join(appendTo(a.Config.AuditWitness, note), replace(filepath.Join(a.Config.Data, checkpointName), note))
}

func newest(list []audit.Checkpoint) (last audit.Checkpoint) {
	for _, c := range list {
		if c.Size >= last.Size {
			last = c
		}
	}
	return last
}

// maxWitness is how much of a file of checkpoints is read, from its end. A
// checkpoint is about everything before it, so older ones tell nothing new.
const maxWitness = 512 << 10

// checkpoints reads a file of them; there is none without a path.
func (a *App) checkpoints(path string) (list []audit.Checkpoint, unreadable int, err error) {
	if path == "" {
		return nil, 0, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }() // it was only read
	text, err := readTail(f)
	if err != nil {
		return nil, 0, err
	}
	list, unreadable = a.trail.signer.Notes(text)
	return list, unreadable, nil
}

func readTail(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	from := max(info.Size()-maxWitness, 0)
	b := make([]byte, info.Size()-from)
	n, err := f.ReadAt(b, from)
	if n == len(b) {
		err = nil
	}
	if _, rest, cut := bytes.Cut(b[:n], []byte("\n\n")); from > 0 && cut {
		// The first one was cut: begin behind its signature.
		_, b, _ = bytes.Cut(rest, []byte("\n"))
		return b, err
	}
	return b[:n], err
}

// witnesses gathers every checkpoint that is known: our own, the witness's and
// what the operator brings.
func (a *App) witnesses(brought []byte) (list []audit.Checkpoint, unreadable int, err error) {
	for _, path := range []string{filepath.Join(a.Config.Data, checkpointName), a.Config.AuditWitness} {
		more, bad, err := a.checkpoints(path)
		if err != nil {
			return nil, 0, err
		}
		list, unreadable = append(list, more...), unreadable+bad
	}
	if len(brought) > 0 {
		more, bad := a.trail.signer.Notes(brought)
		if len(more) == 0 {
			return nil, 0, &domain.Error{Kind: domain.Invalid, Public: "the file holds no checkpoint that this installation has signed"}
		}
		list, unreadable = append(list, more...), unreadable+bad
	}
	return list, unreadable, nil
}

// appendTo adds to a file that may lie elsewhere.
func appendTo(path string, text []byte) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		if _, err = f.Write(text); err == nil {
			err = f.Sync()
		}
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fmt.Errorf("audit witness: %w", err)
	}
	return nil
}

// replace writes a file in one step: there is always a whole one.
func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-") // mode 0600
	if err != nil {
		return err
	}
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncFolder(filepath.Dir(path))
}

// refused counts what the audit log says of refused requests.
func (a *App) refused(r server.Refusal) {
	code := ""
	if o, ok := errors.AsType[*oauth.Error](r.Err); ok {
		code = string(o.Code)
	} else if d, ok := errors.AsType[*domain.Error](r.Err); ok {
		code = d.Kind.String()
	}
	action := ""
	switch {
	case r.Host != "auth" || r.Status >= 500:
		return
	case r.Path == "/oauth2/token", r.Path == "/token", r.Path == "/token/{$}":
		action = "token.refused"
	case r.Path == "/v1/auth/impersonate" && (r.Status == 403 || r.Status == 404):
		action = "user.impersonate.refused"
	case code == string(oauth.InvalidClient):
		action = "client.refused"
	default:
		return
	}
	k := audit.Refusal{Action: action, Why: code, Partner: r.Partner, Client: r.Client, Address: r.Address}
	type reason interface {
		error
		Refusal() (why string, client domain.ClientID)
	}
	cause := r.Err
	if p, ok := errors.AsType[*domain.Pause](r.Err); ok && p.Err != nil {
		cause = p.Err // what was one too many
	}
	if c, ok := errors.AsType[reason](cause); ok {
		why, client := c.Refusal()
		k.Why += " (" + why + ")"
		if app := a.Registry.Directory().Application(client); app != nil {
			k.Client, k.Partner = client, app.Partner
		}
	}
	a.trail.refusals.Count(k)
}

// Live reports whether a server is running.
func (a *Admin) Live() bool {
	_, here := a.transport.(local)
	return !here
}
