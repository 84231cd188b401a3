package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"onmyway/notify"
)

func messagesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "messages",
		Short: "Find out what customers were told, and why or why not; send it again",
		Long: `Find out what customers were told, and why or why not; send it again. These commands speak to the service's REST API with
an API key that has the scope messages:read, and messages:resend for resend.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(messagesListCommand(), messagesShowCommand(), messagesResendCommand())
	return cmd
}

// messageQuery is what messages list asks for.
type messageQuery struct {
	order, customer, phone, channel, state, milestone, since, until string

	howMany
}

func messagesListCommand() *cobra.Command {
	var q messageQuery
	var output *format
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List messages, the newest first",
		Example: `  onmyway messages list --order CH-1001
  onmyway messages list --phone '(415) 555-0123' --since 2h
  onmyway messages list --state failed --since 2026-11-21T00:00:00Z --all -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			values, err := q.values(time.Now())
			if err = errors.Join(err, q.check(cmd.Flags())); err != nil {
				return usageError{err}
			}
			client, err := newRESTClient(cmd.Flags())
			if err != nil {
				return err
			}
			list := &restList{client: client, path: "/v1/messages", query: values, flags: messageFlags, howMany: q.howMany}
			return stopped(cmd.Context(), list.print(cmd.Context(), cmd.OutOrStdout(), *output, messageColumns))
		},
	}
	fs := cmd.Flags()
	restFlags(fs)
	fs.StringVar(&q.order, "order", "", "of this order")
	fs.StringVar(&q.customer, "customer", "", "to this customer, by id")
	fs.StringVar(&q.phone, "phone", "", "to this number, in any usual spelling")
	fs.StringVar(&q.channel, "channel", "", "on this channel: "+join(notify.Channels))
	fs.StringVar(&q.state, "state", "", "in this state: "+join(notify.States))
	fs.StringVar(&q.milestone, "milestone", "", "about this milestone")
	fs.StringVar(&q.since, "since", "", "not before: a time (RFC 3339) or how long ago (2h, 3d)")
	fs.StringVar(&q.until, "until", "", "before: a time (RFC 3339) or how long ago")
	q.flags(fs)
	output = outputFlag(fs)
	return cmd
}

// messageFlags are the flags of messages list, by the names that the service has for what they say.
var messageFlags = map[string]string{
	"order_id": "--order", "customer_id": "--customer", "phone": "--phone", "channel": "--channel", "state": "--state",
	"milestone": "--milestone", "since": "--since", "until": "--until", "limit": "--limit",
}

// values checks what can be checked here and writes the query of the call.
func (q *messageQuery) values(now time.Time) (url.Values, error) {
	values := url.Values{}
	var errs []error
	add := func(name, value string) {
		if value != "" {
			values.Set(name, value)
		}
	}
	add("order_id", q.order)
	add("customer_id", q.customer)
	add("phone", q.phone)
	add("milestone", q.milestone)
	add("channel", q.channel)
	add("state", q.state)
	errs = append(errs, oneOf("--channel", q.channel, notify.Channels), oneOf("--state", q.state, notify.States))
	for _, when := range []struct{ name, said string }{{"since", q.since}, {"until", q.until}} {
		if when.said == "" {
			continue
		}
		at, err := readWhen(when.said, now)
		if err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w", when.name, err))
			continue
		}
		add(when.name, at.UTC().Format(time.RFC3339Nano))
	}
	return values, errors.Join(errs...)
}

func messagesShowCommand() *cobra.Command {
	var output *format
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show everything about a message: text, why, attempts, where it comes from",
		Example: "  onmyway messages show 019ad1f0-3c00-7c4e-9a1b-2f6d0c5e8a71",
		Args:    exactlyOne("message id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := messagePath(args[0])
			if err != nil {
				return err
			}
			client, err := newRESTClient(cmd.Flags())
			if err != nil {
				return err
			}
			body, err := client.call(cmd.Context(), restCall{method: http.MethodGet, path: path})
			if err != nil {
				return stopped(cmd.Context(), err)
			}
			return printMessage(cmd.OutOrStdout(), body, *output)
		},
	}
	restFlags(cmd.Flags())
	output = outputFlag(cmd.Flags())
	return cmd
}

