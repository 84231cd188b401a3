package sqlstore

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"onmyway/notify"
)

// Columns of the tables, in the order in which rows are written.
var (
	eventColumns = []column{
		{"id", ident}, {"event_key", text}, {"order_id", text}, {"line", text}, {"milestone", text}, {"fact", integer},
		{"sequence", integer}, {"customer_id", text}, {"occurred_at", integer}, {"received_at", integer}, {"state", text},
		{"reason", text}, {"title", text}, {"body", text}, {"locale", text}, {"template", text}, {"data", maybeText},
		{"not_sent", maybeText}, {"topic", text}, {"part", integer}, {"off", integer}, {"record_at", integer},
		{"asked", text},
	}
	headColumns = []column{
		{"order_id", text}, {"line", text}, {"customer_id", text}, {"milestone", text}, {"sequence", integer},
		{"occurred_at", integer}, {"facts", maybeText}, {"version", integer}, {"updated_at", integer},
		{"told_start", integer}, {"told_end", integer},
	}
	messageColumns = []column{
		{"id", ident}, {"event_id", ident}, {"order_id", text}, {"customer_id", text}, {"line", text}, {"milestone", text},
		{"sequence", integer}, {"channel", text}, {"address", text}, {"title", text}, {"body", text}, {"link", text},
		{"locale", text}, {"template", text}, {"urgency", text}, {"standing", boolean}, {"state", text}, {"reason", text},
		{"occurred_at", integer}, {"created_at", integer}, {"due_at", integer}, {"expires_at", integer},
		{"updated_at", integer}, {"owner", maybeText}, {"attempt", integer}, {"attempts", maybeText},
		{"provider_id", text}, {"resend_of", maybeIdent}, {"resend_no", integer}, {"asked_by", text}, {"asked_why", text},
		{"asked", text}, {"recorded_at", integer}, {"trace", text}, {"unless_shown", boolean},
	}
	customerColumns = []column{
		{"id", text}, {"name", text}, {"phone", text}, {"locale", text}, {"time_zone", text}, {"preferences", text},
		{"by_api", boolean}, {"version", integer}, {"created_at", integer}, {"updated_at", integer}, {"consents", text},
	}
	letterColumns = []column{
		{"id", ident}, {"topic", text}, {"part", integer}, {"off", integer}, {"record_at", integer}, {"key", blob},
		{"value", blob}, {"headers", maybeText}, {"reason", text}, {"problems", maybeText}, {"at", integer},
	}
	auditColumns = []column{
		{"no", integer}, {"at", integer}, {"who", text}, {"request", text}, {"did", text}, {"object", text}, {"detail", text},
		{"hash", blob},
	}
)

