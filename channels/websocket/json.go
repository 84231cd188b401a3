package websocket

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/gobwas/ws"
)

// jsonCodec writes one JSON object a line, in text frames. A frame of ours holds one line; a client may send several.
type jsonCodec struct{}

// errCommand means that a line is JSON but not a command.
var errCommand = errors.New("not a command")

var jsonPing = ws.MustCompileFrame(ws.NewTextFrame([]byte("{}")))

func (jsonCodec) opcode() ws.OpCode { return ws.OpText }

func (jsonCodec) isPong(message []byte) bool { return string(message) == "{}" }

func (jsonCodec) ping() []byte { return jsonPing }

func (jsonCodec) commands(message []byte) iter.Seq2[command, error] {
	return func(yield func(command, error) bool) {
		some := false
		for line := range bytes.SplitSeq(message, []byte{'\n'}) {
			line = bytes.TrimSpace(line)
			if len(line) == 0 {
				continue // some clients end their frames with a newline
			}
			some = true
			c, err := parseCommand(line)
			if !yield(c, err) || err != nil {
				return
			}
		}
		if !some {
			yield(command{}, errCommand)
		}
	}
}

// jsonCommand has a key for every request of the protocol.
type jsonCommand struct {
	ID            uint32       `json:"id"`
	Connect       *jsonRequest `json:"connect"`
	Refresh       *jsonRequest `json:"refresh"`
	Subscribe     *jsonRequest `json:"subscribe"`
	Unsubscribe   *jsonRequest `json:"unsubscribe"`
	Send          *jsonRequest `json:"send"`
	RPC           *jsonRequest `json:"rpc"`
	Publish       *jsonRequest `json:"publish"`
	Presence      *jsonRequest `json:"presence"`
	PresenceStats *jsonRequest `json:"presence_stats"`
	History       *jsonRequest `json:"history"`
	SubRefresh    *jsonRequest `json:"sub_refresh"`
}

type jsonRequest struct {
	Token   string `json:"token"`
	Channel string `json:"channel"`
	Method  string `json:"method"`

	Data json.RawMessage `json:"data"`
}

// parseCommand reads one line. A command has exactly one request, and an id unless it is a pong or send.
func parseCommand(line []byte) (command, error) {
	if string(line) == "{}" {
		return command{method: pong}, nil
	}
	var j jsonCommand
	if err := json.Unmarshal(line, &j); err != nil {
		return command{}, fmt.Errorf("parse command: %w", err)
	}
	c := command{id: j.ID}
	for _, r := range []struct {
		request *jsonRequest
		method  method
	}{
		{j.Connect, connect}, {j.Refresh, refresh}, {j.Subscribe, subscribe}, {j.Unsubscribe, unsubscribe}, {j.Send, send},
		{j.RPC, rpc}, {j.Publish, unavailable}, {j.Presence, unavailable}, {j.PresenceStats, unavailable},
		{j.History, unavailable}, {j.SubRefresh, unavailable},
	} {
		if r.request == nil {
			continue
		}
		if c.method != unknown {
			return command{}, errCommand
		}
		c.method, c.token, c.channel = r.method, r.request.Token, r.request.Channel
		c.name, c.data = r.request.Method, r.request.Data
	}
	if c.method == unknown || c.id == 0 && c.method != send {
		return command{}, errCommand
	}
	return c, nil
}

func (jsonCodec) reply(r *reply) []byte {
	line, err := json.Marshal(r)
	if err != nil {
		panic("websocket: a reply is not JSON: " + err.Error()) // it is made of strings and numbers
	}
	return ws.MustCompileFrame(ws.NewTextFrame(line))
}

// The parts of a publication around its channel and its data.
const (
	pubHead = `{"push":{"channel":"`
	pubBody = `","pub":{"data":`
	pubTail = `}}}`
)

func (jsonCodec) publication(channel string, data []byte) []byte {
	name := channel
	if !plain(name) {
		b, _ := json.Marshal(name) // a string is always JSON
		name = string(b[1 : len(b)-1])
	}
	h := ws.Header{Fin: true, OpCode: ws.OpText}
	h.Length = int64(len(pubHead) + len(name) + len(pubBody) + len(data) + len(pubTail))
	frame := make([]byte, ws.MaxHeaderSize, ws.MaxHeaderSize+h.Length)
	if err := ws.WriteHeaderBuffer(io.Discard, h, frame); err != nil {
		panic("websocket: a frame has no length: " + err.Error())
	}
	frame = frame[:ws.HeaderSize(h)]
	frame = append(frame, pubHead...)
	frame = append(frame, name...)
	frame = append(frame, pubBody...)
	body := len(frame)
	frame = append(frame, data...)
	oneLine(frame[body:])
	return append(frame, pubTail...)
}

// plain tells whether s stands for itself in a JSON string.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// oneLine makes line breaks of JSON spaces: inside its strings there are none, and between lines they would end the
// message for the client.
func oneLine(data []byte) {
	for i, c := range data {
		if c == '\n' || c == '\r' {
			data[i] = ' '
		}
	}
}
