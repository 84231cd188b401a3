package api

// What tests and fuzz targets read by hand.
var (
	ReadTTL     = readTTL
	Masked      = masked
	Split       = split
	Unambiguous = unambiguous
	ShowValue   = showValue
	Merged      = merged
	MaxKnown    = maxKnown
)

// Cursor and ReadCursor are those of a list with a place of 16 bytes.
func Cursor(path string, asked []string, place [16]byte) string {
	return queryOf(path, asked...).cursor(place[:])
}

// ReadCursor tells whether a cursor belongs to the list.
func ReadCursor(path string, asked []string, cursor string) (place []byte, ok bool) {
	place, bad := queryOf(path, asked...).read(cursor, 16)
	return place, bad == nil
}
