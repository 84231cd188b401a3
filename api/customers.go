package api

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/text/language"

	"onmyway/notify"
)

// Customers is where customers are kept.
type Customers interface {
	// Customer returns ErrNotFound, or a Version of 0, for a customer who is not stored.
	Customer(ctx context.Context, id string) (notify.Profile, error)
	// PutCustomer replaces name, contact and preferences and returns what is stored.
	PutCustomer(ctx context.Context, now time.Time, c notify.Customer) (notify.Customer, error)
}

// CustomerPath is the part of the path that names a customer. It is exported because huma looks only into such fields.
type CustomerPath struct {
	ID string `path:"id" maxLength:"128" pattern:"^[^\\x00-\\x1f\\x7f\\x{fffd}]+$" patternDescription:"printable" doc:"The customer's id in your own systems" example:"c-42"`
}

// customerBody is a customer as written by a caller: the whole of it, what is absent is emptied.
type customerBody struct {
	Name        string          `json:"name,omitempty" maxLength:"200" example:"Dana Reyes"`
	Phone       string          `json:"phone,omitempty" doc:"In any usual spelling; without a country code it is of the US or Canada. Empty: no texts. The masked form that GET shows keeps the stored number." example:"(415) 555-0123"`
	Locale      string          `json:"locale,omitempty" doc:"BCP 47: the language of the texts" example:"en-US"`
	TimeZone    string          `json:"time_zone,omitempty" doc:"IANA: times and quiet hours are told in it" example:"America/Los_Angeles"`
	Preferences preferencesBody `json:"preferences,omitzero"`

	read notify.Customer // what Resolve made of it, without id
}

// preferencesBody is what a customer wants. What is absent is on.
type preferencesBody struct {
	Channels   map[string]bool            `json:"channels,omitempty" doc:"sms, push or websocket: false turns it off"`
	Categories map[string]map[string]bool `json:"categories,omitempty" doc:"driver_alerts, progress, delays, actions or papers, by channel: false turns it off"`
	Quiet      *quietBody                 `json:"quiet_hours,omitempty" doc:"No text and no push between these, on the customer's clock"`
}

type quietBody struct {
	Start string `json:"start" example:"22:00"`
	End   string `json:"end" example:"08:00"`
}

// Resolve reads what the schema can't check. It runs also when the schema found faults, so that all come in one answer.
func (b *customerBody) Resolve(ctx huma.Context) []error {
	var faults []error
	fault := func(field, detail string) {
		faults = append(faults, &wrong{Problem: notify.Problem{Field: field, Detail: detail}})
	}
	c := notify.Customer{Contact: notify.Contact{Name: strings.TrimSpace(b.Name), Phone: strings.TrimSpace(b.Phone)}}
	if !oneLine(c.Name) {
		fault("name", notOneLine)
	}
	if c.Phone != "" && !isMasked(c.Phone) {
		number, ok := readPhone(ctx, c.Phone)
		if !ok {
			fault("phone", notAPhone)
		}
		c.Phone = number
	}
	if b.Locale != "" {
		tag, err := language.Parse(b.Locale)
		if err != nil {
			fault("locale", `not a language: write one such as "en-US" or "es"`)
		}
		c.Locale = tag.String()
	}
	if b.TimeZone != "" {
		// "Local" is Go's word for the zone of this machine.
		if _, err := time.LoadLocation(b.TimeZone); err != nil || b.TimeZone == "Local" {
			fault("time_zone", `not a time zone: write one such as "America/Los_Angeles"`)
		}
		c.TimeZone = b.TimeZone
	}
	c.Preferences = b.Preferences.read(fault)
	b.read = c
	return faults
}

// read makes preferences of the words, which are said as maps so that every unknown word can be named.
func (b *preferencesBody) read(fault func(field, detail string)) notify.Preferences {
	p := notify.Preferences{Channels: readChannels(b.Channels, "preferences.channels", fault)}
	for _, word := range slices.Sorted(maps.Keys(b.Categories)) {
		field := "preferences.categories." + word
		cat := notify.Category(word)
		if !slices.Contains(notify.Categories, cat) {
			fault(field, "no such category: "+oneOf(notify.Categories))
			continue
		}
		if p.Categories == nil {
			p.Categories = map[notify.Category]map[notify.Channel]bool{}
		}
		p.Categories[cat] = readChannels(b.Categories[word], field, fault)
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

func readChannels(said map[string]bool, field string, fault func(field, detail string)) map[notify.Channel]bool {
	if len(said) == 0 {
		return nil
	}
	read := make(map[notify.Channel]bool, len(said))
	for _, word := range slices.Sorted(maps.Keys(said)) {
		ch := notify.Channel(word)
		if !slices.Contains(notify.Channels, ch) {
			fault(field+"."+word, "no such channel: "+oneOf(notify.Channels))
		}
		read[ch] = said[word]
	}
	return read
}

// oneOf lists what may be written.
func oneOf[S ~string](words []S) string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = string(w)
	}
	return "use one of " + strings.Join(list, ", ")
}

