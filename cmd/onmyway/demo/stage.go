package demo

import (
	"net/url"
	"slices"
	"sync"
	"time"

	"onmyway/notify"
)

// How much the page and the demo remember.
const (
	mostCards     = 6    // on the page
	mostRecent    = 2000 // events whose messages are told apart
	mostSamples   = 1000 // latencies behind the percentiles
	mostBubbles   = 2
	mostAlerts    = 3
	lostAfter     = time.Minute            // an event that the service has not decided for that long while it is up
	justPublished = 700 * time.Millisecond // an event that is still open then waits for something
	backShown     = 30 * time.Second       // how long the note tells of the last kill
	sayUpdates    = 5 * time.Second        // the least time between two announcements to screen readers
)

// card is one event on the page, with what was decided about it.
type card struct {
	telling
	No     int
	At     time.Time // when it was published
	Rows   []row
	Fresh  bool // it has just come
	Waits  bool // the service is away: it waits in Kafka
	waited bool // it waited for a killed service
	done   bool
	lost   bool

	took  map[notify.Channel]time.Duration // to the first arrival
	texts int                              // how often its text was accepted
}

// Line, Title and Who are what the page says of the event.
func (c *card) Line() string  { return string(c.Buyer.Line) }
func (c *card) Title() string { return c.words }
func (c *card) Who() string {
	who := names[c.Buyer.Line] + " " + c.Order + ", "
	if c.again {
		return who + "published twice"
	}
	return who + c.Buyer.first()
}

// stage is everything that the page shows. It is safe for concurrent use.
type stage struct {
	term   *terminal
	stream *stream
	now    func() time.Time

	mu     sync.Mutex
	base   string // of the service's REST API
	people []*buyer
	recent []*card // oldest first
	open   map[int]*card
	texts  map[string]*card // by the id of their text
	events map[eventKey]*card
	made   int

	tally
	samples []time.Duration
	bubbles []bubble
	alerts  []alert
	resend  string // the id of the message that the curl sends again

	paused, fast  bool
	down          bool // killed and not caught up yet
	killedAt      time.Time
	upAt          time.Time
	reads         bool // has decided something since it is up again
	waitedFor     int  // events that waited for the service when it was killed last
	note          note
	noteUntil     time.Time
	lastSaid      time.Time
	lastValuesRaw string
}

// tally counts since the start.
type tally struct{ in, sms, push, live, notSent, lost, doubled, held int }

func newStage(term *terminal, now func() time.Time) *stage {
	return &stage{
		term: term, now: now, stream: newStream(), note: idle,
		open: map[int]*card{}, texts: map[string]*card{}, events: map[eventKey]*card{},
	}
}

// begin tells who takes part and where the service is.
func (s *stage) begin(people []*buyer, base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people, s.base, s.upAt = people, base, s.now()
}

// published is told of an event right before it goes to Kafka.
func (s *stage) published(t telling) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	s.in++
	c := &card{telling: t, No: s.made, At: s.now(), Waits: s.down, waited: s.down, took: map[notify.Channel]time.Duration{}}
	if s.down {
		s.waitedFor++
	}
	s.open[c.No] = c
	s.recent = append(s.recent, c)
	if !t.again || s.events[t.key()] == nil { // of an event that comes twice, the first one is told of
		s.texts[t.textID()], s.events[t.key()] = c, c
	}
	if len(s.recent) > mostRecent {
		old := s.recent[0]
		s.recent = s.recent[1:]
		delete(s.texts, old.textID())
		delete(s.events, old.key())
	}
	c.Fresh = true
	s.emitCard(c)
	c.Fresh = false
}

func (e *event) key() eventKey { return eventKey{e.Order, e.Sequence} }

// hear is told of every message that a receiver gets.
func (s *stage) hear(a arrival) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.events[eventKey{a.Order, a.Sequence}]
	if a.Channel == notify.SMS {
		c = s.texts[a.ID]
	}
	var took time.Duration
	if c != nil {
		took = max(a.At.Sub(c.At), time.Microsecond)
		if _, heard := c.took[a.Channel]; !heard {
			c.took[a.Channel] = took
			s.samples = append(s.samples, took)
			s.samples = s.samples[max(len(s.samples)-mostSamples, 0):]
		}
	}
	switch a.Channel {
	case notify.SMS:
		s.sms++
		if c != nil {
			if c.texts++; c.texts == 2 {
				s.doubled++
			}
		}
		s.term.line("text", masked(a.Address), a.Body, "accepted", took)
	case notify.Push:
		s.push++
		s.term.line("push", s.nameOf(c), a.Title+". "+a.Body, "accepted", took)
	case notify.WebSocket:
		s.live++
		s.term.line("live", s.nameOf(c), a.Title+". "+a.Body, "shown", took)
	}
	s.ring(a)
}

