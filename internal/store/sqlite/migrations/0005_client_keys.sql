-- Applications that sign assertions instead of sending a secret: their public
-- keys, and which assertions have been used. jti is the beginning of the SHA-256
-- of a client's own name for an assertion.
ALTER TABLE application ADD COLUMN keys TEXT NOT NULL DEFAULT '';

CREATE TABLE used_assertion (
    client TEXT    NOT NULL REFERENCES application (id),
    jti    BLOB    NOT NULL CHECK (length(jti) = 16),
    until  INTEGER NOT NULL,
    PRIMARY KEY (client, jti)
) STRICT, WITHOUT ROWID;

CREATE INDEX used_assertion_until ON used_assertion (until);
