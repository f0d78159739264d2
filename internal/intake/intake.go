// Package intake answers one question: what does this file change?
//
// A file is read twice. The first time it is only checked, so that a malformed
// one never takes the lock of the writer; the second time it is applied in one
// transaction, so that a refused file stores nothing. Equal readings are not
// written again, which makes importing twice the same as once.
//
// Memory is bounded by what is open at a time, the days of some hundred
// channels, and by the runs of readings that a file may have, a million.
//
// A reading may be out of order: its day is opened again. However often that
// happens, a day gets at most one new revision in one import.
package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// Importer imports files.
type Importer struct {
	Store  Store
	Now    func() time.Time
	Chance io.Reader // for new identifiers; nil: the system's
}

// File is a meter file, or a zip archive of some, as [meterfile.Each] takes it.
type File struct {
	Name    string // as it stands in errors; the audit log and the history leave its folders out
	Content io.ReaderAt
	Size    int64 // in bytes
}

// Target says where a file's readings go, and who sends it.
type Target struct {
	// Partner owns what is created. It may be empty where Property is set,
	// where all supply points exist, and where there is one partner only.
	Partner domain.PartnerID
	// Property takes the file's channels. Without it they go where their supply
	// points are, and a new NMI gets a property of its own.
	Property domain.PropertyID

	// Known takes readings of Partner's own supply points only, and makes none.
	// Somebody else's is refused like one that nobody has.
	Known bool

	// Reason goes into the history with what is replaced, and into the audit log;
	// it may be empty.
	Reason string

	By     string // the permission that allowed it, or where it came from
	Client domain.ClientID
	User   domain.UserID
	Origin domain.Origin
}

// MaxReason is how many bytes a reason may have.
const MaxReason = 200

// CheckReason refuses a reason that nobody could read.
func CheckReason(reason string) error {
	if len(reason) > MaxReason {
		return invalid("the reason is longer than %d bytes", MaxReason)
	}
	for _, r := range reason {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return invalid("the reason holds control characters or is not UTF-8")
		}
	}
	return nil
}

// maxAhead is how far after now a reading may begin. A day leaves room for
// clocks and zones.
const maxAhead = 24 * time.Hour

// maxYears is how many years before now a reading may begin: no meter is that
// old, so that an earlier one is a mistake in its date.
const maxYears = 40

// Import takes or refuses a file as a whole. A refusal is a [meterfile.Error],
// which names file, line, field and what was expected, or a [domain.Error].
// Progress, which may be nil, is told how many of the file's Size bytes are
// done; it never goes back.
func (im *Importer) Import(ctx context.Context, file File, to Target, progress func(bytes int64)) (Report, error) {
	return im.take(ctx, nil, file, to, progress)
}

// take reads a file twice: to check it, and in a transaction. The batch is nil
// where it came as a file.
func (im *Importer) take(ctx context.Context, b *Batch, file File, to Target, progress func(bytes int64)) (Report, error) {
	if err := CheckReason(to.Reason); err != nil {
		return Report{}, err
	}
	now := im.Now()
	watched := &watched{file: file.Content, size: file.Size, tell: progress}
	check := b.cutter(now, nil)
	if err := each(ctx, b, file, watched, check); err != nil {
		return Report{}, err
	}
	report, err := im.apply(ctx, b, file, to, now, watched)
	if errors.Is(err, errRaced) { // it is known by now, and so is the answer
		report, err = im.apply(ctx, b, file, to, now, watched)
	}
	if err != nil {
		return Report{}, err
	}
	if progress != nil {
		progress(file.Size)
	}
	return report, nil
}

// apply takes a file that has been checked, in one transaction.
func (im *Importer) apply(ctx context.Context, b *Batch, file File, to Target, now time.Time, watched *watched) (report Report, err error) {
	err = im.Store.TakeIn(ctx, func(tx Tx) error {
		watched.second()
		if known, err := b.known(tx); known != nil || err != nil {
			if known != nil {
				report = *known
			}
			return err
		}
		a := &apply{Tx: tx, to: to, now: now, chance: im.Chance, name: file.Name, batch: b}
		a.report = Report{File: file.Name}
		cutter := b.cutter(now, a)
		a.rejects = cutter.rejects
		err := located(a.find(), file.Name)
		if err == nil {
			err = each(ctx, b, file, watched, cutter)
		}
		if a.rejects != nil {
			a.report.Rejected, a.report.Rejections = a.rejects.count, a.rejects.sorted()
		}
		if err == nil {
			err = a.record()
		}
		if err == nil {
			err = b.remember(tx, now, &a.report)
		}
		report = a.report
		return err
	})
	return report, err
}

// each cuts all blocks of a file, or of the files in an archive, into days. A
// batch is a file of the format that it says.
func each(ctx context.Context, b *Batch, file File, content io.ReaderAt, c *cutter) error {
	yield := func(block *meterfile.Block) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("import %s: %w", c.file, err)
		}
		return c.block(block)
	}
	var err error
	switch {
	case b != nil && file.Size == 0:
		return &meterfile.Error{File: file.Name, Line: 1, Field: "file", Want: "at least one reading", Got: "an empty file"}
	case b != nil:
		c.file = file.Name
		var reject func(*meterfile.Error) bool
		if c.rejects != nil {
			reject = func(e *meterfile.Error) bool { return c.rejects.take(e) }
		}
		err = meterfile.ReadAs(b.Format, file.Name, &patient{ctx, io.NewSectionReader(content, 0, file.Size)}, yield, reject)
	default:
		err = meterfile.Each(file.Name, content, file.Size, func(name string, r io.ReadSeeker) error {
			c.file = name
			return meterfile.Read(name, &patient{ctx, r}, yield)
		})
	}
	if err != nil {
		return err
	}
	return c.closeAll()
}

// patient is a reader until nobody waits for it any more: much of a file may
// hold no reading.
type patient struct {
	ctx context.Context
	io.ReadSeeker
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.ReadSeeker.Read(b)
}

// origin returns what the audit log and the history call a file: its name, or
// archive.zip/entry.csv, without the folders that only its sender knows.
func origin(file, name string) string {
	if entry, ok := strings.CutPrefix(name, file+"/"); ok {
		return base(file) + "/" + base(entry)
	}
	return base(name)
}

// base returns the end of a path of any system, shortened and printable.
func base(path string) string {
	name := []rune(path[strings.LastIndexAny(path, `/\`)+1:])
	for i, r := range name {
		if !unicode.IsPrint(r) {
			name[i] = '?'
		}
	}
	return string(name[max(0, len(name)-100):])
}

// watched tells progress while a file is read twice: each time counts half.
type watched struct {
	file io.ReaderAt
	size int64
	base int64 // bytes of the passes that are done
	high int64 // what was told last, times two
	tell func(int64)
}

func (w *watched) second() { w.base = w.size }

func (w *watched) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.file.ReadAt(p, off)
	if done := w.base + off + int64(n); done > w.high && w.tell != nil {
		w.high = done
		w.tell(done / 2)
	}
	return n, err
}
