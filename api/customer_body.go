package api

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"onmyway/notify"
)

// customerBody is a customer as written by a caller: the whole of it. What is absent or null is emptied.
type customerBody struct {
	Name        string          `json:"name,omitempty" nullable:"true" maxLength:"200" pattern:"^[^\\x00-\\x1f\\x7f-\\x9f�]*$" patternDescription:"one line without control characters" doc:"As the texts call them" example:"Dana Reyes"`
	Phone       string          `json:"phone,omitempty" nullable:"true" maxLength:"100" doc:"In any usual spelling; without a country code it is of the US or Canada. Empty: no texts. The masked form that GET shows keeps the stored number." example:"(415) 555-2671"`
	Locale      string          `json:"locale,omitempty" nullable:"true" maxLength:"64" pattern:"^$|^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$" patternDescription:"a language such as en-US" doc:"BCP 47: the language of the texts" example:"en-US"`
	TimeZone    string          `json:"time_zone,omitempty" nullable:"true" maxLength:"64" doc:"IANA: times and quiet hours are told in it" example:"America/Los_Angeles"`
	Preferences preferencesBody `json:"preferences,omitzero"`

	read notify.Customer // what Resolve made of it, without id
}

// Resolve reads what the schema can't check. It runs also when the schema found faults, so that all come in one answer.
func (b *customerBody) Resolve(ctx huma.Context) []error {
	var faults []error
	for _, p := range b.check(func(spelled string) (string, bool) { return readPhone(ctx, spelled) }) {
		faults = append(faults, &wrong{Problem: p})
	}
	return faults
}

// check reads the fields and says what is wrong with them.
func (b *customerBody) check(phone func(spelled string) (e164 string, ok bool)) (faults []notify.Problem) {
	fault := func(field, detail string) { faults = append(faults, notify.Problem{Field: field, Detail: detail}) }
	c := notify.Customer{Contact: notify.Contact{Name: strings.TrimSpace(b.Name), Phone: strings.TrimSpace(b.Phone)}}
	if !oneLine(c.Name) {
		fault("name", notOneLine)
	}
	if c.Phone != "" && !isMasked(c.Phone) {
		number, ok := phone(c.Phone)
		if !ok {
			fault("phone", notAPhone)
		}
		c.Phone = number
	}
	if b.Locale != "" {
		locale, ok := notify.ParseLocale(b.Locale)
		if !ok {
			fault("locale", `not a language: write one such as "en-US" or "es"`)
		}
		c.Locale = locale
	}
	if b.TimeZone != "" {
		if !notify.IsTimeZone(b.TimeZone) {
			fault("time_zone", `not a time zone: write one such as "America/Los_Angeles"`)
		}
		c.TimeZone = b.TimeZone
	}
	c.Preferences = b.Preferences.read(fault)
	b.read = c
	return faults
}

// write replaces what is stored. A number that is only shown masked stays what it is: somebody read the customer, changed
// something else and wrote it back.
func (b *customerBody) write(c *notify.Customer) error {
	contact := b.read.Contact
	if isMasked(contact.Phone) {
		if masked(c.Phone) != contact.Phone {
			return invalidFields([]notify.Problem{{Field: "phone", Detail: "is masked and not the stored one: write the whole number"}})
		}
		contact.Phone = c.Phone
	}
	c.Contact, c.Preferences = contact, b.read.Preferences
	return nil
}

// bodyOf is a stored customer as a caller would write it, with the whole number.
func bodyOf(c *notify.Customer) customerBody {
	b := customerBody{Name: c.Name, Phone: c.Phone, Locale: c.Locale, TimeZone: c.TimeZone}
	b.Preferences.Channels, b.Preferences.Categories = c.Preferences.Channels, categoriesOf(&c.Preferences)
	b.Preferences.Quiet = showQuiet(c.Preferences.Quiet)
	return b
}
