-- Consent to texts: who said what, when and how. And stopped numbers as staff see them.

-- +goose Up

-- The ledger: rows are only ever added. at is when the customer said it, recorded_at when we heard of it, source how it was
-- said, who the one who recorded it, evidence what proves it.
CREATE TABLE consents (
    no          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id TEXT NOT NULL,
    channel     TEXT NOT NULL,
    given       BOOLEAN NOT NULL,
    at          BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    source      TEXT NOT NULL,
    who         TEXT NOT NULL,
    evidence    TEXT NOT NULL
);
CREATE INDEX consents_customer ON consents (customer_id, no);

-- +goose StatementBegin
CREATE FUNCTION consents_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of the ledger of consent are never changed or deleted';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER consent_rows_stay BEFORE UPDATE OR DELETE ON consents FOR EACH ROW EXECUTE FUNCTION consents_stay();
CREATE TRIGGER consents_stay BEFORE TRUNCATE ON consents FOR EACH STATEMENT EXECUTE FUNCTION consents_stay();

-- The newest answers, a JSON object by channel; empty for none.
ALTER TABLE customers ADD COLUMN consents TEXT NOT NULL DEFAULT '';

-- Stopped numbers get a number of their own, so that they can be listed by pages.
ALTER TABLE stopped_numbers ADD COLUMN no BIGINT GENERATED ALWAYS AS IDENTITY;
CREATE UNIQUE INDEX stopped_numbers_no ON stopped_numbers (no);

-- Stops that were lifted, by whom and why.
CREATE TABLE lifted_stops (
    no         BIGINT PRIMARY KEY,
    address    TEXT NOT NULL,
    source     TEXT NOT NULL,
    since      BIGINT NOT NULL,
    who        TEXT NOT NULL,
    why        TEXT NOT NULL,
    lifted_at  BIGINT NOT NULL,
    lifted_by  TEXT NOT NULL,
    lifted_why TEXT NOT NULL
);
CREATE INDEX lifted_stops_address ON lifted_stops (address, no);
