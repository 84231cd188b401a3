package templates

// Fact is one thing that an event says: a name as templates write it ("driver_name", "eta.start") and its value as text.
// A list keeps its raw JSON array.
type Fact struct{ Name, Value string }

// Facts are what an event says, flat.
type Facts []Fact

// Get returns a fact.
func (f Facts) Get(name string) (string, bool) {
	for i := range f {
		if f[i].Name == name {
			return f[i].Value, true
		}
	}
	return "", false
}

// URL returns a fact that is a link which may be shown to a customer: http or https, with a host and without blanks,
// user names or characters that hide where it leads. It is false for anything else.
func (f Facts) URL(name string) (string, bool) {
	s, ok := f.Get(name)
	if !ok || !isLink(s) {
		return "", false
	}
	return s, true
}

// Inherit adds what older facts say and f does not, for facts that stay true over the life of an order. What belongs to
// another driver, carrier or car than f names is not inherited. Where f changes what older facts said, such as a pickup
// window, it adds what was said before. All of it is appended to dst; neither f nor older is changed.
func (f Facts) Inherit(dst, older Facts) Facts {
	all := append(dst, f...)
	for _, d := range standing {
		old, was := older.Get(d.Name)
		if _, said := f.Get(d.Name); said || !was || f.replaces(older, d.About) {
			continue
		}
		all = append(all, Fact{d.Name, old})
	}
	for _, d := range before {
		if changed(f, older, d.Before) {
			all = older.rename(all, d.Before, d.Name)
		}
	}
	return all
}

// changed tells that f says another value of a fact than older does.
func changed(f, older Facts, name string) bool {
	said, known, other := false, false, false
	for _, part := range parts {
		now, is := f.part(name, part)
		old, was := older.part(name, part)
		said, known, other = said || is, known || was, other || now != old
	}
	return said && known && other
}

// part is Get(name + part), without making that name.
func (f Facts) part(name, part string) (string, bool) {
	for i := range f {
		if n := f[i].Name; len(n) == len(name)+len(part) && n[:len(name)] == name && n[len(name):] == part {
			return f[i].Value, true
		}
	}
	return "", false
}

// parts are how a fact is written: a value, or a window.
var parts = [...]string{"", ".start", ".end"}

// rename appends a fact of f under another name.
func (f Facts) rename(dst Facts, from, to string) Facts {
	for _, part := range parts {
		if value, ok := f.part(from, part); ok {
			dst = append(dst, Fact{to + part, value})
		}
	}
	return dst
}

// replaces tells that f names another one than older: a new driver, another car.
func (f Facts) replaces(older Facts, name string) bool {
	if name == "" {
		return false
	}
	now, said := f.Get(name)
	old, was := older.Get(name)
	return said && was && now != old
}

// maxStanding bounds a value that is kept with the order, in bytes. The longest honest one is a link.
const maxStanding = 512

// AppendJSON appends what is kept with the order of facts that have inherited from older, as a flat JSON object in the order
// of the declarations: what stays true, and what a later event may change. ParseFacts reads it back. Values longer than 512
// bytes are left out: what they say is not a name, a car or a link.
func (f Facts) AppendJSON(dst []byte, older Facts) []byte {
	start := len(dst)
	dst = append(dst, '{')
	keep := func(from Facts, name string) (kept bool) {
		value, ok := from.Get(name)
		if !ok || len(value) > maxStanding {
			return false
		}
		if len(dst) > start+1 {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, name), ':')
		dst = appendQuoted(dst, value)
		return true
	}
	for _, d := range standing {
		keep(f, d.Name)
	}
	for _, d := range before {
		if declaredAs[d.Before].Standing {
			continue
		}
		for _, from := range []Facts{f, older} {
			kept := false
			for _, part := range parts {
				kept = keep(from, d.Before+part) || kept
			}
			if kept {
				break
			}
		}
	}
	return append(dst, '}')
}
