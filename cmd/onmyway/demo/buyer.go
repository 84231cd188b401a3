package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"onmyway/channels/webpush/webpushtest"
	"onmyway/notify"
)

// buyer is a customer of the demo.
type buyer struct {
	ID, Name, Phone, Locale, Zone, City string

	Line    notify.Line // of their orders
	Vehicle string
	Devices int  // browsers that take push
	NoTexts bool // has turned texts off
	Quiet   bool // it is night where they are, and they want no text then
	Watches bool // has the live page open
	ByEvent bool // the service hears of them from their orders' events only

	browsers []string // ids of the devices' subscriptions
}

// first is what friends call them.
func (b *buyer) first() string { name, _, _ := strings.Cut(b.Name, " "); return name }

// zone is where their clock is. The names are those of this package, so they exist.
func (b *buyer) zone() *time.Location {
	z, err := time.LoadLocation(b.Zone)
	if err != nil {
		return time.UTC
	}
	return z
}

// language names the language of their texts, empty for English.
func (b *buyer) language() string {
	if strings.HasPrefix(b.Locale, "es") {
		return "Spanish"
	}
	return ""
}

// register makes the buyer known by REST, with devices at the push service.
func (b *buyer) register(ctx context.Context, r *rest, push *webpushtest.Server, now time.Time) error {
	if b.ByEvent {
		return nil
	}
	if err := r.putCustomer(ctx, b, now); err != nil {
		return fmt.Errorf("register %s: %w", b.ID, err)
	}
	for range b.Devices {
		sub, err := push.Subscribe()
		if err != nil {
			return err
		}
		if err := r.subscribe(ctx, b.ID, sub); err != nil {
			return fmt.Errorf("register a device of %s: %w", b.ID, err)
		}
		b.browsers = append(b.browsers, sub.ID)
	}
	return nil
}

// quietHours are eight hours around now on the buyer's clock.
func (b *buyer) quietHours(now time.Time) (start, end string) {
	hour := now.In(b.zone()).Hour()
	return fmt.Sprintf("%02d:00", (hour+23)%24), fmt.Sprintf("%02d:00", (hour+7)%24)
}

// people are those of Play. The first three have a phone on the page.
func people() []*buyer {
	const ch, da, tr = notify.CarHaul, notify.DriveAway, notify.TitleRegistration
	return []*buyer{
		{ID: "c-dana", Name: "Dana Reyes", Phone: "+14155550123", Locale: "en-US", Zone: "America/Los_Angeles", City: "Los Angeles",
			Line: ch, Vehicle: "2021 Honda Civic"},
		{ID: "c-luis", Name: "Luis Ortega", Locale: "es", Zone: "America/Chicago", City: "Chicago",
			Line: tr, Vehicle: "2019 Toyota Corolla", Devices: 1},
		{ID: "c-priya", Name: "Priya Shah", Phone: "+14045550117", Locale: "en-US", Zone: "America/New_York", City: "Atlanta",
			Line: da, Vehicle: "2022 Toyota Tundra", NoTexts: true, Watches: true},
		{ID: "c-noor", Name: "Noor Haddad", Phone: "+15105550142", Locale: "en-US", Zone: "America/Los_Angeles", City: "Oakland",
			Line: ch, Vehicle: "2020 Subaru Outback", Devices: 2},
		{ID: "c-kai", Name: "Kai Nakamura", Phone: "+18085550168", Locale: "en-US", Zone: "Pacific/Honolulu", City: "Honolulu",
			Line: tr, Vehicle: "2018 Jeep Wrangler", Quiet: true},
		{ID: "c-tom", Name: "Tom Becker", Phone: "+13035550104", Locale: "en-US", Zone: "America/Denver", City: "Denver",
			Line: da, Vehicle: "2023 Kia Telluride", ByEvent: true},
		{ID: "c-ana", Name: "Ana Silva", Phone: "+13055550171", Locale: "es-US", Zone: "America/New_York", City: "Miami",
			Line: ch, Vehicle: "2017 Mazda CX-5"},
		{ID: "c-omar", Name: "Omar Farouk", Locale: "en-US", Zone: "America/Los_Angeles", City: "Seattle",
			Line: tr, Vehicle: "2016 Volvo XC60", ByEvent: true},
		{ID: "c-joe", Name: "Joe Quinn", Phone: "+16025550133", Locale: "en-US", Zone: "America/Phoenix", City: "Phoenix",
			Line: ch, Vehicle: "2015 Ford Focus", Devices: 1, NoTexts: true},
		{ID: "c-mei", Name: "Mei Chen", Phone: "+12125550159", Locale: "en-US", Zone: "America/New_York", City: "New York",
			Line: da, Vehicle: "2021 Tesla Model 3", Devices: 1, Watches: true},
		{ID: "c-rosa", Name: "Rosa Delgado", Phone: "+17875550126", Locale: "es-PR", Zone: "America/Puerto_Rico", City: "San Juan",
			Line: tr, Vehicle: "2020 Nissan Rogue", ByEvent: true},
		{ID: "c-grace", Name: "Grace Kim", Phone: "+17135550188", Locale: "en-US", Zone: "America/Chicago", City: "Houston",
			Line: ch, Vehicle: "2022 Hyundai Tucson", Watches: true, ByEvent: true},
	}
}
