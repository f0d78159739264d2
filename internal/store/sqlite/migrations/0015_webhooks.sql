-- The addresses of applications that are told what is new. events are names,
-- with a space between two; key is sealed.
CREATE TABLE webhook_endpoint (
    n             INTEGER PRIMARY KEY AUTOINCREMENT,
    id            TEXT    NOT NULL UNIQUE,
    client        TEXT    NOT NULL REFERENCES application (id),
    partner       TEXT    NOT NULL REFERENCES partner (id),
    url           TEXT    NOT NULL,
    events        TEXT    NOT NULL,
    key           BLOB    NOT NULL,
    created_at    INTEGER NOT NULL,
    changed_at    INTEGER NOT NULL,
    paused        INTEGER NOT NULL,
    delivered_at  INTEGER NOT NULL,
    failing_since INTEGER NOT NULL
) STRICT;

CREATE INDEX webhook_endpoint_client ON webhook_endpoint (client);
CREATE INDEX webhook_endpoint_partner ON webhook_endpoint (partner);

-- What a transaction has recorded, until deliveries say it: one row for each
-- channel, and none where nobody of its partner listens.
CREATE TABLE webhook_note (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    ch          INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;

-- n is the order in which an endpoint gets them. ch, secret and about are NULL
-- where the event is about none.
CREATE TABLE webhook_delivery (
    n           INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT    NOT NULL UNIQUE,
    endpoint    TEXT    NOT NULL REFERENCES webhook_endpoint (id) ON DELETE CASCADE,
    event       TEXT    NOT NULL,
    ch          INTEGER,
    recorded_at INTEGER NOT NULL,
    first_day   INTEGER NOT NULL,
    last_day    INTEGER NOT NULL,
    secret      TEXT,
    about       TEXT,
    created_at  INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed', 'withheld')),
    attempts    INTEGER NOT NULL,
    next_at     INTEGER NOT NULL,
    settled_at  INTEGER NOT NULL,
    status      INTEGER NOT NULL,
    problem     TEXT    NOT NULL,
    UNIQUE (endpoint, about)
) STRICT;

CREATE INDEX webhook_delivery_endpoint ON webhook_delivery (endpoint, n);
CREATE INDEX webhook_delivery_waiting ON webhook_delivery (endpoint, n) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_created ON webhook_delivery (created_at);

-- Which node delivers, and until when. There is one row.
CREATE TABLE webhook_lease (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    holder TEXT    NOT NULL,
    until  INTEGER NOT NULL
) STRICT;

INSERT INTO webhook_lease (id, holder, until) VALUES (1, '', 0);
