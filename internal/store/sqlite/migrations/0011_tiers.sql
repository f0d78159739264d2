-- A closed month of a channel is one row of seal, packed by package interval,
-- and its rows of hot are gone. A unique index rather than a key that is a
-- rowid, or no rowid: months are sealed one after the other for all channels, so
-- that rows which append fill their pages, and rows that would stand between
-- others leave a sixth of each page empty. month is its first day.
CREATE TABLE seal (
    id          INTEGER PRIMARY KEY,
    ch          INTEGER NOT NULL,
    month       INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL, -- the newest of its days
    data        BLOB    NOT NULL,
    UNIQUE (ch, month)
) STRICT;

-- Months before a channel's open ones that have rows of hot again: they lie over
-- what is sealed, until all of it is sealed anew.
CREATE TABLE reopened (
    ch          INTEGER NOT NULL,
    month       INTEGER NOT NULL,
    last        INTEGER NOT NULL, -- day of the month
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (ch, month)
) STRICT, WITHOUT ROWID;

-- complete_day is the watermark: the last day up to which, from first_day on,
-- every day has all its intervals. From open_first, the first day of a month, on
-- nothing is sealed; open_last is the last day of that month, and open_recorded
-- when something of that month was recorded last, 0 where nobody has looked.
-- reopened counts the months before it that have rows of hot again.
CREATE TABLE reach (
    ch               INTEGER PRIMARY KEY REFERENCES channel (ch),
    first_day        INTEGER NOT NULL,
    last_day         INTEGER NOT NULL,
    complete_day     INTEGER NOT NULL,
    last_recorded_at INTEGER NOT NULL,
    open_first       INTEGER NOT NULL,
    open_last        INTEGER NOT NULL,
    open_recorded    INTEGER NOT NULL,
    reopened         INTEGER NOT NULL
) STRICT;

INSERT INTO reach
SELECT ch, first_day, last_day, first_day - 1, last_recorded_at,
    unixepoch(first_day * 86400, 'unixepoch', 'start of month') / 86400,
    unixepoch(first_day * 86400, 'unixepoch', 'start of month', '+1 month') / 86400 - 1,
    last_recorded_at, 0
FROM extent;

DROP TABLE extent;

-- The last instant at which something was recorded: the next one is later,
-- whatever the clock says.
CREATE TABLE recording (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL
) STRICT;

INSERT INTO recording SELECT 1, ifnull(max(last_recorded_at), 0) FROM reach;

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
