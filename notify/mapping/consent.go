package mapping

import "onmyway/notify"

var consentNames = []string{string(notify.SMS)}

// consent reads what the event says of the customer's consent, by channel; nil when it says nothing. Channels that need
// none here are passed over.
func (d *decoder) consent(field string, v value) (said map[notify.Channel]bool) {
	switch v.kind {
	case absent:
		return nil
	case object:
	default:
		d.note(WrongType, field, `must be an object: {"sms": true}`)
		return nil
	}
	outside := d.at
	d.at += field + "."
	defer func() { d.at = outside }()
	members(d.src, v, func(n span, v value) {
		switch name := string(d.name(n)); {
		case name != string(notify.SMS):
			d.otherCase(n, consentNames)
		case v.kind == boolean:
			said = map[notify.Channel]bool{notify.SMS: d.src[v.start] == 't'}
		case v.kind != absent:
			d.note(WrongType, name, "must be true or false, without quotes")
		}
	})
	return said
}
