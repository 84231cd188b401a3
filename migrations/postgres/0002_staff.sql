-- What support staff need: the locale that a customer asked for, when a message was recorded and traced, the audit, API keys.

-- +goose Up

ALTER TABLE events ADD COLUMN asked TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN asked TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN recorded_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN trace TEXT NOT NULL DEFAULT '';

-- What was done. Rows are only ever added; each carries the hash of the one before, and detail is kept byte for byte.
CREATE TABLE audit (
    no      BIGINT PRIMARY KEY,
    at      BIGINT NOT NULL,
    who     TEXT NOT NULL,
    request TEXT NOT NULL,
    did     TEXT NOT NULL,
    object  TEXT NOT NULL,
    detail  TEXT NOT NULL,
    hash    BYTEA NOT NULL
);
CREATE INDEX audit_object ON audit (object, no);

-- The last row of the audit: who adds rows locks it, and a row that was cut off at the end is missed.
CREATE TABLE audit_head (
    one  BIGINT PRIMARY KEY CHECK (one = 1),
    no   BIGINT NOT NULL,
    hash BYTEA NOT NULL
);
INSERT INTO audit_head (one, no, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));

-- +goose StatementBegin
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of the audit are never changed or deleted';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_rows_stay BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_stays();
CREATE TRIGGER audit_stays BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();

CREATE TABLE api_keys (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    hash         BYTEA NOT NULL,
    created_at   BIGINT NOT NULL,
    created_by   TEXT NOT NULL,
    expires_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    revoked_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_at = 0;
