package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"onmyway/notify"
	"onmyway/templates"
)

// MaxSize is the largest record that is read, in bytes.
const MaxSize = 256 << 10

// maxShared is the size of a record, in bytes, up to which the texts of its event are parts of one copy of it. What lives
// longer than the others keeps the copy alive: that of a record that is larger would be a leak.
const maxShared = 4 << 10

// Decode fills dst with the event that a record tells. It keeps nothing of the record. A record that can never be
// understood gives a *notify.Invalid with everything that is wrong with it, and leaves dst as it was; there is no other
// error.
//
// What lies more than 5 minutes after the record's timestamp has not happened yet. The timestamp is the same for all who
// read the record, so that they decide alike, however wrong their own clocks are. Now bounds it, with a day to spare: a
// timestamp may be missing, or nonsense.
func Decode(r *notify.Record, now time.Time, dst *notify.Event) error {
	d := decoders.Get().(*decoder)
	defer d.release()
	d.latest = latest(r.Time, now)
	d.record(r, dst)
	if len(d.problems.list) > 0 {
		return &notify.Invalid{Reason: d.problems.reason, Problems: slices.Clone(d.problems.list)}
	}
	return nil
}

// latest is when what a record tells may have happened at most.
func latest(recorded, now time.Time) time.Time {
	bound := now.Add(wrongClock)
	if t := recorded.Add(clockSkew); !recorded.IsZero() && t.Before(bound) {
		return t
	}
	return bound
}

// decoder reads one record at a time.
type decoder struct {
	problems problems
	scanner  scanner
	src      []byte    // the record's value, without a byte order mark
	shared   string    // a copy of src, for the texts of the event; empty for a large one
	latest   time.Time // when something may have happened at most
	at       string    // what stands before the names of the fields that are being read: "data.customer."
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// release gives the decoder back, without the record and without memory that only a hostile one needs.
func (d *decoder) release() {
	d.problems.reason, d.problems.list = "", d.problems.list[:0]
	d.src, d.shared, d.scanner.src, d.scanner.out, d.at = nil, "", nil, nil, ""
	if cap(d.scanner.keys) > 1024 || cap(d.scanner.fold) > 1024 {
		d.scanner = scanner{}
	}
	decoders.Put(d)
}

// record reads all of a record; it sets dst when there are no problems.
func (d *decoder) record(r *notify.Record, dst *notify.Event) {
	switch {
	case len(r.Value) == 0:
		d.problems.add(Tombstone, "", "has no value: this is a deletion marker, not an event")
		return
	case len(r.Value) > MaxSize:
		d.problems.add(TooLarge, "", fmt.Sprintf("has more than %d bytes: send less under data", MaxSize))
		return
	}
	d.src = bytes.TrimPrefix(r.Value, []byte("\ufeff")) // .NET writers put it there, and RFC 8259 lets us pass over it
	if !d.scanner.document(d.src, &d.problems) {
		return
	}
	if len(d.src) <= maxShared {
		d.shared = string(d.src)
	}
	e, ok := d.envelope(r.Headers)
	if !ok {
		return
	}
	event := d.event(&e)
	if len(d.problems.list) > 0 {
		return
	}
	event.Origin = notify.Origin{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: r.Time}
	event.Trace = trace(r.Headers, e.trace)
	*dst = event
}

// fields are the parts of an event as they stand in the source.
type fields struct {
	id, orderID, customerID, line, milestone, sequence, occurredAt, customer, data value
}

var fieldNames = []string{"id", "order_id", "customer_id", "line", "milestone", "sequence", "occurred_at", "customer", "data"}

func (f *fields) field(name []byte) *value {
	switch string(name) {
	case "id":
		return &f.id
	case "order_id":
		return &f.orderID
	case "customer_id":
		return &f.customerID
	case "line":
		return &f.line
	case "milestone":
		return &f.milestone
	case "sequence":
		return &f.sequence
	case "occurred_at":
		return &f.occurredAt
	case "customer":
		return &f.customer
	case "data":
		return &f.data
	}
	return nil
}

// note adds a problem of a field.
func (d *decoder) note(reason, field, detail string) {
	d.problems.add(reason, d.at+field, detail)
}

// event reads the object that is the event itself.
func (d *decoder) event(env *envelope) notify.Event {
	d.at = env.prefix
	var f fields
	members(d.src, env.body, func(name span, v value) {
		if at := f.field(d.name(name)); at != nil {
			*at = v
			return
		}
		d.otherCase(name, fieldNames)
	})
	e := notify.Event{
		OrderID:    d.label("order_id", f.orderID, required),
		CustomerID: d.label("customer_id", f.customerID, required),
	}
	e.Line = d.line("line", f.line)
	e.Milestone = d.milestone("milestone", f.milestone, e.Line)
	e.Sequence = d.sequence("sequence", f.sequence)
	e.OccurredAt = d.occurredAt("occurred_at", f.occurredAt, env.time)
	id := d.identity("id", &f, env.id)
	e.Customer, e.Consents = d.customer("customer", f.customer)
	e.Data, e.Facts = d.data("data", f.data)
	if len(d.problems.list) > 0 {
		return notify.Event{}
	}
	e.Key = notify.EventKey(id, e.OrderID, e.Line, e.Milestone.Name, e.Sequence)
	e.ID = notify.NewID(e.OccurredAt, e.Key)
	return e
}

// identity reads the id of the event, or takes that of its envelope. It may be empty where there is a sequence.
func (d *decoder) identity(field string, f *fields, enveloped string) string {
	id := d.label(field, f.id, optional)
	if id == "" {
		id = enveloped
	}
	written := f.id.kind != absent && (f.id.kind != text || f.id.end-f.id.start > len(`""`))
	if id == "" && !written && f.sequence.kind == absent {
		d.note(MissingIdentity, field, "is absent, and so is sequence: give each event an id, or a sequence")
	}
	return id
}

// data copies the facts of the event and reads them.
func (d *decoder) data(field string, v value) ([]byte, templates.Facts) {
	switch v.kind {
	case absent:
		return nil, nil
	case object:
	default:
		d.note(WrongType, field, "must be an object: {…}")
		return nil, nil
	}
	data := compact(d.src, v)
	var said string
	if len(data) == v.end-v.start {
		said = d.copied(v.span)
	} else {
		said = string(data)
	}
	facts, err := templates.AppendFacts(make(templates.Facts, 0, 12), said)
	switch {
	case errors.Is(err, templates.ErrTooManyFacts):
		d.note(TooLarge, field, "says too many things: send only what messages need")
	case err != nil:
		d.note(WrongType, field, "cannot be read as facts: send an object of names and values")
	}
	return data, facts
}

// copied is a part of the record that outlives it.
func (d *decoder) copied(s span) string {
	if d.shared != "" {
		return d.shared[s.start:s.end]
	}
	return string(d.src[s.start:s.end])
}

// name is the name of a member. It is part of the source unless it was written with escapes.
func (d *decoder) name(s span) []byte {
	raw := d.src[s.start:s.end]
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	return []byte(unescape(d.src, s))
}

// otherCase notes a name that is one of ours but for case: taking it for an unknown one would lose what it says.
func (d *decoder) otherCase(name span, ours []string) {
	for _, own := range ours {
		if s := d.src[name.start:name.end]; len(s) == len(own) && bytes.EqualFold(s, []byte(own)) {
			d.note(UnknownField, string(s), "is not a field: write it "+own)
		}
	}
}
