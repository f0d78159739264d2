-- Applications that authenticate by a client certificate of an authority: whom
-- it is for. And those in FAPI mode, whose tokens are all bound.
ALTER TABLE application ADD COLUMN tls_subject TEXT    NOT NULL DEFAULT '';
ALTER TABLE application ADD COLUMN fapi        INTEGER NOT NULL DEFAULT 0;

-- The key that renewing takes, of a family of a public application that proved
-- to hold one.
ALTER TABLE token_family ADD COLUMN jkt TEXT NOT NULL DEFAULT '';

-- The key that a code was asked for.
ALTER TABLE authorization_code ADD COLUMN jkt TEXT NOT NULL DEFAULT '';
