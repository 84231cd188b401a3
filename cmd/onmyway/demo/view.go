package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"onmyway/notify"
)

// note is the line beside the buttons.
type note struct{ Kind, Strong, Words string }

var (
	idle    = note{"", "", "Try to break it: kill the service in the middle of its work, and watch Lost and Doubled."}
	resting = note{"", "", "Paused. What is on its way still arrives."}
)

// bubble is a text on the first phone, alert a notification on the second.
type bubble struct {
	Text, When string
	Fresh      bool
}

type alert struct {
	Title, Body, When string
	Fresh             bool
	at                time.Time
}

// ring puts a message on the phones of the page. The caller holds the lock, as for all below.
func (s *stage) ring(a arrival) {
	if len(s.people) < 2 {
		return
	}
	texter, pushed := s.people[0], s.people[1]
	switch {
	case a.Channel == notify.SMS && a.Address == texter.Phone:
		for i := range s.bubbles {
			s.bubbles[i].Fresh = false
		}
		s.bubbles = append(s.bubbles, bubble{a.Body, a.At.In(texter.zone()).Format("3:04\u00a0PM"), true})
		s.bubbles = s.bubbles[max(len(s.bubbles)-mostBubbles, 0):]
		s.emit("texts", "", "texts", s.view())
		s.say("text to " + texter.first() + ", " + a.Body)
	case a.Channel == notify.Push && slices.Contains(pushed.browsers, a.Address):
		s.alerts = append([]alert{{Title: a.Title, Body: a.Body, at: a.At}}, s.alerts...)
		s.alerts = s.alerts[:min(len(s.alerts), mostAlerts)]
		for i := range s.alerts {
			s.alerts[i].Fresh = i == 0
		}
		s.emit("alerts", "", "alerts", s.view())
		s.say("push to " + pushed.first() + ", " + a.Title)
	}
}

// say announces an update to screen readers, not too often.
func (s *stage) say(words string) {
	if now := s.now(); now.Sub(s.lastSaid) >= sayUpdates {
		s.lastSaid = now
		s.stream.emit(update{Region: "said", HTML: template.HTMLEscapeString("Updated: " + words)})
	}
}

// tell changes the note, for a while or, with 0, until it is changed again.
func (s *stage) tell(n note, how time.Duration) {
	s.note, s.noteUntil = n, time.Time{}
	if how > 0 {
		s.noteUntil = s.now().Add(how)
	}
	s.stream.emit(n.update())
}

func (n note) update() update { return update{Region: "note", HTML: render("note", n), Kind: n.Kind} }

// setPaused and setFast are two of the buttons.
func (s *stage) setPaused(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = on
	if !s.down {
		s.tell(s.quietNote(), 0)
	}
}

func (s *stage) setFast(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fast = on
}

// quietNote is what the note says when there is nothing to tell.
func (s *stage) quietNote() note {
	if s.paused {
		return resting
	}
	return idle
}

// emitCard, emit and emitCounts change open pages.
func (s *stage) emitCard(c *card) { s.emit("card", fmt.Sprintf("card-%d", c.No), "card", c) }

func (s *stage) emit(region, id, name string, data any) {
	s.stream.emit(update{Region: region, ID: id, HTML: render(name, data)})
}

func (s *stage) emitCounts() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.noteUntil.IsZero() && s.now().After(s.noteUntil) {
		s.tell(s.quietNote(), 0)
	}
	v := s.values()
	raw, err := json.Marshal(v)
	if err == nil && string(raw) != s.lastValuesRaw {
		s.lastValuesRaw = string(raw)
		s.stream.emit(update{Region: "values", Values: v})
	}
}

// values are the numbers and switches of the page, as they are written there.
func (s *stage) values() map[string]string {
	sorted := slices.Sorted(slices.Values(s.samples))
	state, conn, words := "running", "live", "Live"
	switch {
	case s.down:
		state, conn, words = "down", "reconnecting", "Reconnecting"
	case s.paused:
		state, conn, words = "paused", "stale", "Paused"
	case s.note.Kind == "ok":
		state = "back"
	}
	return map[string]string{
		"in": thousands(s.in), "sms": thousands(s.sms), "push": thousands(s.push), "live": thousands(s.live),
		"not": thousands(s.notSent), "lost": thousands(s.lost), "doubled": thousands(s.doubled),
		"p50": inMillisWords(percentile(sorted, 0.5)), "p99": inMillisWords(percentile(sorted, 0.99)),
		"state": state, "conn": conn, "connWords": words,
		"paused": fmt.Sprint(s.paused), "fast": fmt.Sprint(s.fast),
	}
}

// thousands writes 1284 as 1,284.
func thousands(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// inMillisWords has one decimal up to 100 ms, and none from there.
func inMillisWords(d time.Duration) string {
	if d < 100*time.Millisecond {
		return fmt.Sprintf("%.1f", float64(d)/float64(time.Millisecond))
	}
	return thousands(int(d.Milliseconds()))
}

// page is everything that the template of the page needs.
type page struct {
	Values  map[string]string
	Note    note
	Cards   []*card // newest first
	Bubbles []bubble
	Alerts  []alert
	AsOf    string // for readers without script
	Clock   string // on the second phone
	Date    string
	Curl    string
	Live    liveView
}

// view is the page as it is now.
func (s *stage) view() page {
	now := s.now()
	p := page{Values: s.values(), Note: s.note, Bubbles: slices.Clone(s.bubbles), Alerts: slices.Clone(s.alerts), Curl: s.curl()}
	for i := len(s.recent) - 1; i >= 0 && len(p.Cards) < mostCards; i-- {
		c := *s.recent[i]
		p.Cards = append(p.Cards, &c)
	}
	if len(s.people) > 1 {
		local := now.In(s.people[1].zone())
		p.AsOf = clock(now, s.people[0].zone(), now)
		p.Clock, p.Date = local.Format("3:04"), spanishDate(local)
	}
	for i := range p.Alerts {
		p.Alerts[i].When = "ahora"
		if minutes := int(now.Sub(p.Alerts[i].at).Minutes()); minutes > 0 {
			p.Alerts[i].When = fmt.Sprintf("hace %d min", minutes)
		}
	}
	return p
}

// spanishDate is a date as a phone in Spanish shows it.
func spanishDate(t time.Time) string {
	days := strings.Fields("domingo lunes martes miércoles jueves viernes sábado")
	months := strings.Fields("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre")
	return fmt.Sprintf("%s, %d de %s", days[t.Weekday()], t.Day(), months[t.Month()-1])
}

// curl sends the newest text of the first phone again. Each paste sends it once more: the key is the second.
func (s *stage) curl() string {
	if s.resend == "" {
		return "# The first text is on its way: then this sends it again."
	}
	return fmt.Sprintf("curl -X POST %s/v1/messages/%s/resend \\\n  -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' \\\n"+
		"  -H \"Idempotency-Key: $(date +%%s)\" -d '{\"reason\":\"customer called\"}'", s.base, s.resend, APIKey)
}

// render writes a part of the page.
func render(name string, data any) string {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		panic("demo: the page's template fits its data: " + err.Error())
	}
	return b.String()
}
