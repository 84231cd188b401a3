package websocket

import "github.com/gobwas/ws"

// disconnect is why we close a socket, as it stands in the close frame. Clients come back after 3000-3499 and stay away
// after 3500-3999. The reason is never empty and never JSON: clients would read orders from it.
type disconnect struct {
	code   ws.StatusCode
	reason string
}

// The codes of the protocol that we use, and those of WebSocket itself (1000-1999).
var (
	shutdown        = disconnect{3001, "shutdown"}
	expired         = disconnect{3005, "connection expired"}
	slow            = disconnect{3008, "slow"}
	insufficient    = disconnect{3010, "insufficient state"}
	noPong          = disconnect{3012, "no pong"}
	tooManyRequests = disconnect{3013, "too many requests"}

	invalidToken    = disconnect{3500, "invalid token"}
	badRequest      = disconnect{3501, "bad request"}
	stale           = disconnect{3502, "stale"}
	connectionLimit = disconnect{3504, "connection limit"}
	notAvailable    = disconnect{3508, "not available"}

	farewell      = disconnect{ws.StatusNormalClosure, "goodbye"}
	protocolError = disconnect{ws.StatusProtocolError, "protocol error"}
	invalidText   = disconnect{ws.StatusInvalidFramePayloadData, "invalid text"}
	tooBig        = disconnect{ws.StatusMessageTooBig, "message too big"}

	// stay is the zero value: no disconnect.
	stay disconnect
)

// frame is the close frame.
func (d disconnect) frame() []byte {
	return ws.MustCompileFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(d.code, d.reason)))
}
