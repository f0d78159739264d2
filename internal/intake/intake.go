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
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

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

	// Reason goes into the history with what is replaced; it may be empty.
	Reason string

	By     string // the permission that allowed it, or where it came from
	Client domain.ClientID
	User   domain.UserID
	Origin domain.Origin
}

// maxAhead is how far after now a reading may begin. A day leaves room for
// clocks and zones.
const maxAhead = 24 * time.Hour

// Import takes or refuses a file as a whole. A refusal is a [meterfile.Error],
// which names file, line, field and what was expected, or a [domain.Error].
// Progress, which may be nil, is told how many of the file's Size bytes are
// done; it never goes back.
func (im *Importer) Import(ctx context.Context, file File, to Target, progress func(bytes int64)) (Report, error) {
	now := im.Now()
	watched := &watched{file: file.Content, size: file.Size, tell: progress}
	check := newCutter(now.Add(maxAhead), nil)
	if err := each(ctx, file, watched, check); err != nil {
		return Report{}, err
	}
	var report Report
	err := im.Store.TakeIn(ctx, func(tx Tx) error {
		watched.second()
		a := &apply{Tx: tx, to: to, now: now, chance: im.Chance, name: file.Name}
		a.report = Report{File: file.Name}
		err := located(a.find(), file.Name)
		if err == nil {
			err = each(ctx, file, watched, newCutter(now.Add(maxAhead), a))
		}
		if err == nil {
			err = a.record()
		}
		report = a.report
		return err
	})
	if err != nil {
		return Report{}, err
	}
	if progress != nil {
		progress(file.Size)
	}
	return report, nil
}

// each cuts all blocks of a file, or of the files in an archive, into days.
func each(ctx context.Context, file File, content io.ReaderAt, c *cutter) error {
	err := meterfile.Each(file.Name, content, file.Size, func(name string, r io.ReadSeeker) error {
		c.file = name
		return meterfile.Read(name, &patient{ctx, r}, func(b *meterfile.Block) error {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("import %s: %w", name, err)
			}
			return c.block(b)
		})
	})
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
