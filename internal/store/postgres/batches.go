package postgres

import (
	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

// Batch finds a batch of a sender.
func (t *transfer) Batch(sender, id string) (domain.Batch, error) {
	const sql = `SELECT sha256, received_at, result FROM ingest_batch WHERE sender = $1 AND batch_id = $2`
	b, err := one(t.ctx, t.conn, "this batch", func(row pgx.CollectableRow) (domain.Batch, error) {
		b := domain.Batch{Sender: sender, ID: id}
		var digest []byte
		err := row.Scan(&digest, at(&b.ReceivedAt), &b.Result)
		copy(b.Digest[:], digest)
		return b, err
	}, sql, sender, id)
	return b, failure(t.ctx, "find a batch", err)
}

// PutBatch remembers a batch.
func (t *transfer) PutBatch(b domain.Batch) error {
	const sql = `INSERT INTO ingest_batch (sender, batch_id, sha256, received_at, result) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`
	tag, err := t.conn.Exec(t.ctx, sql, b.Sender, b.ID, b.Digest[:], micros(b.ReceivedAt), b.Result)
	if err == nil && tag.RowsAffected() == 0 {
		err = &domain.Error{Kind: domain.Conflict, Public: "this batch is known"}
	}
	return failure(t.ctx, "remember a batch", err)
}
