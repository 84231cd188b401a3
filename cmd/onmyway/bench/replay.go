package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"time"

	"github.com/segmentio/kafka-go"
)

// replaying measures how fast the product goes through a topic that it knows, as after a reset of its offsets: it must
// look at everything and do nothing.
type replaying struct {
	lab  *lab
	home *textingSite
	load *process

	published int // records in the topic
}

const replayed = "replayed" // the group

// needsRedis: what is known already is asked from it, and the embedded one says nothing about its speed.
func needsRedis(l *lab) string {
	if l.Redis == "" {
		return "it needs a real Redis: --redis or ONMYWAY_TEST_REDIS"
	}
	return ""
}

func (r *replaying) close() error {
	var err error
	if r.load != nil {
		err = r.load.close()
	}
	if r.home != nil {
		err = errors.Join(err, r.home.close())
	}
	return err
}

// size is how many events there are; each is a text, the first time. They come times times in every round.
func (r *replaying) size() int { return r.lab.size(20_000, 2_000) }

const times = 5

// prepare makes the product know the topic.
func (r *replaying) prepare(ctx context.Context) (err error) {
	if r.home, err = r.lab.textingSite(ctx, 0, map[string]string{"redis.url": r.lab.Redis, "kafka.group": replayed}); err != nil {
		return err
	}
	if r.load, err = r.lab.load(ctx, loadTask{
		Deck: deckTask{Events: r.size(), Kind: byText, Run: "r" + strconv.Itoa(int(time.Now().Unix()%100_000))}, Brokers: r.home.brokers,
	}); err != nil {
		return err
	}
	if err := r.load.ask("go", &loadAnswer{}); err != nil {
		return err
	}
	r.published = r.size()
	if _, err := r.home.end(ctx, r.size()); err != nil {
		return err
	}
	_, err = r.home.texted(r.size())
	return err
}

func (r *replaying) round(ctx context.Context, n int) (readings, error) {
	ours, err := r.again(ctx)
	if err != nil {
		return nil, err
	}
	bare, err := r.bare(ctx, n)
	if err != nil {
		return nil, err
	}
	return readings{"replay": {ours, bare}}, r.home.rows.expect(ctx, r.size(), `SELECT COUNT(*) FROM events`)
}

// bare reads the topic with the bare consumer.
func (r *replaying) bare(ctx context.Context, n int) (perSecond float64, err error) {
	p, err := r.lab.part(ctx, "consumer", consumerTask{Brokers: r.home.brokers, Group: "bare" + strconv.Itoa(n), Records: r.published})
	if err != nil {
		return 0, err
	}
	var a consumerAnswer
	if err := errors.Join(p.hear(&a), p.close()); err != nil {
		return 0, err
	}
	if a.Distinct != r.size() {
		return 0, fmt.Errorf("the bare consumer read %d different records and should have read %d", a.Distinct, r.size())
	}
	return float64(r.published) / a.Seconds, nil
}

// again publishes everything once more while the product stands still, and then lets it go.
func (r *replaying) again(ctx context.Context) (perSecond float64, err error) {
	if err := r.home.product.signal(syscall.SIGSTOP); err != nil {
		return 0, err
	}
	for range times {
		err = errors.Join(err, r.load.ask("go", &loadAnswer{}))
		r.published += r.size()
	}
	began := time.Now()
	if err := errors.Join(err, r.home.product.signal(syscall.SIGCONT)); err != nil {
		return 0, err
	}
	end, err := r.committed(ctx)
	if err != nil {
		return 0, err
	}
	if _, err := r.home.texted(0); err != nil {
		return 0, err
	}
	return float64(times*r.size()) / end.Sub(began).Seconds(), nil
}

// committed waits until the product has committed everything that is in the topic.
func (r *replaying) committed(ctx context.Context) (time.Time, error) {
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	c := &kafka.Client{Addr: kafka.TCP(brokers(r.home.brokers)...), Transport: transport, Timeout: 10 * time.Second}
	ends, err := topicEnds(ctx, c)
	if err != nil {
		return time.Time{}, err
	}
	for {
		left, err := lag(ctx, c, ends)
		if err != nil || left == 0 {
			return time.Now(), err
		}
		select {
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("wait for the product to read %d records: %w", left, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func topicEnds(ctx context.Context, c *kafka.Client) (ends map[int]int64, err error) {
	meta, err := c.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return nil, fmt.Errorf("read the topic's partitions: %w", err)
	}
	var ask []kafka.OffsetRequest
	for _, p := range meta.Topics[0].Partitions {
		ask = append(ask, kafka.LastOffsetOf(p.ID))
	}
	res, err := c.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: ask}})
	if err != nil {
		return nil, fmt.Errorf("read the topic's ends: %w", err)
	}
	ends = map[int]int64{}
	for _, p := range res.Topics[topic] {
		ends[p.Partition] = p.LastOffset
	}
	return ends, nil
}

// lag is how many records the product has not committed.
func lag(ctx context.Context, c *kafka.Client, ends map[int]int64) (left int64, err error) {
	all := make([]int, 0, len(ends))
	for p := range ends {
		all = append(all, p)
	}
	res, err := c.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: replayed, Topics: map[string][]int{topic: all}})
	if err != nil {
		return 0, fmt.Errorf("read the committed offsets: %w", err)
	}
	for _, p := range res.Topics[topic] {
		left += ends[p.Partition] - max(p.CommittedOffset, 0)
	}
	return left, nil
}
