-- Who is logged in, what a person has allowed an application, what waits for a
-- person's answer, and who did what. Of all that works like a password there is
-- only the SHA-256: of browsers' cookies, codes, challenges, pushed requests,
-- refresh tokens, device codes and user codes.

-- Who is logged in at which browser.
CREATE TABLE session (
    digest    BYTEA  NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    person    TEXT COLLATE "C" NOT NULL REFERENCES person (id),
    auth_time BIGINT NOT NULL,
    seen_at   BIGINT NOT NULL
);

CREATE INDEX session_person ON session (person);
CREATE INDEX session_auth_time ON session (auth_time);

-- A pushed request (RFC 9126), or one whose person logs in and decides.
CREATE TABLE authorization_request (
    digest  BYTEA  NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    kind    TEXT COLLATE "C" NOT NULL CHECK (kind IN ('pushed', 'challenge')),
    client  TEXT COLLATE "C" NOT NULL REFERENCES application (id),
    request TEXT   NOT NULL, -- JSON
    until   BIGINT NOT NULL,
    device  BYTEA CHECK (length(device) = 32) -- whose person decides; none: no device
);

CREATE INDEX authorization_request_device ON authorization_request (device, until) WHERE device IS NOT NULL;
CREATE INDEX authorization_request_until ON authorization_request (until);

CREATE TABLE consent (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    client       TEXT COLLATE "C" NOT NULL,
    partner      TEXT COLLATE "C" NOT NULL,
    person       TEXT COLLATE "C" NOT NULL,
    account      TEXT COLLATE "C", -- none: all of the person's
    permissions  TEXT    NOT NULL, -- names, with a space between two
    finest       BIGINT  NOT NULL, -- microseconds; 0: as measured
    history_from INTEGER NOT NULL,
    valid_until  BIGINT  NOT NULL,
    purpose      TEXT    NOT NULL,
    created_at   BIGINT  NOT NULL,
    revoked_at   BIGINT  NOT NULL,
    UNIQUE (id, partner),
    FOREIGN KEY (partner, client) REFERENCES application (partner, id),
    FOREIGN KEY (partner, person) REFERENCES person (partner, id),
    FOREIGN KEY (partner, account) REFERENCES account (partner, number)
);

CREATE INDEX consent_client ON consent (client, created_at);
CREATE INDEX consent_client_person ON consent (client, person, created_at);
CREATE INDEX consent_person ON consent (person, created_at);

CREATE TABLE consent_point (
    consent      TEXT COLLATE "C" NOT NULL,
    supply_point BIGINT NOT NULL,
    partner      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (consent, supply_point),
    FOREIGN KEY (consent, partner) REFERENCES consent (id, partner),
    FOREIGN KEY (supply_point, partner) REFERENCES supply_point (id, partner)
);

CREATE INDEX consent_point_supply_point ON consent_point (supply_point, consent);

-- What one code became: all refresh tokens that follow each other, and the
-- access tokens that carry the family's name as sid. jkt is the key that renewing
-- takes, of a family of a public application that proved to hold one.
CREATE TABLE token_family (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    client      TEXT COLLATE "C" NOT NULL,
    partner     TEXT COLLATE "C" NOT NULL,
    person      TEXT COLLATE "C" NOT NULL,
    consent     TEXT COLLATE "C" REFERENCES consent (id), -- none: authorization is skipped
    scope       TEXT    NOT NULL,
    permissions TEXT    NOT NULL,
    audience    TEXT    NOT NULL, -- JSON
    resource    TEXT    NOT NULL, -- JSON
    nonce       TEXT    NOT NULL,
    auth_time   BIGINT  NOT NULL,
    offline     BOOLEAN NOT NULL,
    started_at  BIGINT  NOT NULL,
    until       BIGINT  NOT NULL, -- nothing of it lives longer
    ended_at    BIGINT  NOT NULL,
    jkt         TEXT    NOT NULL DEFAULT '',
    FOREIGN KEY (partner, client) REFERENCES application (partner, id),
    FOREIGN KEY (partner, person) REFERENCES person (partner, id)
);

CREATE INDEX token_family_client ON token_family (client, person);
CREATE INDEX token_family_consent ON token_family (consent) WHERE consent IS NOT NULL;
CREATE INDEX token_family_until ON token_family (until);

-- A used code stays as long as its family, so that its second use is known. jkt
-- is the key that it was asked for.
CREATE TABLE authorization_code (
    digest    BYTEA  NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    family    TEXT COLLATE "C" NOT NULL REFERENCES token_family (id) ON DELETE CASCADE,
    redirect  TEXT   NOT NULL,
    challenge TEXT   NOT NULL, -- of PKCE
    until     BIGINT NOT NULL,
    used_at   BIGINT NOT NULL,
    jkt       TEXT   NOT NULL
);

CREATE INDEX authorization_code_family ON authorization_code (family);

CREATE TABLE refresh_token (
    digest  BYTEA   NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    family  TEXT COLLATE "C" NOT NULL REFERENCES token_family (id) ON DELETE CASCADE,
    until   BIGINT  NOT NULL,
    used_at BIGINT  NOT NULL,
    lasting BOOLEAN NOT NULL -- renewing gives it back, and no successor
);

CREATE INDEX refresh_token_family ON refresh_token (family);
CREATE INDEX refresh_token_until ON refresh_token (until);

CREATE TABLE device_code (
    digest    BYTEA  NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    user_code BYTEA  NOT NULL UNIQUE CHECK (length(user_code) = 32),
    client    TEXT COLLATE "C" NOT NULL REFERENCES application (id),
    request   TEXT   NOT NULL, -- JSON
    state     TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'allowed', 'denied', 'taken')),
    family    TEXT COLLATE "C" REFERENCES token_family (id) ON DELETE CASCADE,
    until     BIGINT NOT NULL,
    polled_at BIGINT NOT NULL,
    pause     BIGINT NOT NULL -- microseconds between two polls
);

CREATE INDEX device_code_family ON device_code (family);
CREATE INDEX device_code_until ON device_code (until);

-- The audit log is a Merkle tree (RFC 6962). With an entry lie the hashes that
-- it completes, 32 bytes each: its own and those of the perfect subtrees that end
-- with it, smaller ones first. Entries are numbered from 1 without a gap, by
-- whoever holds the lock of all changes.
CREATE TABLE audit_log (
    seq        BIGINT NOT NULL PRIMARY KEY CHECK (seq > 0),
    id         TEXT COLLATE "C" NOT NULL UNIQUE CHECK (id <> ''),
    at         BIGINT NOT NULL,
    action     TEXT COLLATE "C" NOT NULL,
    partner    TEXT COLLATE "C" NOT NULL,
    client     TEXT COLLATE "C" NOT NULL,
    person     TEXT COLLATE "C" NOT NULL,
    object     TEXT COLLATE "C" NOT NULL,
    allowed_by TEXT   NOT NULL,
    request_id TEXT   NOT NULL,
    address    TEXT COLLATE "C" NOT NULL,
    detail     TEXT   NOT NULL,
    hashes     BYTEA  NOT NULL CHECK (length(hashes) >= 32 AND length(hashes) % 32 = 0)
);

-- Triggers and their functions are written as PostgreSQL says them: what a
-- database has is compared with these texts.
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$;

CREATE TRIGGER audit_log_stays BEFORE UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_log_keeps BEFORE DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_log_lasts BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION append_only();
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_stays;
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_keeps;
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_lasts;
