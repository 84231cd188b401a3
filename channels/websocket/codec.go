package websocket

import (
	"iter"

	"github.com/gobwas/ws"
)

// codec is how the messages of the protocol look on the wire. What it encodes are whole WebSocket frames that may be
// written to any number of sockets and are never changed.
type codec interface {
	// opcode is the type of frame that carries its messages.
	opcode() ws.OpCode
	// isPong tells whether a message is a pong and nothing else.
	isPong(message []byte) bool
	// commands reads the commands of a message in order. An error ends it. What it yields refers to no byte of message.
	commands(message []byte) iter.Seq2[command, error]
	// reply encodes an answer.
	reply(r *reply) []byte
	// publication encodes data, a JSON object, for the subscribers of a channel.
	publication(channel string, data []byte) []byte
	// ping encodes a ping.
	ping() []byte
}

// method is what a command asks for.
type method uint8

const (
	unknown method = iota
	pong
	connect
	refresh
	subscribe
	unsubscribe
	send
	rpc
	unavailable // known to the protocol and not offered here: publish, presence, history, ...
)

// command is one request of a client.
type command struct {
	id      uint32 // 0 for pong and send
	method  method
	token   string // of connect and refresh
	channel string // of subscribe and unsubscribe
	name    string // of rpc: which method
	data    []byte // of rpc: JSON; nil for none
}

// reply is the answer to the command with its id: one of the other fields is set.
type reply struct {
	ID          uint32    `json:"id"`
	Error       *fault    `json:"error,omitempty"`
	Connect     *welcome  `json:"connect,omitempty"`
	Refresh     *renewal  `json:"refresh,omitempty"`
	Unsubscribe *struct{} `json:"unsubscribe,omitempty"`
	RPC         *result   `json:"rpc,omitempty"`
}

// result is the answer of an rpc that worked: it says nothing else.
type result struct {
	Data struct{} `json:"data"`
}

// fault is an error that ends a command but not the connection.
type fault struct {
	Code    uint32 `json:"code"`
	Message string `json:"message"`
}

// The faults of the protocol that we answer with.
var (
	permissionDenied  = &fault{103, "permission denied"}
	methodNotFound    = &fault{104, "method not found"}
	alreadySubscribed = &fault{105, "already subscribed"}
	badData           = &fault{107, "bad request"}
	notOffered        = &fault{108, "not available"}
	tokenExpired      = &fault{109, "token expired"}
)

// welcome is the result of connect.
type welcome struct {
	Client  string              `json:"client"`
	Version string              `json:"version"`
	Expires bool                `json:"expires"`
	TTL     uint32              `json:"ttl"`  // seconds until the token expires
	Ping    uint32              `json:"ping"` // seconds between our pings
	Pong    bool                `json:"pong"` // we want them answered
	Subs    map[string]struct{} `json:"subs"` // the channels that the server subscribed the client to
}

// renewal is the result of refresh.
type renewal struct {
	Expires bool   `json:"expires"`
	TTL     uint32 `json:"ttl"` // seconds
}