type getCustomerInput struct{ CustomerPath }

type putCustomerInput struct {
	CustomerPath
	Body customerBody
}

// customerOutput is a customer as stored. The number is masked: who needs it whole has it already.
type customerOutput struct {
	Body struct {
		ID          string          `json:"id"`
		Name        string          `json:"name"`
		Phone       string          `json:"phone" example:"+1415•••0123"`
		Locale      string          `json:"locale"`
		TimeZone    string          `json:"time_zone"`
		Preferences preferencesBody `json:"preferences"`
		CreatedAt   time.Time       `json:"created_at"`
		UpdatedAt   time.Time       `json:"updated_at"`
	}
}

func (s *server) getCustomer(ctx context.Context, in *getCustomerInput) (*customerOutput, error) {
	p, err := s.Customers.Customer(ctx, in.ID)
	if err != nil {
		return nil, fmt.Errorf("read customer: %w", err)
	}
	if p.Version == 0 {
		return nil, notFound("there is no customer with this id")
	}
	return showCustomer(&p.Customer), nil
}

func (s *server) putCustomer(ctx context.Context, in *putCustomerInput) (*customerOutput, error) {
	c := in.Body.read
	c.ID = in.ID
	if isMasked(c.Phone) { // somebody read the customer, changed something else and wrote it back
		stored, err := s.Customers.Customer(ctx, in.ID)
		if err != nil && !isNotFound(err) {
			return nil, fmt.Errorf("read the number of customer: %w", err)
		}
		if masked(stored.Phone) != c.Phone {
			return nil, invalidFields([]notify.Problem{{Field: "phone", Detail: "is masked and not the stored one: write the whole number"}})
		}
		c.Phone = stored.Phone
	}
	stored, err := s.Customers.PutCustomer(ctx, time.Now(), c)
	if err != nil {
		return nil, fmt.Errorf("write customer: %w", err)
	}
	s.remember(ctx, in.ID)
	return showCustomer(&stored), nil
}

// remember refreshes the cache after a write, also when the caller does not wait for the answer. It is best effort: the
// write is in SQL, and a failure here is not the caller's.
func (s *server) remember(ctx context.Context, id string) {
	if s.Remember == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	p, err := s.Customers.Customer(ctx, id)
	if err != nil {
		if !isNotFound(err) {
			s.log.WarnContext(ctx, "profile not refreshed in the cache", "error", err, "request_id", requestOf(ctx).id)
		}
		return
	}
	s.Remember(ctx, p)
}

func showCustomer(c *notify.Customer) *customerOutput {
	out := &customerOutput{}
	b := &out.Body
	b.ID, b.Name, b.Phone, b.Locale, b.TimeZone = c.ID, c.Name, masked(c.Phone), c.Locale, c.TimeZone
	b.CreatedAt, b.UpdatedAt = shown(c.CreatedAt), shown(c.UpdatedAt)
	b.Preferences.Channels = showChannels(c.Preferences.Channels)
	for cat, on := range c.Preferences.Categories {
		if b.Preferences.Categories == nil {
			b.Preferences.Categories = map[string]map[string]bool{}
		}
		b.Preferences.Categories[string(cat)] = showChannels(on)
	}
	if q := c.Preferences.Quiet; q != nil {
		b.Preferences.Quiet = &quietBody{Start: q.Start.String(), End: q.End.String()}
	}
	return out
}

func showChannels(on map[notify.Channel]bool) map[string]bool {
	if on == nil {
		return nil
	}
	said := make(map[string]bool, len(on))
	for ch, v := range on {
		said[string(ch)] = v
	}
	return said
}

// shown is a time as answers carry it: UTC, to the millisecond, which is what is stored.
func shown(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
