package api

import "strings"

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
