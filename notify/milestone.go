package notify

import "time"

// Phase is the part of an order's life that a milestone belongs to.
type Phase string

// The phases. Car Haul and Drive Away go order, pickup, transit, delivery; papers go intake, filing, issue. All end closed.
const (
	PhaseOrder    Phase = "order"
	PhasePickup   Phase = "pickup"
	PhaseTransit  Phase = "transit"
	PhaseDelivery Phase = "delivery"
	PhaseIntake   Phase = "intake"
	PhaseFiling   Phase = "filing"
	PhaseIssue    Phase = "issue"
	PhaseClosed   Phase = "closed"
)

// Category is what a customer can turn on and off: a kind of news.
type Category string

// The categories.
const (
	DriverAlerts Category = "driver_alerts" // the driver comes, is near, is here
	Progress     Category = "progress"      // how far the order is
	Delays       Category = "delays"        // a promise has changed
	Actions      Category = "actions"       // the customer has to do something
	Papers       Category = "papers"        // title, registration, plates
)

// Categories lists them in the order in which people see them.
var Categories = []Category{DriverAlerts, Progress, Delays, Actions, Papers}

// Urgency says how much it matters that the message comes now. The words are those of RFC 8030.
type Urgency string

// The urgencies.
const (
	Low    Urgency = "low"
	Normal Urgency = "normal"
	High   Urgency = "high"
)

// Milestone is one step of an order that can be told.
type Milestone struct {
	Line     Line
	Name     string
	Phase    Phase
	Category Category
	Visible  bool          // to the customer
	Urgency  Urgency       // how much "now" matters
	Validity time.Duration // how long the text stays true
	// Standing means that the news stands until it is answered (sign this, pay that): a later milestone that asks nothing
	// does not supersede it, only another standing one or the end of the order does.
	Standing bool
	Rank     int // its place in the table: decides between events that carry neither a sequence nor different times
}

// MilestoneOf finds a milestone of a line, or nil.
func MilestoneOf(l Line, name string) *Milestone { return milestones[l][name] }

// Milestones lists those of a line in the order of the table.
func Milestones(l Line) []*Milestone { return ordered[l] }

// The table. Per line and phase: the name, whom it concerns (! tell now, i inform, - internal), its category, and how
// long it stays true. "standing" marks what asks the customer to act.
var (
	milestones = map[Line]map[string]*Milestone{}
	ordered    = map[Line][]*Milestone{}
)

func init() {
	for _, t := range tables {
		byName := map[string]*Milestone{}
		for i, r := range t.rows {
			m := &Milestone{
				Line: t.line, Name: r.name, Phase: r.phase, Category: r.category,
				Visible: r.cust != internal, Urgency: r.cust.urgency(), Validity: r.validity,
				Standing: r.category == Actions, Rank: i,
			}
			byName[r.name] = m
			ordered[t.line] = append(ordered[t.line], m)
		}
		milestones[t.line] = byName
	}
}

type concern int

const (
	internal concern = iota // staff only
	inform                  // may wait
	alert                   // tell now
	arriving                // tell this minute
)

func (c concern) urgency() Urgency {
	return [...]Urgency{internal: Low, inform: Normal, alert: High, arriving: High}[c]
}

type row struct {
	phase    Phase
	name     string
	cust     concern
	category Category
	validity time.Duration
}

const h = time.Hour

