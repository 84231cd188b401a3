-- Consent to texts: who said what, when and how. And stopped numbers as staff see them.

-- +goose Up

-- The ledger: rows are only ever added. at is when the customer said it, recorded_at when we heard of it, source how it was
-- said, who the one who recorded it, evidence what proves it.
CREATE TABLE consents (
    no          INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id TEXT NOT NULL,
    channel     TEXT NOT NULL,
    given       BOOLEAN NOT NULL,
    at          INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    source      TEXT NOT NULL,
    who         TEXT NOT NULL,
    evidence    TEXT NOT NULL
);
CREATE INDEX consents_customer ON consents (customer_id, no);

-- +goose StatementBegin
CREATE TRIGGER consents_unchanged BEFORE UPDATE ON consents
BEGIN
    SELECT RAISE(ABORT, 'rows of the ledger of consent are never changed or deleted');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER consents_undeleted BEFORE DELETE ON consents
BEGIN
    SELECT RAISE(ABORT, 'rows of the ledger of consent are never changed or deleted');
END;
-- +goose StatementEnd
-- INSERT OR REPLACE would delete a row past the trigger above.
-- +goose StatementBegin
CREATE TRIGGER consents_unreplaced BEFORE INSERT ON consents
WHEN EXISTS (SELECT 1 FROM consents WHERE no = NEW.no)
BEGIN
    SELECT RAISE(ABORT, 'rows of the ledger of consent are never changed or deleted');
END;
-- +goose StatementEnd

-- The newest answers, a JSON object by channel; empty for none.
ALTER TABLE customers ADD COLUMN consents TEXT NOT NULL DEFAULT '';

-- Stopped numbers get a number of their own, so that they can be listed by pages.
CREATE TABLE stops (
    no      INTEGER PRIMARY KEY AUTOINCREMENT,
    address TEXT NOT NULL,
    source  TEXT NOT NULL,
    since   INTEGER NOT NULL,
    who     TEXT NOT NULL,
    why     TEXT NOT NULL,
    UNIQUE (address, source)
);
INSERT INTO stops (address, source, since, who, why)
    SELECT address, source, since, who, why FROM stopped_numbers ORDER BY since, address, source;
DROP TABLE stopped_numbers;
ALTER TABLE stops RENAME TO stopped_numbers;

-- Stops that were lifted, by whom and why.
CREATE TABLE lifted_stops (
    no         INTEGER PRIMARY KEY,
    address    TEXT NOT NULL,
    source     TEXT NOT NULL,
    since      INTEGER NOT NULL,
    who        TEXT NOT NULL,
    why        TEXT NOT NULL,
    lifted_at  INTEGER NOT NULL,
    lifted_by  TEXT NOT NULL,
    lifted_why TEXT NOT NULL
);
CREATE INDEX lifted_stops_address ON lifted_stops (address, no);
