package main

import (
	"slices"

	"onmyway/notify"
	"onmyway/notify/mapping"
)

// values are those that a label may take. Whatever else is said counts as "other": what a row in SQL, a producer or a caller
// invents must not become a time series.
type values map[string]bool

const other = "other"

func valuesOf[T ~string](lists ...[]T) values {
	all := values{}
	for _, list := range lists {
		for _, v := range list {
			all[string(v)] = true
		}
	}
	return all
}

// of is v, or other.
func (vs values) of(v string) string {
	if vs[v] {
		return v
	}
	return other
}

// labels are the values of all labels that come from outside.
type labels struct {
	topic, channel, milestone, state, reason, verdict, reject, keyword values
}

// none is the reason of what needs none.
var none = []notify.Reason{""}

func newLabels(topics []string) labels {
	var milestones []string
	for _, line := range notify.Lines {
		for _, m := range notify.Milestones(line) {
			milestones = append(milestones, m.Name)
		}
	}
	reasons := make([]notify.Reason, len(notify.Reasons))
	for i := range notify.Reasons {
		reasons[i] = notify.Reasons[i].Code
	}
	return labels{
		topic: valuesOf(topics), channel: valuesOf(notify.Channels), milestone: valuesOf(milestones), state: valuesOf(notify.States),
		reason: valuesOf(reasons, none), verdict: valuesOf(verdicts), reject: valuesOf(mapping.Reasons, notify.RejectReasons),
		keyword: valuesOf([]notify.Keyword{notify.KeywordStop, notify.KeywordStart, notify.KeywordHelp}),
	}
}

var verdicts = []notify.Verdict{notify.Took, notify.NotTaken, notify.Unclear, notify.Permanent, notify.Gone}

// httpClass is the class of an HTTP status: "2xx", or "none" where there was no answer.
func httpClass(status int) string {
	classes := []string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"}
	if c := status / 100; status > 0 && c < len(classes) {
		return classes[c]
	}
	return classes[0]
}

// httpMethod is a method that callers of ours use, or other.
func httpMethod(method string) string {
	if slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, method) {
		return method
	}
	return other
}

// labelHelp tells what the labels say, in the order of docs/metrics.md.
var labelHelp = []struct{ label, says string }{
	{"topic", "a topic of `kafka.topics`"},
	{"partition", "a partition's number"},
	{"outcome", "`stored` for the first time, `repeated`: known already, `rejected`: a dead letter"},
	{"channel", "`sms`, `push`, `websocket`"},
	{"milestone", "a [milestone](milestones.md), without its line"},
	{"state", "a state of messages; see below"},
	{"reason", "why, by its stable code; empty where there is nothing to say. Of `onmyway_dead_letters_total`: why a record is no event"},
	{"verdict", "what an attempt proved: `took`, `not_taken` (safe to try again), `unclear`, `permanent` (never will), `gone` (the address exists no more)"},
	{"http", "the class of the provider's HTTP answer: `2xx` … `5xx`, `none` where none came"},
	{"alphabet", "`gsm7` (160 characters in one segment) or `ucs2` (70)"},
	{"kind", "`status`: a report was stored, `inbound`: somebody's text was acted on, `ignored`: not for us, `forged`, `malformed` and `oversized`: refused, `failed`: it could not be stored and comes again"},
	{"keyword", "`stop`, `start`, `help`; `other` for any other text"},
	{"engine", "`Kafka`, `Redis`, `SQL`; of failures also `the dead-letter topic`, `the provider of sms`, `the provider of push` and `the provider's list of texts`"},
	{"method", "of HTTP"},
	{"route", "a route with its parameters unfilled, such as `/v1/messages/{id}`; `unmatched` for anything else"},
	{"class", "the class of our answer: `2xx` … `5xx`"},
	{"table", "of SQL: `messages`, `events`, `order_heads`, `dead_letters`, `idempotency`"},
	{"version", "of Onmyway"},
	{"go", "of the Go compiler"},
}
