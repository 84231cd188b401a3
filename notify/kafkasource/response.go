package kafkasource

import (
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go"

	"onmyway/notify"
)

// drain fills dst with what the open response still has.
func (p *partition) drain(dst []notify.Record) (n int, err error) {
	for n < len(dst) {
		m, err := message(p.response)
		switch {
		case err == nil:
			p.next, p.stuck = m.Offset+1, 0
			if !marker(&m) {
				record(&m, &dst[n])
				n++
			}
		case errors.Is(err, io.EOF), errors.Is(err, kafka.RequestTimedOut): // its end, or it was empty
			return n, p.finish()
		case errors.Is(err, errCompacted):
			// The lock of a response that panicked stays locked: it can't be closed.
			p.response = nil
			p.hangUp()
			p.stepOver()
			return n, nil
		default:
			p.hangUp()
			return n, fmt.Errorf("read a response of %s/%d: %w", p.topic, p.id, err)
		}
	}
	return n, nil
}

// finish ends a response. The last records of a batch may have been compacted away: its end is then further on than the
// last record.
func (p *partition) finish() error {
	end, highWater := p.response.Offset(), p.response.HighWaterMark()
	err := p.response.Close()
	p.response = nil
	p.next = max(p.next, end)
	if err != nil && !errors.Is(err, kafka.RequestTimedOut) {
		p.hangUp()
		return fmt.Errorf("end a response of %s/%d: %w", p.topic, p.id, err)
	}
	if p.next == p.asked && p.next < highWater {
		p.stepOver()
	}
	return nil
}

// stepOver moves past an offset that has no record, when Kafka says so twice. Compaction leaves batches without records
// behind; kafka-go does not say how far such a batch goes, so it takes one fetch for each of its offsets.
func (p *partition) stepOver() {
	if p.stuck++; p.stuck < 2 {
		return
	}
	p.log.Debug("no record at an offset; compaction has left a gap", "topic", p.topic, "partition", p.id, "offset", p.next)
	p.next++
}

// errCompacted is what message makes of a panic.
var errCompacted = errors.New("a response with batches that compaction has emptied")

// message reads the next record. kafka-go 0.4.51 panics ("negative count") when three batches in a row are empty.
func message(b *kafka.Batch) (m kafka.Message, err error) {
	defer func() {
		if recover() != nil {
			err = errCompacted
		}
	}()
	return b.ReadMessage()
}

// marker tells the end of a transaction, which kafka-go hands out like a record: version 0, type abort or commit, then
// version 0 and the coordinator's epoch (KIP-98). An event has another shape: its value is text or longer than that.
func marker(m *kafka.Message) bool {
	k, v := m.Key, m.Value
	return len(k) == 4 && k[0] == 0 && k[1] == 0 && k[2] == 0 && k[3] <= 1 && len(v) == 6 && v[0] == 0 && v[1] == 0
}

func record(m *kafka.Message, r *notify.Record) {
	*r = notify.Record{
		Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Time: m.Time, Key: m.Key, Value: m.Value,
		Headers: r.Headers[:0],
	}
	for _, h := range m.Headers {
		r.Headers = append(r.Headers, notify.Header{Key: h.Key, Value: h.Value})
	}
}