// The statements over many rows. Columns of "given" begin with g_ where they would hide those of the table.
var (
	insertEvents    = insert("events", eventColumns, "id")
	insertHeads     = insert("order_heads", headColumns, "order_id, line")
	insertCustomers = insert("customers", customerColumns, "id")
	insertMessages  = insert("messages", messageColumns, "")
	insertLetters   = insert("dead_letters", letterColumns, "")

	// insertAudit skips nothing: a row that is there already is an error.
	insertAudit = insertAll("audit", auditColumns)

	// updateHeads passes over an order that has gone to another customer: setting the customer would write an index for
	// every event. updateAnyHeads is for the few batches where that is so.
	updateHeads    = &batch{given: headsGiven, update: headUpdate + ` AND customer_id = g_customer_id`}
	updateAnyHeads = &batch{
		given:     headsGiven,
		update:    strings.Replace(headUpdate, "SET ", "SET customer_id = g_customer_id, ", 1),
		returning: "order_id, line",
	}
	updateCustomers = &batch{given: prefixed(customerColumns), returning: "id", update: `UPDATE customers SET name = g_name,
		phone = g_phone, locale = g_locale, time_zone = g_time_zone, preferences = g_preferences, by_api = g_by_api, consents = g_consents,
		version = version + 1, updated_at = g_updated_at
		FROM given WHERE id = g_id AND version = g_version`}
	supersede = &batch{
		given: []column{{"g_order_id", text}, {"g_line", text}, {"g_customer_id", text}, {"g_channel", text},
			{"g_standing", boolean}, {"g_now", integer}},
		update: `UPDATE messages SET stop = CASE WHEN stop = '' THEN 'superseded' ELSE stop END,
			state = CASE WHEN state = 'pending' THEN 'suppressed' ELSE state END,
			reason = CASE WHEN state = 'pending' THEN 'superseded' ELSE reason END,
			owner = CASE WHEN state = 'pending' THEN NULL ELSE owner END,
			updated_at = CASE WHEN state = 'pending' THEN g_now ELSE updated_at END
			FROM given WHERE order_id = g_order_id AND line = g_line AND customer_id = g_customer_id AND channel = g_channel
			AND state IN ('pending', 'sending', 'verify') AND resend_no = 0 AND (g_standing OR NOT standing) AND NOT ` + isDigest,
	}
	// finish also takes outcomes of texts that a report has settled before: then the state stays, and only the attempt is
	// recorded. It is recorded once, however often an outcome comes. A text that was given up as not taken and has not
	// begun again is taken after all when the process that sent it says so in the end.
	finish = &batch{
		given: []column{{"g_id", ident}, {"g_me", text}, {"g_now", integer}, {"g_state", text}, {"g_reason", text},
			{"g_due_at", integer}, {"g_no", integer}, {"g_tried", boolean}, {"g_attempt", text}, {"g_provider_id", text},
			{"g_recorded", text}},
		update: `UPDATE messages SET
			state = CASE WHEN ` + settled + ` THEN state WHEN stop <> '' AND g_state = 'pending' THEN 'suppressed' ELSE g_state END,
			reason = CASE WHEN ` + settled + ` THEN reason WHEN stop <> '' AND g_state = 'pending' THEN stop ELSE g_reason END,
			owner = NULL,
			updated_at = CASE WHEN ` + settled + ` OR state = 'verify' AND g_state = 'verify' THEN updated_at ELSE g_now END,
			due_at = CASE WHEN g_state = 'pending' AND NOT ` + settled + ` THEN g_due_at ELSE due_at END,
			look_at = CASE WHEN ` + settled + ` THEN look_at WHEN channel <> 'sms' THEN 0 WHEN g_state = 'verify' THEN g_now
				WHEN g_state = 'accepted' THEN g_now + ` + strconv.FormatInt(lookSoon.Milliseconds(), 10) + ` ELSE 0 END,
			taken_at = CASE WHEN g_state = 'accepted' AND taken_at = 0 THEN g_now ELSE taken_at END,
			provider_id = CASE WHEN g_provider_id <> '' AND (provider_id = '' OR NOT ` + settled + `) THEN g_provider_id ELSE provider_id END,
			attempt = CASE WHEN g_tried AND g_no > attempt THEN g_no ELSE attempt END,
			attempts = CASE WHEN NOT g_tried OR attempts LIKE g_recorded THEN attempts
				WHEN attempts IS NULL THEN '[' || g_attempt || ']'
				ELSE substr(attempts, 1, length(attempts) - 1) || ',' || g_attempt || ']' END
			FROM given WHERE id = g_id AND (state IN ('sending', 'verify') AND attempt = g_no
				OR state = 'pending' AND owner = g_me AND g_no IN (attempt, attempt + 1)
				OR state = 'pending' AND channel = 'sms' AND g_state = 'accepted' AND g_tried AND attempt >= g_no
				OR ` + settled + ` AND attempt = g_no AND g_tried AND (attempts IS NULL OR attempts NOT LIKE g_recorded))`,
	}

	// handBack is for messages that wait for something: until when and why.
	handBack = &batch{
		given: []column{{"g_id", ident}, {"g_me", text}, {"g_now", integer}, {"g_due_at", integer}, {"g_reason", text}},
		update: `UPDATE messages SET owner = NULL, updated_at = g_now,
			due_at = CASE WHEN g_due_at > due_at THEN g_due_at ELSE due_at END,
			reason = CASE WHEN g_reason <> '' THEN g_reason ELSE reason END
			FROM given WHERE id = g_id AND state = 'pending' AND owner = g_me`,
	}

	// batches are those that SQLite prepares.
	batches = []*batch{
		insertEvents, insertHeads, insertCustomers, insertMessages, insertLetters, insertAudit, insertConsents,
		updateHeads, updateAnyHeads, updateCustomers, supersede, finish, handBack,
	}
)

// settled is the condition of a message that the provider took. SQLite would make an index of a longer list of states, anew
// for every row.
const settled = `taken_at > 0`

const headUpdate = `UPDATE order_heads SET milestone = g_milestone, sequence = g_sequence, occurred_at = g_occurred_at,
	facts = g_facts, version = g_version, updated_at = g_updated_at, told_start = g_told_start, told_end = g_told_end
	FROM given WHERE order_id = g_order_id AND line = g_line AND version = g_was`

// headsGiven is a row of order_heads as it shall be, and the version that it has before.
var headsGiven = append(prefixed(headColumns), column{"g_was", integer})

