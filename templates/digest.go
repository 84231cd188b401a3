package templates

import (
	"strconv"
	"strings"
)

// DigestVersion is the version of the words of a digest, as Message.Template has it. It grows when the words change.
const DigestVersion = "digest/1"

const (
	digestSegments = 2  // that a digest needs at most, as any text should
	maxDigestID    = 40 // runes of an order's number
)

// lineSize is that of a title where it is a line of a text message.
var lineSize = size{aim: 50, segments: 1, limit: 120}

// News is one line of a digest.
type News struct {
	OrderID string
	Title   string // as InDigest writes it
}

// InDigest writes the title as a line of a text message, at most 120 characters. Errors are those of SMS.
func (t *Template) InDigest(v *Vars) (string, error) { return t.write(&t.title, v, lineSize) }

// Digest writes one text message for several pieces of news: "2 updates on your orders: CH-1: Your car is home. CH-2: Your
// plates are here. Track: https://…". It comes in Spanish to those who read it, in English to all others: in tells which. News is in
// the order in which it matters; what does not fit into two segments is counted: "and 3 more". At least the first one is told,
// then also without the link. Fold writes it without accents in any case, otherwise only where that makes room.
func Digest(locale string, news []News, link string, fold bool) (text, in string) {
	d := digest{call: call{tongue: english, sms: true, space: " "}, news: news}
	in = fallback
	for _, l := range parents(locale) {
		if tongueOf(l) == spanish {
			d.tongue, in = spanish, l
		}
	}
	d.fold = fold || d.tongue == english
	if text, fits := d.write(len(news), link); fits {
		return text, in
	}
	d.fold = true
	for _, link := range []string{link, ""} {
		for n := len(news); n > 0; n-- {
			if text, fits := d.write(n, link); fits {
				return text, in
			}
		}
	}
	text, _ = d.write(min(len(news), 1), "")
	return text, in
}

// digest is the writing of one.
type digest struct {
	call
	news []News
	fold bool
}

// write names the first n pieces of news, and tells whether that fits.
func (d *digest) write(n int, link string) (text string, fits bool) {
	var b strings.Builder
	b.WriteString(d.head())
	for _, news := range d.news[:n] {
		b.WriteByte(' ')
		if order := d.text(nil, news.OrderID, maxDigestID); len(order) > 0 {
			b.Write(order)
			b.WriteString(": ")
		}
		b.WriteString(news.Title)
		if !strings.ContainsAny(news.Title[max(len(news.Title)-1, 0):], ".!?") {
			b.WriteByte('.')
		}
	}
	if more := len(d.news) - n; more > 0 {
		b.WriteString(d.say(" And ", " Y ", ""))
		b.WriteString(strconv.Itoa(more))
		b.WriteString(d.say(" more.", " más.", ""))
	}
	if link != "" {
		b.WriteString(d.say(" Track: ", " Siga: ", ""))
		b.WriteString(link)
	}
	text = b.String()
	if folded := Fold(text); d.fold {
		text = folded
	}
	count, _ := Segments(text)
	return text, count <= digestSegments
}

// head says how much news there is: "3 updates on your orders:".
func (d *digest) head() string {
	orders := map[string]bool{}
	for _, news := range d.news {
		orders[news.OrderID] = true
	}
	updates, on := d.say("updates", "novedades", ""), d.say(" on your orders:", " de sus pedidos:", "")
	if len(d.news) == 1 {
		updates = d.say("update", "novedad", "")
	}
	if len(orders) == 1 {
		on = d.say(" on your order:", " de su pedido:", "")
	}
	return strconv.Itoa(len(d.news)) + " " + updates + on
}
