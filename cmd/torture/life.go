package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"slices"
)

// life keeps the story of one text whose process was killed while it sent it and that arrived all the same, as the API tells
// it, beside the ledgers. It is for people, so it is looked for only where ledgers are kept.
func (w *world) life(ctx context.Context) error {
	if !w.options.keep || !w.settles() {
		return nil
	}
	const enough = 5000 // texts to look through
	list, err := w.rest.messages(ctx, "channel=sms&state=delivered", enough)
	if err != nil {
		return err
	}
	for i := range list {
		var story json.RawMessage
		if err := w.rest.call(ctx, http.StatusOK, &story, http.MethodGet, "/v1/messages/"+list[i].ID, nil); err != nil {
			return err
		}
		if !killedAndSettled(story) {
			continue
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, story, "", " "); err != nil {
			return err
		}
		return os.WriteFile(w.path("life.json"), pretty.Bytes(), 0o600)
	}
	w.step("no text was killed on its way and delivered later")
	return nil
}

// killedAndSettled tells of a message that its process died over, and that went verify, accepted, delivered.
func killedAndSettled(story []byte) bool {
	var m struct {
		History []struct{ State, Reason string }
	}
	if json.Unmarshal(story, &m) != nil {
		return false
	}
	var states []string
	died := false
	for _, s := range m.History {
		states = append(states, s.State)
		died = died || s.Reason == "owner_died"
	}
	verify, accepted := slices.Index(states, "verify"), slices.Index(states, "accepted")
	return died && verify >= 0 && accepted > verify
}
