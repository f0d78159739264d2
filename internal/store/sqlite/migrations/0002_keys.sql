-- When a signing key signs or signed, was replaced, and is or was removed. A
-- removed key stays without its private half, so that no name is used twice.
ALTER TABLE signing_key ADD COLUMN active_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE signing_key ADD COLUMN retired_at  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE signing_key ADD COLUMN removed_at  INTEGER NOT NULL DEFAULT 0;

UPDATE signing_key SET active_from = created_at;
