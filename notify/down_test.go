package notify_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"onmyway/notify"
)

type stateError string

func (e stateError) Error() string    { return "ERROR: something (SQLSTATE " + string(e) + ")" }
func (e stateError) SQLState() string { return string(e) }

type codeError int

func (e codeError) Error() string { return "sqlite" }
func (e codeError) Code() int     { return int(e) }

type closedError struct{}

func (closedError) Error() string     { return "conn closed" }
func (closedError) SafeToRetry() bool { return true }

func TestDown(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want bool
	}{
		{"nothing", nil, false},
		{"something else", errors.New("no such column"), false},
		{"nothing found", notify.ErrNotFound, false},
		{"connection refused", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, true},
		{"connection reset", &net.OpError{Op: "read", Err: syscall.ECONNRESET}, true},
		{"no such host", &net.DNSError{Err: "no such host", Name: "db"}, true},
		{"too slow", context.DeadlineExceeded, true},
		{"the caller is gone", context.Canceled, false},
		{"cut", io.ErrUnexpectedEOF, true},
		{"closed", io.EOF, true},
		{"a connection that is no more", closedError{}, true},
		{"a bad connection", driver.ErrBadConn, true},
		{"stopped by its administrator", stateError("57P01"), true},
		{"crashed", stateError("57P02"), true},
		{"starting", stateError("57P03"), true},
		{"connection failure", stateError("08006"), true},
		{"too many connections", stateError("53300"), true},
		{"disk full", stateError("53100"), true},
		{"statement timeout", stateError("57014"), true},
		{"a standby", stateError("25006"), true},
		{"input/output", stateError("58030"), true},
		{"unique violation", stateError("23505"), false},
		{"undefined column", stateError("42703"), false},
		{"no state", stateError(""), false},
		{"SQLite is busy", codeError(5), true},
		{"SQLite is busy with a snapshot", codeError(5 | 2<<8), true},
		{"SQLite's disk is full", codeError(13), true},
		{"a constraint of SQLite", codeError(19), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.err
			if err != nil {
				err = fmt.Errorf("list messages: %w", err)
			}
			if got := notify.Down(err); got != tt.want {
				t.Errorf("down %v, want %v", got, tt.want)
			}
		})
	}
}
