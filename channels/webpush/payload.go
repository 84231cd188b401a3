package webpush

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"onmyway/notify"
)

const (
	// maxPayload is the longest plaintext. Encryption could carry 3,993 bytes, but not every push service takes that.
	maxPayload = 3000
	// maxShort is the plaintext of the short form, for a push service that found even that too large.
	maxShort = 900
	// declarative is the member web_push that makes a payload declarative: the browser shows it without a service worker.
	declarative = 8030
	ellipsis    = "…"
)

// payload is what the browser gets. The declarative part comes first; the rest is for our service worker, which finds
// the same under notification.data after a click.
type payload struct {
	WebPush      int          `json:"web_push,omitempty"`
	Notification notification `json:"notification"`
	Shown        string       `json:"shown,omitempty"` // the address to call when the notification is on the screen
	facts
}

type notification struct {
	Title    string `json:"title"`
	Body     string `json:"body,omitempty"`
	Navigate string `json:"navigate,omitempty"`
	Tag      string `json:"tag"`
	Lang     string `json:"lang,omitempty"`
	Silent   bool   `json:"silent"`
	Data     facts  `json:"data"`
}

type facts struct {
	ID         string `json:"id"`
	OrderID    string `json:"order_id"`
	Line       string `json:"line"`
	Milestone  string `json:"milestone"`
	Sequence   int64  `json:"sequence,omitempty"`
	OccurredAt string `json:"occurred_at"` // RFC 3339, UTC
}

// newPayload puts a message into the form that browsers understand.
func newPayload(m *notify.Message, defaultLink string) payload {
	f := facts{
		ID: m.ID.String(), OrderID: m.OrderID, Line: string(m.Line), Milestone: m.Milestone,
		Sequence: m.Sequence, OccurredAt: m.OccurredAt.UTC().Format(time.RFC3339),
	}
	p := payload{facts: f, Notification: notification{
		Title: strings.ToValidUTF8(m.Title, "\uFFFD"), Body: strings.ToValidUTF8(m.Body, "\uFFFD"),
		Tag: topic(m), Lang: m.Locale, Data: f,
	}}
	if p.Notification.Title == "" { // a notification must have one
		p.Notification.Title, p.Notification.Body = p.Notification.Body, ""
	}
	for _, link := range []string{m.Link, defaultLink} {
		if isHTTPS(link) {
			p.WebPush, p.Notification.Navigate = declarative, link // a declarative payload must say where a tap leads
			break
		}
	}
	return p
}

// topic names what a newer message replaces: the order and line. What stands until it is answered ("sign this") has a
// topic of its own, so that mere progress does not wipe it out. 32 characters of base64url, the most that RFC 8030 takes.
func topic(m *notify.Message) string {
	kind := "progress"
	if m.Standing {
		kind = "standing"
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{kind, string(m.Line), m.OrderID}, "\x1f")))
	return base64.RawURLEncoding.EncodeToString(sum[:24])
}

// fit writes p in at most limit bytes: it shortens the body, then drops it and shortens the title. It is false when not
// even one character of the title finds room beside the ids and the link.
func (p payload) fit(limit int) ([]byte, bool) {
	b := marshal(p)
	if len(b) <= limit {
		return b, true
	}
	words := p.Notification.Body
	if words != "" {
		p.Notification.Body = ellipsis
		if room := limit - len(marshal(p)); room > 0 {
			p.Notification.Body = shorten(words, room) + ellipsis
			return marshal(p), true
		}
		p.Notification.Body = ""
		if b = marshal(p); len(b) <= limit {
			return b, true
		}
	}
	words, p.Notification.Title = p.Notification.Title, ellipsis
	p.Notification.Title = shorten(words, limit-len(marshal(p))) + ellipsis
	b = marshal(p)
	return b, len(b) <= limit && p.Notification.Title != ellipsis
}

// short writes p without its body, for a push service that answered 413.
func (p payload) short() ([]byte, bool) {
	p.Notification.Body = ""
	return p.fit(maxShort)
}

// shorten returns the longest beginning of s, whole characters and without trailing space, whose JSON form has at most
// room bytes.
func shorten(s string, room int) string {
	start := func(i int) int {
		for i < len(s) && !utf8.RuneStart(s[i]) {
			i--
		}
		return i
	}
	longest := max(min(len(s), room), 0) // JSON is never shorter than what it writes
	n := sort.Search(longest+1, func(i int) bool { return len(marshal(s[:start(i)]))-2 > room })
	if n == 0 {
		return ""
	}
	return strings.TrimRight(s[:start(n-1)], " \n\t")
}

// marshal writes JSON without the escapes for HTML, which only cost room here.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("webpush: a payload of plain fields can always be written: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func isHTTPS(link string) bool {
	u, err := url.Parse(link)
	return err == nil && u.Scheme == "https" && u.Host != ""
}
