package demo

import (
	"time"

	"onmyway/notify"
)

// step is one milestone of a story, as people say it.
type step struct {
	milestone string
	words     string
}

// stories are what happens to an order, by line of business. Every milestone in them has a text.
var stories = map[notify.Line][]step{
	notify.CarHaul: {
		{"order_booked", "Order booked"},
		{"carrier_assigned", "Carrier found"},
		{"driver_assigned", "Driver assigned"},
		{"driver_en_route_to_pickup", "Driver on the way to pickup"},
		{"driver_arriving_pickup", "Driver almost at pickup"},
		{"driver_at_pickup", "Driver at pickup"},
		{"picked_up", "Picked up"},
		{"eta_updated", "Arrival time updated"},
		{"delayed", "Running late"},
		{"driver_en_route_to_delivery", "Driver on the way to delivery"},
		{"driver_arriving_delivery", "Driver almost at the door"},
		{"driver_at_delivery", "Driver at the door"},
		{"delivered", "Delivered"},
	},
	notify.DriveAway: {
		{"order_booked", "Order booked"},
		{"driver_confirmed", "Driver confirmed"},
		{"driver_en_route_to_vehicle", "Driver on the way to the car"},
		{"driver_arriving", "Driver almost at the car"},
		{"driver_at_vehicle", "Driver at the car"},
		{"trip_started", "Trip started"},
		{"eta_updated", "Arrival time updated"},
		{"arriving_destination", "Almost there"},
		{"delivered", "Delivered"},
	},
	notify.TitleRegistration: {
		{"docs_requested", "Documents needed"},
		{"signature_pending", "Signature needed"},
		{"payment_due", "Payment due"},
		{"submitted_to_dmv", "Filed with the DMV"},
		{"registration_issued", "Registration issued"},
		{"plates_shipped", "Plates mailed"},
		{"title_mailed", "Title mailed"},
	},
}

// badges are how orders and events name their line, and names how people do.
var (
	badges = map[notify.Line]string{notify.CarHaul: "CH", notify.DriveAway: "DA", notify.TitleRegistration: "TR"}
	names  = map[notify.Line]string{notify.CarHaul: "Car Haul", notify.DriveAway: "Drive Away", notify.TitleRegistration: "Title & Reg."}
)

// drivers change from order to order.
var drivers = []string{"Sam Rivera", "Alex Morgan", "Jo Tanaka", "Chris Okafor", "Lee Novak"}

// data is what an event says beside its milestone.
func data(milestone string, b *buyer, order int, now time.Time) map[string]any {
	window := func(from, to time.Duration) map[string]string {
		start := now.Truncate(15 * time.Minute).Add(from)
		return map[string]string{"start": start.UTC().Format(time.RFC3339), "end": start.Add(to - from).UTC().Format(time.RFC3339)}
	}
	day := func(days int) string { return now.In(b.zone()).AddDate(0, 0, days).Format(time.DateOnly) }
	d := map[string]any{"vehicle": b.Vehicle, "delivery_city": b.City}
	if b.Line != notify.TitleRegistration {
		d["driver_name"] = drivers[order%len(drivers)]
	}
	switch milestone {
	case "carrier_assigned":
		d["carrier_name"] = "Blue Ridge Transport"
	case "driver_assigned", "driver_confirmed":
		d["pickup_window"] = window(90*time.Minute, 210*time.Minute)
	case "driver_en_route_to_pickup", "driver_en_route_to_vehicle", "driver_en_route_to_delivery":
		d["eta"] = window(30*time.Minute, 75*time.Minute)
	case "driver_arriving_pickup", "driver_arriving_delivery", "driver_arriving", "arriving_destination":
		d["minutes_away"] = 10
	case "picked_up", "trip_started", "eta_updated":
		d["eta"] = window(120*time.Minute, 150*time.Minute)
	case "delayed":
		d["eta"], d["reason_code"] = window(195*time.Minute, 225*time.Minute), "weather"
	case "docs_requested":
		d["documents"], d["due_date"] = []string{"driver license", "bill of sale"}, day(3)
	case "signature_pending":
		d["document"], d["due_date"] = "power of attorney", day(3)
	case "payment_due":
		d["amount_due"], d["due_date"] = map[string]string{"amount": "184.50", "currency": "USD"}, day(4)
	case "submitted_to_dmv":
		d["expected_by"] = day(16)
	case "plates_shipped", "title_mailed":
		d["expected_by"], d["shipping_carrier"] = day(4), "USPS"
	}
	return d
}
