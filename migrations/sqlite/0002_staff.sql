-- What support staff need: the locale that a customer asked for, when a message was recorded and traced, the audit, API keys.

-- +goose Up

ALTER TABLE events ADD COLUMN asked TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN asked TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN recorded_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN trace TEXT NOT NULL DEFAULT '';

-- What was done. Rows are only ever added; each carries the hash of the one before, and detail is kept byte for byte.
CREATE TABLE audit (
    no      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    who     TEXT NOT NULL,
    request TEXT NOT NULL,
    did     TEXT NOT NULL,
    object  TEXT NOT NULL,
    detail  TEXT NOT NULL,
    hash    BLOB NOT NULL
);
CREATE INDEX audit_object ON audit (object, no);

-- The last row of the audit: who adds rows locks it, and a row that was cut off at the end is missed.
CREATE TABLE audit_head (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    no   INTEGER NOT NULL,
    hash BLOB NOT NULL
);
INSERT INTO audit_head (one, no, hash) VALUES (1, 0, zeroblob(32));

-- +goose StatementBegin
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'rows of the audit are never changed or deleted');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_undeleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'rows of the audit are never changed or deleted');
END;
-- +goose StatementEnd
-- INSERT OR REPLACE would delete a row past the trigger above.
-- +goose StatementBegin
CREATE TRIGGER audit_in_order BEFORE INSERT ON audit
WHEN NEW.no <> (SELECT COALESCE(max(no), 0) + 1 FROM audit)
BEGIN
    SELECT RAISE(ABORT, 'rows of the audit are only added at its end');
END;
-- +goose StatementEnd

CREATE TABLE api_keys (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    hash         BLOB NOT NULL,
    created_at   INTEGER NOT NULL,
    created_by   TEXT NOT NULL,
    expires_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    revoked_at   INTEGER NOT NULL
);
CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_at = 0;
