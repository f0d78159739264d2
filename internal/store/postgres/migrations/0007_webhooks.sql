-- The addresses of applications that are told what is new. events are names,
-- with a space between two; key is sealed.
CREATE TABLE webhook_endpoint (
    n             BIGINT  NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id            TEXT COLLATE "C" NOT NULL UNIQUE,
    client        TEXT COLLATE "C" NOT NULL REFERENCES application (id),
    partner       TEXT COLLATE "C" NOT NULL REFERENCES partner (id),
    url           TEXT    NOT NULL,
    events        TEXT    NOT NULL,
    key           BYTEA   NOT NULL,
    created_at    BIGINT  NOT NULL,
    changed_at    BIGINT  NOT NULL,
    paused        BOOLEAN NOT NULL,
    delivered_at  BIGINT  NOT NULL,
    failing_since BIGINT  NOT NULL
);

CREATE INDEX webhook_endpoint_client ON webhook_endpoint (client);
CREATE INDEX webhook_endpoint_partner ON webhook_endpoint (partner);

-- What a transaction has recorded, until deliveries say it: one row for each
-- channel, and none where nobody of its partner listens. Rows are read in any
-- order and removed one by one: a number is given out before it is committed.
CREATE TABLE webhook_note (
    id          BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ch          BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL
);

-- n is the order in which an endpoint gets them. ch, secret and about are NULL
-- where the event is about none.
CREATE TABLE webhook_delivery (
    n           BIGINT  NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          TEXT COLLATE "C" NOT NULL UNIQUE,
    endpoint    TEXT COLLATE "C" NOT NULL REFERENCES webhook_endpoint (id) ON DELETE CASCADE,
    event       TEXT COLLATE "C" NOT NULL,
    ch          BIGINT,
    recorded_at BIGINT  NOT NULL,
    first_day   INTEGER NOT NULL,
    last_day    INTEGER NOT NULL,
    secret      TEXT COLLATE "C",
    about       TEXT COLLATE "C",
    created_at  BIGINT  NOT NULL,
    state       TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed', 'withheld')),
    attempts    INTEGER NOT NULL,
    next_at     BIGINT  NOT NULL,
    settled_at  BIGINT  NOT NULL,
    status      INTEGER NOT NULL,
    problem     TEXT    NOT NULL,
    UNIQUE (endpoint, about)
);

CREATE INDEX webhook_delivery_endpoint ON webhook_delivery (endpoint, n);
CREATE INDEX webhook_delivery_waiting ON webhook_delivery (endpoint, n) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_created ON webhook_delivery (created_at);

-- Which node delivers, and until when. There is one row.
CREATE TABLE webhook_lease (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    holder TEXT    NOT NULL,
    until  BIGINT  NOT NULL
);

INSERT INTO webhook_lease (id, holder, until) VALUES (1, '', 0);
