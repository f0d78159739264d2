-- Instants are microseconds since 1970-01-01T00:00:00Z, and 0 means none.
-- Days are days since 1970-01-01. Sets of names are separated by spaces,
-- other lists are JSON. Composite foreign keys keep partners apart: nothing
-- can hang on an object of another partner.
--
-- Texts are compared byte by byte (COLLATE "C"), whatever the database does by
-- itself: the order of a list is the same on every machine and in every engine,
-- and an upgrade of the system's rules for languages breaks no index.

CREATE TABLE schema_version (
    program TEXT   NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);

INSERT INTO schema_version (program, version) VALUES ('wattgate', 0);

CREATE TABLE partner (
    id             TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name           TEXT COLLATE "C" NOT NULL UNIQUE,
    disabled       BOOLEAN NOT NULL,
    revoked_before BIGINT  NOT NULL,
    created_at     BIGINT  NOT NULL
);

-- A person without a partner is platform staff.
CREATE TABLE person (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    partner         TEXT COLLATE "C" REFERENCES partner (id),
    customer        BOOLEAN NOT NULL,
    staff           BOOLEAN NOT NULL,
    permissions     TEXT COLLATE "C" NOT NULL,
    email           TEXT COLLATE "C" NOT NULL,
    first_name      TEXT    NOT NULL,
    middle_name     TEXT    NOT NULL,
    surname         TEXT    NOT NULL,
    phone           TEXT    NOT NULL,
    birth_date      INTEGER NOT NULL,
    customer_number TEXT COLLATE "C" NOT NULL,
    disabled        BOOLEAN NOT NULL,
    revoked_before  BIGINT  NOT NULL,
    created_at      BIGINT  NOT NULL,
    password_hash   TEXT    NOT NULL,
    UNIQUE (partner, id),
    CHECK (NOT customer OR partner IS NOT NULL)
);

CREATE UNIQUE INDEX person_email ON person (lower(email), coalesce(partner, '')) WHERE email <> '';
CREATE INDEX person_revoked ON person (id) WHERE disabled OR revoked_before <> 0;

CREATE TABLE account (
    partner TEXT COLLATE "C" NOT NULL,
    number  TEXT COLLATE "C" NOT NULL,
    person  TEXT COLLATE "C" NOT NULL,
    CONSTRAINT account_number PRIMARY KEY (partner, number),
    FOREIGN KEY (partner, person) REFERENCES person (partner, id)
);

CREATE INDEX account_person ON account (person);

CREATE TABLE role (
    name        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    permissions TEXT COLLATE "C" NOT NULL
);

CREATE TABLE application (
    id                 TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    partner            TEXT COLLATE "C" NOT NULL REFERENCES partner (id),
    name               TEXT COLLATE "C" NOT NULL,
    type               TEXT COLLATE "C" NOT NULL,
    grants             TEXT    NOT NULL,
    uris               TEXT    NOT NULL,
    skip_authorization BOOLEAN NOT NULL,
    reach              TEXT COLLATE "C" NOT NULL,
    role               TEXT COLLATE "C" NOT NULL REFERENCES role (name),
    audiences          TEXT    NOT NULL,
    lifetime           BIGINT  NOT NULL, -- microseconds
    auth_method        TEXT COLLATE "C" NOT NULL,
    disabled           BOOLEAN NOT NULL,
    revoked_before     BIGINT  NOT NULL,
    created_at         BIGINT  NOT NULL,
    changed_at         BIGINT  NOT NULL,
    keys               TEXT    NOT NULL,
    fapi               BOOLEAN NOT NULL,
    tls_subject        TEXT    NOT NULL,
    UNIQUE (partner, name),
    UNIQUE (partner, id)
);

CREATE INDEX application_role ON application (role);

-- n is the order of those that were made at the same instant.
CREATE TABLE secret (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    n          BIGINT GENERATED ALWAYS AS IDENTITY,
    client     TEXT COLLATE "C" NOT NULL REFERENCES application (id),
    digest     BYTEA  NOT NULL CHECK (length(digest) = 32),
    hint       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    retired_at BIGINT NOT NULL
);

CREATE INDEX secret_client ON secret (client);

