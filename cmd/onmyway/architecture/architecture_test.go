package architecture_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

type pkg struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

// The arrows: what a package of the tree may import of the tree, by prefix. The longest prefix that matches a package
// counts.
var arrows = map[string][]string{
	"onmyway/templates":                {},
	"onmyway/migrations":               {},
	"onmyway/notify":                   {"onmyway/templates"},
	"onmyway/notify/":                  {"onmyway/notify", "onmyway/templates"},
	"onmyway/notify/sqlstore":          {"onmyway/notify", "onmyway/migrations"},
	"onmyway/channels":                 {"onmyway/notify", "onmyway/channels/"},
	"onmyway/channels/":                {"onmyway/notify", "onmyway/channels/outhttp"},
	"onmyway/channels/outhttp":         {"onmyway/notify"},
	"onmyway/channels/twilio/":         {"onmyway/notify", "onmyway/channels/twilio"},
	"onmyway/channels/webpush/":        {"onmyway/notify", "onmyway/channels/webpush"},
	"onmyway/api":                      {"onmyway/notify"},
	"onmyway/cmd/onmyway":              {"onmyway/"},
	"onmyway/cmd/onmyway/embedded":     {},
	"onmyway/cmd/onmyway/demo":         {"onmyway/"},
	"onmyway/cmd/onmyway/bench":        {"onmyway/"},
	"onmyway/cmd/onmyway/architecture": {},
	// The harness that tries to break the service must not know how it works: only the other sides that it plays.
	"onmyway/cmd/torture":        {"onmyway/channels/twilio/twiliotest", "onmyway/channels/webpush/webpushtest", "onmyway/cmd/torture/ledger"},
	"onmyway/cmd/torture/ledger": {},
}

// Vendors that live behind one folder each. The benchmark's baselines are the bare libraries.
var vendors = map[string]string{
	"github.com/segmentio/kafka-go":         "onmyway/notify/kafkasource onmyway/cmd/onmyway/bench",
	"github.com/redis/go-redis/":            "onmyway/notify/redisstore",
	"github.com/jackc/pgx/":                 "onmyway/notify/sqlstore onmyway/cmd/onmyway/bench",
	"modernc.org/sqlite":                    "onmyway/notify/sqlstore onmyway/cmd/onmyway/bench",
	"github.com/pressly/goose/":             "onmyway/notify/sqlstore",
	"github.com/twilio/twilio-go":           "onmyway/channels/twilio onmyway/cmd/onmyway/bench",
	"github.com/SherClockHolmes/webpush-go": "onmyway/channels/webpush onmyway/cmd/onmyway/bench",
	"github.com/gobwas/ws":                  "onmyway/channels/websocket onmyway/cmd/onmyway/demo onmyway/cmd/torture onmyway/cmd/onmyway/bench",
	"github.com/danielgtaylor/huma/":        "onmyway/api",
	"github.com/prometheus/client_golang/":  "onmyway/cmd/onmyway",
	"go.opentelemetry.io/":                  "onmyway/cmd/onmyway",
	"github.com/twmb/franz-go/":             "onmyway/cmd/onmyway/embedded onmyway/cmd/torture",
	"github.com/alicebob/miniredis/":        "onmyway/cmd/onmyway/embedded",
}

func TestImportsFollowTheArrows(t *testing.T) {
	for _, p := range packages(t) {
		allowed := arrowsOf(p.ImportPath)
		for _, imported := range p.Imports {
			if strings.HasPrefix(imported, "onmyway/") && !allows(allowed, imported) {
				t.Errorf("%s must not import %s", p.ImportPath, imported)
			}
			for vendor, home := range vendors {
				if strings.HasPrefix(imported+"/", strings.TrimSuffix(vendor, "/")+"/") && !strings.Contains(" "+home+" ", " "+p.ImportPath+" ") {
					t.Errorf("%s must not import %s: only %s knows it", p.ImportPath, imported, home)
				}
			}
		}
	}
}

// The core imports the standard library, golang.org/x and templates only.
func TestTheCoreKnowsNoVendor(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath != "onmyway/notify" {
			continue
		}
		for _, imported := range p.Imports {
			first, _, _ := strings.Cut(imported, "/")
			if strings.Contains(first, ".") && first != "golang.org" {
				t.Errorf("notify must not import %s", imported)
			}
		}
	}
}

// packages lists the tree as the compiler sees it, without tests.
func packages(t *testing.T) (list []pkg) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "onmyway/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	if len(list) < 10 {
		t.Fatalf("go list names only %d packages", len(list))
	}
	return list
}

func arrowsOf(path string) []string {
	best := ""
	for prefix := range arrows {
		if matches(prefix, path) && len(prefix) > len(best) {
			best = prefix
		}
	}
	return arrows[best]
}

func allows(allowed []string, imported string) bool {
	return slices.ContainsFunc(allowed, func(prefix string) bool { return matches(prefix, imported) })
}

// matches: "a/b" names that package, "a/b/" everything below it.
func matches(prefix, path string) bool {
	return path == prefix || strings.HasSuffix(prefix, "/") && strings.HasPrefix(path, prefix)
}
