-- What providers and recipients tell us: unclear texts that are settled, reports, and numbers that answered STOP.

-- +goose Up

SET LOCAL statement_timeout = 0; -- there may be millions of rows

-- look_at is when the provider is asked next about a text (in verify: did you take it; accepted or sent: what became of
-- it), 0 for never. taken_at is when the provider took it, 0 for never or not known. history is what became of it besides
-- our own attempts, a JSON array.
ALTER TABLE messages ADD COLUMN look_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN taken_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN history TEXT;
-- What is unclear since before this version.
UPDATE messages SET look_at = updated_at WHERE state = 'verify' AND channel = 'sms';
CREATE INDEX messages_look ON messages (state, look_at) WHERE look_at > 0;
-- Whose a text is that the provider has.
CREATE INDEX messages_provider ON messages (provider_id) WHERE channel = 'sms' AND provider_id <> '';

-- Numbers that get no texts, and who said so: reply (the recipient), provider or staff. One may lift only its own.
CREATE TABLE stopped_numbers (
    address TEXT NOT NULL,
    source  TEXT NOT NULL,
    since   BIGINT NOT NULL,
    who     TEXT NOT NULL,
    why     TEXT NOT NULL,
    PRIMARY KEY (address, source)
);

-- Texts to us that were acted on: the same one again is no news. Rows stay for ever, because what a provider signed once
-- is good for ever: an old START must not lift a later STOP.
CREATE TABLE inbound_texts (
    provider_id TEXT PRIMARY KEY,
    address     TEXT NOT NULL,
    keyword     TEXT NOT NULL,
    at          BIGINT NOT NULL
);

-- Reports on messages that are not stored (yet): a database that was restored gets the message from Kafka again. They
-- wait for a day.
CREATE TABLE parked_reports (
    message_id UUID NOT NULL,
    attempt    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    report     TEXT NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (message_id, attempt, state)
);
CREATE INDEX parked_reports_at ON parked_reports (at);

-- The people behind a number.
CREATE INDEX customers_phone ON customers (phone) WHERE phone <> '';

-- The arrival that the customer was told last; 0 for none.
ALTER TABLE order_heads ADD COLUMN told_start BIGINT NOT NULL DEFAULT 0;
ALTER TABLE order_heads ADD COLUMN told_end BIGINT NOT NULL DEFAULT 0;
