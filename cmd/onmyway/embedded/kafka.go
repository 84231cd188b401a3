package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

const (
	partitions = 6
	cleaning   = time.Hour // how often records are deleted that are older than a week, Kafka's own default
)

// KafkaServer is a Kafka broker in this process. Any Kafka client can use it.
type KafkaServer struct {
	Addr    string // host:port
	cluster *kfake.Cluster
	stop    chan struct{}
	cleaner sync.WaitGroup
	once    sync.Once
}

// Kafka starts a broker on a loopback address, which stays the same over restarts when its port is not 0, and makes topics
// that do not exist. Everything is kept under dir: a record is in the kernel's hands before its producer hears of it, and
// so are committed offsets, so both survive the death of this process, and not that of the machine.
func Kafka(ctx context.Context, addr, dir string, topics []string, log *slog.Logger) (*KafkaServer, error) {
	at, err := loopback(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("embedded.kafka_addr: %w", err)
	}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.ClusterID("onmyway"),
		kfake.DefaultNumPartitions(partitions),
		kfake.DataDir(dir),
		kfake.WithLogger(kafkaLog{log}),
		kfake.ListenFn(func(network, _ string) (net.Listener, error) {
			return (&net.ListenConfig{}).Listen(ctx, network, at.String())
		}),
	)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("start the embedded Kafka: %s is in use: set kafka.brokers if a Kafka runs there, "+
			"or embedded.kafka_addr to another address: %w", at, err)
	}
	if err != nil {
		return nil, fmt.Errorf("start the embedded Kafka in %s: %w", dir, err)
	}
	k := &KafkaServer{Addr: cluster.ListenAddrs()[0], cluster: cluster, stop: make(chan struct{})}
	k.cleaner.Go(k.clean)
	for _, topic := range topics {
		if cluster.TopicInfo(topic) != nil {
			continue
		}
		if err := cluster.CreateTopic(topic, partitions, nil); err != nil {
			k.Close()
			return nil, fmt.Errorf("create topic %s in the embedded Kafka: %w", topic, err)
		}
	}
	return k, nil
}

// clean deletes old records. kfake does so by itself only for topics that name their retention, and topics are made by
// clients too.
func (k *KafkaServer) clean() {
	t := time.NewTicker(cleaning)
	defer t.Stop()
	for {
		select {
		case <-k.stop:
			return
		case <-t.C:
			k.cluster.ApplyRetention()
		}
	}
}

// Close stops the broker and cuts its clients off.
func (k *KafkaServer) Close() {
	k.once.Do(func() {
		close(k.stop)
		k.cleaner.Wait()
		k.cluster.Close()
	})
}

// loopback refuses addresses that others can reach.
func loopback(ctx context.Context, addr string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q is not host:port", addr)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q is not a port", port)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("find %q: %w", host, err)
	}
	for _, ip := range ips {
		if !ip.Unmap().IsLoopback() {
			return netip.AddrPort{}, fmt.Errorf("%s can be reached from other machines, and the embedded engines ask nobody "+
				"for a password: use 127.0.0.1", host)
		}
	}
	return netip.AddrPortFrom(ips[0].Unmap(), uint16(number)), nil
}

// kafkaLog passes on what an operator can do something about: kfake warns when it can't write to its folder.
type kafkaLog struct{ log *slog.Logger }

func (l kafkaLog) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		l.log.Error("embedded Kafka: " + fmt.Sprintf(format, args...))
	case kfake.LogLevelWarn:
		l.log.Warn("embedded Kafka: " + fmt.Sprintf(format, args...))
	}
}
