package notify

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"onmyway/templates"
)

// HeldTexts is the truth as Digester needs it.
type HeldTexts interface {
	// Held lists texts that were held because their number had enough, and that are due. Those of one number and customer
	// stand together. Fewer than limit means that there are no more.
	Held(ctx context.Context, now time.Time, limit int) ([]HeldText, error)
	// Told lists what a digest tells besides its own news: texts that were suppressed as Digested for it.
	Told(ctx context.Context, digest *Message) ([]HeldText, error)
	// Digest stores d in one transaction. It does nothing, and says so, when one of d.Waiting waits no more or went elsewhere
	// meanwhile.
	Digest(ctx context.Context, now time.Time, d *Digest) (done bool, err error)
	// Lookup is that of Store.
	Lookup(ctx context.Context, customers []string, profiles []Profile, orders []OrderLine, heads []Head) error
}

// HeldText is a text that waits for its number, or that a digest tells.
type HeldText struct {
	Message
	Data     []byte // the facts of its event, a JSON object
	Outdated bool   // a newer text of its order was made that supersedes it
}

// Digest is what becomes of the texts to one number of one customer that waited.
type Digest struct {
	Waiting []ID      // all that wait; each is named by Moves or is the Carrier
	Moves   []Outcome // Suppressed with a reason, or Pending: held until DueAt for a reason, or free to leave where it has none
	// Carrier tells the news of those that Moves suppresses as Digested: with its new Body, Template, Locale, Asked and
	// ExpiresAt it becomes this process's own. It is nil where nothing is told together.
	Carrier *Message
}

// ToldIn is what the history of a text says that a digest tells, and how stores find those texts.
func ToldIn(digest ID) string { return "told in message " + digest.String() }

// Carries is what the history of a digest says: how many texts more it tells than before.
func Carries(others int) string {
	switch others {
	case 0:
		return "written anew"
	case 1:
		return "with the news of 1 other message"
	}
	return fmt.Sprintf("with the news of %d other messages", others)
}

// Digester lets texts go that were held because their number had enough. Several of one customer become one: the newest
// tells the news of all.
//
// A digest that the provider did not take is written anew before it is tried again: what is no longer true by then, or what
// newer news has replaced, is not in it any more. So newer news of one order does not supersede it.
type Digester struct {
	Store HeldTexts
	Rules func() *Rules
	Hooks *Hooks
	Now   func() time.Time
}

const (
	digestEvery = 5 * time.Second // how late a text may be that was held
	digestBatch = 50              // texts in a round
)

// round lets go of what is due. It returns the digests, which are this process's own and wait for the dispatcher; more
// tells that there is more to do.
func (d *Digester) round(ctx context.Context) (ready []Message, more bool, err error) {
	texts, err := d.Store.Held(ctx, d.Now(), digestBatch)
	if err != nil {
		return nil, false, fmt.Errorf("list texts that were held: %w", err)
	}
	groups := together(texts)
	if more = len(texts) == digestBatch; more && len(groups) > 1 {
		groups = groups[:len(groups)-1] // it may have been cut
	}
	progress := false
	for _, group := range groups {
		m, done, err := d.write(ctx, group)
		if err != nil {
			return ready, false, err
		}
		if progress = progress || done; m != nil {
			ready = append(ready, *m)
		}
	}
	return ready, more && progress, nil
}

// again writes digests anew that were claimed to be tried again. Others return as they are. What it does not return is
// this process's own no more, but for an error.
func (d *Digester) again(ctx context.Context, claimed []Message) ([]Message, error) {
	ready := make([]Message, 0, len(claimed))
	for i := range claimed {
		m := &claimed[i]
		if m.IsDigest() {
			var err error
			if m, _, err = d.write(ctx, []HeldText{{Message: *m}}); err != nil {
				return append(ready, claimed[i:]...), err
			}
		}
		if m != nil {
			ready = append(ready, *m)
		}
	}
	return ready, nil
}

