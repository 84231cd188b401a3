package websocket

import "time"

// OpenedAtOnce is how many sockets open after a rest.
const OpenedAtOnce = openedAtOnce

// Turns tells after how long it is the turn of each of n upgrades that come at a time, and the gap between two.
func (h *Hub) Turns(now time.Time, n int) (waits []time.Duration, gap time.Duration) {
	for range n {
		waits = append(waits, h.pace.turn(now))
	}
	return waits, h.pace.gap
}
