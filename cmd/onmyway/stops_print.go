package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"onmyway/notify"
)

// staffStop is a stop of a number as REST shows it.
type staffStop struct {
	Phone  string
	Source notify.StopSource
	Since  time.Time
	By     string
	Reason string
	Lifted *struct {
		At     time.Time
		By     string
		Reason string
	}
}

// who says in words who stopped the number.
func (s *staffStop) who() string {
	switch s.Source {
	case notify.StoppedByReply:
		return "by the recipient"
	case notify.StoppedByProvider:
		return "by the recipient, at the provider"
	}
	return "by " + s.By
}

func (s *staffStop) lift() string {
	if s.Lifted == nil {
		return ""
	}
	words := clockTime(s.Lifted.At) + " by " + s.Lifted.By
	if s.Lifted.Reason != "" {
		words += ": " + s.Lifted.Reason
	}
	return words
}

var stopColumns = columns{
	none: "no stopped numbers",
	head: []string{"SINCE", "NUMBER", "STOPPED", "REASON", "LIFTED"},
	row: func(item json.RawMessage) ([]string, error) {
		var s staffStop
		if err := json.Unmarshal(item, &s); err != nil {
			return nil, fmt.Errorf("read a stopped number: %w", err)
		}
		return []string{clockTime(s.Since), s.Phone, s.who(), s.Reason, s.lift()}, nil
	},
}

// printStop tells of a number that was stopped.
func printStop(w io.Writer, body []byte, f format) error {
	if f == asJSON {
		return printJSON(w, json.RawMessage(body))
	}
	var s staffStop
	if err := json.Unmarshal(body, &s); err != nil {
		return fmt.Errorf("read the stopped number: %w", err)
	}
	_, err := fmt.Fprintf(w, "%s gets no texts: stopped %s, since %s (%s)\n", oneLine(s.Phone), oneLine(s.who()), clockTime(s.Since), oneLine(s.Reason))
	return err
}

// printLifted tells what became of a number.
func printLifted(w io.Writer, body []byte, f format) error {
	if f == asJSON {
		return printJSON(w, json.RawMessage(body))
	}
	var now struct {
		Phone   string
		Stopped *staffStop
	}
	if err := json.Unmarshal(body, &now); err != nil {
		return fmt.Errorf("read the number: %w", err)
	}
	words := "gets texts again"
	if now.Stopped != nil {
		words = "stays stopped " + oneLine(now.Stopped.who()) + ", since " + clockTime(now.Stopped.Since) + ": only they can lift it, by answering START"
	}
	_, err := fmt.Fprintf(w, "%s %s\n", oneLine(now.Phone), words)
	return err
}
