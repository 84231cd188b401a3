package twiliotest

import (
	"strings"
	"unicode/utf16"
)

// The GSM 7-bit default alphabet and its extension (3GPP TS 23.038 section 6.2.1).
const (
	gsm = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtension = "\f^{}\\[~]|€" // each takes two places
)

// segments counts the parts that a text is sent in: 160 places when it is alone and 153 when not, or 70 and 67 when one
// character is outside the GSM alphabet. A pair of places that would be cut at the end of a part is not looked at.
func segments(text string) int {
	places, single, part := 0, 160, 153
	for _, c := range text {
		switch {
		case strings.ContainsRune(gsm, c):
			places++
		case strings.ContainsRune(gsmExtension, c):
			places += 2
		default:
			places, single, part = len(utf16.Encode([]rune(text))), 70, 67
			return parts(places, single, part)
		}
	}
	return parts(places, single, part)
}

func parts(places, single, part int) int {
	if places <= single {
		return 1
	}
	return (places + part - 1) / part
}
