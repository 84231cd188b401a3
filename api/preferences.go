package api

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"onmyway/notify"
)

// choices are by channel: true wants it, false does not, absent leaves it to the operator.
type choices map[notify.Channel]bool

// Schema names the channels, so that documents show them and an unknown one is found.
func (choices) Schema(huma.Registry) *huma.Schema {
	return byName(notify.Channels, func() *huma.Schema { return &huma.Schema{Type: huma.TypeBoolean} })
}

// UnmarshalJSON leaves out what is null: it is no choice, and must not be taken for false.
func (c *choices) UnmarshalJSON(b []byte) error {
	var said map[notify.Channel]*bool
	if err := json.Unmarshal(b, &said); err != nil {
		return err
	}
	*c = nil
	for ch, on := range said {
		if on == nil {
			continue
		}
		if *c == nil {
			*c = choices{}
		}
		(*c)[ch] = *on
	}
	return nil
}

// categories are the choices by category.
type categories map[notify.Category]choices

// Schema names the categories.
func (categories) Schema(r huma.Registry) *huma.Schema {
	return byName(notify.Categories, func() *huma.Schema { return choices{}.Schema(r) })
}

// byName is an object with the same kind of value under each of some words, or null.
func byName[S ~string](names []S, value func() *huma.Schema) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}, AdditionalProperties: false, Nullable: true}
	for _, name := range names {
		s.Properties[string(name)] = value()
		s.Properties[string(name)].Nullable = true
	}
	s.PrecomputeMessages()
	return s
}

// preferencesBody is what a customer wants, as a caller writes it. What is absent is as the operator has it.
type preferencesBody struct {
	Channels   choices    `json:"channels,omitempty" doc:"By channel: false turns it off, whatever the categories say"`
	Categories categories `json:"categories,omitempty" doc:"By category and channel: false turns it off, true turns on what the operator has off"`
	Quiet      *quietBody `json:"quiet_hours,omitempty" nullable:"true" doc:"No text and no push between these, on the customer's clock"`
}

// Schema is inline and may be null, like every field of a customer.
func (preferencesBody) Schema(r huma.Registry) *huma.Schema {
	type fields preferencesBody
	return orNull(r, reflect.TypeFor[fields]())
}

type quietBody struct {
	Start string `json:"start" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" patternDescription:"a time of day such as 22:00" example:"22:00"`
	End   string `json:"end" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" patternDescription:"a time of day such as 08:00" example:"08:00"`
}

// Schema is inline and may be null.
func (quietBody) Schema(r huma.Registry) *huma.Schema {
	type fields quietBody
	return orNull(r, reflect.TypeFor[fields]())
}

func orNull(r huma.Registry, t reflect.Type) *huma.Schema {
	s := huma.SchemaFromType(r, t)
	s.Nullable = true
	return s
}

// read makes preferences of the words.
func (b *preferencesBody) read(fault func(field, detail string)) (p notify.Preferences) {
	if len(b.Channels) > 0 {
		p.Channels = b.Channels
	}
	for cat, on := range b.Categories {
		if len(on) == 0 {
			continue
		}
		if p.Categories == nil {
			p.Categories = map[notify.Category]map[notify.Channel]bool{}
		}
		p.Categories[cat] = on
	}
	if b.Quiet == nil {
		return p
	}
	p.Quiet = &notify.QuietHours{}
	var err error
	if p.Quiet.Start, err = notify.ParseClock(b.Quiet.Start); err != nil {
		fault("preferences.quiet_hours.start", err.Error())
	}
	if p.Quiet.End, err = notify.ParseClock(b.Quiet.End); err != nil {
		fault("preferences.quiet_hours.end", err.Error())
	}
	return p
}

// preferencesShown is what a customer wants, as it is stored.
type preferencesShown struct {
	Channels   map[string]bool            `json:"channels,omitempty" doc:"By channel: false is off"`
	Categories map[string]map[string]bool `json:"categories,omitempty" doc:"By category and channel: false is off"`
	Quiet      *quietShown                `json:"quiet_hours,omitempty" doc:"No text and no push between these, on the customer's clock"`
}

type quietShown struct {
	Start string `json:"start" example:"22:00"`
	End   string `json:"end" example:"08:00"`
}

func showPreferences(p *notify.Preferences) (b preferencesShown) {
	b.Channels = asWords(p.Channels)
	for cat, on := range p.Categories {
		if b.Categories == nil {
			b.Categories = map[string]map[string]bool{}
		}
		b.Categories[string(cat)] = asWords(on)
	}
	if q := showQuiet(p.Quiet); q != nil {
		b.Quiet = &quietShown{Start: q.Start, End: q.End}
	}
	return b
}

