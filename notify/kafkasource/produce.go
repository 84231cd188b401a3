package kafkasource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/segmentio/kafka-go"

	"onmyway/notify"
)

const (
	produceBytes = 1 << 20   // of one request; brokers take 1,048,588 unless they are told otherwise
	buriedBytes  = 900 << 10 // of the value of a dead letter: its headers must fit beside it
	buriedLeast  = 16 << 10  // where even that is too much
)

// Produce writes records to a topic and returns when all in-sync replicas have all of them. The same key goes to the
// same partition as with Java's producer. On an error some may have been written: write all of them again, the reader
// knows a repeated event. A record's Topic, Partition and Offset are not used; a zero Time is now. When ctx ends early the
// records' bytes may still be read for some seconds: they must not be reused.
func (k *Kafka) Produce(ctx context.Context, topic string, rs []notify.Record) error {
	ms := make([]kafka.Message, len(rs))
	for i := range rs {
		r := &rs[i]
		ms[i] = kafka.Message{Topic: topic, Key: r.Key, Value: r.Value, Time: r.Time}
		for _, h := range r.Headers {
			ms[i].Headers = append(ms[i].Headers, kafka.Header{Key: h.Key, Value: h.Value})
		}
	}
	err := k.writer.WriteMessages(ctx, ms...)
	var each kafka.WriteErrors
	if errors.As(err, &each) {
		err = firstOf(each)
	}
	if err != nil {
		return fmt.Errorf("write %d records to topic %s: %w", len(rs), topic, err)
	}
	return nil
}

// firstOf avoids the library's text, which repeats the same error for every record.
func firstOf(each kafka.WriteErrors) error {
	for _, err := range each {
		if err != nil {
			return err
		}
	}
	return nil
}

// Bury writes records that could not be understood to the dead-letter topic, as they were, with headers that tell where
// they come from and what is wrong: x-original-topic, -partition and -offset, x-reason, x-problems (JSON). Of a record that
// is too long for the topic only the beginnings of key and value are kept, and x-original-size has its length; the record
// itself stays where it was read. It returns when all are safely written.
func (k *Kafka) Bury(ctx context.Context, rs []notify.Reject) error {
	err := k.Produce(ctx, k.cfg.DeadTopic, deadLetters(rs, buriedBytes))
	var long kafka.MessageTooLargeError
	if errors.Is(err, kafka.MessageSizeTooLarge) || errors.As(err, &long) {
		err = k.Produce(ctx, k.cfg.DeadTopic, deadLetters(rs, buriedLeast))
	}
	if err != nil {
		return fmt.Errorf("bury %d records: %w", len(rs), err)
	}
	return nil
}

func deadLetters(rs []notify.Reject, longest int) []notify.Record {
	letters := make([]notify.Record, len(rs))
	for i := range rs {
		r := &rs[i].Record
		problems, err := json.Marshal(rs[i].Problems)
		if err != nil {
			problems = nil // can't be: strings can always be written
		}
		key, value, h := r.Key, r.Value, append([]notify.Header(nil), r.Headers...)
		if n := len(key) + len(value) + sizeOf(h); n > longest {
			key, value, h = key[:min(len(key), longest/8)], value[:min(len(value), longest/2)], nil
			h = append(h, notify.Header{Key: "x-original-size", Value: strconv.AppendInt(nil, int64(n), 10)})
		}
		h = append(h,
			notify.Header{Key: "x-original-topic", Value: []byte(r.Topic)},
			notify.Header{Key: "x-original-partition", Value: strconv.AppendInt(nil, int64(r.Partition), 10)},
			notify.Header{Key: "x-original-offset", Value: strconv.AppendInt(nil, r.Offset, 10)},
			notify.Header{Key: "x-reason", Value: []byte(rs[i].Reason)},
			notify.Header{Key: "x-problems", Value: problems},
		)
		letters[i] = notify.Record{Key: key, Value: value, Time: rs[i].At, Headers: h}
	}
	return letters
}

func sizeOf(hs []notify.Header) (n int) {
	for _, h := range hs {
		n += len(h.Key) + len(h.Value)
	}
	return n
}
