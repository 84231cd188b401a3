package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/channels/webpush"
	"onmyway/channels/webpush/webpushtest"
	"onmyway/cmd/onmyway/embedded"
	"onmyway/notify"
	"onmyway/notify/kafkasource"
)

// APIKey opens the REST API of the demo's service, which only this machine can reach.
const APIKey = "demo-key-not-secret"

const (
	sender       = "+14155550100" // of the texts
	apiID        = "SK00000000000000000000000000000003"
	apiSecret    = "00000000000000000000000000000004"
	startTimeout = 60 * time.Second
)

// world is everything around the service, and the service.
type world struct {
	Run     string // tells this run from others on the same engines
	Topic   string
	Brokers string
	Service *service
	REST    *rest
	Push    *webpushtest.Server

	dir     string
	kafka   *kafkasource.Kafka
	closers []func() error // closed last to first
}

// open starts everything and returns when the service is ready. heard is called for each message that the simulated
// providers take; it must be quick. origins are the hosts whose pages may open live sockets. On an error nothing is left.
func open(ctx context.Context, o Options, origins []string, heard func(arrival)) (w *world, err error) {
	w = &world{Run: strings.ToLower(rand.Text()[:6])}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
			w = nil
		}
	}()
	if w.dir, err = os.MkdirTemp("", "onmyway-demo-"); err != nil {
		return w, fmt.Errorf("make a folder for the demo: %w", err)
	}
	w.closers = append(w.closers, func() error { return os.RemoveAll(w.dir) })
	settings := map[string]string{
		"auth.bootstrap_key": APIKey, "http.rate_per_minute": "1000000", "log.format": "json",
		"http.allowed_origins": strings.Join(origins, ","),
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for _, start := range []func() error{
		func() error { return w.openEngines(ctx, o, settings) },
		func() error { return w.openTwilio(o, settings, heard) },
		func() error { return w.openPush(settings, heard) },
		func() error { return w.openService(ctx, o, settings) },
	} {
		if err := start(); err != nil {
			return w, err
		}
	}
	return w, nil
}

// openEngines starts the engines that have no address, and connects to Kafka.
func (w *world) openEngines(ctx context.Context, o Options, settings map[string]string) error {
	log := slog.New(slog.DiscardHandler) // what engines say goes wrong is in the service's own log
	w.Brokers, w.Topic = o.Kafka, "onmyway-demo-"+w.Run
	if w.Brokers == "" {
		w.Topic = "order-events"
		server, err := embedded.Kafka(ctx, "127.0.0.1:0", filepath.Join(w.dir, "kafka"), []string{w.Topic, w.Topic + ".dead"}, log)
		if err != nil {
			return err
		}
		w.closers = append(w.closers, func() error { server.Close(); return nil })
		w.Brokers = server.Addr
	}
	redis := o.Redis
	if redis == "" {
		server, err := embedded.Redis(ctx, "127.0.0.1:0")
		if err != nil {
			return err
		}
		w.closers = append(w.closers, func() error { server.Close(); return nil })
		redis = "redis://" + server.Addr
	}
	database := o.Database
	if database == "" {
		database = "sqlite:" + filepath.Join(w.dir, "onmyway.db")
	}
	settings["kafka.brokers"], settings["kafka.topics"] = w.Brokers, w.Topic
	settings["kafka.group"], settings["kafka.dead_topic"] = "onmyway-demo-"+w.Run, w.Topic+".dead"
	settings["redis.url"], settings["database.url"] = redis, database
	kafka, err := kafkasource.Open(ctx, kafkasource.Config{
		Brokers: strings.Split(w.Brokers, ","), Topics: []string{w.Topic}, Group: settings["kafka.group"],
		DeadTopic: settings["kafka.dead_topic"], Create: true,
	}, log)
	if err != nil {
		return err
	}
	w.kafka = kafka
	w.closers = append(w.closers, kafka.Close)
	return nil
}

// ledger opens a file that providers write to, one line per message.
func (w *world) ledger(name string, parse func([]byte) (arrival, error), heard func(arrival)) (*tape, error) {
	file, err := twiliotest.OpenLedger(filepath.Join(w.dir, name))
	if err != nil {
		return nil, err
	}
	w.closers = append(w.closers, file.Close)
	return &tape{file: file, parse: parse, heard: heard}, nil
}

func (w *world) openTwilio(o Options, settings map[string]string, heard func(arrival)) error {
	ledger, err := w.ledger("texts.jsonl", parseText, heard)
	if err != nil {
		return err
	}
	server := twiliotest.New(twiliotest.Options{APIKey: apiID, APISecret: apiSecret, Ledger: ledger, StatusCallbacks: o.reports})
	w.closers = append(w.closers, server.Close)
	url, err := server.Listen("127.0.0.1:0")
	if err != nil {
		return err
	}
	settings["sms.screen_first"] = "false" // every text is to arrive: the demo counts them
	settings["sms.per_hour"] = "0"         // and days of an order pass in a minute,
	settings["orders.settle"] = "0s"       // so its next step is no change of mind
	settings["sms.twilio.account_sid"], settings["sms.twilio.base_url"] = twiliotest.AccountSID, url
	settings["sms.twilio.api_key"], settings["sms.twilio.api_secret"] = apiID, apiSecret
	settings["sms.twilio.auth_token"], settings["sms.twilio.from"] = twiliotest.AuthToken, sender
	return nil
}

func (w *world) openPush(settings map[string]string, heard func(arrival)) error {
	public, private, err := webpush.GenerateKeys()
	if err != nil {
		return err
	}
	ledger, err := w.ledger("pushes.jsonl", parsePush, heard)
	if err != nil {
		return err
	}
	if w.Push, err = webpushtest.Start(webpushtest.Options{VAPIDPublic: public, Ledger: ledger}); err != nil {
		return err
	}
	w.closers = append(w.closers, w.Push.Close)
	settings["push.vapid.public_key"], settings["push.vapid.private_key"] = public, private
	settings["push.vapid.subject"], settings["push.allow_insecure_endpoints"] = "demo@onmyway.example", "true"
	return nil
}

func (w *world) openService(ctx context.Context, o Options, settings map[string]string) error {
	public, err := freeAddr(ctx)
	if err != nil {
		return err
	}
	settings["http.addr"], settings["http.public_url"] = public, "http://"+public
	settings["ops.addr"] = "127.0.0.1:0"
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	w.REST = &rest{base: "http://" + public, key: APIKey, client: &http.Client{Transport: transport, Timeout: 15 * time.Second}}
	w.Service = &service{command: o.Command, env: environment(settings), dir: w.dir, REST: w.REST}
	w.closers = append(w.closers, func() error { transport.CloseIdleConnections(); return nil }, w.Service.close)
	if err := w.Service.start(); err != nil {
		return err
	}
	return w.Service.ready(ctx)
}

// publish writes events to Kafka and returns when Kafka has them.
func (w *world) publish(ctx context.Context, es []*event) error {
	records := make([]notify.Record, len(es))
	for i, e := range es {
		var err error
		if records[i], err = e.record(); err != nil {
			return err
		}
	}
	if err := w.kafka.Produce(ctx, w.Topic, records); err != nil {
		return fmt.Errorf("publish %d events: %w", len(es), err)
	}
	return nil
}

// close ends everything, the service first, and removes what was written.
func (w *world) close() error {
	var errs []error
	for _, c := range slices.Backward(w.closers) {
		errs = append(errs, c())
	}
	w.closers = nil
	return errors.Join(errs...)
}
