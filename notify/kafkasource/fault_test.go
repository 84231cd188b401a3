package kafkasource_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"onmyway/notify"
	"onmyway/notify/kafkasource"
)

func TestDeletedRecordsAreReported(t *testing.T) {
	c := fake(t)
	cfg := configOf(t, c.ListenAddrs()...)
	cfg.Partitions = 1
	var gaps [][2]int64
	cfg.OnGap = func(topic string, partition int, from, to int64) {
		if topic != cfg.Topics[0] || partition != 0 {
			t.Errorf("gap in %s/%d", topic, partition)
		}
		gaps = append(gaps, [2]int64{from, to})
	}
	k := open(t, cfg)
	produce(t, k, cfg.Topics[0], orders(0, 40))
	first := read(t, k)
	first.until(t, "forty", func() bool { return len(first.seen) == 40 })
	first.stop(t)
	produce(t, k, cfg.Topics[0], orders(40, 60))
	if err := c.DeleteRecords(cfg.Topics[0], 0, 70); err != nil {
		t.Fatal(err)
	}
	second := read(t, k)
	second.until(t, "what is left", func() bool { return len(second.seen) == 30 })
	second.stop(t)
	if d := cmp.Diff([][2]int64{{40, 70}}, gaps); d != "" {
		t.Error(d)
	}
}

func TestTheLeaderMoves(t *testing.T) {
	c := fake(t, kfake.NumBrokers(3))
	cfg := configOf(t, c.ListenAddrs()...)
	k := open(t, cfg)
	r := read(t, k)
	for round := range 5 {
		for p := range int32(3) {
			if err := c.MoveTopicPartition(cfg.Topics[0], p, int32(round+int(p))%3); err != nil {
				t.Fatal(err)
			}
		}
		produce(t, k, cfg.Topics[0], orders(round*30, 30))
		r.until(t, "the round's records", func() bool { return len(r.seen) == (round+1)*30 })
	}
	c.RehashCoordinators()
	produce(t, k, cfg.Topics[0], orders(150, 30))
	r.until(t, "all records", func() bool { return len(r.seen) == 180 })
}

func TestAnOutageIsLoggedOnce(t *testing.T) {
	dir := t.TempDir()
	c := fake(t, kfake.DataDir(dir), kfake.SyncWrites())
	addr := c.ListenAddrs()[0]
	cfg := configOf(t, addr)
	cfg.Partitions = 1
	var retries atomic.Int32
	tried := make(chan struct{}, 1000)
	var log lines
	cfg.Outage = &notify.Outage{Engine: "Kafka", Log: slog.New(slog.NewTextHandler(&log, nil)), Hooks: &notify.Hooks{
		Retrying: func(string, error) { retries.Add(1); tried <- struct{}{} },
	}}
	k := open(t, cfg)
	produce(t, k, cfg.Topics[0], orders(0, 20))
	r := read(t, k)
	r.until(t, "twenty", func() bool { return len(r.seen) == 20 })

	c.Close()
	for range 5 {
		<-tried
	}
	_ = fake(t, kfake.DataDir(dir), kfake.Ports(portOf(t, addr)))
	produce(t, k, cfg.Topics[0], orders(20, 20))
	r.until(t, "forty", func() bool { return len(r.seen) == 40 })
	r.stop(t)
	if len(r.rs) != 40 {
		t.Errorf("read %d records, want each of 40 once: all were committed", len(r.rs))
	}
	if n := log.count("does not answer"); n != 1 {
		t.Errorf("%d lines for one outage with %d tries:\n%s", n, retries.Load(), log.String())
	}
	if n := log.count("answers again"); n != 1 {
		t.Errorf("%d lines at its end:\n%s", n, log.String())
	}
}

// lines is a log that many goroutines write.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }
func (l *lines) String() string              { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }
func (l *lines) count(s string) int          { return strings.Count(l.String(), s) }

func TestRefusedCommitsEndTheGeneration(t *testing.T) {
	c := fake(t)
	cfg := configOf(t, c.ListenAddrs()...)
	cfg.Partitions = 1
	k := open(t, cfg)
	produce(t, k, cfg.Topics[0], orders(0, 10))
	// The coordinator forgets the member once, as it does after a long pause.
	var refused atomic.Bool
	c.ControlKey(int16(kmsg.OffsetCommit), func(req kmsg.Request) (kmsg.Response, error, bool) {
		refused.Store(true)
		in := req.(*kmsg.OffsetCommitRequest)
		res := in.ResponseKind().(*kmsg.OffsetCommitResponse)
		topic := kmsg.NewOffsetCommitResponseTopic()
		topic.Topic = in.Topics[0].Topic
		p := kmsg.NewOffsetCommitResponseTopicPartition()
		p.ErrorCode = 25 // UNKNOWN_MEMBER_ID
		topic.Partitions = append(topic.Partitions, p)
		res.Topics = append(res.Topics, topic)
		return res, nil, true
	})
	r := read(t, k)
	r.until(t, "the records a second time", func() bool { return len(r.rs) >= 20 })
	r.stop(t)
	if !refused.Load() || committed(t, cfg, 0) != 10 {
		t.Errorf("committed %d, want 10", committed(t, cfg, 0))
	}
}

