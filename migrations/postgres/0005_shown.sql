-- What customers saw on a screen, and the texts that wait for it.

-- +goose Up

SET LOCAL statement_timeout = 0; -- there may be millions of rows

-- When a screen first said that it showed the event; 0 for never.
ALTER TABLE events ADD COLUMN shown_at BIGINT NOT NULL DEFAULT 0;
-- The texts that are spared when their event is seen.
CREATE INDEX messages_screen_first ON messages (event_id) WHERE state = 'pending' AND reason = 'screen_first';
