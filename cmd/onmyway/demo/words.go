package demo

import (
	"fmt"
	"strings"
	"time"

	"onmyway/notify"
)

// row is one line of a decision: who hears it how, or why not.
type row struct {
	Icon  string // of the symbols of the page
	Words string
	State string // of the badge
	Badge string
	Took  string // "2.1 ms", empty where nothing left
}

// channelNames are how people say them, and icons how the page draws them.
var (
	channelNames = map[notify.Channel]string{notify.SMS: "Text", notify.Push: "Push", notify.WebSocket: "Live page"}
	icons        = map[notify.Channel]string{notify.SMS: "sms", notify.Push: "push", notify.WebSocket: "live"}
)

// badge is a state in one word.
func badge(s notify.State) string {
	switch s {
	case notify.Pending:
		return "Waiting"
	case notify.Verify:
		return "Unclear"
	case notify.Suppressed:
		return "Not sent"
	}
	return strings.ToUpper(string(s[:1])) + string(s[1:])
}

// because is why a channel was not used, as a sentence about the buyer.
func because(ch notify.Channel, why notify.Reason, b *buyer) string {
	switch why {
	case notify.OptedOut:
		return b.first() + " has turned " + map[notify.Channel]string{notify.SMS: "texts", notify.Push: "push", notify.WebSocket: "the live page"}[ch] + " off"
	case notify.NoAddress:
		if ch == notify.SMS {
			return b.first() + " gave no phone number"
		}
		return b.first() + " has no device with alerts"
	case notify.Stale:
		return "old news, a newer step is known already"
	case notify.Superseded:
		return "newer news of the order came first"
	case notify.Expired:
		return "no longer true when it could have left"
	case notify.Quiet:
		return "quiet hours in " + b.City + " outlast the news"
	case notify.InvalidTemplate:
		return "the text could not be written"
	case notify.ChannelOff:
		return "the channel is not set up"
	case notify.NotVisible:
		return "an internal step, customers are never told"
	case notify.OwnerDied, notify.UnclearEnd:
		return "killed while sending: the provider is asked before it is sent again"
	}
	return why.Means()
}

// categories are what kind of news a milestone is.
var categories = map[notify.Category]string{
	notify.DriverAlerts: "driver alert", notify.Progress: "a big step", notify.Delays: "a promise has changed",
	notify.Actions: "there is something to do", notify.Papers: "news of the papers",
}

// sentRow says what became of the messages of one channel.
func sentRow(m message, n int, b *buyer, took time.Duration, now time.Time) row {
	r := row{Icon: icons[m.Channel], State: string(m.State), Badge: badge(m.State), Took: inWords(took)}
	name := channelNames[m.Channel]
	switch {
	case m.State == notify.Pending && m.Reason == notify.Quiet:
		r.Words = fmt.Sprintf("%s at %s: quiet hours in %s", name, clock(m.DueAt, b.zone(), now), b.City)
	case m.State == notify.Pending && m.Reason != "":
		r.Words = fmt.Sprintf("%s %s: %s", name, waits(m.DueAt, b.zone(), now), m.Reason.Means())
	case m.State == notify.Suppressed, m.State == notify.Failed, m.State == notify.Verify:
		r.Words = name + ": " + because(m.Channel, m.Reason, b)
	default:
		r.Words = name + ": " + categories[notify.MilestoneOf(m.Line, m.Milestone).Category]
		if n > 1 {
			r.Words += fmt.Sprintf(", on %d devices", n)
		}
		if b.language() != "" {
			r.Words += ", in " + b.language()
		}
	}
	return r
}

// notSentRow says why a channel got no message.
func notSentRow(n notify.NotSent, b *buyer) row {
	return row{Icon: icons[n.Channel], Words: channelNames[n.Channel] + ": " + because(n.Channel, n.Reason, b), State: "suppressed", Badge: "Not sent"}
}

// liveRow says what the live page shows. shown is that a page which is open has shown it; alone that no other channel was
// meant to get it.
func liveRow(m message, b *buyer, shown, alone bool, took time.Duration) (row, bool) {
	r := row{Icon: "live", State: "sent", Badge: "Sent", Took: inWords(took)}
	switch {
	case m.State == notify.Suppressed:
		r.State, r.Badge, r.Words = "suppressed", "Not sent", because(notify.WebSocket, m.Reason, b)
		r.Words, r.Took = strings.ToUpper(r.Words[:1])+r.Words[1:], ""
		r.Icon = "skip"
	case shown:
		r.State, r.Badge, r.Words = "delivered", "Shown", "Live page: "+b.first()+" has it open"
	case alone:
		r.Words = "Live page only: good to know, no reason to ring"
	default:
		return row{}, false
	}
	return r, true
}

// againRow says what became of an event that came a second time.
func againRow(b *buyer) row {
	return row{Icon: "skip", Words: "Same fact again: " + b.first() + " was told once", State: "suppressed", Badge: "Not sent"}
}

// inWords is a time in milliseconds, or nothing for none. From a second on it says seconds.
func inWords(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < time.Second:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// clock is a time on somebody's clock, with the day when it is not today, kept on one line.
func clock(t time.Time, zone *time.Location, now time.Time) string {
	t, now = t.In(zone), now.In(zone)
	layout := "3:04 PM MST"
	if t.Minute() == 0 {
		layout = "3 PM MST"
	}
	text := strings.ReplaceAll(t.Format(layout), " ", "\u00a0")
	if t.YearDay() != now.YearDay() {
		text = t.Format("Monday") + ", " + text
	}
	return text
}

// waits says until when something waits, or for how long where that is short.
func waits(due time.Time, zone *time.Location, now time.Time) string {
	if left := due.Sub(now); left < time.Minute {
		return fmt.Sprintf("waits %d s", max(1, int(left.Round(time.Second)/time.Second)))
	}
	return "waits until " + clock(due, zone, now)
}

// masked shows enough of a number to tell two apart and too little to call it.
func masked(phone string) string {
	if len(phone) < 12 {
		return "•••"
	}
	return phone[:5] + "•••" + phone[len(phone)-4:]
}