func asWords(on map[notify.Channel]bool) map[string]bool {
	if on == nil {
		return nil
	}
	said := make(map[string]bool, len(on))
	for ch, v := range on {
		said[string(ch)] = v
	}
	return said
}

func categoriesOf(p *notify.Preferences) categories {
	if p.Categories == nil {
		return nil
	}
	all := categories{}
	for cat, on := range p.Categories {
		all[cat] = on
	}
	return all
}

func showQuiet(q *notify.QuietHours) *quietBody {
	if q == nil {
		return nil
	}
	return &quietBody{Start: q.Start.String(), End: q.End.String()}
}

type putPreferencesInput struct {
	CustomerPath
	Conditions
	Body preferencesPut
}

// preferencesPut is a whole body: it must not be null.
type preferencesPut struct {
	preferencesBody
	read notify.Preferences
}

// Schema is that of the fields.
func (preferencesPut) Schema(r huma.Registry) *huma.Schema {
	s := preferencesBody{}.Schema(r)
	s.Nullable = false
	return s
}

// Resolve reads what the schema has checked, and checks the hours again: huma lets a null pass inside of an object that may
// itself be null.
func (b *preferencesPut) Resolve(huma.Context) []error {
	var faults []error
	b.read = b.preferencesBody.read(func(field, detail string) {
		field = strings.TrimPrefix(field, "preferences.")
		faults = append(faults, &wrong{Problem: notify.Problem{Field: field, Detail: detail}})
	})
	return faults
}

type preferencesOutput struct {
	ETag string `header:"ETag" doc:"The version of the customer: send it as If-Match" example:"\"7\""`
	Body struct {
		Preferences preferencesShown `json:"preferences"`
		Now         []outlook        `json:"now" nullable:"false" doc:"What would become of news that came now, by category and channel"`
		Changes     []change         `json:"changes" nullable:"false" doc:"Who changed what, the newest 20 first. Names and numbers are not shown"`
	}
}

// outlook is what would become of news of one category on one channel.
type outlook struct {
	Category notify.Category `json:"category"`
	Channel  notify.Channel  `json:"channel"`
	Prospect notify.Prospect `json:"prospect"`
	Reason   notify.Reason   `json:"reason,omitempty" doc:"For anything but sent"`
	Why      string          `json:"why" doc:"In words" example:"Not texted: Dana turned SMS off on 12 Nov."`
	Until    time.Time       `json:"until,omitzero" doc:"For held"`
	Urgent   bool            `json:"urgent,omitempty" doc:"For held: what is urgent goes out all the same"`
}

// change is one field that somebody changed.
type change struct {
	At    time.Time `json:"at"`
	By    string    `json:"by" doc:"The name of the API key" example:"support-desk"`
	Field string    `json:"field" example:"preferences.channels.sms"`
	From  string    `json:"from,omitempty" example:"default"`
	To    string    `json:"to,omitempty" example:"off"`
}

const (
	changesShown = 20
	historyRows  = 200 // read for them: rows about browsers change no field
)

func (s *server) getPreferences(ctx context.Context, in *getCustomerInput) (*preferencesOutput, error) {
	p, err := s.customer(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	history, err := s.Audit.Audit(ctx, []string{notify.CustomerObject(in.ID)}, historyRows)
	if err != nil {
		return nil, fmt.Errorf("read the history of customer: %w", err)
	}
	now, rules := time.Now(), s.Rules()
	all := rules.Outlook(&p, now)
	why := rules.ExplainOutlook(&p, history, now, all)
	out := &preferencesOutput{ETag: etag(p.Version)}
	out.Body.Preferences = showPreferences(&p.Preferences)
	out.Body.Now = make([]outlook, len(all))
	for i, o := range all {
		out.Body.Now[i] = outlook{o.Category, o.Channel, o.Prospect, o.Reason, why[i], shown(o.Until), o.Urgent}
	}
	out.Body.Changes = changesOf(history)
	return out, nil
}

func (s *server) putPreferences(ctx context.Context, in *putPreferencesInput) (*preferencesOutput, error) {
	_, err := s.writeCustomer(ctx, in.ID, &in.Conditions, func(c *notify.Customer) error {
		c.Preferences = in.Body.read
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.getPreferences(ctx, &getCustomerInput{in.CustomerPath})
}

// changesOf lists the newest changes of a customer.
func changesOf(history []notify.AuditRow) []change {
	all := []change{}
	for i := range history {
		row := &history[i]
		for _, c := range row.Changes() {
			if len(all) == changesShown {
				return all
			}
			all = append(all, change{shown(row.At), row.By, c.Field, c.From, c.To})
		}
	}
	return all
}
