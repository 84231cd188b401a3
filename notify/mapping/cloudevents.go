package mapping

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"onmyway/notify"
)

const (
	maxSource = 256    // characters of a CloudEvents source
	idJoin    = "\x1f" // between source and id: neither can hold it
)

// envelope is where the event lies in the record, and what is said around it.
type envelope struct {
	body   value
	prefix string // of the names of the event's fields: "data." inside a CloudEvent
	id     string // the identity that a CloudEvent gives; empty for none
	time   string // when it happened according to a CloudEvent; empty for none
	trace  string // the traceparent of a structured CloudEvent, as it is written; empty for none
}

// envelope finds the event: the whole value, the data of a structured CloudEvent, or the whole value under the headers
// of a binary one (CloudEvents 1.0.2, Kafka protocol binding 1.0.2).
func (d *decoder) envelope(headers []notify.Header) (envelope, bool) {
	start := skipSpace(d.src, 0)
	if d.src[start] != '{' {
		d.note(WrongType, "", "must be one JSON object")
		return envelope{}, false
	}
	whole := value{span: span{start, len(d.src)}, kind: object}
	h := cloudHeaders(headers)
	if h.structured || bytes.Contains(d.src, []byte("specversion")) { // spares most records the walk
		a := d.attributes(whole)
		if h.structured || a.specVersion.kind != absent {
			return d.structured(&a)
		}
	}
	e := envelope{body: whole}
	if h.id != nil || h.source != nil {
		e.id = d.cloudID("ce_source", d.header("ce_source", h.source), "ce_id", d.header("ce_id", h.id))
		e.time = d.header("ce_time", h.time)
	}
	return e, true
}

// cloud are the headers of a CloudEvent.
type cloud struct {
	structured       bool
	id, source, time []byte
}

func cloudHeaders(headers []notify.Header) cloud {
	var c cloud
	for _, h := range headers {
		switch strings.ToLower(h.Key) {
		case "content-type":
			mediaType, _, _ := bytes.Cut(h.Value, []byte{';'})
			c.structured = bytes.EqualFold(bytes.TrimSpace(mediaType), []byte("application/cloudevents+json"))
		case "ce_id":
			c.id = h.Value
		case "ce_source":
			c.source = h.Value
		case "ce_time":
			c.time = h.Value
		}
	}
	return c
}

func (d *decoder) header(name string, v []byte) string {
	if !utf8.Valid(v) {
		d.note(InvalidUTF8, name, "holds bytes that are not UTF-8")
		return ""
	}
	return string(v)
}

// attributes are those of a structured CloudEvent that concern us.
type attributes struct {
	specVersion, id, source, time, data, base64, trace value
}

func (d *decoder) attributes(whole value) attributes {
	var a attributes
	members(d.src, whole, func(name span, v value) {
		switch string(d.name(name)) {
		case "specversion":
			a.specVersion = v
		case "id":
			a.id = v
		case "source":
			a.source = v
		case "time":
			a.time = v
		case "data":
			a.data = v
		case "data_base64":
			a.base64 = v
		case traceHeader:
			a.trace = v
		}
	})
	return a
}

func (d *decoder) structured(a *attributes) (envelope, bool) {
	if version := d.text("specversion", a.specVersion, required); version != "" && version != "1.0" {
		d.note(WrongType, "specversion", "must be 1.0: send CloudEvents of that version")
	}
	e := envelope{body: a.data, prefix: "data."}
	e.id = d.cloudID("source", d.text("source", a.source, optional), "id", d.text("id", a.id, optional))
	e.time = d.text("time", a.time, optional)
	if a.trace.kind == text {
		e.trace = unescape(d.src, span{a.trace.start + 1, a.trace.end - 1})
	}
	switch {
	case a.data.kind == object:
		return e, true
	case a.base64.kind != absent:
		d.note(WrongType, "data_base64", "cannot be read: send the event as a JSON object in data")
	case a.data.kind == absent:
		d.note(MissingField, "data", "is missing: send the event there, as a JSON object")
	default:
		d.note(WrongType, "data", "must be the event, as a JSON object")
	}
	return e, false
}

// cloudID joins the two attributes that CloudEvents requires and that together are unique.
func (d *decoder) cloudID(sourceField, source, idField, id string) string {
	if source == "" {
		d.note(MissingField, sourceField, "is missing: every CloudEvent needs it")
	}
	if id == "" {
		d.note(MissingField, idField, "is missing: every CloudEvent needs it")
	}
	source, id = d.bounded(sourceField, source, maxSource), d.bounded(idField, id, maxLabel)
	if source == "" || id == "" {
		return ""
	}
	return source + idJoin + id
}
