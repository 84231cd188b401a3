package websocket_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/channels/websocket"
	"onmyway/notify"
)

// sdk is where the JavaScript SDK is installed. It is kept in ONMYWAY_NPM_DIR or the user's cache.
func sdk(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("installs the JavaScript SDK: not with -short")
	}
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the JavaScript SDK needs %s, which is not installed", program)
		}
	}
	dir := os.Getenv("ONMYWAY_NPM_DIR")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Skip("set ONMYWAY_NPM_DIR to a folder where the JavaScript SDK may be installed")
		}
		dir = filepath.Join(cache, "onmyway-npm")
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "centrifuge", "package.json")); err == nil {
		return dir
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Skipf("make a folder for the JavaScript SDK: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--prefix", dir, "centrifuge@5", "ws@8")
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("install the JavaScript SDK: %v\n%s", err, out)
	}
	return dir
}

// sdkClient is the SDK in a process of its own.
type sdkClient struct {
	t     *testing.T
	input io.WriteCloser
	lines chan string
}

func startSDK(t *testing.T, addr string, tokens ...string) *sdkClient {
	t.Helper()
	list, err := json.Marshal(tokens)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "testdata/client.cjs")
	cmd.Env = append(os.Environ(), "NPM_DIR="+sdk(t), "SCRIPT_URL=ws://"+addr, "SCRIPT_TOKENS="+string(list))
	cmd.Stderr = t.Output()
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &sdkClient{t, input, make(chan string, 1000)}
	go func() {
		defer close(c.lines)
		for in := bufio.NewScanner(output); in.Scan(); {
			c.lines <- in.Text()
		}
	}()
	t.Cleanup(func() {
		c.input.Close()
		for range c.lines { // until it ends
		}
		_ = cmd.Wait() // the end of the test's context has killed it, if it still ran
	})
	return c
}

// say makes the client call an rpc.
func (c *sdkClient) say(call string) {
	c.t.Helper()
	if _, err := io.WriteString(c.input, call+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

// want compares what happens next.
func (c *sdkClient) want(lines ...string) {
	c.t.Helper()
	var got []string
	for range lines {
		select {
		case line, ok := <-c.lines:
			if !ok {
				c.t.Fatalf("the client ended after %v", got)
			}
			got = append(got, line)
		case <-time.After(20 * time.Second):
			c.t.Fatalf("nothing more happens after %v", got)
		}
	}
	if diff := cmp.Diff(lines, got); diff != "" {
		c.t.Fatal(diff)
	}
}

// serveAt serves a new hub at an address until stop is called.
func serveAt(t *testing.T, addr string, tokens websocket.Tokens) (hub *websocket.Hub, at string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	hub = websocket.New(websocket.Config{PingInterval: 500 * time.Millisecond}, tokens, nil, quietly)
	end := run(t, hub)
	server := &http.Server{Handler: hub}
	served := make(chan error)
	go func() { served <- server.Serve(l) }()
	return hub, l.Addr().String(), func() {
		server.Close()
		<-served
		end()
	}
}

func TestSDKSurvivesARestart(t *testing.T) {
	sdk(t)
	hub, addr, stop := serveAt(t, "127.0.0.1:0", tokens)
	c := startSDK(t, addr, token(t, "c-42", "", time.Hour))
	hello := []string{`["connected",true]`, `["subscribed","customer:c-42",false]`}
	c.want(append([]string{`["connecting",0,"connect called"]`}, hello...)...)
	for life := range 3 {
		var batch []notify.Publication
		var want []string
		for n := range 100 {
			data := fmt.Sprintf(`{"life":%d,"n":%d}`, life, n)
			batch = append(batch, notify.Publication{Customer: "c-42", Data: []byte(data)})
			want = append(want, `["publication","customer:c-42",`+data+`]`)
		}
		publish(t, hub, batch[:50]...)
		for i := range batch[50:] {
			publish(t, hub, batch[50+i])
		}
		c.want(want...)
		stop()
		c.want(`["connecting",3001,"shutdown"]`)
		hub, _, stop = serveAt(t, addr, tokens)
		c.want(hello...)
	}
	c.input.Close()
	c.want(`["disconnected",0,"disconnect called"]`)
	stop()
}

func TestSDKWithABadToken(t *testing.T) {
	sdk(t)
	_, addr, stop := serveAt(t, "127.0.0.1:0", tokens)
	defer stop()
	c := startSDK(t, addr, "nonsense")
	c.want(`["connecting",0,"connect called"]`, `["disconnected",3500,"invalid token"]`)
}

// aging takes tokens by what they say about themselves.
type aging struct{}

func (aging) Check(token string, now time.Time) (notify.Grant, error) {
	switch token {
	case "short":
		return notify.Grant{CustomerID: "c-42", Expires: now.Add(2 * time.Second)}, nil
	case "long":
		return notify.Grant{CustomerID: "c-42", Expires: now.Add(time.Hour)}, nil
	default:
		return notify.Grant{}, notify.ErrTokenExpired
	}
}

func TestSDKGetsANewToken(t *testing.T) {
	sdk(t)
	hub, addr, stop := serveAt(t, "127.0.0.1:0", aging{})
	defer stop()
	c := startSDK(t, addr, "old", "short", "long")
	c.want(`["connecting",0,"connect called"]`, `["asked"]`, `["connected",true]`, `["subscribed","customer:c-42",false]`)
	c.want(`["asked"]`) // after two seconds, for refresh; several pings have been answered by then
	publish(t, hub, notify.Publication{Customer: "c-42", Data: []byte(`{"n":1}`)})
	c.want(`["publication","customer:c-42",{"n":1}]`)
}
