package main

import (
	"context"
	"strconv"
	"time"

	"onmyway/notify"
	"onmyway/templates"
)

// hooks connect the core.
func (m *metrics) hooks() *notify.Hooks {
	return &notify.Hooks{
		Batch:     m.batch,
		Stored:    m.decided,
		Published: func(recorded []time.Time) { m.published(recorded, time.Now()) },
		Attempted: func(msg *notify.Message, a notify.Answer, took, _ time.Duration) {
			m.attempted(msg, a, took, time.Now())
		},
		Moved:    m.finished,
		Finished: m.finished,
		HandedBack: func(ch notify.Channel, why notify.Reason, n int) {
			m.back.WithLabelValues(m.labels.channel.of(string(ch)), m.labels.reason.of(string(why))).Add(float64(n))
		},
		Throttled: func(ch notify.Channel, waited time.Duration) {
			m.throttle.WithLabelValues(m.labels.channel.of(string(ch))).Add(waited.Seconds())
		},
		Settled:  m.settle,
		Reported: m.reported,
		Inbound: func(word notify.Keyword, _ bool) {
			m.inbound.WithLabelValues(m.labels.keyword.of(string(word))).Inc()
		},
		Spared:    m.spared,
		Forgotten: func(table string, rows int) { m.forgotten.WithLabelValues(table).Add(float64(rows)) },
		Retrying:  func(engine string, _ error) { m.failures.WithLabelValues(engine).Inc() },
	}
}

// callback counts one of the SMS provider's. Its kinds are the constants of channels/twilio.
func (m *metrics) callback(kind string) { m.calledBy.WithLabelValues(kind).Inc() }

func (m *metrics) batch(b notify.BatchStats) {
	topic := m.labels.topic.of(b.Topic)
	m.events.WithLabelValues(topic, "stored").Add(float64(b.Stored))
	m.events.WithLabelValues(topic, "repeated").Add(float64(b.Repeated))
	m.events.WithLabelValues(topic, "rejected").Add(float64(b.Rejected))
	m.records.WithLabelValues().Observe(float64(b.Records))
	m.rounds.WithLabelValues().Observe(b.Took.Seconds())
	m.stored.WithLabelValues(topic).Observe(b.Lag.Seconds())
}

// move is a message that comes into a state.
type move struct {
	channel   notify.Channel
	milestone string
	state     notify.State
	reason    notify.Reason
}

// decided counts what was decided about the events that are new: what their live pages show, what is not sent and why, and
// the messages that are made. It adds up first: a batch has many events and few milestones.
func (m *metrics) decided(b *notify.Batch) {
	moves := make(map[move]int, 16)
	fresh := make(map[notify.ID]bool, min(len(b.Messages), len(b.Events)))
	for i := range b.Events {
		e := &b.Events[i]
		if !e.New {
			continue
		}
		moves[move{notify.WebSocket, e.Milestone.Name, e.State, e.Reason}]++
		for _, n := range e.NotSent {
			moves[move{n.Channel, e.Milestone.Name, notify.Suppressed, n.Reason}]++
		}
		if len(b.Messages) > 0 {
			fresh[e.ID] = true
		}
	}
	for i := range b.Messages {
		if msg := &b.Messages[i]; fresh[msg.EventID] {
			moves[move{msg.Channel, msg.Milestone, msg.State, msg.Reason}]++
		}
	}
	m.count(moves)
}

func (m *metrics) count(moves map[move]int) {
	l := &m.labels
	for mv, n := range moves {
		m.messages.WithLabelValues(l.channel.of(string(mv.channel)), l.milestone.of(mv.milestone),
			l.state.of(string(mv.state)), l.reason.of(string(mv.reason))).Add(float64(n))
	}
}

// published notes how long it took until open sockets were shown what is new.
func (m *metrics) published(recorded []time.Time, now time.Time) {
	seconds := m.accepted.WithLabelValues(string(notify.WebSocket))
	for _, at := range recorded {
		seconds.Observe(since(at, now))
	}
}

