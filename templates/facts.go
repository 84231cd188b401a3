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
// another driver, carrier or car than f names is not inherited. Neither f nor older is changed.
func (f Facts) Inherit(older Facts) Facts {
	all := f[:len(f):len(f)]
	for _, d := range standing {
		old, was := older.Get(d.Name)
		if _, said := f.Get(d.Name); said || !was || f.replaces(older, d.About) {
			continue
		}
		all = append(all, Fact{d.Name, old})
	}
	return all
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

// AppendJSON appends the facts that stay true as a flat JSON object, in the order of the declarations. ParseFacts reads
// it back. Values longer than 512 bytes are left out: what they say is not a name, a car or a link.
func (f Facts) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	first := true
	for _, d := range standing {
		value, ok := f.Get(d.Name)
		if !ok || len(value) > maxStanding {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendQuoted(dst, d.Name)
		dst = append(dst, ':')
		dst = appendQuoted(dst, value)
	}
	return append(dst, '}')
}
