-- The GraphQL documents that an application trusts, by their SHA-256 digest, and
-- whether it runs no others. The digest is of the text, so that a document never
-- changes: it is there or it is not.
ALTER TABLE application ADD COLUMN trusted_only BOOLEAN NOT NULL DEFAULT false;

CREATE TABLE trusted_document (
    client   TEXT COLLATE "C" NOT NULL REFERENCES application (id),
    partner  TEXT COLLATE "C" NOT NULL REFERENCES partner (id),
    digest   BYTEA  NOT NULL CHECK (length(digest) = 32),
    text     TEXT   NOT NULL,
    added_at BIGINT NOT NULL,
    CONSTRAINT trusted_document_digest PRIMARY KEY (client, digest)
);
