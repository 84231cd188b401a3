package notify

import (
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"
)

// Down tells whether an error means that an engine is away, too slow or full, so that the same request may succeed later.
// It knows what the network says, the classes of SQLSTATE (PostgreSQL, appendix A) and the primary result codes of SQLite;
// an error of another kind is one of the request or of ours.
func Down(err error) bool {
	var (
		network  net.Error // context.DeadlineExceeded is one too
		postgres interface{ SQLState() string }
		sqlite   interface{ Code() int }
		retry    interface{ SafeToRetry() bool }
	)
	switch {
	case err == nil:
		return false
	case errors.As(err, &postgres):
		return isAway(postgres.SQLState())
	case errors.As(err, &sqlite):
		return slices.Contains(awayCodes, sqlite.Code()&0xff)
	case errors.As(err, &retry) && retry.SafeToRetry():
		return true
	}
	return errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// awayCodes are SQLITE_BUSY, SQLITE_LOCKED, SQLITE_IOERR, SQLITE_FULL and SQLITE_CANTOPEN.
var awayCodes = []int{5, 6, 10, 13, 14}

// isAway tells the SQLSTATE of a server that cannot work now: no connection (08), no resources (53), stopped or starting
// (57P01 to 57P05), a statement that took too long (57014), one that a standby cannot run (25006), trouble with its
// files (58).
func isAway(state string) bool {
	if len(state) != 5 {
		return false
	}
	switch class := state[:2]; class {
	case "08", "53", "58":
		return true
	}
	return state[:4] == "57P0" || state == "57014" || state == "25006"
}
