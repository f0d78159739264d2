-- When the person at the browser was last proven in full: by the second factor,
-- or by the password where none is asked for. 0: not yet. Customers need none.
ALTER TABLE session ADD COLUMN proven_at BIGINT NOT NULL DEFAULT 0;

-- The second factor of members of staff: the sealed key of time-based codes
-- (RFC 6238). last_step is the latest step whose code was taken: none is taken
-- twice.
CREATE TABLE factor (
    person    TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES person (id),
    sealed    BYTEA  NOT NULL,
    since     BIGINT NOT NULL,
    last_step BIGINT NOT NULL
);

-- What stands in for it once each, when the device is lost; SHA-256 of a code.
CREATE TABLE recovery_code (
    person TEXT COLLATE "C" NOT NULL REFERENCES person (id),
    digest BYTEA NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (person, digest)
);
