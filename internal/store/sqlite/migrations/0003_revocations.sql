-- Tokens that were revoked one by one, until their time is over. jti is the
-- beginning of the SHA-256 of a token's jti. seq is never reused: whoever has
-- read up to one of them asks for what follows.
CREATE TABLE revoked_token (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    jti   BLOB    NOT NULL UNIQUE CHECK (length(jti) = 16),
    until INTEGER NOT NULL
) STRICT;

CREATE INDEX revoked_token_until ON revoked_token (until);
