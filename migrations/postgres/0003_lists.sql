-- Indexes for the lists of messages. Each ends with the id, so that a page is read from its place and no further, and begins
-- with few different values, so that rows come in at few places.

-- +goose Up

SET LOCAL statement_timeout = 0; -- there may be millions of rows

CREATE INDEX messages_state ON messages (channel, state, id);
CREATE INDEX messages_milestone ON messages (milestone, channel, state, id);
DROP INDEX messages_customer;
DROP INDEX messages_phone;
CREATE INDEX messages_customer ON messages (customer_id, state, id);
CREATE INDEX messages_phone ON messages (address, state, id) WHERE channel = 'sms';
CREATE INDEX events_state ON events (state, id) WHERE state <> 'sent';
CREATE INDEX events_milestone ON events (milestone, state, id);
-- Resends are few.
CREATE INDEX messages_resend ON messages (resend_of) WHERE resend_of IS NOT NULL;
