-- Texts that stay unsent when their news was seen, also while something else holds them.

-- +goose Up

ALTER TABLE messages ADD COLUMN unless_shown BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE messages SET unless_shown = TRUE WHERE state = 'pending' AND reason = 'screen_first';
DROP INDEX messages_screen_first;
CREATE INDEX messages_unless_shown ON messages (event_id) WHERE state = 'pending' AND unless_shown;