var tables = []struct {
	line Line
	rows []row
}{
	{CarHaul, []row{
		{PhaseOrder, "order_booked", inform, Progress, 24 * h},
		{PhaseOrder, "order_confirmed", inform, Progress, 24 * h},
		{PhaseOrder, "posted_to_carriers", internal, Progress, 24 * h},
		{PhaseOrder, "carrier_matched", inform, Progress, 12 * h},
		{PhaseOrder, "carrier_assigned", alert, Progress, 12 * h},
		{PhaseOrder, "carrier_unassigned", alert, Delays, 12 * h},
		{PhaseOrder, "driver_assigned", alert, DriverAlerts, 12 * h},
		{PhasePickup, "pickup_window_set", alert, Progress, 24 * h},
		{PhasePickup, "pickup_window_changed", alert, Delays, 24 * h},
		{PhasePickup, "driver_en_route_to_pickup", alert, DriverAlerts, 2 * h},
		{PhasePickup, "driver_arriving_pickup", arriving, DriverAlerts, 15 * time.Minute},
		{PhasePickup, "driver_at_pickup", alert, DriverAlerts, 30 * time.Minute},
		{PhasePickup, "pickup_attempt_failed", alert, Actions, 12 * h},
		{PhasePickup, "inspection_pickup_done", inform, Progress, 24 * h},
		{PhasePickup, "bol_signed_pickup", inform, Progress, 24 * h},
		{PhasePickup, "picked_up", alert, Progress, 12 * h},
		{PhaseTransit, "in_transit", inform, Progress, 12 * h},
		{PhaseTransit, "at_terminal", inform, Progress, 24 * h},
		{PhaseTransit, "terminal_released", inform, Progress, 24 * h},
		{PhaseTransit, "carrier_transfer", inform, Progress, 12 * h},
		{PhaseTransit, "eta_updated", inform, Delays, 12 * h},
		{PhaseTransit, "delayed", alert, Delays, 12 * h},
		{PhaseDelivery, "driver_en_route_to_delivery", alert, DriverAlerts, 4 * h},
		{PhaseDelivery, "driver_arriving_delivery", arriving, DriverAlerts, 15 * time.Minute},
		{PhaseDelivery, "driver_at_delivery", alert, DriverAlerts, 30 * time.Minute},
		{PhaseDelivery, "delivery_attempt_failed", alert, Actions, 12 * h},
		{PhaseDelivery, "unloaded", internal, Progress, 12 * h},
		{PhaseDelivery, "inspection_delivery_done", inform, Progress, 24 * h},
		{PhaseClosed, "delivered", alert, Progress, 24 * h},
		{PhaseClosed, "damage_reported", alert, Progress, 48 * h},
		{PhaseClosed, "claim_opened", alert, Progress, 48 * h},
		{PhaseClosed, "claim_closed", alert, Progress, 48 * h},
		{PhaseTransit, "on_hold", alert, Delays, 24 * h},
		{PhaseTransit, "resumed", alert, Delays, 24 * h},
		{PhaseTransit, "rescheduled", alert, Delays, 24 * h},
		{PhaseClosed, "cancelled", alert, Progress, 24 * h},
		{PhaseClosed, "returned", alert, Progress, 24 * h},
		{PhaseClosed, "completed", internal, Progress, 24 * h},
	}},
	{DriveAway, []row{
		{PhaseOrder, "order_booked", inform, Progress, 24 * h},
		{PhaseOrder, "driver_matched", inform, Progress, 12 * h},
		{PhaseOrder, "driver_confirmed", alert, DriverAlerts, 12 * h},
		{PhaseOrder, "driver_declined", alert, Delays, 12 * h},
		{PhasePickup, "pickup_appointment_set", alert, Progress, 24 * h},
		{PhasePickup, "driver_en_route_to_vehicle", alert, DriverAlerts, 2 * h},
		{PhasePickup, "driver_arriving", arriving, DriverAlerts, 15 * time.Minute},
		{PhasePickup, "driver_at_vehicle", alert, DriverAlerts, 30 * time.Minute},
		{PhasePickup, "vehicle_check_failed", alert, Actions, 12 * h},
		{PhasePickup, "temp_plate_fitted", inform, Progress, 12 * h},
		{PhasePickup, "pre_trip_inspection_done", inform, Progress, 24 * h},
		{PhasePickup, "keys_received", inform, Progress, 12 * h},
		{PhaseTransit, "trip_started", alert, Progress, 12 * h},
		{PhaseTransit, "stop_fuel_or_charge", internal, Progress, 2 * h},
		{PhaseTransit, "overnight_stop", inform, Progress, 12 * h},
		{PhaseTransit, "mechanical_issue", alert, Delays, 12 * h},
		{PhaseTransit, "toll_or_violation", internal, Progress, 24 * h},
		{PhaseTransit, "delayed", alert, Delays, 12 * h},
		{PhaseTransit, "eta_updated", inform, Delays, 12 * h},
		{PhaseDelivery, "arriving_destination", arriving, DriverAlerts, 15 * time.Minute},
		{PhaseDelivery, "handover_started", inform, Progress, 2 * h},
		{PhaseDelivery, "post_trip_inspection_done", inform, Progress, 24 * h},
		{PhaseDelivery, "keys_handed_over", inform, Progress, 24 * h},
		{PhaseClosed, "delivered", alert, Progress, 24 * h},
		{PhaseClosed, "driver_return_leg", internal, Progress, 12 * h},
		{PhaseClosed, "cancelled", alert, Progress, 24 * h},
		{PhaseClosed, "completed", internal, Progress, 24 * h},
	}},
	{TitleRegistration, []row{
		{PhaseIntake, "application_opened", inform, Papers, 48 * h},
		{PhaseIntake, "customer_info_requested", alert, Actions, 72 * h},
		{PhaseIntake, "docs_requested", alert, Actions, 72 * h},
		{PhaseIntake, "docs_received", inform, Papers, 48 * h},
		{PhaseIntake, "docs_incomplete", alert, Actions, 72 * h},
		{PhaseIntake, "docs_rejected", alert, Actions, 72 * h},
		{PhaseIntake, "signature_pending", alert, Actions, 72 * h},
		{PhaseIntake, "lien_payoff_pending", inform, Papers, 48 * h},
		{PhaseIntake, "lien_released", inform, Papers, 48 * h},
		{PhaseIntake, "title_requested_from_lienholder", inform, Papers, 48 * h},
		{PhaseIntake, "title_in_transit_to_us", inform, Papers, 48 * h},
		{PhaseIntake, "title_received", alert, Papers, 48 * h},
		{PhaseIntake, "title_lost_duplicate_requested", alert, Papers, 48 * h},
		{PhaseIntake, "title_defect", alert, Actions, 72 * h},
		{PhaseIntake, "inspection_or_emissions_required", alert, Actions, 72 * h},
		{PhaseIntake, "insurance_proof_required", alert, Actions, 72 * h},
		{PhaseFiling, "fees_quoted", inform, Papers, 48 * h},
		{PhaseFiling, "payment_due", alert, Actions, 72 * h},
		{PhaseFiling, "payment_received", inform, Papers, 48 * h},
		{PhaseFiling, "temp_tag_issued", alert, Papers, 48 * h},
		{PhaseFiling, "temp_tag_expiring", alert, Actions, 24 * h},
		{PhaseFiling, "submitted_to_dmv", alert, Papers, 48 * h},
		{PhaseFiling, "dmv_in_review", inform, Papers, 48 * h},
		{PhaseFiling, "dmv_hold", alert, Papers, 48 * h},
		{PhaseFiling, "dmv_rejected", alert, Papers, 48 * h},
		{PhaseFiling, "resubmitted", inform, Papers, 48 * h},
		{PhaseIssue, "title_approved", inform, Papers, 48 * h},
		{PhaseIssue, "title_printing", inform, Papers, 48 * h},
		{PhaseIssue, "title_issued", alert, Papers, 48 * h},
		{PhaseIssue, "elt_recorded", inform, Papers, 48 * h},
		{PhaseIssue, "registration_issued", alert, Papers, 48 * h},
		{PhaseIssue, "plates_issued", alert, Papers, 48 * h},
		{PhaseIssue, "plates_shipped", alert, Papers, 48 * h},
		{PhaseIssue, "plates_delivered", inform, Papers, 48 * h},
		{PhaseIssue, "title_mailed", alert, Papers, 48 * h},
		{PhaseIssue, "title_delivered", inform, Papers, 48 * h},
		{PhaseIssue, "renewal_due", inform, Actions, 14 * 24 * h},
		{PhaseClosed, "closed", inform, Papers, 48 * h},
		{PhaseClosed, "cancelled", alert, Papers, 48 * h},
	}},
}
