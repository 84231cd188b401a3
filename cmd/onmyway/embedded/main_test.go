package embedded_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/segmentio/kafka-go"
	"go.uber.org/goleak"

	"onmyway/cmd/onmyway/embedded"
)

// TestMain is also the process that TestKilled kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("EMBEDDED_TEST_DIR"); dir != "" {
		if err := victim(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	goleak.VerifyTestMain(m)
}

// victim writes and commits without end and says so after each acknowledgement.
func victim(dir string) error {
	ctx := context.Background()
	k, err := embedded.Kafka(ctx, "127.0.0.1:0", dir, []string{"orders"}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	w := &kafka.Writer{
		Addr: kafka.TCP(k.Addr), Topic: "orders", RequiredAcks: kafka.RequireAll, BatchTimeout: 1,
		Transport: &kafka.Transport{}, Balancer: kafka.BalancerFunc(func(kafka.Message, ...int) int { return 0 }),
	}
	c := &kafka.Client{Addr: kafka.TCP(k.Addr)}
	out := bufio.NewWriter(os.Stdout)
	for i := int64(1); ; i++ {
		if err := w.WriteMessages(ctx, kafka.Message{Value: fmt.Appendf(nil, "event %d", i)}); err != nil {
			return err
		}
		res, err := c.OffsetCommit(ctx, &kafka.OffsetCommitRequest{GroupID: "g", GenerationID: -1,
			Topics: map[string][]kafka.OffsetCommit{"orders": {{Partition: 0, Offset: i}}}})
		if err != nil {
			return err
		}
		if err := res.Topics["orders"][0].Error; err != nil {
			return err
		}
		fmt.Fprintln(out, i)
		if err := out.Flush(); err != nil {
			return err
		}
	}
}
