package sqlstore_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

// A process that stands still in the middle of a transaction, or whose machine has died, holds rows. The one that gets its partition
// stores the same batch and must not wait until somebody finds that out.
func TestStandstillHoldsNobodyUp(t *testing.T) {
	direct := newPostgres(t)
	alive := open(t, direct)
	now := time.Now().Truncate(time.Millisecond)
	notifytest.PutCustomer(t, alive, now, notify.Customer{ID: "c-1"})
	through, stands := standstill(t, direct, "INSERT INTO messages")
	frozen := open(t, through)

	batch := func() *notify.Batch {
		b, _ := reviewBatch(1, "O-1", "c-1", notify.MilestoneOf(notify.CarHaul, "driver_en_route_to_pickup"), now, now)
		b.Topic = ""
		return b
	}
	ctx, end := context.WithCancel(t.Context())
	var freezing sync.WaitGroup
	freezing.Go(func() {
		if err := frozen.Add(ctx, batch()); err == nil {
			t.Error("what stands still was stored")
		}
	})
	defer freezing.Wait()
	defer end()
	select {
	case <-stands:
	case <-time.After(20 * time.Second):
		t.Fatal("it never came to the messages")
	}
	began := time.Now()
	if err := alive.Add(t.Context(), batch()); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the other process waited for %s", took)
	}
}

// standstill leads to a PostgreSQL server. When the process behind it is about to ask for something that has the text at in it,
// nothing more of it gets through, and stands is closed.
func standstill(t *testing.T, server, at string) (through string, stands <-chan struct{}) {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	target := u.Host
	u.Host = listener.Addr().String()
	still := make(chan struct{})
	var once sync.Once
	var copying sync.WaitGroup
	copying.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			behind, err := net.Dial("tcp", target)
			if err != nil {
				t.Error(err)
				client.Close()
				return
			}
			t.Cleanup(func() { client.Close(); behind.Close() })
			copying.Go(func() { _, _ = io.Copy(client, behind) })
			copying.Go(func() {
				buf := make([]byte, 1<<20)
				for {
					n, err := client.Read(buf)
					if err != nil {
						return
					}
					if bytes.Contains(buf[:n], []byte(at)) {
						once.Do(func() { close(still) })
						return
					}
					if _, err := behind.Write(buf[:n]); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() { listener.Close(); copying.Wait() })
	return u.String(), still
}
