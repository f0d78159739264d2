-- The audit log is a Merkle tree (RFC 6962). With an entry lie the hashes that
-- it completes, 32 bytes each: its own and those of the perfect subtrees that end
-- with it, smaller ones first. Entries are numbered from 1 without a gap. Those
-- that are there already are put into the tree by the step that follows.

DROP TRIGGER audit_log_stays;
DROP TRIGGER audit_log_keeps;
ALTER TABLE audit_log RENAME TO audit_before;

CREATE TABLE audit_log (
    seq        INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0),
    id         TEXT    NOT NULL UNIQUE CHECK (id <> ''),
    at         INTEGER NOT NULL,
    action     TEXT    NOT NULL,
    partner    TEXT    NOT NULL,
    client     TEXT    NOT NULL,
    person     TEXT    NOT NULL,
    object     TEXT    NOT NULL,
    allowed_by TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    detail     TEXT    NOT NULL,
    hashes     BLOB    NOT NULL CHECK (length(hashes) >= 32 AND length(hashes) % 32 = 0)
) STRICT;

CREATE TRIGGER audit_log_stays BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_log_keeps BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
