package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"onmyway/notify"
)

// staffMessage is a message as REST shows it, as far as people are shown it.
type staffMessage struct {
	ID           string
	OrderID      string `json:"order_id"`
	CustomerID   string `json:"customer_id"`
	Line         string
	Milestone    string
	Sequence     int64
	Channel      notify.Channel
	State        notify.State
	Reason       notify.Reason
	Why          string
	Address      string
	Title        string
	Body         string
	OccurredAt   time.Time  `json:"occurred_at"`
	CreatedAt    time.Time  `json:"created_at"`
	DueAt        time.Time  `json:"due_at"`
	ExpiresAt    time.Time  `json:"expires_at"`
	UpdatedAt    time.Time  `json:"updated_at"`
	Stopped      *staffStop `json:"number_stopped"`
	ResendOf     string     `json:"resend_of"`
	ResendBy     string     `json:"resend_by"`
	ResendReason string     `json:"resend_reason"`
	Resends      []string
	Attempts     []notify.Attempt
	History      []staffStep
	NotSent      []staffNotSent `json:"not_sent"`
	Lineage      struct {
		Topic          string
		Partition      int
		Offset         int64
		EventID        string `json:"event_id"`
		Route          string
		Template       string
		TemplateLocale string `json:"template_locale"`
		LocaleAsked    string `json:"locale_asked"`
		ProviderID     string `json:"provider_id"`
	}
}

// staffStep is a change that no attempt of ours made.
type staffStep struct {
	At     time.Time
	State  notify.State
	Reason notify.Reason
	Code   int
	Detail string
}

// staffNotSent is a channel that got no message.
type staffNotSent struct {
	Channel notify.Channel
	Reason  notify.Reason
	Why     string
}

// because says why a message is as it is, in a sentence where the service has one.
func (m *staffMessage) because() string {
	switch {
	case m.Why != "":
		return inFlags.Replace(m.Why)
	case m.Reason != "":
		return m.Reason.Means()
	}
	return ""
}

var messageColumns = columns{
	none: "no messages",
	head: []string{"TIME", "MESSAGE", "STATE", "CHANNEL", "ORDER", "MILESTONE", "WHY"},
	row: func(item json.RawMessage) ([]string, error) {
		var m staffMessage
		if err := json.Unmarshal(item, &m); err != nil {
			return nil, fmt.Errorf("read a message: %w", err)
		}
		return []string{clockTime(m.CreatedAt), m.ID, string(m.State), string(m.Channel), m.OrderID, m.Milestone, m.because()}, nil
	},
}

// printMessage shows one message.
func printMessage(w io.Writer, body []byte, f format) error {
	if f == asJSON {
		return printJSON(w, json.RawMessage(body))
	}
	var m staffMessage
	if err := json.Unmarshal(body, &m); err != nil {
		return fmt.Errorf("read the message: %w", err)
	}
	s := &sheet{w: w}
	s.head("Message " + m.ID)
	s.row("state", string(m.State), string(m.Reason))
	s.row("why", m.because())
	s.row("channel", string(m.Channel), m.Address)
	if m.Stopped != nil {
		s.row("number", "stopped "+m.Stopped.who()+", since "+clockTime(m.Stopped.Since), m.Stopped.Reason)
	}
	s.row("order", m.OrderID, m.Line)
	s.row("milestone", m.Milestone, when(m.Sequence != 0, "sequence "+strconv.FormatInt(m.Sequence, 10)))
	s.row("customer", m.CustomerID)
	s.row("title", m.Title)
	for i, line := range strings.Split(m.Body, "\n") {
		s.row([]string{"text", ""}[min(i, 1)], line)
	}
	s.row("happened", clockTime(m.OccurredAt))
	s.row("made", clockTime(m.CreatedAt))
	s.row("not before", clockTime(m.DueAt))
	s.row("not after", clockTime(m.ExpiresAt))
	s.row("changed", clockTime(m.UpdatedAt))
	m.sheetHistory(s)
	l := &m.Lineage
	s.head("Where it comes from")
	s.row("event", l.EventID)
	s.row("record", l.Topic, fmt.Sprintf("partition %d", l.Partition), fmt.Sprintf("offset %d", l.Offset))
	s.row("route", l.Route)
	s.row("template", l.Template, l.TemplateLocale, when(l.LocaleAsked != "", "asked for "+l.LocaleAsked))
	s.row("provider's id", l.ProviderID)
	return s.err
}

// sheetHistory tells what was tried, what came of it, what was not sent, and of resends.
func (m *staffMessage) sheetHistory(s *sheet) {
	if len(m.Attempts) > 0 {
		s.head("Attempts")
	}
	for i := range m.Attempts {
		a := &m.Attempts[i]
		s.row(fmt.Sprint(a.No), clockTime(a.StartedAt), string(a.Verdict), string(a.Reason),
			when(a.Status != 0, fmt.Sprintf("status %d", a.Status)), when(a.Code != 0, fmt.Sprintf("code %d", a.Code)),
			when(!a.FinishedAt.IsZero(), fmt.Sprintf("took %d ms", a.FinishedAt.Sub(a.StartedAt).Milliseconds())), a.Detail)
	}
	if len(m.History) > 0 {
		s.head("What became of it")
	}
	for _, h := range m.History {
		s.row(string(h.State), clockTime(h.At), string(h.Reason), when(h.Code != 0, fmt.Sprintf("code %d", h.Code)), h.Detail)
	}
	if len(m.NotSent) > 0 {
		s.head("Not sent")
	}
	for _, n := range m.NotSent {
		s.row(string(n.Channel), cmp.Or(n.Why, n.Reason.Means()))
	}
	if m.ResendOf != "" {
		s.head("Sent again")
		s.row("made from", m.ResendOf)
		s.row("asked by", m.ResendBy)
		s.row("because", m.ResendReason)
	}
	if len(m.Resends) > 0 {
		s.head("Sent again as")
	}
	for _, id := range m.Resends {
		s.row("", id)
	}
}

// when is text if it applies.
func when(applies bool, text string) string {
	if applies {
		return text
	}
	return ""
}

// sheet is a page of names and values. It keeps the first error.
type sheet struct {
	w   io.Writer
	err error
}

func (s *sheet) print(line string) {
	if s.err == nil {
		_, s.err = fmt.Fprintln(s.w, strings.TrimRight(line, " "))
	}
}

func (s *sheet) head(words string) { s.print(oneLine(words)) }

// row writes the values that there are; nothing when there are none.
func (s *sheet) row(name string, values ...string) {
	var there []string
	for _, v := range values {
		if v = strings.TrimSpace(oneLine(v)); v != "" {
			there = append(there, v)
		}
	}
	if len(there) > 0 {
		s.print(fmt.Sprintf("  %-14s %s", oneLine(name), strings.Join(there, "  ")))
	}
}

// printResent tells what a resend made.
func printResent(w io.Writer, body []byte, f format) error {
	if f == asJSON {
		return printJSON(w, json.RawMessage(body))
	}
	var m staffMessage
	if err := json.Unmarshal(body, &m); err != nil {
		return fmt.Errorf("read the new message: %w", err)
	}
	s, fate := &sheet{w: w}, " is on its way"
	if m.State == notify.Pending && m.Reason != "" {
		fate = " is made, and waits"
	}
	s.head("Message " + m.ID + fate)
	s.row("state", string(m.State), m.because())
	s.row("channel", string(m.Channel), m.Address)
	s.row("not before", clockTime(m.DueAt))
	s.row("follow it", "onmyway messages show "+m.ID)
	return s.err
}
