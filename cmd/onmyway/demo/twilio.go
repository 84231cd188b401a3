package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"onmyway/channels/twilio/twiliotest"
)

// Twilio plays Twilio on addr (host:port, a free port when it is taken) until ctx ends, for a service that runs beside it. It tells
// out how to configure that service, and then every text that it is given, whole. It reports on each as delivered.
func Twilio(ctx context.Context, addr string, out io.Writer) error {
	l, err := listen(ctx, addr)
	if err != nil {
		return err
	}
	texts := newTerminal(out, false)
	server := twiliotest.New(twiliotest.Options{Ledger: heard(texts.text), StatusCallbacks: true})
	front := &http.Server{Handler: server, ReadHeaderTimeout: 5 * time.Second}
	texts.write(fmt.Sprintf(`
  A simulated Twilio takes texts here and shows them; none leaves this machine. Where the service is to run:

export ONMYWAY_SMS__TWILIO__ACCOUNT_SID=%s
export ONMYWAY_SMS__TWILIO__AUTH_TOKEN=%s
export ONMYWAY_SMS__TWILIO__FROM=%s
export ONMYWAY_SMS__TWILIO__BASE_URL=http://%s

  Ctrl-C ends it.
`, twiliotest.AccountSID, twiliotest.AuthToken, sender, l.Addr()))
	defer context.AfterFunc(ctx, func() { _ = front.Close() })()
	if err := front.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(fmt.Errorf("play Twilio: %w", err), server.Close())
	}
	return server.Close()
}

// heard is a ledger that keeps nothing.
type heard func(arrival)

func (h heard) Write(line []byte) (int, error) {
	a, err := parseText(line)
	if err != nil {
		return 0, err
	}
	h(a)
	return len(line), nil
}

// text tells of one text, whole.
func (t *terminal) text(a arrival) { t.write(a.Address + "  " + a.Body) }
