-- Whose a property is, and when: [from_at, until_at), the starts of days in the
-- property's zone. No two periods of a property overlap, which the writer sees to.
-- property.account is that of the period without an end, if there is one.
CREATE TABLE occupancy (
    id       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    partner  TEXT COLLATE "C" NOT NULL,
    property TEXT COLLATE "C" NOT NULL,
    account  TEXT COLLATE "C" NOT NULL,
    from_at  BIGINT NOT NULL, -- 0: from the beginning
    until_at BIGINT NOT NULL, -- 0: not ended
    UNIQUE (partner, property, from_at),
    CHECK (until_at = 0 OR until_at > from_at),
    FOREIGN KEY (partner, property) REFERENCES property (partner, id),
    FOREIGN KEY (partner, account) REFERENCES account (partner, number)
);

CREATE INDEX occupancy_account ON occupancy (partner, account, property);

-- Whoever has a property has had it ever since, as far as anybody knows.
INSERT INTO occupancy (id, partner, property, account, from_at, until_at)
SELECT 'occ_' || replace(gen_random_uuid()::text, '-', ''), partner, id, account, 0, 0
FROM property WHERE account IS NOT NULL;

-- Where bills go, of those whose do not go where they live.
CREATE TABLE invoice_address (
    partner  TEXT COLLATE "C" NOT NULL,
    person   TEXT COLLATE "C" NOT NULL,
    lines    TEXT NOT NULL, -- JSON
    postcode TEXT NOT NULL,
    city     TEXT NOT NULL,
    country  TEXT NOT NULL,
    PRIMARY KEY (partner, person),
    FOREIGN KEY (partner, person) REFERENCES person (partner, id)
);

-- Customers whom a partner has brought, by the partner's own name for that: who
-- brings one again, because an answer was lost, gets the same one.
CREATE TABLE onboarding (
    partner   TEXT COLLATE "C" NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    sha256    BYTEA NOT NULL CHECK (length(sha256) = 32), -- of what was said about the customer
    person    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (partner, reference),
    FOREIGN KEY (partner, person) REFERENCES person (partner, id)
);

CREATE UNIQUE INDEX onboarding_person ON onboarding (partner, person);

-- The order in which customers are listed.
CREATE INDEX person_customer ON person (partner, surname COLLATE "C", first_name COLLATE "C", id) WHERE customer;

-- By which they are found, without a market too.
CREATE INDEX supply_point_identifier ON supply_point (identifier);
