-- complete_day is the watermark: the last day up to which, from first_day on,
-- every day has all its intervals.
ALTER TABLE extent ADD COLUMN complete_day INTEGER NOT NULL DEFAULT 0;
UPDATE extent SET complete_day = first_day - 1;

-- The last instant at which something was recorded: the next one is later,
-- whatever the clock says.
CREATE TABLE recording (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL
) STRICT;

INSERT INTO recording SELECT 1, ifnull(max(last_recorded_at), 0) FROM extent;

CREATE TABLE register_read (
    ch          INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    rev         INTEGER NOT NULL,
    coefficient INTEGER NOT NULL,
    scale       INTEGER NOT NULL,
    quality     INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    src         INTEGER NOT NULL,
    reason      TEXT    NOT NULL,
    PRIMARY KEY (ch, at, rev)
) STRICT, WITHOUT ROWID;

CREATE TABLE ingest_batch (
    sender      TEXT    NOT NULL,
    batch_id    TEXT    NOT NULL,
    sha256      BLOB    NOT NULL CHECK (length(sha256) = 32),
    received_at INTEGER NOT NULL,
    result      BLOB    NOT NULL,
    PRIMARY KEY (sender, batch_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX ingest_batch_received ON ingest_batch (received_at);
