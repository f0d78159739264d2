-- What all nodes of an installation must agree on, by its name: of which kind
-- its secrets are, and whose key sealed them.
CREATE TABLE installation (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- How often something has changed that nodes keep in memory. Whoever asks for
-- it every second has missed nothing, whatever became of the notices.
CREATE TABLE news (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    n  BIGINT  NOT NULL
);

INSERT INTO news VALUES (1, 0);