func (m *metrics) attempted(msg *notify.Message, a notify.Answer, took time.Duration, now time.Time) {
	l := &m.labels
	ch, verdict := l.channel.of(string(msg.Channel)), l.verdict.of(string(a.Verdict))
	m.took.WithLabelValues(ch, verdict).Observe(took.Seconds())
	m.attempts.WithLabelValues(ch, verdict, l.reason.of(string(a.Reason)), httpClass(a.Status)).Inc()
	if a.Verdict != notify.Took {
		return
	}
	m.accepted.WithLabelValues(ch).Observe(since(promised(msg), now))
	if msg.Channel == notify.SMS {
		n, unicode := templates.Segments(msg.Body)
		alphabet := "gsm7"
		if unicode {
			alphabet = "ucs2"
		}
		m.segments.WithLabelValues(alphabet).Add(float64(n))
	}
}

// promised is from when on a customer waits for a message: the record's timestamp, the end of quiet hours that held it, or
// the moment when staff asked for a resend.
func promised(m *notify.Message) time.Time {
	switch {
	case m.Attempt <= 1 && m.DueAt.After(m.CreatedAt):
		return m.DueAt
	case m.RecordedAt.IsZero():
		return m.CreatedAt
	}
	return m.RecordedAt
}

// since is in seconds. The clocks of two machines differ: nothing takes less than no time.
func since(then, now time.Time) float64 { return max(now.Sub(then), 0).Seconds() }

func (m *metrics) finished(done []notify.Outcome) {
	moves := make(map[move]int, 16)
	for i := range done {
		o := &done[i]
		moves[move{o.Channel, o.Milestone, o.State, o.Reason}]++
	}
	m.count(moves)
}

// settle counts how unclear texts were settled, here and among all messages.
func (m *metrics) settle(done []notify.Settlement) {
	moves := make(map[move]int, 4)
	for i := range done {
		s := &done[i]
		m.settled.WithLabelValues(m.labels.state.of(string(s.State))).Inc()
		moves[move{notify.SMS, s.Milestone, s.State, s.Reason}]++
	}
	m.count(moves)
}

// reported counts a message that its provider has said more about.
func (m *metrics) reported(msg *notify.Message) {
	m.count(map[move]int{{msg.Channel, msg.Milestone, msg.State, msg.Reason}: 1})
}

// spared counts texts that stay unsent because their customers saw the news on a screen.
func (m *metrics) spared(milestones []string) {
	moves := make(map[move]int, 4)
	for _, milestone := range milestones {
		moves[move{notify.SMS, milestone, notify.Suppressed, notify.SeenOnScreen}]++
	}
	m.count(moves)
}

// graves counts dead letters by their reason.
type graves struct {
	notify.DeadLetters
	metrics *metrics
}

// Bury implements notify.DeadLetters.
func (g graves) Bury(ctx context.Context, rs []notify.Reject) error {
	if err := g.DeadLetters.Bury(ctx, rs); err != nil {
		return err
	}
	for i := range rs {
		g.metrics.dead.WithLabelValues(g.metrics.labels.topic.of(rs[i].Record.Topic), g.metrics.labels.reject.of(rs[i].Reason)).Inc()
	}
	return nil
}

const (
	watchEvery   = 15 * time.Second // how often Kafka is asked how far the group is behind, and every engine whether it answers
	watchTimeout = 5 * time.Second
)

// probes are the engines, by the names that logs have for them.
type probes map[string]func(context.Context) error

// watchEngines keeps the lag and the state of the engines up to date until ctx ends. While Kafka does not answer, the lag
// stays as it was.
func (m *metrics) watchEngines(ctx context.Context, engines probes, lag func(context.Context) (map[string]map[int]int64, error)) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		for name, ping := range engines {
			m.probe(ctx, name, ping)
		}
		m.measureLag(ctx, lag)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (m *metrics) probe(ctx context.Context, name string, ping func(context.Context) error) {
	asking, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	err := ping(asking)
	switch {
	case ctx.Err() != nil: // we are stopping: that says nothing about the engine
	case err != nil: // an outage is told by those who need the engine
		m.up.WithLabelValues(name).Set(0)
	default:
		m.up.WithLabelValues(name).Set(1)
	}
}

func (m *metrics) measureLag(ctx context.Context, lag func(context.Context) (map[string]map[int]int64, error)) {
	asking, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	byTopic, err := lag(asking)
	if err != nil {
		return
	}
	for topic, partitions := range byTopic {
		for p, n := range partitions {
			m.behind.WithLabelValues(m.labels.topic.of(topic), strconv.Itoa(p)).Set(float64(n))
		}
	}
}
