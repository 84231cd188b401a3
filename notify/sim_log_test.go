package notify_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"onmyway/notify"
)

// simLog is a topic of Kafka and the group that reads it.
type simLog struct {
	w       *world
	mu      sync.Mutex
	parts   []*simPart
	members []*node
}

// simPart is one partition.
type simPart struct {
	log        *simLog
	id         int
	records    []notify.Event
	commit     int64
	generation int
	owner      *node
	cancel     context.CancelFunc
	grown      chan struct{} // closed when records are added
}

func newSimLog(w *world, partitions int) *simLog {
	k := &simLog{w: w}
	for i := range partitions {
		k.parts = append(k.parts, &simPart{log: k, id: i, grown: make(chan struct{})})
	}
	return k
}

// produce appends an event to the partition of its order.
func (k *simLog) produce(e notify.Event) {
	h := fnv.New32a()
	h.Write([]byte(e.OrderID))
	k.mu.Lock()
	defer k.mu.Unlock()
	p := k.parts[h.Sum32()%uint32(len(k.parts))]
	p.records = append(p.records, e)
	close(p.grown)
	p.grown = make(chan struct{})
}

// join makes a process a member of the group.
func (k *simLog) join(n *node) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !n.ending.Load() && !n.dead.Load() && !slices.Contains(k.members, n) {
		k.members = append(k.members, n)
		k.rebalance()
	}
}

// leave takes a process for gone. It learns of it when it looks.
func (k *simLog) leave(n *node) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i := slices.Index(k.members, n); i >= 0 {
		k.members = slices.Delete(k.members, i, i+1)
		k.rebalance()
	}
}

// rebalance gives every partition to a member. Who has one already and keeps it notices nothing.
func (k *simLog) rebalance() {
	for i, p := range k.parts {
		var owner *node
		if len(k.members) > 0 {
			owner = k.members[i%len(k.members)]
		}
		if owner == p.owner {
			continue
		}
		if p.cancel != nil {
			p.cancel()
			p.cancel = nil
		}
		p.owner = owner
		p.generation++
		if owner != nil {
			p.cancel = owner.work(&simHandle{part: p, node: owner, generation: p.generation, next: p.commit})
		}
	}
}

// done tells whether everything is read and committed.
func (k *simLog) done() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return !slices.ContainsFunc(k.parts, func(p *simPart) bool { return p.commit < int64(len(p.records)) })
}

// lost blames for every event that SQL does not have.
func (k *simLog) lost() {
	for _, p := range k.parts {
		p.demandStored("G1", 0, int64(len(p.records)))
	}
}

// demandStored blames for records that SQL does not have.
func (p *simPart) demandStored(promise string, from, to int64) {
	p.log.mu.Lock()
	ids := make([]notify.ID, 0, max(to-from, 0))
	for i := from; i < to; i++ {
		ids = append(ids, p.records[i].ID)
	}
	p.log.mu.Unlock()
	have := make([]bool, len(ids))
	if err := p.log.w.truth.Known(context.Background(), ids, have); err != nil {
		p.log.w.blame("%s: asking for events: %v", promise, err)
		return
	}
	for i, there := range have {
		if !there {
			p.log.w.blame("%s: the event at offset %d of partition %d is not stored", promise, from+int64(i), p.id)
		}
	}
}

// decode is what a mapping does.
func (k *simLog) decode(r *notify.Record, _ time.Time, dst *notify.Event) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	*dst = k.parts[r.Partition].records[r.Offset]
	dst.Origin = notify.Origin{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: r.Time}
	return nil
}

// simHandle is a partition in the hands of one member, in one generation.
type simHandle struct {
	part       *simPart
	node       *node
	generation int
	next       int64
}

// again is the partition as a worker gets it that starts over.
func (h *simHandle) again() *simHandle {
	h.part.log.mu.Lock()
	defer h.part.log.mu.Unlock()
	return &simHandle{part: h.part, node: h.node, generation: h.generation, next: h.part.commit}
}

func (h *simHandle) Name() (string, int, int64) { return "order-events", h.part.id, h.next }
func (h *simHandle) StartAt(next int64)         { h.next = next }

func (h *simHandle) Fetch(ctx context.Context, dst []notify.Record) (int, error) {
	for {
		if err := h.node.point(fmt.Sprintf("fetch of %d", h.part.id)); err != nil {
			return 0, err
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		k := h.part.log
		k.mu.Lock()
		n, grown := 0, h.part.grown
		for ; n < len(dst) && h.next < int64(len(h.part.records)); n++ {
			e := &h.part.records[h.next]
			dst[n] = notify.Record{Topic: "order-events", Partition: h.part.id, Offset: h.next, Time: e.Origin.Time, Value: []byte("{}")}
			h.next++
		}
		k.mu.Unlock()
		if n > 0 {
			return n, nil
		}
		select {
		case <-ctx.Done():
		case <-grown:
		}
	}
}

func (h *simHandle) Commit(_ context.Context, next int64) error {
	if err := h.node.point(fmt.Sprintf("commit of %d", h.part.id)); err != nil {
		return notify.ErrFenced
	}
	w := h.part.log.w
	if w.chance("commit fails", h.node.name, w.faults.commitFails) {
		return errDown
	}
	k := h.part.log
	k.mu.Lock()
	from, stale := h.part.commit, h.generation != h.part.generation
	if !stale {
		h.part.commit = next
	}
	k.mu.Unlock()
	if stale {
		return notify.ErrFenced
	}
	if next < from {
		w.blame("I2: the committed offset of partition %d went back from %d to %d", h.part.id, from, next)
	}
	h.part.demandStored("I2", from, next)
	return nil
}
