package notify

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// OptOuts is the truth of who wants no texts, by number. It is about a number and not a customer: who answers STOP does
// not know which of our customers we took them for.
type OptOuts interface {
	// Stop commits that the number gets no more texts, and suppresses what waits for it. It tells whether that is news,
	// and the languages of the customers who have this number. A text that came before changes nothing.
	Stop(ctx context.Context, now time.Time, in Inbound) (changed bool, locales []string, err error)
	// Start lifts what Stop set, and nothing else.
	Start(ctx context.Context, now time.Time, in Inbound) (changed bool, locales []string, err error)
}

// Inbox reads what people text to us.
type Inbox struct {
	OptOuts OptOuts
	Rules   func() *Rules
	Hooks   *Hooks
}

// Inbound acts on a text and returns the answer to it; empty for none. What it returns without an error is committed. Each
// keyword is answered once, when it changes something: one confirmation is polite (and all that 47 CFR 64.1200(a)(12)
// allows), a second one is what the person has just asked us not to send. HELP is always answered.
func (b *Inbox) Inbound(ctx context.Context, now time.Time, in Inbound) (reply string, err error) {
	word := in.Keyword // an account may have words of its own
	if word == NoKeyword {
		word = KeywordOf(in.Text)
	}
	var changed bool
	var locales []string
	switch word {
	case KeywordStop:
		changed, locales, err = b.OptOuts.Stop(ctx, now, in)
	case KeywordStart:
		changed, locales, err = b.OptOuts.Start(ctx, now, in)
	case KeywordHelp:
		changed = true
	}
	if err != nil {
		return "", fmt.Errorf("act on the keyword %q: %w", word, err)
	}
	if b.Hooks != nil && b.Hooks.Inbound != nil {
		b.Hooks.Inbound(word, changed)
	}
	if !changed || in.Handled {
		return "", nil
	}
	return replies[b.language(locales)][word], nil
}

// language is that of the people behind a number; where they have none or several, the operator's.
func (b *Inbox) language(locales []string) string {
	common := b.Rules().Locale
	for i, l := range locales {
		if l == "" || i > 0 && base(l) != base(locales[0]) {
			common = b.Rules().Locale
			break
		}
		common = l
	}
	if base(common) == "es" {
		return "es"
	}
	return "en"
}

func base(locale string) string {
	language, _, _ := strings.Cut(locale, "-")
	return strings.ToLower(language)
}

// replies are all we ever answer. Each fits one segment.
var replies = map[string]map[Keyword]string{
	"en": {
		KeywordStop:  "You will get no more texts about your vehicle orders. Reply START to get them again.",
		KeywordStart: "You will get texts about your vehicle orders again. Reply STOP to end them.",
		KeywordHelp:  "We text you about your vehicle order. Reply STOP to end texts, START to get them again. Message rates may apply.",
	},
	"es": {
		KeywordStop:  "No recibirá más mensajes de sus vehículos. START para recibirlos.",
		KeywordStart: "Recibirá de nuevo mensajes de sus vehículos. STOP para terminar.",
		KeywordHelp:  "Avisos de su vehículo. STOP para terminar, START para recibirlos.",
	},
}
