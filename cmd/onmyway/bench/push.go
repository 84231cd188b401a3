package bench

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"onmyway/channels/webpush"
)

// pushing measures Web Push: encryption, signature and one request for each.
type pushing struct{ lab *lab }

func (p *pushing) close() error { return nil }

func (p *pushing) round(ctx context.Context, n int) (got readings, err error) {
	public, private, err := webpush.GenerateKeys()
	if err != nil {
		return nil, err
	}
	home, err := p.lab.textingSite(ctx, 0, map[string]string{ // texts are set up and nobody has a phone
		"push.vapid.public_key": public, "push.vapid.private_key": private, "push.vapid.subject": "bench@onmyway.example",
		"push.allow_insecure_endpoints": "true",
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, home.close()) }()
	devices, err := subscribe(ctx, home, p.lab.size(5_000, 500))
	if err != nil {
		return nil, err
	}
	ours, err := p.product(ctx, home, len(devices), n)
	if err != nil {
		return nil, err
	}
	if err := home.product.close(); err != nil {
		return nil, err
	}
	home.product = nil
	loop, err := p.lab.part(ctx, "webpush", loopTask{Devices: devices, Public: public, Private: private})
	if err != nil {
		return nil, err
	}
	var a loopAnswer
	if err := errors.Join(loop.hear(&a), loop.close()); err != nil {
		return nil, err
	}
	_, err = home.pushed(len(devices))
	return readings{"push": {ours, float64(len(devices)) / a.Seconds}}, err
}

// product is how many pushes a second the product sends, from the first event until every state is durable.
func (p *pushing) product(ctx context.Context, home *textingSite, count, n int) (perSecond float64, err error) {
	load, err := p.lab.load(ctx, loadTask{
		Deck: deckTask{Events: count, Kind: byPush, Run: "p" + strconv.Itoa(n), Seed: uint64(n)}, Brokers: home.brokers,
	})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, load.close()) }()
	var a loadAnswer
	if err := load.ask("go", &a); err != nil {
		return 0, err
	}
	end, err := home.end(ctx, count)
	if err != nil {
		return 0, err
	}
	if _, err := home.pushed(count); err != nil {
		return 0, err
	}
	return float64(count) / end.Sub(a.Began).Seconds(),
		home.rows.expect(ctx, count, `SELECT COUNT(*) FROM messages WHERE channel = 'push' AND state NOT IN ('failed', 'suppressed', 'expired')`)
}

// pushed checks that as many devices got one push each.
func (s *textingSite) pushed(count int) (counts, error) {
	var c counts
	if err := s.stub.ask("count", &c); err != nil {
		return c, err
	}
	if c.Pushes != count || c.Devices != count {
		return c, fmt.Errorf("the push service got %d pushes for %d devices, and should have got one for each of %d", c.Pushes, c.Devices, count)
	}
	return c, nil
}

// subscribe gives each of the customers c-0, c-1, … a device at the stub.
func subscribe(ctx context.Context, home *textingSite, count int) ([]device, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	devices := make([]device, count)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for i := range devices {
		g.Go(func() (err error) {
			if devices[i], err = newDevice(home.url); err != nil {
				return err
			}
			return home.post(ctx, client, "/v1/customers/c-"+strconv.Itoa(i)+"/push-subscriptions", map[string]any{
				"endpoint": devices[i].Endpoint, "keys": map[string]string{"p256dh": devices[i].P256dh, "auth": devices[i].Auth},
			})
		})
	}
	return devices, g.Wait()
}

func newDevice(stub string) (device, error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return device{}, fmt.Errorf("make the keys of a device: %w", err)
	}
	secret := make([]byte, 16+16)
	_, _ = rand.Read(secret) // never fails
	encode := base64.RawURLEncoding.EncodeToString
	return device{Endpoint: stub + "/push/" + encode(secret[16:]), P256dh: encode(key.PublicKey().Bytes()), Auth: encode(secret[:16])}, nil
}

// post calls the product.
func (s *product) post(ctx context.Context, client *http.Client, path string, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write a call: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("call the product: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("call the product: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("call the product: it answered %s", resp.Status)
	}
	return nil
}
