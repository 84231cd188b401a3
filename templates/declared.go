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
	KindPhone  Kind = "phone"  // digits, spaces and + - . ( )
)

// Declaration is one fact that templates may speak of.
type Declaration struct {
	Name     string
	Kind     Kind
	Doc      string
	Example  string // a JSON value as events carry it; empty when it does not come from the event's data
	Standing bool   // stays true over the life of an order, so later events inherit it
	// About names the fact that this one belongs to: the phone of one driver is not inherited by the next.
	About string
	// Before names the fact of which this is the value that was said before, where an event says another one.
	Before string
	Values []string // those that templates may compare it with; nil for any
	Max    int      // runes that are written at most

	glossary bool // words of the glossary are said in the language of the text
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
	{Name: "driver_phone", Kind: KindPhone, Standing: true, About: "driver_name", Example: `"+1 415 555 0100"`, Doc: "where the driver can be called"},
	{Name: "carrier_name", Standing: true, Example: `"Blue Ridge Transport"`, Doc: "the company that moves the car"},
	{Name: "carrier_phone", Kind: KindPhone, Standing: true, About: "carrier_name", Example: `"+1 415 555 0101"`, Doc: "where the carrier can be called"},
	{Name: "agent_name", Standing: true, Example: `"Robin Park"`, Doc: "who looks after the papers"},
	{Name: "agent_phone", Kind: KindPhone, Standing: true, About: "agent_name", Example: `"+1 415 555 0102"`, Doc: "where the agent can be called"},
	{Name: "support_phone", Kind: KindPhone, Standing: true, Example: `"+1 415 555 0103"`, Doc: "where customers can ask"},
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
	{Name: "next_attempt", Kind: KindWindow, Example: `{"start":"2026-11-23T17:00:00Z","end":"2026-11-23T19:00:00Z"}`, Doc: "when the driver comes again"},
	{Name: "eta_before", Kind: KindWindow, Example: `{"start":"2026-11-21T18:00:00Z","end":"2026-11-21T18:45:00Z"}`, Doc: "the arrival that the customer was told before"},
	{Name: "pickup_window_before", Kind: KindWindow, Before: "pickup_window", Example: `{"start":"2026-11-23T17:00:00Z","end":"2026-11-23T20:00:00Z"}`, Doc: "the pickup window before this one"},
	{Name: "delivery_window_before", Kind: KindWindow, Before: "delivery_window", Example: `{"start":"2026-11-26T22:00:00Z","end":"2026-11-27T00:30:00Z"}`, Doc: "the delivery window before this one"},
	{Name: "driver_name_before", Before: "driver_name", Example: `"Alex Moreno"`, Doc: "who was to drive before"},
	{Name: "picked_up_at", Kind: KindTime, Example: `"2026-11-21T17:31:00Z"`, Doc: "when the car was picked up"},
	{Name: "delivered_at", Kind: KindTime, Example: `"2026-11-21T18:42:00Z"`, Doc: "when the car was handed over"},
	{Name: "minutes_away", Kind: KindCount, Example: `10`, Doc: "how far the driver is, in minutes"},
	{Name: "delay_minutes", Kind: KindCount, Example: `180`, Doc: "how late it is, in minutes"},
	{Name: "odometer", Kind: KindCount, Example: `28114`, Doc: "what the odometer shows, in miles"},
	{Name: "photos", Kind: KindCount, Example: `12`, Doc: "how many photos were taken"},
	{Name: "photos_url", Kind: KindURL, Example: `"https://onmyway.example/p/8fQ2"`, Doc: "where the photos and signed papers are"},
	{Name: "location", Example: `"Reno, NV"`, Doc: "where the car is now"},
	{Name: "terminal", Example: `"Fresno, CA"`, Doc: "where the terminal is that the car waits in"},
	{Name: "signed_by", Example: `"Dana Reyes"`, Doc: "who signed for the car"},
	{Name: "damage", Example: `"scratch on the left rear door"`, Doc: "what damage was found"},
	{Name: "reason", Max: maxReason, Example: `"Snow has closed the pass"`, Doc: "why, in words for the customer"},
	{Name: "reason_code", Example: `"weather"`, Doc: "why, as a code",
		Values: []string{
			"weather", "traffic", "mechanical", "hours_of_service", "customer", "carrier",
			"no_access", "no_keys", "not_running", "no_release", "nobody_there", "tires", "expired_plate", "expired_insurance",
		}},
	{Name: "price", Kind: KindMoney, Example: `{"amount":"1184.50","currency":"USD"}`, Doc: "what was agreed for the trip"},
	{Name: "amount_refunded", Kind: KindMoney, Example: `{"amount":"250.00","currency":"USD"}`, Doc: "what the customer gets back"},
	{Name: "claim_number", Standing: true, Example: `"CL-2041"`, Doc: "the number of the claim"},
	{Name: "claim_url", Kind: KindURL, Example: `"https://onmyway.example/d/8fQ2"`, Doc: "where the claim is"},
	{Name: "outcome", Max: maxReason, Example: `"The repair is paid in full"`, Doc: "what was decided about the claim"},

	{Name: "documents", Kind: KindList, Example: `["driver license","bill of sale","proof of insurance"]`, Doc: "papers that are needed"},
	{Name: "document", glossary: true, Example: `"power of attorney"`, Doc: "the paper that is to be signed"},
	{Name: "information", Kind: KindList, Example: `["your current address","your date of birth"]`, Doc: "what the customer should tell us"},
	{Name: "requirement", glossary: true, Example: `"a smog check"`, Doc: "the test that the car needs, with its article"},
	{Name: "lienholder", Standing: true, Example: `"First Harbor Bank"`, Doc: "who has lent money on the car"},
	{Name: "temp_tag", Standing: true, About: "vehicle", Example: `"T48210B"`, Doc: "the number of the temporary tag"},
	{Name: "days_left", Kind: KindCount, Example: `7`, Doc: "how many days it is still valid"},
	{Name: "due_date", Kind: KindDate, Example: `"2026-11-24"`, Doc: "the day by which the customer should act"},
	{Name: "expected_by", Kind: KindDate, Example: `"2026-12-08"`, Doc: "the day by which the next step is expected"},
	{Name: "expires_on", Kind: KindDate, Example: `"2027-11-30"`, Doc: "the last day on which it is valid"},
	{Name: "amount_due", Kind: KindMoney, Example: `{"amount":"184.50","currency":"USD"}`, Doc: "what is to be paid"},
	{Name: "amount_paid", Kind: KindMoney, Example: `{"amount":"184.50","currency":"USD"}`, Doc: "what was paid"},
	{Name: "fees", Kind: KindMoney, Example: `{"amount":"184.50","currency":"USD"}`, Doc: "what the papers will cost"},
	{Name: "upload_url", Kind: KindURL, Example: `"https://onmyway.example/u/8fQ2"`, Doc: "where papers are sent"},
	{Name: "sign_url", Kind: KindURL, Example: `"https://onmyway.example/s/8fQ2"`, Doc: "where papers are signed"},
	{Name: "payment_url", Kind: KindURL, Example: `"https://onmyway.example/c/8fQ2"`, Doc: "where fees are paid"},
	{Name: "renewal_url", Kind: KindURL, Example: `"https://onmyway.example/r/8fQ2"`, Doc: "where the registration is renewed"},
	{Name: "shipping_carrier", Example: `"USPS"`, Doc: "who carries the mail"},
	{Name: "shipping_number", Example: `"9400 1000 0000 0000 0000 00"`, Doc: "the tracking number of the mail"},
	{Name: "shipping_url", Kind: KindURL, Example: `"https://onmyway.example/m/8fQ2"`, Doc: "where the mail is tracked"},
}

// lines are the lines of business as events name them.
var lines = []string{"car_haul", "drive_away", "title_registration"}

// declaredAs finds a declaration by its name; standing lists those that stay true, before those that say what was.
var (
	declaredAs = map[string]*Declaration{}
	standing   []*Declaration
	before     []*Declaration
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
		if d.Before != "" {
			before = append(before, d)
		}
	}
}

// Declared lists everything that templates may speak of, in the order of the table.
func Declared() []Declaration { return slices.Clone(declared) }