func prefixed(columns []column) []column {
	given := make([]column, len(columns))
	for i, c := range columns {
		given[i] = column{"g_" + c.name, c.kind}
	}
	return given
}

func appendEvent(rows cells, e *notify.Stored, now time.Time) (cells, error) {
	notSent, err := optionalJSON(e.NotSent, len(e.NotSent))
	if err != nil {
		return nil, fmt.Errorf("store event %s: %w", e.ID, err)
	}
	if !clean(e.Key, e.OrderID, e.CustomerID, e.Title, e.Body, e.Locale, e.Asked, e.Template) {
		return nil, fmt.Errorf("store event %s: a text has NUL or broken UTF-8: %w", e.ID, notify.ErrBadRow)
	}
	data := string(e.Data)
	if !clean(data) {
		return nil, fmt.Errorf("store event %s: its data has NUL or broken UTF-8: %w", e.ID, notify.ErrBadRow)
	}
	o := &e.Origin
	return append(rows, e.ID[:], e.Key, e.OrderID, string(e.Line), e.Milestone.Name, e.Fact(), e.Sequence, e.CustomerID,
		millis(e.OccurredAt), millis(now), string(e.State), string(e.Reason), e.Title, e.Body, e.Locale, e.Template, data,
		notSent, o.Topic, int64(o.Partition), o.Offset, millis(o.Time), e.Asked), nil
}

func appendHead(rows cells, h *notify.Head, now time.Time) cells {
	return append(rows, h.OrderID, string(h.Line), h.CustomerID, h.Milestone, h.Sequence, millis(h.OccurredAt),
		string(h.Facts), h.Next(), millis(now), millis(h.Told.Start), millis(h.Told.End))
}

func appendCustomer(rows cells, c *notify.Customer, version int64, now time.Time) (cells, error) {
	preferences, err := json.Marshal(c.Preferences)
	if err != nil {
		return nil, fmt.Errorf("store the preferences of a customer: %w", err)
	}
	consents, err := consentsText(c.Consents)
	if err != nil {
		return nil, fmt.Errorf("store the consents of a customer: %w", err)
	}
	if !clean(c.ID, c.Name, c.Phone, c.Locale, c.TimeZone, consents) {
		return nil, fmt.Errorf("store a customer: a text has NUL or broken UTF-8: %w", notify.ErrBadRow)
	}
	return append(rows, c.ID, c.Name, c.Phone, c.Locale, c.TimeZone, string(preferences), c.ByAPI, version, millis(now),
		millis(now), consents), nil
}

// asked is who asked for a resend, and why.
type asked struct{ by, why string }

func appendMessage(rows cells, m *notify.Message, owner string, a asked) (cells, error) {
	if !clean(m.OrderID, m.CustomerID, m.Address, m.Title, m.Body, m.Link, m.Locale, m.Asked, m.Trace, a.by, a.why) {
		return nil, fmt.Errorf("store message %s: a text has NUL or broken UTF-8: %w", m.ID, notify.ErrBadRow)
	}
	return append(rows, m.ID[:], m.EventID[:], m.OrderID, m.CustomerID, string(m.Line), m.Milestone, m.Sequence,
		string(m.Channel), m.Address, m.Title, m.Body, m.Link, m.Locale, m.Template, string(m.Urgency), m.Standing,
		string(m.State), string(m.Reason), millis(m.OccurredAt), millis(m.CreatedAt), millis(m.DueAt), millis(m.ExpiresAt),
		millis(m.UpdatedAt), owner, int64(m.Attempt), "", m.ProviderID, optionalID(m.ResendOf), int64(m.ResendNo),
		a.by, a.why, m.Asked, millis(m.RecordedAt), m.Trace, m.UnlessShown), nil
}

func appendReject(rows cells, r *notify.Reject) (cells, error) {
	rec := &r.Record
	headers, err := optionalJSON(rec.Headers, len(rec.Headers))
	if err != nil {
		return nil, fmt.Errorf("store dead letter: %w", err)
	}
	problems, err := optionalJSON(r.Problems, len(r.Problems))
	if err != nil {
		return nil, fmt.Errorf("store dead letter: %w", err)
	}
	id := notify.LetterID(rec) // storing a record again changes nothing
	return append(rows, id[:], rec.Topic, int64(rec.Partition), rec.Offset, millis(rec.Time), rec.Key, rec.Value, headers,
		strings.ToValidUTF8(r.Reason, "?"), problems, millis(r.At)), nil
}

// optionalJSON writes a list, an empty one as "".
func optionalJSON(list any, n int) (string, error) {
	if n == 0 {
		return "", nil
	}
	b, err := json.Marshal(list)
	return string(b), err
}
