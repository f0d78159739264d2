-- The latest instant that any token was issued at or any revocation reaches to.
-- A clock that was ahead made tokens from the future; what ends tokens has to
-- reach to them after it was set back, also across a restart. There is one row.
CREATE TABLE mark (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    latest INTEGER NOT NULL
) STRICT;

INSERT INTO mark (id, latest) VALUES (1, 0);

-- How often applications came with a key or certificate of their own, apart
-- from application because it changes every few seconds.
CREATE TABLE application_use (
    application TEXT    NOT NULL PRIMARY KEY REFERENCES application (id),
    last_used   INTEGER NOT NULL,
    tokens      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- From which ranges of addresses applications were right, and in which hour since
-- 1970 the last time. Both are in the digest, under the installation's key.
CREATE TABLE known_range (
    digest BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 16),
    hour   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX known_range_hour ON known_range (hour);
