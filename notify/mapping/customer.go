package mapping

import (
	"sync"

	"github.com/nyaruka/phonenumbers"

	"onmyway/notify"
)

var customerNames = []string{"name", "phone", "locale", "time_zone", "consent"}

// customer reads what the event says of the customer, and of their consent; nil when it says nothing.
func (d *decoder) customer(field string, v value) (*notify.Contact, map[notify.Channel]bool) {
	switch v.kind {
	case absent:
		return nil, nil
	case object:
	default:
		d.note(WrongType, field, "must be an object: {…}")
		return nil, nil
	}
	var name, phone, locale, zone, consent value
	outside := d.at
	d.at += field + "."
	defer func() { d.at = outside }()
	members(d.src, v, func(n span, v value) {
		switch string(d.name(n)) {
		case "name":
			name = v
		case "phone":
			phone = v
		case "locale":
			locale = v
		case "time_zone":
			zone = v
		case "consent":
			consent = v
		default:
			d.otherCase(n, customerNames)
		}
	})
	c := notify.Contact{
		Name:     d.bounded("name", d.text("name", name, optional), maxName),
		Phone:    d.phone("phone", phone),
		Locale:   d.locale("locale", locale),
		TimeZone: d.zone("time_zone", zone),
	}
	said := d.consent("consent", consent)
	if c == (notify.Contact{}) {
		return nil, said
	}
	return &c, said
}

// phone reads a number and writes it as E.164.
func (d *decoder) phone(field string, v value) string {
	s := d.text(field, v, optional)
	if s == "" {
		return ""
	}
	e164, ok := E164(s)
	if !ok {
		d.note(BadPhone, field, "is not a phone number that can exist: write it with + and country code, like +14155550123")
	}
	return e164
}

// E164 writes a phone number as E.164. Numbers without + and country code are taken for US ones. It asks only whether a
// number of that length can exist there, not whether its area code does: those change more often than we are released.
// What it wrote, it reads as the same: a number that loses a digit at every reading (+20 and zeros) is none.
func E164(s string) (string, bool) {
	if isNorthAmerican(s) {
		return s, true // most of them: the library needs 20 times as long
	}
	if len(s) > 40 {
		return "", false
	}
	if plain, ok := northAmerican(s); ok {
		return plain, true
	}
	e164, ok := possible(s)
	if !ok {
		return "", false
	}
	again, ok := possible(e164)
	return e164, ok && again == e164
}

// possible reads a number as the library does, with the rules of our own for North America.
func possible(s string) (e164 string, ok bool) {
	n, err := phonenumbers.Parse(s, "US")
	if err != nil || phonenumbers.IsPossibleNumberWithReason(n) != phonenumbers.IS_POSSIBLE || n.GetExtension() != "" {
		return "", false
	}
	e164 = phonenumbers.Format(n, phonenumbers.E164)
	return e164, n.GetCountryCode() != 1 || isNorthAmerican(e164)
}

// isNorthAmerican tells whether s is +1, an area code and a number, none of which starts with 0 or 1.
func isNorthAmerican(s string) bool {
	if len(s) != len("+14155550123") || s[0] != '+' || s[1] != '1' || s[2] < '2' || s[5] < '2' {
		return false
	}
	for i := 2; i < len(s); i++ {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// northAmerican reads the usual spellings of most numbers, such as "(415) 555-0123", as possible does but 50 times as fast:
// half of the time of an import of customers went into them.
func northAmerican(s string) (e164 string, ok bool) {
	digits := make([]byte, 0, len("14155550123"))
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			if len(digits) == cap(digits) {
				return "", false
			}
			digits = append(digits, c)
		case c == '+' && i == 0:
			if len(s) < 2 || s[1] != '1' {
				return "", false
			}
		case c != ' ' && c != '-' && c != '.' && c != '(' && c != ')':
			return "", false
		}
	}
	switch {
	case len(digits) == 11 && digits[0] == '1':
		digits = digits[1:]
	case len(digits) != 10 || s[0] == '+':
		return "", false
	}
	if digits[0] < '2' || digits[3] < '2' {
		return "", false
	}
	return "+1" + string(digits), true
}

// Locale writes a language as BCP 47 does: "en_us" becomes "en-US". It is false for what is none.
func Locale(s string) (tag string, ok bool) {
	tag = locales.get([]byte(s), readLocale)
	return tag, tag != ""
}

func readLocale(s string) string {
	tag, _ := notify.ParseLocale(s)
	return tag
}

// IsZone tells whether s is the IANA name of a time zone.
func IsZone(s string) bool { return zones.get([]byte(s), readZone) != "" }

func readZone(s string) string {
	if !notify.IsTimeZone(s) {
		return ""
	}
	return s
}

// locale reads a language.
func (d *decoder) locale(field string, v value) string {
	b := d.raw(field, v, optional)
	if len(b) == 0 {
		return ""
	}
	tag := locales.get(b, readLocale)
	if tag == "" {
		d.note(BadLocale, field, "is not a language: write it like en-US or es")
	}
	return tag
}

// zone reads the name of a time zone.
func (d *decoder) zone(field string, v value) string {
	b := d.raw(field, v, optional)
	if len(b) == 0 {
		return ""
	}
	name := zones.get(b, readZone)
	if name == "" {
		d.note(BadTimeZone, field, "is not a time zone: write its IANA name, like America/Los_Angeles")
	}
	return name
}

// What was found out about languages and time zones. Loading a zone reads a file.
var locales, zones memo

// maxMemo bounds a memo: more languages or zones than this are somebody's mistake, and are worked out every time.
const maxMemo = 2000

// memo remembers the answers of a func from text to text.
type memo struct {
	mu    sync.RWMutex
	known map[string]string
}

func (m *memo) get(b []byte, find func(string) string) string {
	m.mu.RLock()
	found, ok := m.known[string(b)]
	m.mu.RUnlock()
	if ok {
		return found
	}
	s := string(b)
	found = find(s)
	if len(s) > 64 {
		return found
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known = map[string]string{}
	}
	if len(m.known) < maxMemo {
		m.known[s] = found
	}
	return found
}
