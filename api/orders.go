package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"onmyway/notify"
)

// Orders is where it stands how far orders are.
type Orders interface {
	// Order returns every line of an order, in the order of notify.Lines; ErrNotFound when there is none.
	Order(ctx context.Context, orderID string) ([]notify.Head, error)
}

// OrderPath is the part of the path that names an order. It is exported because huma looks only into such fields.
type OrderPath struct {
	ID string `path:"id" minLength:"1" maxLength:"128" pattern:"^[^\\x00-\\x1f\\x7f-\\x9f�]+$" patternDescription:"printable" doc:"The order's id in your own systems" example:"CH-1001"`
}

type getOrderInput struct{ OrderPath }

type orderOutput struct{ Body orderBody }

// orderBody is an order over all lines of business.
type orderBody struct {
	ID        string          `json:"id" example:"CH-1001"`
	Customers []customerBrief `json:"customers" nullable:"false" doc:"Who is told: one for all lines, or one for each"`
	Lines     []lineBody      `json:"lines" nullable:"false"`
}

// customerBrief is enough of a customer to speak with them.
type customerBrief struct {
	ID    string `json:"id" example:"c-42"`
	Name  string `json:"name" doc:"First name; empty when none is known" example:"Dana"`
	Phone string `json:"phone" doc:"Masked; empty when none is known" example:"+1415•••0123"`
}

// lineBody is how far an order is in one line of business.
type lineBody struct {
	Line        notify.Line  `json:"line" example:"car_haul"`
	CustomerID  string       `json:"customer_id" example:"c-42"`
	Milestone   string       `json:"milestone" example:"driver_en_route_to_pickup"`
	Phase       notify.Phase `json:"phase" example:"pickup"`
	Since       time.Time    `json:"since" doc:"When the milestone was reached"`
	Closed      bool         `json:"closed"`
	ETA         *eta         `json:"eta,omitempty" doc:"What was last said of when something happens; absent when nothing was, and when the line is closed"`
	People      []person     `json:"people" nullable:"false" doc:"Business contacts, whose numbers are shown whole"`
	Vehicle     vehicle      `json:"vehicle"`
	PickupCity  string       `json:"pickup_city,omitempty" example:"Oakland, CA"`
	DropCity    string       `json:"delivery_city,omitempty" example:"Los Angeles, CA"`
	TrackingURL string       `json:"tracking_url,omitempty" doc:"The customer's own page of the order"`
}

// eta is a promise that an event made.
type eta struct {
	Says      string    `json:"says" enum:"eta,pickup_window,delivery_window,appointment,expected_by" doc:"Which fact of the event it is"`
	Start     string    `json:"start" doc:"RFC 3339, or a day for expected_by" example:"2026-11-21T19:30:00Z"`
	End       string    `json:"end,omitempty" doc:"For a window" example:"2026-11-21T20:15:00Z"`
	Milestone string    `json:"milestone" doc:"The event that said so" example:"driver_en_route_to_pickup"`
	SaidAt    time.Time `json:"said_at" doc:"When it happened"`
}

type person struct {
	Role  string `json:"role" enum:"driver,carrier,agent,support"`
	Name  string `json:"name,omitempty" example:"Sam Rivera"`
	Phone string `json:"phone,omitempty" example:"+1 415 555 0100"`
	Truck string `json:"truck,omitempty" doc:"What to look out for" example:"white car transporter"`
}

type vehicle struct {
	Name  string `json:"name,omitempty" doc:"Year, make and model" example:"2021 Honda Civic"`
	Color string `json:"color,omitempty" example:"blue"`
	VIN   string `json:"vin,omitempty" example:"2HGFC2F59MH500000"`
	Plate string `json:"plate_number,omitempty" example:"8ABC123"`
}