// together cuts a list where the number or customer changes.
func together(texts []HeldText) (groups [][]HeldText) {
	for start, i := 0, 1; i <= len(texts); i++ {
		if i == len(texts) || texts[i].Address != texts[start].Address || texts[i].CustomerID != texts[start].CustomerID {
			groups = append(groups, texts[start:i:i])
			start = i
		}
	}
	return groups
}

// write decides about the texts of one number and customer and stores that. It returns the digest, if there is one.
func (d *Digester) write(ctx context.Context, texts []HeldText) (ready *Message, done bool, err error) {
	for i := 0; i < len(texts); i++ { // what digests tell may be digests
		if !texts[i].IsDigest() {
			continue
		}
		told, err := d.Store.Told(ctx, &texts[i].Message)
		if err != nil {
			return nil, false, fmt.Errorf("list what digest %s tells: %w", texts[i].ID, err)
		}
		texts = append(texts, told...)
	}
	orders := make([]OrderLine, len(texts))
	for i := range texts {
		orders[i] = OrderLine{texts[i].OrderID, texts[i].Line}
	}
	profiles, heads := make([]Profile, 1), make([]Head, len(orders))
	if err := d.Store.Lookup(ctx, []string{texts[0].CustomerID}, profiles, orders, heads); err != nil {
		return nil, false, fmt.Errorf("look up the customer of %d texts that were held: %w", len(texts), err)
	}
	now := d.Now()
	digest := d.Rules().digest(texts, &profiles[0], heads, now)
	if done, err = d.Store.Digest(ctx, now, &digest); err != nil {
		return nil, false, fmt.Errorf("store what becomes of %d texts that were held: %w", len(texts), err)
	}
	if !done {
		return nil, false, nil
	}
	if d.Hooks != nil && d.Hooks.Moved != nil && len(digest.Moves) > 0 {
		d.Hooks.Moved(digest.Moves)
	}
	return digest.Carrier, true, nil
}

// digest decides about the texts of one number and customer, of which some wait and the others are told by them. Heads are
// those of their orders. Pure.
func (r *Rules) digest(texts []HeldText, p *Profile, heads []Head, now time.Time) (d Digest) {
	var told []int // places of what is still news
	for i := range texts {
		t := &texts[i]
		waits := t.State == Pending
		if waits {
			d.Waiting = append(d.Waiting, t.ID)
		}
		due, why := r.stillNews(t, &p.Customer, now)
		switch {
		case why != "":
			d.move(t, Suppressed, why, time.Time{})
		case waits && due.After(now):
			d.move(t, Pending, Quiet, due)
		default:
			told = append(told, i)
		}
	}
	waiting := func(i int) bool { return texts[i].State == Pending }
	switch carrier := d.carrier(texts, told); {
	case len(told) == 1 && waiting(told[0]) && !texts[told[0]].IsDigest():
		d.move(&texts[told[0]], Pending, "", now)
	case carrier != nil:
		r.tellTogether(&d, carrier, texts, told, p, heads, now)
	}
	return d
}

func (d *Digest) move(t *HeldText, to State, why Reason, due time.Time) {
	d.Moves = append(d.Moves, Outcome{Message: t.ID, Channel: SMS, Milestone: t.Milestone, State: to, Reason: why, DueAt: due})
}

// carrier chooses the text that tells the news: the newest one that waits. Where only a digest waits, whose own news is no
// news any more, it goes on telling that of others. It is nil where nothing waits, or all of it waits for the morning.
func (d *Digest) carrier(texts []HeldText, told []int) *HeldText {
	var newest *HeldText
	for _, i := range told {
		if t := &texts[i]; t.State == Pending && (newest == nil || bytes.Compare(t.ID[:], newest.ID[:]) > 0) {
			newest = t
		}
	}
	if newest != nil || len(told) == 0 || slices.ContainsFunc(d.Moves, func(o Outcome) bool { return o.State == Pending }) {
		return newest
	}
	at := slices.IndexFunc(texts, func(t HeldText) bool { return t.State == Pending && t.IsDigest() })
	if at < 0 {
		return nil
	}
	d.Moves = slices.DeleteFunc(d.Moves, func(o Outcome) bool { return o.Message == texts[at].ID })
	return &texts[at]
}

