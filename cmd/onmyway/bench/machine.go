package bench

import (
	"bufio"
	"bytes"
	"cmp"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// Machine is where it was measured, and with what.
type Machine struct {
	Processor string
	Cores     int
	MemoryGiB int // 0: not known
	System    string
	Go        string
	Libraries []string // name and version of what figures depend on
	Servers   []string // that were not embedded
}

// libraries are those whose version matters for a figure.
var libraries = []string{
	"github.com/segmentio/kafka-go", "github.com/twmb/franz-go/pkg/kfake", "github.com/redis/go-redis/v9", "github.com/alicebob/miniredis/v2",
	"modernc.org/sqlite", "github.com/jackc/pgx/v5", "github.com/gobwas/ws", "github.com/SherClockHolmes/webpush-go", "github.com/twilio/twilio-go",
}

func machine() Machine {
	m := Machine{
		Processor: cmp.Or(field("/proc/cpuinfo", "model name"), runtime.GOARCH), Cores: runtime.GOMAXPROCS(0),
		System: runtime.GOOS, Go: runtime.Version(),
	}
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += " " + strings.TrimSpace(string(kernel))
	}
	if kB, err := strconv.Atoi(strings.TrimSuffix(field("/proc/meminfo", "MemTotal"), " kB")); err == nil {
		m.MemoryGiB = (kB + 1<<19) >> 20
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if slices.Contains(libraries, d.Path) {
				m.Libraries = append(m.Libraries, d.Path+" "+d.Version)
			}
		}
	}
	return m
}

// field is the first value of a name in a file of "name : value" lines; empty for none.
func field(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
