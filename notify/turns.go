package notify

import "sync"

// turns says whose message is next: those of one customer leave one after the other, those of all customers side by side. So a
// recipient that is slow delays only itself, as long as one lane is free.
type turns struct {
	mu     sync.Mutex
	queues map[string]*queue // by customer: with messages that wait, or one on its way
	urgent lineup            // queues that wait for a lane and begin with an urgent message
	rest   lineup            // the others
	taken  int
	ready  chan struct{} // one for each queue that waits for a lane
}

// queue holds the messages of one customer.
type queue struct {
	customer string
	waiting  []*Message
	next     *queue // in a lineup
}

// lineup is the order in which queues get a lane.
type lineup struct{ first, last *queue }

// everyFourth turn goes to what is not urgent, if any waits: urgent messages go first and never starve the others.
const everyFourth = 4

// newTurns makes room for at most n messages at once.
func newTurns(n int) *turns {
	return &turns{queues: map[string]*queue{}, ready: make(chan struct{}, n)}
}

// add puts a message at the end of its customer's queue.
func (t *turns) add(m *Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.queues[m.CustomerID]
	if q != nil {
		q.waiting = append(q.waiting, m)
		return
	}
	q = &queue{customer: m.CustomerID, waiting: []*Message{m}}
	t.queues[m.CustomerID] = q
	t.lineUp(q)
}

func (t *turns) lineUp(q *queue) {
	if q.waiting[0].Urgency == High {
		t.urgent.push(q)
	} else {
		t.rest.push(q)
	}
	t.ready <- struct{}{} // never blocks: there are no more queues than messages
}

// take gives the next message to whoever has received from ready. Nothing more of its queue leaves before done.
func (t *turns) take() (*queue, *Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken++
	from, other := &t.urgent, &t.rest
	if t.taken%everyFourth == 0 {
		from, other = other, from
	}
	q := from.pop()
	if q == nil {
		q = other.pop()
	}
	if q == nil {
		return nil, nil // drained meanwhile
	}
	m := q.waiting[0]
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	return q, m
}

// done lets the queue of a message that was taken go on.
func (t *turns) done(q *queue) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(q.waiting) == 0 {
		delete(t.queues, q.customer)
		return
	}
	t.lineUp(q)
}

// drain takes out all that wait.
func (t *turns) drain() (left []*Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, q := range t.queues {
		left = append(left, q.waiting...)
		q.waiting = nil
	}
	for _, up := range []*lineup{&t.urgent, &t.rest} {
		for q := up.pop(); q != nil; q = up.pop() {
			delete(t.queues, q.customer)
			select {
			case <-t.ready:
			default: // a lane has received it, and will find nothing
			}
		}
	}
	return left
}

func (u *lineup) push(q *queue) {
	if u.last == nil {
		u.first = q
	} else {
		u.last.next = q
	}
	u.last = q
}

func (u *lineup) pop() *queue {
	q := u.first
	if q == nil {
		return nil
	}
	if u.first = q.next; u.first == nil {
		u.last = nil
	}
	q.next = nil
	return q
}
