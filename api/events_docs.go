package api

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"onmyway/notify"
)

// eventsDocs describes what publish reads by itself.
func eventsDocs(op *huma.Operation) {
	op.MaxBodyBytes = maxEventsBody + 1 // huma refuses a body that reaches its limit
	op.SkipValidateBody = true
	op.Description = "Answers once all in-sync replicas have the events. Events that can't be understood are listed under `rejected` and the " +
		"others taken; when none can, the answer is 422 of the same form. Repeating a request is safe: an event is known by its id."
	most, one := maxEvents, 1
	event := eventSchema()
	several := &huma.Schema{Type: huma.TypeArray, Items: event, MinItems: &one, MaxItems: &most}
	cloud := &huma.Schema{
		Type: huma.TypeObject, Description: "A CloudEvent whose data is a canonical event", AdditionalProperties: true,
		Properties: map[string]*huma.Schema{
			"specversion": {Type: huma.TypeString, Enum: []any{"1.0"}}, "id": {Type: huma.TypeString, MinLength: &one},
			"source": {Type: huma.TypeString, MinLength: &one}, "type": {Type: huma.TypeString, MinLength: &one}, "data": event,
		},
		Required: []string{"specversion", "id", "source", "type", "data"},
	}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/json": {
			Schema: &huma.Schema{OneOf: []*huma.Schema{event, several}}, Example: json.RawMessage(exampleEvent),
		},
		"application/x-ndjson":               {Schema: &huma.Schema{Type: huma.TypeString, Description: "One event a line"}},
		"application/ndjson":                 {Schema: &huma.Schema{Type: huma.TypeString, Description: "One event a line"}},
		"application/cloudevents+json":       {Schema: cloud},
		"application/cloudevents-batch+json": {Schema: &huma.Schema{Type: huma.TypeArray, Items: cloud, MinItems: &one, MaxItems: &most}},
	}}
}

// refusedDocs says that 422 has one form when no event can be understood, and the other when the request as a whole can't.
func refusedDocs(doc *huma.OpenAPI) {
	answers := doc.Paths["/v1/events"].Post.Responses
	answers["422"].Content["application/json"] = answers["202"].Content["application/json"]
	answers["422"].Description = "No event can be understood (the form of 202), or the request has none or too many (a problem)"
}

const exampleEvent = `{
  "id": "evt-1", "order_id": "CH-1001", "customer_id": "c-42", "line": "car_haul",
  "milestone": "driver_en_route_to_pickup", "occurred_at": "2026-11-21T19:00:00Z",
  "customer": {"name": "Dana Reyes", "phone": "+14155552671", "locale": "en-US", "time_zone": "America/Los_Angeles"},
  "data": {"driver_name": "Sam", "vehicle": "2021 Honda Civic", "eta": "2026-11-21T19:30:00Z"}
}`

// eventSchema is the canonical event. What it can't say (which milestones a line has, that numbers can exist) is said by
// the answer.
func eventSchema() *huma.Schema {
	one, id, name := 1, 128, 200
	text := func(most *int, doc string) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, MinLength: &one, MaxLength: most, Description: doc}
	}
	first, last := 1.0, float64(1<<53-1)
	orNothing := func(most *int, doc string) *huma.Schema {
		s := text(most, doc)
		s.MinLength, s.Nullable = nil, true
		return s
	}
	return &huma.Schema{
		Type: huma.TypeObject, Description: "A canonical event. Other fields are ignored", AdditionalProperties: true,
		Properties: map[string]*huma.Schema{
			"id":          orNothing(&id, "The producer's own id: the same id is the same event. This or sequence is needed"),
			"order_id":    text(&id, "The order"),
			"customer_id": text(&id, "Who is told"),
			"line":        {Type: huma.TypeString, Enum: words(notify.Lines)},
			"milestone":   {Type: huma.TypeString, Description: "What was reached", Enum: milestones()},
			"sequence":    {Type: huma.TypeInteger, Nullable: true, Format: "int64", Minimum: &first, Maximum: &last, Description: "Grows with every event of an order and line"},
			"occurred_at": {Type: huma.TypeString, Format: "date-time", Description: "At most 5 minutes in the future"},
			"customer": {
				Type: huma.TypeObject, Nullable: true, AdditionalProperties: true, Description: "What the event knows of the customer",
				Properties: map[string]*huma.Schema{
					"name": orNothing(&name, "As the texts call them"), "phone": orNothing(&name, "In any usual spelling"),
					"locale": orNothing(&name, "BCP 47"), "time_zone": orNothing(&name, "IANA"),
					"consent": {
						Type: huma.TypeObject, Nullable: true, AdditionalProperties: true, Description: "What it knows of their consent",
						Properties: map[string]*huma.Schema{"sms": {Type: huma.TypeBoolean, Nullable: true, Description: "To texts: false is withdrawn"}},
					},
				},
			},
			"data": {Type: huma.TypeObject, Nullable: true, AdditionalProperties: true, Description: "What the texts speak of: driver_name, vehicle, eta, tracking_url"},
		},
		Required: []string{"order_id", "customer_id", "line", "milestone", "occurred_at"},
	}
}

// milestones lists the names of all lines, each once.
func milestones() (names []any) {
	seen := map[string]bool{}
	for _, line := range notify.Lines {
		for _, m := range notify.Milestones(line) {
			if !seen[m.Name] {
				seen[m.Name] = true
				names = append(names, m.Name)
			}
		}
	}
	return names
}
