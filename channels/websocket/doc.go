// Package websocket is the live channel: it shows publications to the sockets that customers have open, at once and in
// order.
//
//	Intake ─► Hub.Publish ─► 64 shards by customer ─► queue of each socket ─► a writer while there is something to write
//	             │                    ▲
//	             ▼ Bus                │ Bus
//	         other nodes ─────────────┘
//
// The sockets speak the Centrifuge client protocol v2 in JSON, so its client libraries are ours: a client connects with a
// token (notify.Tokens) and is subscribed to "customer:<id>" by the server. There is no history on the socket but the last few
// seconds, which may not be stored yet: a client loads over REST after every connect, and a Hub that may have missed something
// closes its sockets so that they do.
//
// An idle socket costs one goroutine with a shallow stack and no buffers; all pings and deadlines turn on one wheel. A
// publication is encoded once for all sockets. A socket that reads too slowly is cut and delays nobody.
//
// A page may say what it shows (rpc "shown"), and Presence is told who looks at one: texts wait for them and are spared.
package websocket
