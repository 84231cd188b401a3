package api

import (
	"encoding/base64"

	"onmyway/notify"
)

// cursorVersion is the first byte of a cursor: a later version may put something else behind it.
const cursorVersion = 1

// cursor names the last message of a page: base64url of the version and the 16 bytes of its id.
func cursor(last notify.ID) string {
	return base64.RawURLEncoding.EncodeToString(append([]byte{cursorVersion}, last[:]...))
}

// readCursor reads what cursor wrote, and nothing else.
func readCursor(s string) (notify.ID, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != 1+len(notify.ID{}) || b[0] != cursorVersion || s != base64.RawURLEncoding.EncodeToString(b) {
		return notify.ID{}, false
	}
	return notify.ID(b[1:]), true
}
