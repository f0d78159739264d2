-- How many tokens each secret brought in each hour since 1970, of the last two
-- days; and the same of applications that come with a key of their own. What is
-- older is deleted with the next batch, which is what the index is for.
CREATE TABLE secret_hour (
    secret TEXT    NOT NULL REFERENCES secret (id),
    hour   INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    PRIMARY KEY (secret, hour)
) STRICT, WITHOUT ROWID;

CREATE INDEX secret_hour_hour ON secret_hour (hour);

CREATE TABLE application_hour (
    application TEXT    NOT NULL REFERENCES application (id),
    hour        INTEGER NOT NULL,
    tokens      INTEGER NOT NULL,
    PRIMARY KEY (application, hour)
) STRICT, WITHOUT ROWID;

CREATE INDEX application_hour_hour ON application_hour (hour);
