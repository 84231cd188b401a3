package websocket

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	randv2 "math/rand/v2"
	"time"

	"onmyway/notify"
)

// version is what we call ourselves to clients.
const version = "onmyway"

// channelPrefix is before the customer's id in the name of their channel.
const channelPrefix = "customer:"

// methodShown is the rpc that says that a page shows a message.
const methodShown = "shown"

// handle carries the commands of a message out, in order, until one of them ends the connection.
func (s *socket) handle(message []byte) disconnect {
	now := time.Now()
	for c, err := range s.codec.commands(message) {
		if err != nil {
			return badRequest
		}
		if !s.spend(now) {
			return tooManyRequests
		}
		if d := s.do(&c, now); d != stay {
			return d
		}
	}
	return stay
}

func (s *socket) do(c *command, now time.Time) disconnect {
	if c.method == connect {
		return s.connect(c, now)
	}
	if !s.connected { // without the lock: only commands set it, one at a time
		return badRequest
	}
	switch c.method {
	case pong:
		return s.ponged()
	case refresh:
		return s.refresh(c, now)
	case subscribe:
		return s.subscribe(c)
	case unsubscribe:
		if c.channel == "" {
			return badRequest
		}
		s.answer(&reply{ID: c.id, Unsubscribe: &struct{}{}}) // an error would make clients reconnect
	case rpc:
		s.call(c)
	case send:
		return notAvailable
	default:
		s.answer(&reply{ID: c.id, Error: notOffered})
	}
	return stay
}

func (s *socket) answer(r *reply) { s.send(s.codec.reply(r)) }

// connect lets the client in, if its token does, and subscribes it to the channel of its customer.
func (s *socket) connect(c *command, now time.Time) disconnect {
	if s.asked {
		return badRequest
	}
	s.asked = true
	grant, err := s.hub.tokens.Check(c.token, now)
	if errors.Is(err, notify.ErrTokenExpired) {
		s.answer(&reply{ID: c.id, Error: tokenExpired}) // the client gets a new one and comes back
		return stay
	}
	if err != nil {
		return invalidToken
	}
	h := s.hub
	s.customer, s.order, s.channel = grant.CustomerID, grant.OrderID, channelPrefix+grant.CustomerID
	s.mu.Lock()
	s.connected = true
	s.expires = grant.Expires
	s.pingAt = now.Add(h.cfg.PingInterval/2 + randv2.N(h.cfg.PingInterval/2)) // spreads the pings of those who came together
	due := s.dueAt()
	s.mu.Unlock()

	evicted := h.shard(s.customer).join(s, s.codec.reply(&reply{ID: c.id, Connect: &welcome{
		Client: rand.Text(), Version: version,
		Expires: true, TTL: secondsUntil(grant.Expires, now),
		Ping: uint32((h.cfg.PingInterval + time.Second - 1) / time.Second), Pong: true,
		Subs: map[string]struct{}{s.channel: {}},
	}}), h.cfg.PerCustomer, now)
	if evicted != nil {
		evicted.disconnect(connectionLimit)
	}
	h.wheel.move(s, due)
	if h.cfg.Presence != nil {
		h.came.add(s.customer)
	}
	return stay
}

// call answers the one method there is: shown {"id": …} says that the page shows a message. Whether it is one of this
// customer's is found out where it is stored.
func (s *socket) call(c *command) {
	if c.name != methodShown || s.hub.cfg.Shown == nil {
		s.answer(&reply{ID: c.id, Error: methodNotFound})
		return
	}
	var said struct {
		ID string `json:"id"`
	}
	err := json.Unmarshal(c.data, &said)
	if err != nil {
		s.answer(&reply{ID: c.id, Error: badData})
		return
	}
	id, err := notify.ParseID(said.ID)
	if err != nil {
		s.answer(&reply{ID: c.id, Error: badData})
		return
	}
	s.hub.cfg.Shown(s.customer, id)
	s.answer(&reply{ID: c.id, RPC: &result{}})
}

// refresh lets the client stay until its new token expires. The new token must allow the same as the old one.
func (s *socket) refresh(c *command, now time.Time) disconnect {
	grant, err := s.hub.tokens.Check(c.token, now)
	if errors.Is(err, notify.ErrTokenExpired) {
		s.answer(&reply{ID: c.id, Error: tokenExpired})
		return stay
	}
	if err != nil || grant.CustomerID != s.customer || grant.OrderID != s.order {
		return invalidToken
	}
	s.mu.Lock()
	s.expires = grant.Expires
	due := s.dueAt()
	s.mu.Unlock()
	s.hub.wheel.move(s, due)
	s.answer(&reply{ID: c.id, Refresh: &renewal{Expires: true, TTL: secondsUntil(grant.Expires, now)}})
	return stay
}

// subscribe refuses: the server has subscribed the client to the one channel it may see.
func (s *socket) subscribe(c *command) disconnect {
	switch c.channel {
	case "":
		return badRequest
	case s.channel:
		s.answer(&reply{ID: c.id, Error: alreadySubscribed})
	default:
		s.answer(&reply{ID: c.id, Error: permissionDenied})
	}
	return stay
}

// secondsUntil is at least 1: clients read 0 as "now" and ask again at once.
func secondsUntil(t, now time.Time) uint32 {
	const max32 = 1<<32 - 1
	return uint32(min(max(int64((t.Sub(now)+time.Second-1)/time.Second), 1), max32))
}
