-- Links under which a developer makes an application's secret appear, once, so
-- that nobody else ever sees it. digest is the SHA-256 of what the link holds.
CREATE TABLE handover (
    digest    BYTEA  NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    client    TEXT COLLATE "C" NOT NULL REFERENCES application (id),
    overlap   BIGINT NOT NULL, -- microseconds that the old secrets go on; 0: they stop
    made_at   BIGINT NOT NULL,
    until     BIGINT NOT NULL,
    opened_at BIGINT NOT NULL  -- 0: not yet
);

CREATE INDEX handover_client ON handover (client, made_at);