func (s *server) getOrder(ctx context.Context, in *getOrderInput) (*orderOutput, error) {
	heads, err := s.order(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &orderOutput{Body: orderBody{ID: in.ID, Customers: []customerBrief{}, Lines: make([]lineBody, len(heads))}}
	seen := map[string]bool{}
	for i := range heads {
		out.Body.Lines[i] = showLine(&heads[i])
		if id := heads[i].CustomerID; !seen[id] {
			seen[id] = true
			brief, err := s.brief(ctx, id)
			if err != nil {
				return nil, err
			}
			out.Body.Customers = append(out.Body.Customers, brief)
		}
	}
	return out, s.addETAs(ctx, in.ID, out.Body.Lines)
}

// order reads an order that must be there.
func (s *server) order(ctx context.Context, id string) ([]notify.Head, error) {
	heads, err := s.Orders.Order(ctx, id)
	switch {
	case isNotFound(err) || err == nil && len(heads) == 0:
		return nil, notFound("no event of an order with this id was stored")
	case err != nil:
		return nil, fmt.Errorf("read order: %w", err)
	}
	return heads, nil
}

func (s *server) brief(ctx context.Context, id string) (customerBrief, error) {
	p, err := s.Customers.Customer(ctx, id)
	if err != nil && !isNotFound(err) {
		return customerBrief{}, fmt.Errorf("read the customer of order: %w", err)
	}
	return customerBrief{ID: id, Name: p.FirstName(), Phone: masked(p.Phone)}, nil
}

func showLine(h *notify.Head) lineBody {
	b := lineBody{Line: h.Line, CustomerID: h.CustomerID, Milestone: h.Milestone, Since: shown(h.OccurredAt), People: []person{}}
	if m := notify.MilestoneOf(h.Line, h.Milestone); m != nil {
		b.Phase, b.Closed = m.Phase, m.Phase == notify.PhaseClosed
	}
	var facts map[string]string
	if json.Unmarshal(h.Facts, &facts) != nil { // no fact is known
		return b
	}
	for _, p := range []person{
		{"driver", facts["driver_name"], facts["driver_phone"], facts["truck"]},
		{"carrier", facts["carrier_name"], facts["carrier_phone"], ""},
		{"agent", facts["agent_name"], facts["agent_phone"], ""},
		{"support", "", facts["support_phone"], ""},
	} {
		if p.Name != "" || p.Phone != "" {
			b.People = append(b.People, p)
		}
	}
	b.Vehicle = vehicle{facts["vehicle"], facts["vehicle_color"], facts["vin"], facts["plate_number"]}
	b.PickupCity, b.DropCity = facts["pickup_city"], facts["delivery_city"]
	if u, err := url.Parse(facts["tracking_url"]); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
		b.TrackingURL = facts["tracking_url"]
	}
	return b
}

// etaEvents bounds how many of the newest events of an order are searched for what they promise. Few orders have more.
const etaEvents = 100

// addETAs looks in the newest events for what they promise, per line that is open.
func (s *server) addETAs(ctx context.Context, orderID string, lines []lineBody) error {
	events, err := s.Messages.Find(ctx, notify.Query{OrderID: orderID, Channel: notify.WebSocket, Limit: etaEvents})
	if err != nil {
		return fmt.Errorf("find the events of order: %w", err)
	}
	for i := range lines {
		for j := range events {
			if lines[i].Closed || lines[i].ETA != nil || events[j].Line != lines[i].Line {
				continue
			}
			lines[i].ETA = etaIn(&events[j])
		}
	}
	return nil
}

// promises are the facts that say when something happens, the more exact one first.
var promises = []string{"eta", "pickup_window", "delivery_window", "appointment", "expected_by"}

// etaIn finds what an event promises; nil for nothing. A fact is a window, or one time.
func etaIn(e *notify.Entry) *eta {
	var data map[string]json.RawMessage
	if json.Unmarshal(e.Data, &data) != nil {
		return nil
	}
	for _, name := range promises {
		var window struct{ Start, End string }
		if json.Unmarshal(data[name], &window.Start) != nil && json.Unmarshal(data[name], &window) != nil || window.Start == "" {
			continue
		}
		return &eta{Says: name, Start: window.Start, End: window.End, Milestone: e.Milestone, SaidAt: shown(e.OccurredAt)}
	}
	return nil
}
