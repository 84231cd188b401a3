package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// cursorVersion is the first byte of a cursor: a later version may put something else behind it.
const cursorVersion = 2

// sumLen is how many bytes of the hash of a query a cursor carries: enough that no two queries share them by chance.
const sumLen = 8

// query is what a list was asked, without the cursor and the limit, which may differ from page to page. A cursor goes with
// one query.
type query [sumLen]byte

// queryOf makes it of the path and of everything that decides what is listed.
func queryOf(path string, asked ...string) (q query) {
	sum := sha256.Sum256([]byte(path + "\x00" + strings.Join(asked, "\x00")))
	copy(q[:], sum[:])
	return q
}

// cursor names the place where a page ends: base64url of the version, the query and the place.
func (q query) cursor(place []byte) string {
	b := append([]byte{cursorVersion}, q[:]...)
	return base64.RawURLEncoding.EncodeToString(append(b, place...))
}

// read reads what cursor wrote for the same query, with a place of so many bytes, and nothing else.
func (q query) read(cursor string, size int) (place []byte, bad *problem) {
	refuse := func(detail string) ([]byte, *problem) {
		return nil, newProblem(http.StatusBadRequest, "bad_cursor", detail)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) != 1+sumLen+size || b[0] != cursorVersion || cursor != base64.RawURLEncoding.EncodeToString(b) {
		return refuse("the cursor is not one of ours: send next of the page before as it is, or leave the cursor out")
	}
	if !bytes.Equal(b[1:1+sumLen], q[:]) {
		return refuse("the cursor belongs to another query: repeat the filters of the first page, or leave the cursor out")
	}
	return b[1+sumLen:], nil
}
