-- How account users log in at the customer API. Of all that works like a password
-- there is only a digest: of refresh tokens, pre-signed tokens and masquerade
-- tokens the SHA-256, of live secret keys the HMAC under the installation's key.

-- One log-in: a refresh token that is not rotated, and the access tokens that
-- carry the family's name as sid. Who looks on as the user has none.
CREATE TABLE login (
    family      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    partner     TEXT COLLATE "C" NOT NULL,
    person      TEXT COLLATE "C" NOT NULL,
    client      TEXT COLLATE "C", -- the third party that has it; none: the person
    staff       TEXT COLLATE "C" REFERENCES person (id), -- who looks on
    method      TEXT COLLATE "C" NOT NULL,
    permissions TEXT   NOT NULL,
    refresh     BYTEA UNIQUE CHECK (length(refresh) = 32),
    proof       BYTEA CHECK (length(proof) = 32), -- the key that it was proven by
    started_at  BIGINT NOT NULL,
    until       BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL,
    FOREIGN KEY (partner, person) REFERENCES person (partner, id),
    FOREIGN KEY (partner, client) REFERENCES application (partner, id)
);

CREATE INDEX login_person ON login (person, started_at);
CREATE INDEX login_client ON login (client) WHERE client IS NOT NULL;
CREATE INDEX login_until ON login (until);

-- The one key of a person that programs of theirs log in with.
CREATE TABLE live_key (
    person     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    partner    TEXT COLLATE "C" NOT NULL,
    digest     BYTEA  NOT NULL UNIQUE CHECK (length(digest) = 32),
    created_at BIGINT NOT NULL,
    FOREIGN KEY (partner, person) REFERENCES person (partner, id)
);

-- What logs a person in for some things, as often as it comes. client made it.
CREATE TABLE presigned (
    digest      BYTEA  NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    partner     TEXT COLLATE "C" NOT NULL,
    person      TEXT COLLATE "C" NOT NULL,
    client      TEXT COLLATE "C" NOT NULL,
    permissions TEXT   NOT NULL,
    until       BIGINT NOT NULL,
    FOREIGN KEY (partner, person) REFERENCES person (partner, id),
    FOREIGN KEY (partner, client) REFERENCES application (partner, id)
);

CREATE INDEX presigned_person ON presigned (person);
CREATE INDEX presigned_until ON presigned (until);

-- What lets a member of staff look on as a person, once. No staff: the operator.
CREATE TABLE masquerade (
    digest  BYTEA  NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    partner TEXT COLLATE "C" NOT NULL,
    person  TEXT COLLATE "C" NOT NULL,
    staff   TEXT COLLATE "C" REFERENCES person (id),
    until   BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    FOREIGN KEY (partner, person) REFERENCES person (partner, id)
);

CREATE INDEX masquerade_until ON masquerade (until);