// stillNews says from when on a text may be told, or why it is not told any more.
func (r *Rules) stillNews(t *HeldText, c *Customer, now time.Time) (due time.Time, why Reason) {
	m := MilestoneOf(t.Line, t.Milestone)
	switch {
	case !now.Before(t.ExpiresAt):
		return now, Expired
	case t.Outdated:
		return now, Superseded
	case m == nil:
		return now, ""
	}
	if due, why = r.may(SMS, m, c, now, t.ExpiresAt); why == ChannelOff {
		why = "" // it is kept for when the operator turns the channel on again
	}
	return due, why
}

// tellTogether makes the carrier tell the news of all: first what the customer has to act on, then the newest.
func (r *Rules) tellTogether(d *Digest, carrier *HeldText, texts []HeldText, told []int, p *Profile, heads []Head, now time.Time) {
	slices.SortFunc(told, func(a, b int) int {
		if x, y := &texts[a], &texts[b]; x.Standing != y.Standing {
			return cmp.Compare(weight(y.Standing), weight(x.Standing))
		}
		return bytes.Compare(texts[b].ID[:], texts[a].ID[:])
	})
	locale := cmp.Or(p.Locale, r.Locale)
	m := carrier.Message
	news := make([]templates.News, len(told))
	m.ExpiresAt = time.Time{}
	for i, at := range told {
		t := &texts[at]
		news[i] = templates.News{OrderID: t.OrderID, Title: r.title(t, &p.Customer, &heads[at], now)}
		if t.ExpiresAt.After(m.ExpiresAt) {
			m.ExpiresAt = t.ExpiresAt
		}
		if t.ID != m.ID && t.State == Pending {
			d.move(t, Suppressed, Digested, time.Time{})
		}
	}
	m.Body, m.Locale = templates.Digest(locale, news, m.Link, r.FoldTexts)
	m.Asked, m.Template = "", DigestTemplate
	if m.Locale != locale {
		m.Asked = locale
	}
	m.State, m.Reason, m.DueAt, m.UpdatedAt = Pending, "", now, now
	d.Carrier = &m
}

func weight(standing bool) int {
	if standing {
		return 1
	}
	return 0
}

// mayWait tells that a text may be held because its number had enough of them: neither the driver at the door, nor what the
// customer has to do, nor what staff send again.
func (m *Message) mayWait() bool {
	of := MilestoneOf(m.Line, m.Milestone)
	return m.ResendOf.IsZero() && of != nil && of.Category != DriverAlerts && of.Category != Actions
}

// title is the news of a text in a few words.
func (r *Rules) title(t *HeldText, c *Customer, h *Head, now time.Time) string {
	facts, err := templates.ParseFacts(t.Data)
	if err != nil { // we wrote them ourselves; without them a title speaks of "your car"
		facts = nil
	}
	w := r.words(t.Line, t.Milestone, c, templates.Vars{OrderID: t.OrderID, Facts: facts.Inherit(nil, standingFacts(nil, h)), Now: now})
	if w.err == nil {
		if title, err := w.InDigest(&w.vars); err == nil {
			return title
		}
	}
	return strings.ReplaceAll(t.Milestone, "_", " ") // an operator has taken its words away
}

// capped tells the observer of a text that was held by Begin.
func (d *Dispatcher) capped(m *Message) {
	if m.Reason == Capped && m.PerHour > 0 && d.Hooks != nil && d.Hooks.Moved != nil {
		d.Hooks.Moved([]Outcome{{Message: m.ID, Channel: m.Channel, Milestone: m.Milestone, State: Pending, Reason: Capped, DueAt: m.DueAt}})
	}
}
