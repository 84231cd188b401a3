package templates

import (
	"io/fs"
	"time"
)

// Fact is one thing that an event says: a name as templates write it ("driver_name", "eta.start") and its value as text.
// A list keeps its raw JSON array.
type Fact struct{ Name, Value string }

// Facts are what an event says, flat.
type Facts []Fact

// ParseFacts flattens a JSON object.
func ParseFacts(data []byte) (Facts, error) { panic("todo") }

// Get returns a fact.
func (f Facts) Get(name string) (string, bool) { panic("todo") }

// Inherit adds what older facts say and f does not, for facts that stay true over the life of an order.
func (f Facts) Inherit(older Facts) Facts { panic("todo") }

// AppendJSON appends the facts that stay true as a flat JSON object.
func (f Facts) AppendJSON(dst []byte) []byte { panic("todo") }

// Set is all templates, parsed.
type Set struct{}

// Load parses the built-in templates and, over them, those of dir; nil for none.
func Load(dir fs.FS) (*Set, error) { panic("todo") }

// Template is the words of one milestone in one language.
type Template struct {
	Locale  string
	Version string
}

// Lookup finds the words of a milestone, falling back es-MX -> es -> en; nil when the milestone has none.
func (s *Set) Lookup(line, milestone, locale string) *Template { panic("todo") }

// Vars is what a template speaks about.
type Vars struct {
	OrderID  string
	Line     string
	Customer string // name as the customer gave it
	Facts    Facts
	Zone     *time.Location // the customer's; times are written in it
	Now      time.Time
}

// SMS writes the text message.
func (t *Template) SMS(v *Vars) (string, error) { panic("todo") }

// Title writes the title of a push or live message.
func (t *Template) Title(v *Vars) (string, error) { panic("todo") }

// Body writes the text of a push or live message.
func (t *Template) Body(v *Vars) (string, error) { panic("todo") }
