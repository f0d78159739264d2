package intake

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// Batch is a file that its sender may send again, because they did not hear the
// answer.
type Batch struct {
	Sender string // whose names of batches these are
	ID     string // the sender's name for it
	Digest [sha256.Size]byte
	Format meterfile.Format
	// Partial takes what is right, and leaves out lines of CSV and NDJSON, and days
	// of NEM12, that are wrong. Of the other formats a mistake is the whole
	// batch's. Without Partial it always is.
	Partial bool
}

// maxChannels bounds how many channels a batch may have readings of.
const maxChannels = 100_000

// Take takes a batch once: the same one sent again changes nothing and gets the
// same report, whose supply points and days are not repeated. Under the same
// name another content, format, mode or reason is [domain.Conflict]. A refused
// batch is not remembered. [RejectionOf] tells of a refusal which line it is
// about.
func (im *Importer) Take(ctx context.Context, b Batch, file File, to Target, progress func(bytes int64)) (Report, error) {
	b.Digest = b.request(to.Reason)
	return im.take(ctx, &b, file, to, progress)
}

// request is the digest of all that was asked for, content included.
func (b *Batch) request(reason string) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(b.Digest[:], "%q %t %q", b.Format, b.Partial, reason))
}

// cutter makes one for a batch, or for a file where there is none.
func (b *Batch) cutter(now time.Time, to *apply) *cutter {
	c := &cutter{earliest: now.AddDate(-maxYears, 0, 0), latest: now.Add(maxAhead), streams: map[meterfile.Channel]*stream{}}
	if to != nil {
		c.to = to
	}
	if b == nil {
		return c
	}
	c.most = maxChannels
	if b.Partial && (b.Format == meterfile.CSV || b.Format == meterfile.NDJSON || b.Format == meterfile.NEM12) {
		c.rejects = &rejects{}
	}
	return c
}

// answer is what is kept of a report, to be given again.
type answer struct {
	Accepted   int64       `json:"accepted"`
	Corrected  int64       `json:"corrected"`
	Unchanged  int64       `json:"unchanged"`
	Rejected   int64       `json:"rejected,omitempty"`
	Rejections []Rejection `json:"rejections,omitempty"`
}

// known returns the report of a batch that was taken before, and nil of one that
// was not.
func (b *Batch) known(tx Tx) (*Report, error) {
	if b == nil {
		return nil, nil
	}
	was, err := tx.Batch(b.Sender, b.ID)
	switch {
	case notFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	case was.Digest != b.Digest:
		return nil, conflict("batch %s has come before with other content", domain.Quote(b.ID))
	}
	var kept answer
	if err := json.Unmarshal(was.Result, &kept); err != nil {
		return nil, fmt.Errorf("read the answer to batch %q: %w", b.ID, err)
	}
	return &Report{
		Repeated: true, Accepted: kept.Accepted, Corrected: kept.Corrected, Unchanged: kept.Unchanged,
		Rejected: kept.Rejected, Rejections: kept.Rejections,
	}, nil
}

// remember keeps the report in the transaction of the readings.
func (b *Batch) remember(tx Tx, now time.Time, r *Report) error {
	if b == nil {
		return nil
	}
	result, err := json.Marshal(answer{r.Accepted, r.Corrected, r.Unchanged, r.Rejected, r.Rejections})
	if err != nil {
		return err
	}
	err = tx.PutBatch(domain.Batch{Sender: b.Sender, ID: b.ID, Digest: b.Digest, ReceivedAt: now, Result: result})
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.Conflict {
		return fmt.Errorf("%w: %w", errRaced, err)
	}
	return err
}

// errRaced says that another node has taken the same batch in the meantime.
var errRaced = errors.New("the batch came twice at once")
