package templates

import "slices"

// Kind says how the value of a fact is read and how it is written to a customer.
type Kind string

// The kinds, with the form that events carry them in.
const (
	KindText   Kind = "text"   // a JSON string
	KindTime   Kind = "time"   // RFC 3339
	KindWindow Kind = "window" // {"start":RFC 3339,"end":RFC 3339}, or one time
	KindDate   Kind = "date"   // "2026-11-24", or RFC 3339
	KindList   Kind = "list"   // an array of strings
	KindMoney  Kind = "money"  // 184.5, "184.50" or {"amount":…,"currency":"USD"}
	KindCount  Kind = "count"  // a whole number
	KindURL    Kind = "url"    // http or https
)

// Declaration is one fact that templates may speak of.
type Declaration struct {
	Name     string
	Kind     Kind
	Doc      string
	Example  string // a JSON value as events carry it; empty when it does not come from the event's data
	Standing bool   // stays true over the life of an order, so later events inherit it
	// About names the fact that this one belongs to: the phone of one driver is not inherited by the next.
	About  string
	Values []string // all values that it can have; nil for any
	Max    int      // runes that are written at most
}

// How much of a value is written, in runes. A name, a car and a city fit into maxText; a cause is a sentence. 200 is what
// a link may cost of two GSM-7 segments at the very most.
const (
	maxText   = 60
	maxReason = 120
	maxURL    = 200
	maxItem   = 40 // one item of a list
)

