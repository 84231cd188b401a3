package notify

import (
	"strings"
	"time"

	"golang.org/x/text/language"
)

// Contact is how a customer is called, reached and spoken to. Empty means not known.
type Contact struct {
	Name     string
	Phone    string // E.164
	Locale   string // BCP 47
	TimeZone string // IANA
}

// FirstName is what comes before the first blank of the name; empty when no name is known.
func (c *Contact) FirstName() string {
	first, _, _ := strings.Cut(strings.TrimSpace(c.Name), " ")
	return first
}

// ParseLocale writes a language as BCP 47 does: "en_us" becomes "en-US". It tells whether there is one: "und" names none.
func ParseLocale(s string) (locale string, ok bool) {
	tag, err := language.Parse(s)
	if err != nil || tag.IsRoot() {
		return "", false
	}
	return tag.String(), true
}

// IsTimeZone tells whether a name is that of an IANA zone. It reads a file: remember the answer where it is asked often.
func IsTimeZone(name string) bool {
	_, err := time.LoadLocation(name)
	return err == nil && name != "" && name != "Local" // which is Go's word for the zone of this machine
}
