-- Links under which a developer makes an application's secret appear, once, so
-- that nobody else ever sees it. digest is the SHA-256 of what the link holds.
CREATE TABLE handover (
    digest    BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    client    TEXT    NOT NULL REFERENCES application (id),
    overlap   INTEGER NOT NULL, -- microseconds that the old secrets go on; 0: they stop
    made_at   INTEGER NOT NULL,
    until     INTEGER NOT NULL,
    opened_at INTEGER NOT NULL  -- 0: not yet
) STRICT, WITHOUT ROWID;

CREATE INDEX handover_client ON handover (client, made_at);
