-- Whose a property is, and when: [from_at, until_at), the starts of days in the
-- property's zone. No two periods of a property overlap, which the writer sees to.
-- property.account is that of the period without an end, if there is one.
CREATE TABLE occupancy (
    id       TEXT    NOT NULL PRIMARY KEY,
    partner  TEXT    NOT NULL,
    property TEXT    NOT NULL,
    account  TEXT    NOT NULL,
    from_at  INTEGER NOT NULL, -- 0: from the beginning
    until_at INTEGER NOT NULL, -- 0: not ended
    UNIQUE (partner, property, from_at),
    CHECK (until_at = 0 OR until_at > from_at),
    FOREIGN KEY (partner, property) REFERENCES property (partner, id),
    FOREIGN KEY (partner, account) REFERENCES account (partner, number)
) STRICT;

CREATE INDEX occupancy_account ON occupancy (partner, account, property);

-- Whoever has a property has had it ever since, as far as anybody knows.
INSERT INTO occupancy (id, partner, property, account, from_at, until_at)
SELECT 'occ_' || lower(hex(randomblob(6))) || '4' || substr(lower(hex(randomblob(2))), 2)
        || substr('89ab', (random() & 3) + 1, 1) || substr(lower(hex(randomblob(8))), 2),
    partner, id, account, 0, 0
FROM property WHERE account IS NOT NULL;

-- Where bills go, of those whose do not go where they live.
CREATE TABLE invoice_address (
    partner  TEXT NOT NULL,
    person   TEXT NOT NULL,
    lines    TEXT NOT NULL, -- JSON
    postcode TEXT NOT NULL,
    city     TEXT NOT NULL,
    country  TEXT NOT NULL,
    PRIMARY KEY (partner, person),
    FOREIGN KEY (partner, person) REFERENCES person (partner, id)
) STRICT, WITHOUT ROWID;

-- Customers whom a partner has brought, by the partner's own name for that: who
-- brings one again, because an answer was lost, gets the same one.
CREATE TABLE onboarding (
    partner   TEXT NOT NULL,
    reference TEXT NOT NULL,
    sha256    BLOB NOT NULL CHECK (length(sha256) = 32), -- of what was said about the customer
    person    TEXT NOT NULL,
    PRIMARY KEY (partner, reference),
    FOREIGN KEY (partner, person) REFERENCES person (partner, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX onboarding_person ON onboarding (partner, person);

-- The order in which customers are listed.
CREATE INDEX person_customer ON person (partner, surname, first_name, id) WHERE customer = 1;

-- By which they are found, without a market too.
CREATE INDEX supply_point_identifier ON supply_point (identifier);
