-- Instants are microseconds since 1970-01-01T00:00:00Z, and 0 means none.
-- Days are days since 1970-01-01. Sets of names are separated by spaces,
-- other lists are JSON. Composite foreign keys keep partners apart: nothing
-- can hang on an object of another partner.

CREATE TABLE partner (
    id             TEXT    NOT NULL PRIMARY KEY,
    name           TEXT    NOT NULL UNIQUE,
    disabled       INTEGER NOT NULL,
    revoked_before INTEGER NOT NULL,
    created_at     INTEGER NOT NULL
) STRICT;

-- A person without a partner is platform staff.
CREATE TABLE person (
    id              TEXT    NOT NULL PRIMARY KEY,
    partner         TEXT    REFERENCES partner (id),
    customer        INTEGER NOT NULL,
    staff           INTEGER NOT NULL,
    permissions     TEXT    NOT NULL,
    email           TEXT    NOT NULL,
    first_name      TEXT    NOT NULL,
    middle_name     TEXT    NOT NULL,
    surname         TEXT    NOT NULL,
    phone           TEXT    NOT NULL,
    birth_date      INTEGER NOT NULL,
    customer_number TEXT    NOT NULL,
    disabled        INTEGER NOT NULL,
    revoked_before  INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    password_hash   TEXT    NOT NULL,
    UNIQUE (partner, id),
    CHECK (customer = 0 OR partner IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX person_email ON person (lower(email), ifnull(partner, '')) WHERE email <> '';
CREATE INDEX person_revoked ON person (id) WHERE disabled <> 0 OR revoked_before <> 0;

CREATE TABLE account (
    partner TEXT NOT NULL,
    number  TEXT NOT NULL,
    person  TEXT NOT NULL,
    PRIMARY KEY (partner, number),
    FOREIGN KEY (partner, person) REFERENCES person (partner, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX account_person ON account (person);

CREATE TABLE role (
    name        TEXT NOT NULL PRIMARY KEY,
    permissions TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE application (
    id                 TEXT    NOT NULL PRIMARY KEY,
    partner            TEXT    NOT NULL REFERENCES partner (id),
    name               TEXT    NOT NULL,
    type               TEXT    NOT NULL,
    grants             TEXT    NOT NULL,
    uris               TEXT    NOT NULL,
    skip_authorization INTEGER NOT NULL,
    reach              TEXT    NOT NULL,
    role               TEXT    NOT NULL REFERENCES role (name),
    audiences          TEXT    NOT NULL,
    lifetime           INTEGER NOT NULL, -- microseconds
    auth_method        TEXT    NOT NULL,
    disabled           INTEGER NOT NULL,
    revoked_before     INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    changed_at         INTEGER NOT NULL,
    UNIQUE (partner, name)
) STRICT;

CREATE INDEX application_role ON application (role);

CREATE TABLE secret (
    id         TEXT    NOT NULL PRIMARY KEY,
    client     TEXT    NOT NULL REFERENCES application (id),
    digest     BLOB    NOT NULL CHECK (length(digest) = 32),
    hint       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    retired_at INTEGER NOT NULL
) STRICT;

CREATE INDEX secret_client ON secret (client);

-- Apart from secret, because it changes every few seconds and secrets hardly ever.
CREATE TABLE secret_use (
    secret    TEXT    NOT NULL PRIMARY KEY REFERENCES secret (id),
    last_used INTEGER NOT NULL,
    tokens    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE signing_key (
    id         TEXT    NOT NULL PRIMARY KEY,
    algorithm  TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,
    public     BLOB    NOT NULL
) STRICT;

CREATE TABLE property (
    id       TEXT NOT NULL PRIMARY KEY,
    partner  TEXT NOT NULL REFERENCES partner (id),
    account  TEXT, -- none: nobody lives there as far as we know
    label    TEXT NOT NULL,
    address  TEXT NOT NULL,
    postcode TEXT NOT NULL,
    zone     TEXT NOT NULL,
    UNIQUE (partner, id),
    FOREIGN KEY (partner, account) REFERENCES account (partner, number)
) STRICT;

CREATE INDEX property_account ON property (partner, account, id);

CREATE TABLE supply_point (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    partner    TEXT NOT NULL REFERENCES partner (id),
    property   TEXT,
    market     TEXT NOT NULL,
    identifier TEXT NOT NULL,
    zone       TEXT NOT NULL,
    UNIQUE (market, identifier),
    UNIQUE (id, partner),
    FOREIGN KEY (partner, property) REFERENCES property (partner, id)
) STRICT;

CREATE INDEX supply_point_property ON supply_point (partner, property);

-- ch is never reused, because history is kept under it. Where scale,
-- resolution_min or a bound of validity is null, each packed day says its own.
CREATE TABLE channel (
    ch              INTEGER PRIMARY KEY AUTOINCREMENT,
    supply_point_id INTEGER NOT NULL,
    partner_id      TEXT    NOT NULL,
    register        TEXT    NOT NULL,
    direction       TEXT    NOT NULL CHECK (direction IN ('CONSUMPTION', 'GENERATION')),
    unit            TEXT    NOT NULL,
    scale           INTEGER,
    resolution_min  INTEGER,
    tz              TEXT    NOT NULL,
    valid_from      INTEGER,
    valid_to        INTEGER,
    UNIQUE (supply_point_id, register, direction, unit),
    FOREIGN KEY (supply_point_id, partner_id) REFERENCES supply_point (id, partner)
) STRICT;

-- Where a day came from, once: a number in each day instead of a text.
CREATE TABLE source (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- Days in the order (day, ch) append; (ch, day) would dirty one page per
-- channel and day. What refers to channel is checked by the code once per
-- channel and transaction, rather than by a key for every day.
CREATE TABLE hot (
    day         INTEGER NOT NULL,
    ch          INTEGER NOT NULL,
    rev         INTEGER NOT NULL,
    src         INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    data        BLOB    NOT NULL,
    PRIMARY KEY (day, ch)
) STRICT, WITHOUT ROWID;

CREATE TABLE history (
    ch          INTEGER NOT NULL,
    day         INTEGER NOT NULL,
    rev         INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    src         INTEGER NOT NULL,
    reason      TEXT    NOT NULL DEFAULT '',
    data        BLOB    NOT NULL,
    PRIMARY KEY (ch, day, rev)
) STRICT, WITHOUT ROWID;

CREATE TABLE extent (
    ch               INTEGER NOT NULL PRIMARY KEY REFERENCES channel (ch),
    first_day        INTEGER NOT NULL,
    last_day         INTEGER NOT NULL,
    last_recorded_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_log (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
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
    detail     TEXT    NOT NULL
) STRICT;

CREATE TRIGGER history_stays BEFORE UPDATE ON history BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER history_keeps BEFORE DELETE ON history BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER audit_log_stays BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_log_keeps BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
