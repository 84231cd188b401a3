package api

// What the fuzz targets read by hand.
var (
	Cursor     = cursor
	ReadCursor = readCursor
	ReadTTL    = readTTL
	E164       = e164
	Masked     = masked
	Split      = split
	Nearest    = nearest
)