-- Apart from secret, because it changes every few seconds and secrets hardly ever.
CREATE TABLE secret_use (
    secret    TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES secret (id),
    last_used BIGINT NOT NULL,
    tokens    BIGINT NOT NULL
);

-- How often applications came with a key or certificate of their own.
CREATE TABLE application_use (
    application TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES application (id),
    last_used   BIGINT NOT NULL,
    tokens      BIGINT NOT NULL
);

-- How many tokens each secret brought in each hour since 1970, of the last two
-- days; and the same of applications that come with a key of their own. What is
-- older is deleted with the next batch, which is what the index is for.
CREATE TABLE secret_hour (
    secret TEXT COLLATE "C" NOT NULL REFERENCES secret (id),
    hour   BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    PRIMARY KEY (secret, hour)
);

CREATE INDEX secret_hour_hour ON secret_hour (hour);

CREATE TABLE application_hour (
    application TEXT COLLATE "C" NOT NULL REFERENCES application (id),
    hour        BIGINT NOT NULL,
    tokens      BIGINT NOT NULL,
    PRIMARY KEY (application, hour)
);

CREATE INDEX application_hour_hour ON application_hour (hour);

-- A removed key stays without its private half, so that no name is used twice.
CREATE TABLE signing_key (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    n           BIGINT GENERATED ALWAYS AS IDENTITY,
    algorithm   TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    state       TEXT COLLATE "C" NOT NULL,
    sealed      BYTEA  NOT NULL,
    public      BYTEA  NOT NULL,
    active_from BIGINT NOT NULL,
    retired_at  BIGINT NOT NULL,
    removed_at  BIGINT NOT NULL
);

-- Tokens that were revoked one by one, until their time is over. jti is the
-- beginning of the SHA-256 of a token's jti. seq is never reused: whoever has
-- read up to one of them asks for what follows. Because changes take turns, a
-- smaller number is never committed after a larger one.
CREATE TABLE revoked_token (
    seq   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    jti   BYTEA  NOT NULL UNIQUE CHECK (length(jti) = 16),
    until BIGINT NOT NULL
);

CREATE INDEX revoked_token_until ON revoked_token (until);

-- Which assertions of applications have been used. jti is the beginning of the
-- SHA-256 of a client's own name for an assertion.
CREATE TABLE used_assertion (
    client TEXT COLLATE "C" NOT NULL REFERENCES application (id),
    jti    BYTEA  NOT NULL CHECK (length(jti) = 16),
    until  BIGINT NOT NULL,
    PRIMARY KEY (client, jti)
);

CREATE INDEX used_assertion_until ON used_assertion (until);

-- The latest instant that any token was issued at or any revocation reaches to.
-- A clock that was ahead made tokens from the future; what ends tokens has to
-- reach to them after it was set back, also across a restart. There is one row.
CREATE TABLE mark (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    latest BIGINT  NOT NULL
);

INSERT INTO mark (id, latest) VALUES (1, 0);

-- From which ranges of addresses applications were right, and in which hour since
-- 1970 the last time. Both are in the digest, under the installation's key.
CREATE TABLE known_range (
    digest BYTEA  NOT NULL PRIMARY KEY CHECK (length(digest) = 16),
    hour   BIGINT NOT NULL
);

CREATE INDEX known_range_hour ON known_range (hour);

CREATE TABLE property (
    id       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    partner  TEXT COLLATE "C" NOT NULL REFERENCES partner (id),
    account  TEXT COLLATE "C", -- none: nobody lives there as far as we know
    label    TEXT NOT NULL,
    address  TEXT NOT NULL,
    postcode TEXT NOT NULL,
    zone     TEXT NOT NULL,
    UNIQUE (partner, id),
    FOREIGN KEY (partner, account) REFERENCES account (partner, number)
);

CREATE INDEX property_account ON property (partner, account, id);

CREATE TABLE supply_point (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner    TEXT COLLATE "C" NOT NULL REFERENCES partner (id),
    property   TEXT COLLATE "C",
    market     TEXT COLLATE "C" NOT NULL,
    identifier TEXT COLLATE "C" NOT NULL,
    zone       TEXT NOT NULL,
    UNIQUE (market, identifier),
    UNIQUE (id, partner),
    FOREIGN KEY (partner, property) REFERENCES property (partner, id)
);

CREATE INDEX supply_point_property ON supply_point (partner, property);
