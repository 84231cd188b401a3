package api

import (
	"maps"
	"net/http"
	"slices"

	"onmyway/notify"
)

// problemType explains a code to whoever meets it: the type of a problem is a link to it.
type problemType struct {
	Code   string `json:"code"`
	Status int    `json:"status"`
	Title  string `json:"title"`
	Means  string `json:"means"` // what it means and what to do, in a sentence or two
}

const (
	mustNotSend = "The message must not be sent again"
	badEvent    = "The event can't be understood"
)

// problemTypes are all codes of a problem, by code.
var problemTypes = func() map[string]problemType {
	all := map[string]problemType{}
	for _, p := range []problemType{
		{"unauthorized", 401, "A valid API key is needed", "Send the header Authorization: Bearer <API key>, once, with a key of this service."},
		{"key_revoked", 401, "The API key was revoked", "Somebody took the key back. Ask the operator for another one."},
		{"key_expired", 401, "The API key has expired", "The key was made for a time that is over. Ask the operator for another one."},
		{"missing_scope", 403, "The API key may not do this", "Each call needs a scope, and the key lacks this one. Ask the operator for a key that has it."},
		{"keys_unavailable", 503, "API keys can't be checked at the moment", "The database does not answer. Send the same request again after Retry-After."},
		{"rate_limited", 429, "Too many requests", "The key, or the address, sent more in a minute than it may. Wait as Retry-After says."},

		{"bad_request", 400, "Bad Request", "The request can't be read: no body where one is needed, no JSON, or an end that came too early."},
		{"invalid_request", 422, "The request has wrong fields", "errors lists every wrong field and how to mend it."},
		{"bad_cursor", 400, "The cursor is not one of this query", "Send next of the page before as it is, with the same filters, or leave the cursor out."},
		{"not_found", 404, "Not found", "There is nothing under this path or id."},
		{"method_not_allowed", 405, "Method Not Allowed", "The path has other methods: see the header Allow."},
		{"changed_meanwhile", 412, "Somebody else wrote meanwhile", "Read it again, look at what changed, and write with the ETag of that answer."},
		{"request_timeout", 408, "Request Timeout", "The body took longer than 15 seconds to arrive. Send it again."},
		{"request_entity_too_large", 413, "Request Entity Too Large", "The body is longer than the call takes: 64 KiB, or 4 MiB for events."},
		{"unsupported_media_type", 415, "Unsupported Media Type", "The call reads other types: the answer names them."},
		{"idempotency_key_missing", 400, "The Idempotency-Key is missing", "Send the header Idempotency-Key, a new one for each message to send."},
		{"idempotency_key_reused", 422, "The Idempotency-Key was used for another request", "The same key came with another body. Use a new key for a new request."},
		{"internal", 500, "Something went wrong on our side", "The header X-Request-Id finds the cause in the service's log. Sending the same request again is safe."},
		{"timeout", 503, "The service is too slow at the moment", "An engine did not answer in time. Send the same request again after Retry-After."},
		{"database_unavailable", 503, "The database does not answer at the moment", "It is away, too slow or full. Send the same request again after Retry-After: an act that comes again with its Idempotency-Key happens once."},
		{"kafka_unavailable", 503, "Events can't be taken at the moment", "Kafka does not take them. Send the same request again: events that arrived all the same are known by their id."},
		{"client_gone", statusClientGone, "The caller closed the connection", "Nobody reads this answer."},

		{"recipient_only", 409, "Only the recipient can lift it", "The recipient of the number opted out themselves. They answer START to get texts again; staff lift only what staff set."},

		{notify.RefuseOptedOut, 409, mustNotSend, "The customer turned this off. Nothing overrides it: only they can turn it on again."},
		{notify.RefuseConsent, 409, mustNotSend, "No consent to texts is on record, or the customer took it back. Record it once they gave it: POST /v1/customers/{id}/consents. `force` does not override it."},
		{notify.RefuseStopped, 409, mustNotSend, "The number gets no texts: its recipient answered STOP or opted out with the provider, or staff stopped it. The detail says who can lift that; `force` does not override it."},
		{notify.RefuseExpired, 409, mustNotSend, "The text is no longer true, or would not be when quiet hours end. `force` sends it all the same, but not into quiet hours."},
		{notify.RefuseJustSent, 409, mustNotSend, "The same news left on this channel less than 30 seconds ago, maybe because a colleague helps the same customer. `force` sends it once more."},
		{notify.RefuseVerify, 409, mustNotSend, "Whether the first one went out is not clear yet. Wait until it is: then it has another state."},
		{notify.RefusePending, 409, mustNotSend, "The message has not left yet. It goes out by itself."},
		{notify.RefuseAddress, 409, mustNotSend, "The customer has no number, or no device with alerts. Add one first, or name another channel."},
		{notify.RefuseChannel, 409, mustNotSend, "The live page shows it already. Name the channel sms or push."},
		{notify.RefuseOff, 409, mustNotSend, "The operator has not set this channel up. Name another one."},
		{notify.RefuseHidden, 409, mustNotSend, "Customers are never told this milestone."},
		{notify.RefuseWords, 409, mustNotSend, "The text can't be written from what is stored. The operator looks at the template: onmyway templates lint."},

		{"no_events", 422, "The request has no events", "Send one event, an array of events, or one event a line."},
		{"too_many_events", 422, "Too many events in one request", "Send 1,000 at most in one request."},
		{"tombstone", 422, badEvent, "The record has no value: it is a deletion marker."},
		{"too_large", 422, badEvent, "The event is larger than an event can be. Send less under data."},
		{"not_json", 422, badEvent, "It is not JSON, or no object. 400 when the request as a whole is no JSON."},
		{"invalid_utf8", 422, badEvent, "Some bytes or escapes are no text. Write it as UTF-8."},
		{"nul_character", 422, badEvent, "A text has the character U+0000, which databases refuse."},
		{"too_deep", 422, badEvent, "More than 32 objects and arrays stand within each other."},
		{"duplicate_key", 422, badEvent, "Two names of one object are the same but for case. Send each once."},
		{"wrong_type", 422, badEvent, "A string, number or object stands where another is expected."},
		{"bad_text", 422, badEvent, "A name or id is too long or not printable."},
		{"missing_field", 422, badEvent, "Something that every event has is absent."},
		{"missing_identity", 422, badEvent, "Give the event an id, or a sequence."},
		{"unknown_field", 422, badEvent, "A field of ours is written in another case."},
		{"unknown_line", 422, badEvent, "The line is car_haul, drive_away or title_registration."},
		{"unknown_milestone", 422, badEvent, "The line has no milestone of this name."},
		{"bad_phone", 422, badEvent, "The number can't exist. Write it with its country code."},
		{"bad_time", 422, badEvent, "Write times as RFC 3339 with their offset."},
		{"time_in_future", 422, badEvent, "It has not happened yet. Check the producer's clock."},
		{"bad_locale", 422, badEvent, "Write the language as BCP 47, such as en-US."},
		{"bad_time_zone", 422, badEvent, "Write the zone as IANA has it, such as America/Los_Angeles."},
	} {
		all[p.Code] = p
	}
	return all
}()

// ProblemCodes lists every code that a problem may have, sorted.
func ProblemCodes() []string { return slices.Sorted(maps.Keys(problemTypes)) }

// codesOf lists the codes that a call of this service may answer with a status.
func codesOf(status int) (codes []string) {
	for _, code := range ProblemCodes() {
		if problemTypes[code].Status == status && status != http.StatusConflict {
			codes = append(codes, code)
		}
	}
	return codes
}
