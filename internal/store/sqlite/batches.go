package sqlite

import (
	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// Batch finds a batch of a sender.
func (t *transfer) Batch(sender, id string) (domain.Batch, error) {
	const sql = `SELECT sha256, received_at, result FROM ingest_batch WHERE sender = ?1 AND batch_id = ?2`
	b, err := one(t.conn, "this batch", func(row *sqlite.Stmt) (domain.Batch, error) {
		b := domain.Batch{Sender: sender, ID: id, ReceivedAt: instant(row.ColumnInt64(1)), Result: make([]byte, row.ColumnLen(2))}
		row.ColumnBytes(0, b.Digest[:])
		row.ColumnBytes(2, b.Result)
		return b, nil
	}, sql, sender, id)
	return b, failure(t.ctx, "find a batch", err)
}

// PutBatch remembers a batch.
func (t *transfer) PutBatch(b domain.Batch) error {
	const sql = `INSERT INTO ingest_batch (sender, batch_id, sha256, received_at, result) VALUES (?1, ?2, ?3, ?4, ?5)`
	err := insert(t.conn, "this batch is known", sql, b.Sender, b.ID, b.Digest[:], micros(b.ReceivedAt), b.Result)
	return failure(t.ctx, "remember a batch", err)
}
