package notify

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"
)

// ID names an event or a message. It has the shape of a UUIDv7 (RFC 9562): 48 bits of event time in milliseconds, then
// bits of a SHA-256. The same input gives the same ID, so the primary key is the deduplication, and IDs grow with event
// time, so inserts stay at the right edge of the index.
type ID [16]byte

// ErrID is returned by ParseID.
var ErrID = errors.New("not an id: want 32 hex digits as 8-4-4-4-12")

// NewID derives an ID from the event time and the parts that identify the thing. Parts are hashed with their lengths,
// so that ("ab","c") and ("a","bc") differ.
func NewID(at time.Time, parts ...string) ID {
	var buf [256]byte
	b := buf[:0]
	for _, p := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	id := FirstID(at)
	copy(id[6:], sum[:10])
	id[6] = id[6]&0x0f | 0x70 // version 7
	id[8] = id[8]&0x3f | 0x80 // variant 10
	return id
}

// FirstID is below every ID of something that happened at a time, to the millisecond, and above all of what was earlier.
func FirstID(at time.Time) (id ID) {
	ms := uint64(max(at.UnixMilli(), 0))
	id[0], id[1], id[2] = byte(ms>>40), byte(ms>>32), byte(ms>>24)
	id[3], id[4], id[5] = byte(ms>>16), byte(ms>>8), byte(ms)
	return id
}

// IsZero tells that there is no ID.
func (id ID) IsZero() bool { return id == ID{} }

// String is the usual form, 8-4-4-4-12 hex digits.
func (id ID) String() string {
	var b [36]byte
	return string(id.append(b[:0]))
}

func (id ID) append(b []byte) []byte {
	for i, part := range [][]byte{id[0:4], id[4:6], id[6:8], id[8:10], id[10:16]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return b
}

// MarshalText writes the usual form.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the usual form.
func (id *ID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseID(string(b))
	return err
}

// ParseID reads the usual form. It returns ErrID for anything else.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return ID{}, ErrID
	}
	hexed := s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:36]
	if _, err := hex.Decode(id[:], []byte(hexed)); err != nil {
		return ID{}, ErrID
	}
	return id, nil
}
