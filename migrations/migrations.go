// Package migrations holds the SQL that builds the database, one folder per engine, applied in the order of the numbers
// and never changed once released.
package migrations

import "embed"

// Postgres and SQLite are the migrations of each engine, in a folder of that name.
var (
	//go:embed postgres/*.sql
	Postgres embed.FS
	//go:embed sqlite/*.sql
	SQLite embed.FS
)
