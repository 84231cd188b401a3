package templates

// Sizes of SMS segments (3GPP TS 23.040 section 9.2.3.24): a message in one piece, and the pieces of a longer one, which
// carry a header of six octets. GSM-7 counts septets, UCS-2 counts UTF-16 units.
const (
	gsmWhole, gsmPiece = 160, 153
	ucsWhole, ucsPiece = 70, 67
)

// Segments tells how many SMS segments a text needs, which is what carriers charge, and whether it needs UCS-2 because a
// character is not in the GSM-7 alphabet. A character is never divided between two segments. An empty text needs none.
func Segments(text string) (count int, unicode bool) {
	gsm, ucs := packer{piece: gsmPiece}, packer{piece: ucsPiece}
	for _, r := range text {
		n := septets(r)
		unicode = unicode || n == 0
		gsm.add(n)
		ucs.add(1 + int(min(r>>16, 1)))
	}
	if unicode {
		return ucs.count(ucsWhole), true
	}
	return gsm.count(gsmWhole), false
}

// packer fills pieces with characters.
type packer struct{ piece, total, full, used int }

func (p *packer) add(n int) {
	p.total += n
	if p.used+n > p.piece {
		p.full++
		p.used = 0
	}
	p.used += n
}

func (p *packer) count(whole int) int {
	switch {
	case p.total == 0:
		return 0
	case p.total <= whole:
		return 1
	}
	return p.full + 1
}

// septets is what a character costs in the default alphabet of 3GPP TS 23.038: 1, 2 for those of the extension table, 0
// for those that it lacks.
func septets(r rune) int {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= ' ' && r <= '?':
		return 1
	}
	switch r {
	case '\n', '\r', '@', '_', '£', '¥', '§', '¤', '¡', '¿',
		'è', 'é', 'ù', 'ì', 'ò', 'à', 'Ç', 'É', 'Ø', 'ø', 'Å', 'å', 'Æ', 'æ', 'ß', 'Ä', 'Ö', 'Ñ', 'Ü', 'ä', 'ö', 'ñ', 'ü',
		'Δ', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ':
		return 1
	case '\f', '^', '{', '}', '\\', '[', '~', ']', '|', '€':
		return 2
	}
	return 0
}
