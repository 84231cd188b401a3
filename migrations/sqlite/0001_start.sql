-- All times are milliseconds since 1970 in UTC; 0 means none. Ids have the shape of UUIDv7 and grow with event time.

-- +goose Up

-- One row per event: what was read, what was decided, and the message that open sockets were shown.
CREATE TABLE events (
    id          BLOB PRIMARY KEY,
    event_key   TEXT NOT NULL,
    order_id    TEXT NOT NULL,
    line        TEXT NOT NULL,
    milestone   TEXT NOT NULL,
    fact        INTEGER NOT NULL,
    sequence    INTEGER NOT NULL,
    customer_id TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    state       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    title       TEXT NOT NULL,
    body        TEXT NOT NULL,
    locale      TEXT NOT NULL,
    template    TEXT NOT NULL,
    data        TEXT,
    not_sent    TEXT,
    topic       TEXT NOT NULL,
    part        INTEGER NOT NULL,
    off         INTEGER NOT NULL,
    record_at   INTEGER NOT NULL
);
-- The same fact under another event id is no new event. It is also the way to the events of an order.
CREATE UNIQUE INDEX events_fact ON events (order_id, line, milestone, fact);

-- How far each order has come.
CREATE TABLE order_heads (
    order_id    TEXT NOT NULL,
    line        TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    milestone   TEXT NOT NULL,
    sequence    INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    facts       TEXT,
    version     INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (order_id, line)
);
-- Updates do not touch it: the customer of an order stays.
CREATE INDEX order_heads_customer ON order_heads (customer_id);

-- Messages with a life of their own: SMS and push. owner is the process that has it in memory; null is nobody. stop is why
-- a message that is on its way must not go back to pending: newer news came, or the customer turned it off.
CREATE TABLE messages (
    id          BLOB PRIMARY KEY,
    event_id    BLOB NOT NULL,
    order_id    TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    line        TEXT NOT NULL,
    milestone   TEXT NOT NULL,
    sequence    INTEGER NOT NULL,
    channel     TEXT NOT NULL,
    address     TEXT NOT NULL,
    title       TEXT NOT NULL,
    body        TEXT NOT NULL,
    link        TEXT NOT NULL,
    locale      TEXT NOT NULL,
    template    TEXT NOT NULL,
    urgency     TEXT NOT NULL,
    standing    BOOLEAN NOT NULL,
    state       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    due_at      INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    owner       TEXT,
    attempt     INTEGER NOT NULL,
    attempts    TEXT,
    provider_id TEXT NOT NULL,
    resend_of   BLOB,
    resend_no   INTEGER NOT NULL,
    asked_by    TEXT NOT NULL,
    asked_why   TEXT NOT NULL,
    stop        TEXT NOT NULL DEFAULT ''
);
CREATE INDEX messages_order ON messages (order_id, id);
CREATE INDEX messages_phone ON messages (address, id) WHERE channel = 'sms';
CREATE INDEX messages_customer ON messages (customer_id) WHERE state IN ('pending', 'sending', 'verify');
CREATE INDEX messages_due ON messages (channel, due_at) WHERE state = 'pending' AND owner IS NULL;
CREATE INDEX messages_owner ON messages (owner) WHERE state IN ('pending', 'sending') AND owner IS NOT NULL;

CREATE TABLE customers (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    phone       TEXT NOT NULL,
    locale      TEXT NOT NULL,
    time_zone   TEXT NOT NULL,
    preferences TEXT NOT NULL,
    by_api      BOOLEAN NOT NULL,
    version     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
);

CREATE TABLE push_subscriptions (
    id          TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    endpoint    TEXT NOT NULL,
    p256dh      TEXT NOT NULL,
    auth        TEXT NOT NULL,
    created_at  INTEGER NOT NULL
);
CREATE INDEX push_subscriptions_customer ON push_subscriptions (customer_id);

-- The offset after the last record that is stored, written together with what it said.
CREATE TABLE positions (
    topic TEXT NOT NULL,
    part  INTEGER NOT NULL,
    next  INTEGER NOT NULL,
    PRIMARY KEY (topic, part)
);

-- Records that became no event.
CREATE TABLE dead_letters (
    id        BLOB PRIMARY KEY,
    topic     TEXT NOT NULL,
    part      INTEGER NOT NULL,
    off       INTEGER NOT NULL,
    record_at INTEGER NOT NULL,
    key       BLOB,
    value     BLOB,
    headers   TEXT,
    reason    TEXT NOT NULL,
    problems  TEXT,
    at        INTEGER NOT NULL
);

-- Acts that may be asked for again and are done once.
CREATE TABLE idempotency (
    principal  TEXT NOT NULL,
    key        TEXT NOT NULL,
    body_hash  BLOB NOT NULL,
    message_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (principal, key)
);

-- Processes that hold, or held, messages. Each holds a lock for as long as it lives.
CREATE TABLE owners (
    id    TEXT PRIMARY KEY,
    since INTEGER NOT NULL
);

-- What is made once for the whole system.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
