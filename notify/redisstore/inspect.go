package redisstore

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Server is what Inspect saw of Redis.
type Server struct {
	Version     string
	Role        string // master or slave
	Policy      string // maxmemory-policy: what goes when memory is full
	MaxMemory   int64  // bytes; 0: no limit
	UsedMemory  int64  // bytes
	Cluster     bool
	RoundTrip   time.Duration // the median of a few
	MayPublish  bool          // the user may use the channel of the live bus
	PublishGave string        // why not
}

const pings = 9

// Inspect asks Redis what it is and how quickly it answers. It writes nothing but a message that nobody hears.
func (s *Store) Inspect(ctx context.Context) (Server, error) {
	var v Server
	took := make([]time.Duration, pings)
	for i := range took {
		began := time.Now()
		if err := s.client.Ping(ctx).Err(); err != nil {
			return v, explain(err, s.client.Options())
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	v.RoundTrip = took[pings/2]
	info, err := s.client.Info(ctx).Result() // one call without sections: Redis before 7 takes no more than one
	if err != nil {
		return v, fmt.Errorf("ask Redis for INFO: %w", err)
	}
	v.read(info)
	v.MayPublish = true
	if err := s.client.Publish(ctx, s.prefix+"inspect", "").Err(); err != nil {
		v.MayPublish, v.PublishGave = false, err.Error()
	}
	return v, nil
}

// read takes what matters out of the answer to INFO.
func (v *Server) read(info string) {
	lines := bufio.NewScanner(strings.NewReader(info))
	for lines.Scan() {
		name, value, _ := strings.Cut(strings.TrimSpace(lines.Text()), ":")
		switch name {
		case "redis_version":
			v.Version = value
		case "role":
			v.Role = value
		case "maxmemory_policy":
			v.Policy = value
		case "maxmemory":
			v.MaxMemory, _ = strconv.ParseInt(value, 10, 64) // 0 when it can't be read
		case "used_memory":
			v.UsedMemory, _ = strconv.ParseInt(value, 10, 64)
		case "cluster_enabled":
			v.Cluster = value == "1"
		}
	}
}
