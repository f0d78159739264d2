-- What a person has allowed an application, and what waits for a person's
-- answer. Of all that works like a password there is only the SHA-256: of codes,
-- challenges, pushed requests, refresh tokens, device codes and user codes.

CREATE UNIQUE INDEX application_partner ON application (partner, id);

-- A pushed request (RFC 9126), or one whose person logs in and decides.
CREATE TABLE authorization_request (
    digest  BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    kind    TEXT    NOT NULL CHECK (kind IN ('pushed', 'challenge')),
    client  TEXT    NOT NULL REFERENCES application (id),
    request TEXT    NOT NULL, -- JSON
    until   INTEGER NOT NULL,
    device  BLOB CHECK (length(device) = 32) -- whose person decides; none: no device
) STRICT, WITHOUT ROWID;

CREATE INDEX authorization_request_device ON authorization_request (device, until) WHERE device IS NOT NULL;
CREATE INDEX authorization_request_until ON authorization_request (until);

CREATE TABLE consent (
    id           TEXT    NOT NULL PRIMARY KEY,
    client       TEXT    NOT NULL,
    partner      TEXT    NOT NULL,
    person       TEXT    NOT NULL,
    account      TEXT, -- none: all of the person's
    permissions  TEXT    NOT NULL, -- names, with a space between two
    finest       INTEGER NOT NULL, -- microseconds; 0: as measured
    history_from INTEGER NOT NULL,
    valid_until  INTEGER NOT NULL,
    purpose      TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    revoked_at   INTEGER NOT NULL,
    UNIQUE (id, partner),
    FOREIGN KEY (partner, client) REFERENCES application (partner, id),
    FOREIGN KEY (partner, person) REFERENCES person (partner, id),
    FOREIGN KEY (partner, account) REFERENCES account (partner, number)
) STRICT;

CREATE INDEX consent_client ON consent (client, created_at);
CREATE INDEX consent_client_person ON consent (client, person, created_at);
CREATE INDEX consent_person ON consent (person, created_at);

CREATE TABLE consent_point (
    consent      TEXT    NOT NULL,
    supply_point INTEGER NOT NULL,
    partner      TEXT    NOT NULL,
    PRIMARY KEY (consent, supply_point),
    FOREIGN KEY (consent, partner) REFERENCES consent (id, partner),
    FOREIGN KEY (supply_point, partner) REFERENCES supply_point (id, partner)
) STRICT, WITHOUT ROWID;

CREATE INDEX consent_point_supply_point ON consent_point (supply_point, consent);

-- What one code became: all refresh tokens that follow each other, and the
-- access tokens that carry the family's name as sid.
CREATE TABLE token_family (
    id          TEXT    NOT NULL PRIMARY KEY,
    client      TEXT    NOT NULL,
    partner     TEXT    NOT NULL,
    person      TEXT    NOT NULL,
    consent     TEXT    REFERENCES consent (id), -- none: authorization is skipped
    scope       TEXT    NOT NULL,
    permissions TEXT    NOT NULL,
    audience    TEXT    NOT NULL, -- JSON
    resource    TEXT    NOT NULL, -- JSON
    nonce       TEXT    NOT NULL,
    auth_time   INTEGER NOT NULL,
    offline     INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    until       INTEGER NOT NULL, -- nothing of it lives longer
    ended_at    INTEGER NOT NULL,
    FOREIGN KEY (partner, client) REFERENCES application (partner, id),
    FOREIGN KEY (partner, person) REFERENCES person (partner, id)
) STRICT;

CREATE INDEX token_family_client ON token_family (client, person);
CREATE INDEX token_family_consent ON token_family (consent) WHERE consent IS NOT NULL;
CREATE INDEX token_family_until ON token_family (until);

-- A used code stays as long as its family, so that its second use is known.
CREATE TABLE authorization_code (
    digest    BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    family    TEXT    NOT NULL REFERENCES token_family (id) ON DELETE CASCADE,
    redirect  TEXT    NOT NULL,
    challenge TEXT    NOT NULL, -- of PKCE
    until     INTEGER NOT NULL,
    used_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX authorization_code_family ON authorization_code (family);

CREATE TABLE refresh_token (
    digest  BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    family  TEXT    NOT NULL REFERENCES token_family (id) ON DELETE CASCADE,
    until   INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    lasting INTEGER NOT NULL -- renewing gives it back, and no successor
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_token_family ON refresh_token (family);
CREATE INDEX refresh_token_until ON refresh_token (until);

CREATE TABLE device_code (
    digest    BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    user_code BLOB    NOT NULL UNIQUE CHECK (length(user_code) = 32),
    client    TEXT    NOT NULL REFERENCES application (id),
    request   TEXT    NOT NULL, -- JSON
    state     TEXT    NOT NULL CHECK (state IN ('waiting', 'allowed', 'denied', 'taken')),
    family    TEXT REFERENCES token_family (id) ON DELETE CASCADE,
    until     INTEGER NOT NULL,
    polled_at INTEGER NOT NULL,
    pause     INTEGER NOT NULL -- microseconds between two polls
) STRICT, WITHOUT ROWID;

CREATE INDEX device_code_family ON device_code (family);
CREATE INDEX device_code_until ON device_code (until);