func (s *stage) nameOf(c *card) string {
	if c == nil {
		return ""
	}
	return c.Buyer.first()
}

// oldest is the query for everything that may say something about events that are still open.
func (s *stage) oldest() (query url.Values, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	since := s.now()
	for _, c := range s.open {
		if c.At.Before(since) {
			since = c.At
		}
	}
	return url.Values{"since": {since.Add(-time.Second).UTC().Format(time.RFC3339)}}, len(s.open) > 0
}

// settle reads from the service's messages what it decided about open events.
func (s *stage) settle(found []message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	byEvent := map[string][]message{}
	for _, m := range found {
		if m.ResendNo == 0 {
			byEvent[m.Lineage.EventID] = append(byEvent[m.Lineage.EventID], m)
		}
	}
	numbers := make([]int, 0, len(s.open))
	for no := range s.open {
		numbers = append(numbers, no)
	}
	slices.Sort(numbers)
	before := 0 // open events that were published earlier
	for _, no := range numbers {
		c := s.open[no]
		switch {
		case c.again && before == 0:
			s.close(c, []row{againRow(c.Buyer)})
		case !c.again && s.decided(c, byEvent[c.ID]):
		default:
			before++
			s.suspect(c)
		}
	}
	if s.down && s.upAt.After(s.killedAt) && s.caughtUp() {
		s.back()
	}
}

// decided closes a card when everything about its event is decided.
func (s *stage) decided(c *card, ms []message) bool {
	var shown *message
	per := map[notify.Channel][]message{}
	for i, m := range ms {
		switch {
		case m.Channel == notify.WebSocket:
			shown = &ms[i]
		case m.State == notify.Sending, m.State == notify.Pending && !m.DueAt.After(s.now()):
			return false
		default:
			per[m.Channel] = append(per[m.Channel], m)
		}
	}
	if shown == nil {
		return false
	}
	var rows []row
	for _, ch := range []notify.Channel{notify.SMS, notify.Push} {
		if list := per[ch]; len(list) > 0 {
			rows = append(rows, sentRow(list[0], len(list), c.Buyer, c.took[ch], s.now()))
		}
	}
	for _, n := range shown.NotSent {
		rows = append(rows, notSentRow(n, c.Buyer))
	}
	_, seen := c.took[notify.WebSocket]
	if r, tell := liveRow(*shown, c.Buyer, seen, len(rows) == 0, c.took[notify.WebSocket]); tell {
		rows = append(rows, r)
	}
	s.check(c, per[notify.SMS])
	s.close(c, rows)
	return true
}

// check compares what the service says of a text with what the simulated Twilio has.
func (s *stage) check(c *card, texts []message) {
	for _, m := range texts {
		switch {
		case m.State == notify.Verify && c.texts == 0:
			s.held++
		case taken(m.State) && c.texts == 0:
			s.lost++
		case taken(m.State) && c.Buyer == s.people[0] && s.resend != m.ID:
			s.resend = m.ID
			s.emit("curl", "", "curl", s.curl())
		}
	}
}

// taken tells that the provider has a text.
func taken(s notify.State) bool {
	return s == notify.Accepted || s == notify.Sent || s == notify.Delivered
}

// close ends a card.
func (s *stage) close(c *card, rows []row) {
	c.Rows, c.done, c.Waits = rows, true, false
	s.reads = s.reads || s.upAt.After(s.killedAt)
	delete(s.open, c.No)
	if c.lost {
		c.lost = false
		s.lost--
	}
	for _, r := range rows {
		switch r.State {
		case string(notify.Suppressed):
			s.notSent++
			s.term.notSent(c.Buyer.first(), r.Words)
		case string(notify.Pending), string(notify.Verify):
			s.term.held(c.Buyer.first(), r.Words)
		}
	}
	s.emitCard(c)
}

// pace is how stories are told.
func (s *stage) pace() (paused, fast bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.paused, s.fast
}
