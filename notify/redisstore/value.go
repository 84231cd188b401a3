package redisstore

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"onmyway/notify"
)

// A value is the version as 19 decimal digits, which the script in cache.go compares as text, then one byte for the
// layout of the rest, then the fields. A layout that this program does not know is a miss, so two releases may share a
// Redis while one replaces the other.
const (
	versionDigits = 19 // the digits of 2^63-1
	layout        = 3
)

func appendVersion(b []byte, version int64) []byte {
	return append(fmt.Appendf(b, "%0*d", versionDigits, version), layout)
}

// openValue reads the front of a value and leaves a reader at its fields.
func openValue(value string) (version int64, p pieces, ok bool) {
	if len(value) <= versionDigits || value[versionDigits] != layout {
		return 0, pieces{}, false
	}
	version, err := strconv.ParseInt(value[:versionDigits], 10, 64)
	return version, pieces{rest: value[versionDigits+1:]}, err == nil && version > 0
}

func appendProfile(b []byte, c *notify.Profile) []byte {
	b = appendVersion(b, c.Version)
	b = appendString(b, c.ID)
	b = appendString(b, c.Name)
	b = appendString(b, c.Phone)
	b = appendString(b, c.Locale)
	b = appendString(b, c.TimeZone)
	b = appendBool(b, c.ByAPI)
	b = appendTime(b, c.CreatedAt)
	b = appendTime(b, c.UpdatedAt)
	b = appendPreferences(b, &c.Preferences)
	b = appendConsents(b, c.Consents)
	b = binary.AppendUvarint(b, uint64(len(c.Subscriptions)))
	for i := range c.Subscriptions {
		s := &c.Subscriptions[i]
		b = appendString(b, s.ID)
		b = appendString(b, s.CustomerID)
		b = appendString(b, s.Endpoint)
		b = appendString(b, s.P256dh)
		b = appendString(b, s.Auth)
		b = appendTime(b, s.CreatedAt)
	}
	return b
}

func appendPreferences(b []byte, p *notify.Preferences) []byte {
	b = appendChoices(b, p.Channels)
	b = binary.AppendUvarint(b, uint64(len(p.Categories)))
	for category, choices := range p.Categories {
		b = appendString(b, category)
		b = appendChoices(b, choices)
	}
	b = appendBool(b, p.Quiet != nil)
	if p.Quiet != nil {
		b = binary.AppendVarint(b, int64(p.Quiet.Start))
		b = binary.AppendVarint(b, int64(p.Quiet.End))
	}
	return b
}

func appendConsents(b []byte, c notify.Consents) []byte {
	b = binary.AppendUvarint(b, uint64(len(c)))
	for ch, said := range c {
		b = appendString(b, ch)
		b = appendBool(b, said.Given)
		b = appendTime(b, said.At)
		b = appendString(b, said.Source)
	}
	return b
}

func parseConsents(p *pieces) notify.Consents {
	n := p.count()
	if n == 0 {
		return nil
	}
	c := notify.Consents{}
	for ; n > 0 && !p.bad; n-- {
		ch := notify.Channel(p.string())
		c[ch] = notify.Consent{Given: p.bool(), At: p.time(), Source: p.string()}
	}
	return c
}

func appendChoices(b []byte, on map[notify.Channel]bool) []byte {
	b = binary.AppendUvarint(b, uint64(len(on)))
	for ch, v := range on {
		b = appendString(b, ch)
		b = appendBool(b, v)
	}
	return b
}

// parseProfile fills c and tells whether the value was a profile; if not, c holds nothing of use.
func parseProfile(value string, c *notify.Profile) bool {
	version, p, ok := openValue(value)
	if !ok {
		return false
	}
	c.Version = version
	c.ID = p.string()
	c.Name = p.string()
	c.Phone = p.string()
	c.Locale = p.string()
	c.TimeZone = p.string()
	c.ByAPI = p.bool()
	c.CreatedAt = p.time()
	c.UpdatedAt = p.time()
	c.Preferences = parsePreferences(&p)
	c.Consents = parseConsents(&p)
	if n := p.count(); n > 0 {
		c.Subscriptions = make([]notify.Subscription, 0, min(n, 16))
		for ; n > 0 && !p.bad; n-- {
			c.Subscriptions = append(c.Subscriptions, notify.Subscription{
				ID: p.string(), CustomerID: p.string(), Endpoint: p.string(), P256dh: p.string(), Auth: p.string(),
				CreatedAt: p.time(),
			})
		}
	}
	return p.done()
}

func parsePreferences(p *pieces) notify.Preferences {
	prefs := notify.Preferences{Channels: parseChoices(p)}
	if n := p.count(); n > 0 {
		prefs.Categories = map[notify.Category]map[notify.Channel]bool{}
		for ; n > 0 && !p.bad; n-- {
			category := notify.Category(p.string())
			prefs.Categories[category] = parseChoices(p)
		}
	}
	if p.bool() {
		prefs.Quiet = &notify.QuietHours{Start: notify.Clock(p.int()), End: notify.Clock(p.int())}
	}
	return prefs
}

func parseChoices(p *pieces) map[notify.Channel]bool {
	n := p.count()
	if n == 0 {
		return nil
	}
	on := map[notify.Channel]bool{}
	for ; n > 0 && !p.bad; n-- {
		ch := notify.Channel(p.string())
		on[ch] = p.bool()
	}
	return on
}

func appendHead(b []byte, h *notify.Head) []byte {
	b = appendVersion(b, h.Version)
	b = appendString(b, h.OrderID)
	b = appendString(b, h.Line)
	b = appendString(b, h.CustomerID)
	b = appendString(b, h.Milestone)
	b = binary.AppendVarint(b, h.Sequence)
	b = appendTime(b, h.OccurredAt)
	b = appendString(b, h.Facts)
	b = appendTime(b, h.Told.Start)
	return appendTime(b, h.Told.End)
}

// parseHead fills h and tells whether the value was a head; if not, h holds nothing of use.
func parseHead(value string, h *notify.Head) bool {
	version, p, ok := openValue(value)
	if !ok {
		return false
	}
	h.Version = version
	h.OrderID = p.string()
	h.Line = notify.Line(p.string())
	h.CustomerID = p.string()
	h.Milestone = p.string()
	h.Sequence = p.int()
	h.OccurredAt = p.time()
	h.Facts = p.bytes()
	h.Told = notify.Window{Start: p.time(), End: p.time()}
	return p.done()
}
