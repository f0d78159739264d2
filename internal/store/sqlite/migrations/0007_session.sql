-- Who is logged in at which browser. digest is the SHA-256 of the value in the
-- browser's cookie: nobody gets from it back to the value.
CREATE TABLE session (
    digest    BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    person    TEXT    NOT NULL REFERENCES person (id),
    auth_time INTEGER NOT NULL,
    seen_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_person ON session (person);
CREATE INDEX session_auth_time ON session (auth_time);
