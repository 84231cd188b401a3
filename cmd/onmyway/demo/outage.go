package demo

import (
	"fmt"
	"time"
)

// suspect counts an event as lost that the service has not decided for a long time.
func (s *stage) suspect(c *card) {
	since := c.At
	if s.upAt.After(since) {
		since = s.upAt
	}
	if !c.lost && !s.upAt.Before(s.killedAt) && s.now().Sub(since) > lostAfter {
		c.lost = true
		s.lost++
	}
}

// caughtUp tells whether the service, which is up again, has decided about everything that waited for it: what is open
// has only just been published.
func (s *stage) caughtUp() bool {
	for _, c := range s.open {
		if !s.reads || s.now().Sub(c.At) > justPublished {
			return false
		}
	}
	return true
}

// killed, restarted and back are the way of a kill.
func (s *stage) killed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down, s.reads, s.killedAt, s.waitedFor = true, false, s.now(), 0
	for _, c := range s.open {
		c.waited, c.Waits = true, true
		s.waitedFor++
		s.emitCard(c)
	}
	s.tell(note{"bad", "Killed at " + clockSeconds(s.killedAt, s.people[0].zone()), fmt.Sprintf("with %s unread. Kafka keeps the events, and new ones wait there.", plural(s.waitedFor, "event"))}, 0)
	s.term.alarm(red, "kill -9: the service is gone")
}

func (s *stage) restarted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.upAt = s.now()
	took := s.upAt.Sub(s.killedAt).Seconds()
	s.tell(note{"late", fmt.Sprintf("Started again after %.1f s.", took), "Kafka gives it the events as soon as it has given up on the dead process, after 10 s at most."}, 0)
	s.term.alarm(yellow, fmt.Sprintf("started again after %.1f s; Kafka hands over as soon as it has given up on the dead process", took))
}

func (s *stage) back() {
	s.down = false
	took := s.now().Sub(s.killedAt).Seconds()
	words := fmt.Sprintf("%s had waited in Kafka. Lost %d, doubled %d.", plural(s.waitedFor, "event"), s.lost, s.doubled)
	if s.held > 0 {
		words += fmt.Sprintf(" %s held: nobody knows yet whether the kill came before or after.", plural(s.held, "text"))
	}
	s.tell(note{"ok", fmt.Sprintf("Back after %.1f s.", took), words}, backShown)
	s.term.alarm(green, fmt.Sprintf("back after %.1f s: %s", took, words))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// clockSeconds is a time for staff: to the second, on one line.
func clockSeconds(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("3:04:05\u00a0PM\u00a0MST")
}