var declared = []Declaration{
	{Name: "order_id", Doc: "the number of the order"},
	{Name: "line", Doc: "the line of business", Values: lines},
	{Name: "customer_name", Doc: "the customer's name as they gave it"},

	{Name: "driver_name", Standing: true, Example: `"Sam Rivera"`, Doc: "who drives"},
	{Name: "driver_phone", Standing: true, About: "driver_name", Example: `"+1 415 555 0100"`, Doc: "where the driver can be called"},
	{Name: "carrier_name", Standing: true, Example: `"Blue Ridge Transport"`, Doc: "the company that moves the car"},
	{Name: "carrier_phone", Standing: true, About: "carrier_name", Example: `"+1 415 555 0101"`, Doc: "where the carrier can be called"},
	{Name: "agent_name", Standing: true, Example: `"Robin Park"`, Doc: "who looks after the papers"},
	{Name: "agent_phone", Standing: true, About: "agent_name", Example: `"+1 415 555 0102"`, Doc: "where the agent can be called"},
	{Name: "support_phone", Standing: true, Example: `"+1 415 555 0103"`, Doc: "where customers can ask"},
	{Name: "vehicle", Standing: true, Example: `"2021 Honda Civic"`, Doc: "the car: year, make and model"},
	{Name: "vehicle_color", Standing: true, About: "vehicle", Example: `"blue"`, Doc: "the color of the car"},
	{Name: "vin", Standing: true, About: "vehicle", Example: `"2HGFC2F59MH500000"`, Doc: "the vehicle identification number"},
	{Name: "plate_number", Standing: true, About: "vehicle", Example: `"8ABC123"`, Doc: "the license plate"},
	{Name: "truck", Standing: true, About: "driver_name", Example: `"white car transporter"`, Doc: "what to look out for"},
	{Name: "pickup_city", Standing: true, Example: `"Oakland, CA"`, Doc: "where the car is picked up"},
	{Name: "delivery_city", Standing: true, Example: `"Los Angeles, CA"`, Doc: "where the car goes"},
	{Name: "state", Standing: true, Example: `"California"`, Doc: "where the car is registered"},
	{Name: "tracking_url", Kind: KindURL, Standing: true, Example: `"https://onmyway.example/t/8fQ2"`, Doc: "the customer's own page of the order"},

	{Name: "eta", Kind: KindWindow, Example: `{"start":"2026-11-21T19:30:00Z","end":"2026-11-21T20:15:00Z"}`, Doc: "when the driver or the car arrives"},
	{Name: "pickup_window", Kind: KindWindow, Example: `{"start":"2026-11-24T17:00:00Z","end":"2026-11-24T20:00:00Z"}`, Doc: "when the car is to be picked up"},
	{Name: "delivery_window", Kind: KindWindow, Example: `{"start":"2026-11-27T22:00:00Z","end":"2026-11-28T00:30:00Z"}`, Doc: "when the car is to be delivered"},
	{Name: "appointment", Kind: KindWindow, Example: `{"start":"2026-11-24T18:00:00Z","end":"2026-11-24T18:30:00Z"}`, Doc: "when the customer is expected"},
	{Name: "picked_up_at", Kind: KindTime, Example: `"2026-11-21T20:31:00Z"`, Doc: "when the car was picked up"},
	{Name: "delivered_at", Kind: KindTime, Example: `"2026-11-21T18:42:00Z"`, Doc: "when the car was handed over"},
	{Name: "minutes_away", Kind: KindCount, Example: `10`, Doc: "how far the driver is, in minutes"},
	{Name: "delay_minutes", Kind: KindCount, Example: `180`, Doc: "how late it is, in minutes"},
	{Name: "odometer", Kind: KindCount, Example: `28114`, Doc: "what the odometer shows, in miles"},
	{Name: "photos", Kind: KindCount, Example: `12`, Doc: "how many photos were taken"},
	{Name: "photos_url", Kind: KindURL, Example: `"https://onmyway.example/p/8fQ2"`, Doc: "where the photos and signed papers are"},
	{Name: "location", Example: `"Reno, NV"`, Doc: "where the car is now"},
	{Name: "signed_by", Example: `"Dana Reyes"`, Doc: "who signed for the car"},
	{Name: "damage", Example: `"scratch on the left rear door"`, Doc: "what damage was found"},
	{Name: "reason", Max: maxReason, Example: `"Snow has closed the pass"`, Doc: "why, in words for the customer"},
	{Name: "reason_code", Example: `"weather"`, Doc: "why, as a code",
		Values: []string{"weather", "traffic", "mechanical", "hours_of_service", "customer", "carrier"}},

	{Name: "documents", Kind: KindList, Example: `["driver license","bill of sale","proof of insurance"]`, Doc: "papers that are needed"},
	{Name: "document", Example: `"power of attorney"`, Doc: "the paper that is to be signed"},
	{Name: "due_date", Kind: KindDate, Example: `"2026-11-24"`, Doc: "the day by which the customer should act"},
	{Name: "expected_by", Kind: KindDate, Example: `"2026-12-08"`, Doc: "the day by which the next step is expected"},
	{Name: "expires_on", Kind: KindDate, Example: `"2027-11-30"`, Doc: "the last day on which it is valid"},
	{Name: "amount_due", Kind: KindMoney, Example: `{"amount":"184.50","currency":"USD"}`, Doc: "what is to be paid"},
	{Name: "upload_url", Kind: KindURL, Example: `"https://onmyway.example/u/8fQ2"`, Doc: "where papers are sent"},
	{Name: "sign_url", Kind: KindURL, Example: `"https://onmyway.example/s/8fQ2"`, Doc: "where papers are signed"},
	{Name: "payment_url", Kind: KindURL, Example: `"https://onmyway.example/c/8fQ2"`, Doc: "where fees are paid"},
	{Name: "shipping_carrier", Example: `"USPS"`, Doc: "who carries the mail"},
	{Name: "shipping_number", Example: `"9400 1000 0000 0000 0000 00"`, Doc: "the tracking number of the mail"},
	{Name: "shipping_url", Kind: KindURL, Example: `"https://onmyway.example/m/8fQ2"`, Doc: "where the mail is tracked"},
}

// lines are the lines of business as events name them.
var lines = []string{"car_haul", "drive_away", "title_registration"}

// declaredAs finds a declaration by its name; standing lists those that stay true.
var (
	declaredAs = map[string]*Declaration{}
	standing   []*Declaration
)

func init() {
	for i := range declared {
		d := &declared[i]
		if d.Kind == "" {
			d.Kind = KindText
		}
		switch {
		case d.Kind == KindURL:
			d.Max = maxURL
		case d.Max == 0:
			d.Max = maxText
		}
		declaredAs[d.Name] = d
		if d.Standing {
			standing = append(standing, d)
		}
	}
}

// Declared lists everything that templates may speak of, in the order of the table.
func Declared() []Declaration { return slices.Clone(declared) }

// ExampleData is the JSON object of an event that says everything, for previews and tests.
func ExampleData() []byte {
	data := []byte{'{'}
	for i := range declared {
		if declared[i].Example == "" {
			continue
		}
		if len(data) > 1 {
			data = append(data, ',')
		}
		data = appendQuoted(data, declared[i].Name)
		data = append(data, ':')
		data = append(data, declared[i].Example...)
	}
	return append(data, '}')
}

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
