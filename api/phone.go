package api

import (
	"errors"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// errPhone is returned for anything that is not a phone number that can take a text. It does not repeat the number.
var errPhone = errors.New(`not a phone number: write it with its country code, such as "+14155550123"`)

// e164 reads a phone number in the usual spellings and writes it as E.164. A number without a country code is taken for
// one of the United States or Canada, and for no other: guessing the country from the language would send the texts of a
// Spanish-speaking customer in Texas to a stranger in Mexico.
func e164(spelled string) (string, error) {
	if len(spelled) > 40 {
		return "", errPhone
	}
	n, err := phonenumbers.Parse(spelled, "US")
	if err != nil || n.GetExtension() != "" || !phonenumbers.IsValidNumber(n) {
		return "", errPhone
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

// dots stand for the digits of a number that are not shown.
const dots = "•••"

// masked shows enough of a number to tell two apart and too little to call it: "+1415•••0123". At least three digits are
// hidden; a number too short for that is hidden whole.
func masked(phone string) string {
	const tail, hidden = 4, 3
	head := min(5, len(phone)-tail-hidden)
	switch {
	case phone == "":
		return ""
	case head < 1:
		return dots
	}
	return phone[:head] + dots + phone[len(phone)-tail:]
}

// isMasked tells that a number is one that we showed, not one to store.
func isMasked(phone string) bool { return strings.Contains(phone, dots) }
