package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

const (
	aDocument       = "this document"
	documentClash   = "the application has this document"
	documentColumns = `client, partner, digest, text, added_at`
)

// AddDocument adds a document that an application trusts.
func (s *Store) AddDocument(ctx context.Context, d domain.Document, e domain.Entry) error {
	const sql = `
		INSERT INTO trusted_document (` + documentColumns + `)
		SELECT id, partner, ?3, ?4, ?5 FROM application WHERE id = ?1 AND partner = ?2`
	return s.change(ctx, "add a trusted document", func(conn *sqlite.Conn) error {
		if err := exists(conn, anApplication, `SELECT 1 FROM application WHERE id = ?1 AND partner = ?2`, d.Client, d.Partner); err != nil {
			return err
		}
		if err := insert(conn, documentClash, sql, d.Client, d.Partner, d.Digest[:], d.Text, micros(d.AddedAt)); err != nil {
			return err
		}
		return s.record(conn, e)
	})
}

// RemoveDocument removes a document of an application of the partner.
func (s *Store) RemoveDocument(ctx context.Context, p domain.PartnerID, id domain.ClientID, d domain.Digest, e domain.Entry) error {
	const sql = `DELETE FROM trusted_document WHERE client = ?1 AND partner = ?2 AND digest = ?3`
	return s.change(ctx, "remove a trusted document", func(conn *sqlite.Conn) error {
		if err := changed(conn, aDocument, sql, id, p, d[:]); err != nil {
			return err
		}
		return s.record(conn, e)
	})
}

// Documents lists the documents of an application of the partner, oldest first.
func (s *Store) Documents(ctx context.Context, p domain.PartnerID, id domain.ClientID) (list []domain.Document, err error) {
	const sql = `
		SELECT ` + documentColumns + ` FROM trusted_document
		WHERE client = ?1 AND partner = ?2 ORDER BY added_at, digest`
	err = s.read(ctx, "list trusted documents", func(conn *sqlite.Conn) error {
		list, err = all(conn, scanDocument, sql, id, p)
		return err
	})
	return list, err
}

// TrustedDocument returns the text of a document of an application of the
// partner.
func (s *Store) TrustedDocument(ctx context.Context, p domain.PartnerID, id domain.ClientID, d domain.Digest) (text string, err error) {
	const sql = `SELECT text FROM trusted_document WHERE client = ?1 AND partner = ?2 AND digest = ?3`
	err = s.read(ctx, "find a trusted document", func(conn *sqlite.Conn) error {
		text, err = one(conn, aDocument, scanText, sql, id, p, d[:])
		return err
	})
	return text, err
}

func scanDocument(row *sqlite.Stmt) (domain.Document, error) {
	d := domain.Document{
		Client: domain.ClientID(row.ColumnText(0)), Partner: domain.PartnerID(row.ColumnText(1)),
		Text: row.ColumnText(3), AddedAt: instant(row.ColumnInt64(4)),
	}
	row.ColumnBytes(2, d.Digest[:])
	return d, nil
}
