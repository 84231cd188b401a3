package templates

import "time"

// ExampleTime is the moment that the examples are told at: a Saturday, eleven in the morning in Los Angeles.
var ExampleTime = time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)

// ExampleData is the JSON object of an event that says everything, for previews and tests.
func ExampleData() []byte { return exampleOf(nil) }

// Example is the JSON object of an event of a milestone that says everything, for previews and tests: that of ExampleData,
// with a cause that fits. A milestone that it does not know gets ExampleData.
func Example(milestone string) []byte { return exampleOf(fitting[milestone]) }

// tomorrow is when a car that has a long way before it arrives.
const tomorrow = `{"start":"2026-11-22T22:00:00Z","end":"2026-11-23T00:00:00Z"}`

// fitting is what the events of some milestones say instead of what the declarations have: every fact that an example of
// another milestone would make untrue.
var fitting = map[string]map[string]string{
	"driver_assigned":         {"driver_name_before": ""}, // the first one
	"pickup_attempt_failed":   {"reason": "", "reason_code": `"no_keys"`},
	"delivery_attempt_failed": {"reason": "", "reason_code": `"nobody_there"`},
	"vehicle_check_failed":    {"reason": "", "reason_code": `"tires"`},
	"picked_up":               {"eta": tomorrow},
	"trip_started":            {"eta": tomorrow},
	"in_transit":              {"eta": tomorrow},
	"terminal_released":       {"eta": tomorrow},
	"overnight_stop":          {"eta": tomorrow},
	"resumed":                 {"eta": tomorrow},
	"mechanical_issue":        {"reason": `"The alternator has failed"`, "reason_code": `"mechanical"`},
	"docs_received":           {"documents": `["driver license","bill of sale"]`},
	"docs_incomplete":         {"documents": `["proof of insurance"]`, "reason": ""},
	"docs_rejected":           {"documents": `["bill of sale"]`, "reason": `"the photo is too dark to read"`, "reason_code": ""},
	"title_defect":            {"reason": `"Your middle name is missing"`, "reason_code": ""},
	"dmv_hold":                {"reason": `"They check an old parking ticket"`, "reason_code": ""},
	"dmv_rejected":            {"reason": `"The odometer reading is missing"`, "reason_code": ""},
	"temp_plate_fitted":       {"expires_on": `"2026-12-20"`},
	"temp_tag_issued":         {"expires_on": `"2026-12-20"`},
	"temp_tag_expiring":       {"expires_on": `"2026-11-28"`},
	"renewal_due":             {"expires_on": `"2026-12-31"`},
}

// exampleOf writes the examples of the declarations, with others put in their place; an empty one leaves the fact out.
func exampleOf(others map[string]string) []byte {
	data := []byte{'{'}
	for i := range declared {
		d := &declared[i]
		example, is := others[d.Name]
		if !is {
			example = d.Example
		}
		if example == "" {
			continue
		}
		if len(data) > 1 {
			data = append(data, ',')
		}
		data = append(appendQuoted(data, d.Name), ':')
		data = append(data, example...)
	}
	return append(data, '}')
}