// TestCompactionLeavesEmptyBatches serves what a compacted log looks like: batches without records keep their offsets
// until their producer has written again. kafka-go trips over three of them in a row.
func TestCompactionLeavesEmptyBatches(t *testing.T) {
	tests := map[string][]int{ // records in each batch; every batch spans 3 offsets
		"one before records":    {0, 3},
		"three before records":  {0, 0, 0, 3},
		"five between records":  {3, 0, 0, 0, 0, 0, 3},
		"the end is compacted":  {1, 1, 3},
		"three at the far side": {3, 0, 0, 0},
	}
	for name, batches := range tests {
		t.Run(name, func(t *testing.T) {
			c := fake(t)
			cfg := configOf(t, c.ListenAddrs()...)
			cfg.Partitions = 1
			k := open(t, cfg)
			end := int64(len(batches) * 3)
			c.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				return compacted(req.(*kmsg.FetchRequest), batches), nil, true
			})
			want := 0
			for _, n := range batches {
				want += n
			}
			if want == 3 && batches[0] == 3 { // nothing follows: reading has to come to rest at the end
				end = 9
			}
			got := collect(t, k, func(notify.Partition) {}, want)
			for i := 1; i < len(got); i++ {
				if got[i].Offset <= got[i-1].Offset || got[i].Offset >= end+3 {
					t.Fatalf("offset %d after %d", got[i].Offset, got[i-1].Offset)
				}
			}
		})
	}
}

func compacted(req *kmsg.FetchRequest, batches []int) kmsg.Response {
	res := req.ResponseKind().(*kmsg.FetchResponse)
	topic := kmsg.NewFetchResponseTopic()
	topic.Topic = req.Topics[0].Topic
	p := kmsg.NewFetchResponseTopicPartition()
	p.HighWatermark = int64(len(batches) * 3)
	for i, n := range batches {
		if first := int64(i * 3); first+3 > req.Topics[0].Partitions[0].FetchOffset {
			p.RecordBatches = append(p.RecordBatches, batch(first, 3, n)...)
		}
	}
	topic.Partitions = append(topic.Partitions, p)
	res.Topics = append(res.Topics, topic)
	return res
}

// batch is a record batch (magic 2) that spans offsets from first and still has the first n records.
func batch(first int64, spans, n int) []byte {
	var records []byte
	for i := range n {
		r := kmsg.Record{OffsetDelta: int32(i), Key: []byte("k"), Value: []byte("v")}
		r.Length = int32(len(r.AppendTo(nil)) - 1)
		records = r.AppendTo(records)
	}
	b := kmsg.RecordBatch{
		FirstOffset: first, Magic: 2, LastOffsetDelta: int32(spans - 1), ProducerID: -1, ProducerEpoch: -1,
		FirstSequence: -1, NumRecords: int32(n), Records: records, Length: int32(49 + len(records)),
	}
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

func TestTheEndsOfTransactionsAreNoRecords(t *testing.T) {
	c := fake(t)
	cfg := configOf(t, c.ListenAddrs()...)
	cfg.Partitions = 1
	k := open(t, cfg)
	marker := notify.Record{Key: []byte{0, 0, 0, 1}, Value: []byte{0, 0, 0, 0, 0, 7}}
	produce(t, k, cfg.Topics[0], append([]notify.Record{marker}, orders(0, 1)...))
	got := collect(t, k, func(notify.Partition) {}, 1)
	if string(got[0].Key) != "order-0" {
		t.Errorf("key %q", got[0].Key)
	}
}

func TestMissingTopics(t *testing.T) {
	c := fake(t)
	cfg := configOf(t, c.ListenAddrs()...)
	cfg.Create = false
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := kafkasource.Open(ctx, cfg, quiet())
	if err == nil || !strings.Contains(err.Error(), cfg.Topics[0]) || !strings.Contains(err.Error(), "create it") {
		t.Errorf("error %v", err)
	}
}

func TestNewPartitionsAreTaken(t *testing.T) {
	c := fake(t)
	cfg := configOf(t, c.ListenAddrs()...)
	cfg.Partitions = 1
	k := open(t, cfg)
	r := read(t, k)
	r.until(t, "one partition", func() bool { return len(r.parts) == 1 })
	addPartitions(t, cfg, 4)
	r.until(t, "four partitions", func() bool { return len(r.parts) == 4 })
}

// A broker that has just made a topic may not know it yet when it's asked on the next connection; what the transport heard
// then must not be what the writer goes by for seconds.
func TestAWriterKnowsTopicsJustMade(t *testing.T) {
	c := fake(t)
	var made atomic.Bool
	c.ControlKey(int16(kmsg.CreateTopics), func(kmsg.Request) (kmsg.Response, error, bool) {
		made.Store(true)
		return nil, nil, false
	})
	c.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if !made.CompareAndSwap(true, false) { // the first question after it only
			return nil, nil, false
		}
		return knowsNothing(t, c, req.(*kmsg.MetadataRequest)), nil, true
	})
	cfg := configOf(t, c.ListenAddrs()...)
	produce(t, open(t, cfg), cfg.Topics[0], orders(0, 3))
	if made.Load() {
		t.Error("nobody asked for the topics after they were made")
	}
}

// knowsNothing is the answer of a broker that has heard of no topic yet.
func knowsNothing(t *testing.T, c *kfake.Cluster, req *kmsg.MetadataRequest) kmsg.Response {
	t.Helper()
	res := req.ResponseKind().(*kmsg.MetadataResponse)
	host, port, err := net.SplitHostPort(c.ListenAddrs()[0])
	if err != nil {
		t.Error(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Error(err)
	}
	b := kmsg.NewMetadataResponseBroker()
	b.Host, b.Port = host, int32(number)
	res.Brokers = append(res.Brokers, b)
	for _, asked := range req.Topics {
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic, topic.ErrorCode = asked.Topic, 3 // UNKNOWN_TOPIC_OR_PARTITION
		res.Topics = append(res.Topics, topic)
	}
	return res
}
