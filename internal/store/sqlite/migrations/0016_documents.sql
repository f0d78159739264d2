-- The GraphQL documents that an application trusts, by their SHA-256 digest, and
-- whether it runs no others. The digest is of the text, so that a document never
-- changes: it is there or it is not.
ALTER TABLE application ADD COLUMN trusted_only INTEGER NOT NULL DEFAULT 0;

CREATE TABLE trusted_document (
    client   TEXT    NOT NULL REFERENCES application (id),
    partner  TEXT    NOT NULL REFERENCES partner (id),
    digest   BLOB    NOT NULL CHECK (length(digest) = 32),
    text     TEXT    NOT NULL,
    added_at INTEGER NOT NULL,
    UNIQUE (client, digest)
) STRICT;
