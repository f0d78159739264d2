-- Whose right to be impersonated may have changed, in order, so that what is
-- kept of all customers in memory follows without being read again. A row for a
-- partner stands for all of its people. seq is never reused. Only the newest
-- 100,000 are kept: who has followed less far asks the file until the next start.
CREATE TABLE person_changed (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id  TEXT NOT NULL
) STRICT;

CREATE TRIGGER person_changed_ends AFTER INSERT ON person_changed BEGIN
    DELETE FROM person_changed WHERE seq <= new.seq - 100000;
END;
CREATE TRIGGER person_added AFTER INSERT ON person BEGIN
    INSERT INTO person_changed (id) VALUES (new.id);
END;
CREATE TRIGGER person_edited AFTER UPDATE OF id, partner, customer, staff, disabled ON person BEGIN
    INSERT INTO person_changed (id) VALUES (old.id), (new.id);
END;
CREATE TRIGGER person_removed AFTER DELETE ON person BEGIN
    INSERT INTO person_changed (id) VALUES (old.id);
END;
CREATE TRIGGER partner_added AFTER INSERT ON partner BEGIN
    INSERT INTO person_changed (id) VALUES (new.id);
END;
CREATE TRIGGER partner_edited AFTER UPDATE OF id, disabled ON partner BEGIN
    INSERT INTO person_changed (id) VALUES (new.id);
END;
