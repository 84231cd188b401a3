package demo

import "io"

// Options say how the demo runs.
type Options struct {
	Command []string // the service: a binary and its arguments
	Addr    string   // of the page of Play, host:port on loopback; a free port when it is taken

	// Engines to run on; empty: embedded ones that end with the demo.
	Kafka    string // host:port
	Redis    string // redis://…
	Database string // postgres://… or sqlite:path

	Events int // of Once
	Kills  int // how often Once kills the service on the way

	reports bool // the simulated Twilio reports on every text, as the real one does: Play wants to see them arrive

	Out   io.Writer // for people
	Err   io.Writer // progress and failures
	Color bool      // Out may be coloured
	Bar   bool      // Err is a terminal: progress is one line that is written over
}