// messagePath is where a message stands.
func messagePath(id string) (string, error) {
	if _, err := notify.ParseID(id); err != nil {
		return "", usageError{errors.New("this is no message id: take one from `onmyway messages list`")}
	}
	return "/v1/messages/" + id, nil
}

func messagesResendCommand() *cobra.Command {
	var reason, channel, key string
	var force bool
	var output *format
	cmd := &cobra.Command{
		Use:   "resend ID --reason WORDS",
		Short: "Send a message again",
		Long: `Send a message again, written anew from what is true now. Nothing overrides what a customer turned off.

Each call carries an idempotency key, so that a try whose answer got lost sends nothing twice. When the command gives up
it names the key: run it again with that key.`,
		Example: `  onmyway messages resend 019ad1f0-3c00-7c4e-9a1b-2f6d0c5e8a71 --reason "customer changed phones"
  onmyway messages resend 019ad1f0-3c00-7c4e-9a1b-2f6d0c5e8a71 --reason "no alerts seen" --channel sms --force`,
		Args: exactlyOne("message id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := messagePath(args[0])
			if err != nil {
				return err
			}
			if strings.TrimSpace(reason) == "" {
				return usageError{errors.New("--reason is missing: say in a few words why, it is kept with the message")}
			}
			if err := oneOf("--channel", channel, notify.Channels); err != nil {
				return usageError{err}
			}
			client, err := newRESTClient(cmd.Flags())
			if err != nil {
				return err
			}
			ask := resendAsk{Reason: reason, Channel: channel, Force: force}
			body, err := client.resend(cmd, path, key, ask)
			if err != nil {
				return err
			}
			return printResent(cmd.OutOrStdout(), body, *output)
		},
	}
	fs := cmd.Flags()
	restFlags(fs)
	fs.StringVar(&reason, "reason", "", "why, in a few words; it is kept with the message")
	fs.StringVar(&channel, "channel", "", "another channel: sms or push (default: the same)")
	fs.BoolVar(&force, "force", false, "also when the text is no longer true, just went out, or may have gone out")
	fs.StringVar(&key, "idempotency-key", "", "of an earlier call that this one repeats (default: a new one)")
	output = outputFlag(fs)
	return cmd
}

// resendFlags are the flags of messages resend, by the names of the fields that they fill.
var resendFlags = map[string]string{"reason": "--reason", "channel": "--channel", "force": "--force"}

// inFlags puts what the service advises into the words of the command line: it speaks of the fields of its API.
var inFlags = strings.NewReplacer(
	"set force", "add --force", "Resend with force", "Resend with --force",
	"name the channel sms or push", "add --channel sms or --channel push",
	"send the header Idempotency-Key with", "write for --idempotency-key", "Idempotency-Key", "--idempotency-key",
)

// resendAsk is the body of a resend.
type resendAsk struct {
	Reason  string `json:"reason"`
	Channel string `json:"channel,omitempty"`
	Force   bool   `json:"force,omitempty"`
}

// resend makes the call with a key, the same one at every try.
func (c *restClient) resend(cmd *cobra.Command, path, key string, ask resendAsk) ([]byte, error) {
	if key == "" {
		key = rand.Text()
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	answer, err := c.call(cmd.Context(), restCall{
		method: http.MethodPost, path: path + "/resend", body: body, flags: resendFlags,
		header: http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {key}},
	})
	var refused *restProblem
	if errors.As(err, &refused) {
		refused.Detail = inFlags.Replace(refused.Detail)
	}
	if err == nil || refused != nil && refused.Status < http.StatusInternalServerError {
		return answer, err
	}
	return nil, fmt.Errorf("it may have been sent or not; run it again with --idempotency-key %s, it sends nothing twice: %w",
		key, stopped(cmd.Context(), err))
}
