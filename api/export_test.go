package api

// What the fuzz targets read by hand.
var (
	Cursor     = cursor
	ReadCursor = readCursor
	ReadTTL    = readTTL
	Masked     = masked
	Split      = split
)
