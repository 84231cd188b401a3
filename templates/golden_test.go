package templates_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"onmyway/templates"
)

var update = flag.Bool("update", false, "write the golden files anew")

// told lists the milestones of each line that customers get words for.
var told = map[string][]string{
	"car_haul": {
		"order_booked", "carrier_assigned", "driver_assigned", "pickup_window_changed", "driver_en_route_to_pickup",
		"driver_arriving_pickup", "driver_at_pickup", "picked_up", "eta_updated", "delayed", "driver_en_route_to_delivery",
		"driver_arriving_delivery", "driver_at_delivery", "delivered",
	},
	"drive_away": {
		"order_booked", "driver_confirmed", "driver_en_route_to_vehicle", "driver_arriving", "driver_at_vehicle",
		"trip_started", "delayed", "eta_updated", "arriving_destination", "delivered",
	},
	"title_registration": {
		"docs_requested", "signature_pending", "payment_due", "submitted_to_dmv", "registration_issued", "plates_shipped",
		"title_mailed",
	},
}

func builtIn(t testing.TB) *templates.Set {
	t.Helper()
	set, err := templates.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// zone loads a zone of the tests.
func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// someone is a customer in Los Angeles, on a Saturday at 11 in the morning, with all facts that there are.
func someone(t testing.TB, line string) *templates.Vars {
	t.Helper()
	facts, err := templates.ParseFacts(templates.ExampleData())
	if err != nil {
		t.Fatal(err)
	}
	return &templates.Vars{
		OrderID: "CH-1001", Line: line, Customer: "Dana Reyes", Facts: facts,
		Zone: zone(t, "America/Los_Angeles"), Now: time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC),
	}
}

// written is the three texts of a template.
type written struct{ sms, title, body string }

func write(t testing.TB, tp *templates.Template, v *templates.Vars) written {
	t.Helper()
	var w written
	var err error
	if w.sms, err = tp.SMS(v); err != nil {
		t.Fatal(err)
	}
	if w.title, err = tp.Title(v); err != nil {
		t.Fatal(err)
	}
	if w.body, err = tp.Body(v); err != nil {
		t.Fatal(err)
	}
	return w
}

// page is a golden file's view of a text, with what it costs. The no-break space is shown as "~".
func (w written) page() string {
	segments, unicode := templates.Segments(w.sms)
	alphabet := "GSM-7"
	if unicode {
		alphabet = "UCS-2"
	}
	page := fmt.Sprintf("sms    %s\n       %d characters, %s, segments: %d\ntitle  %s\nbody   %s\n",
		w.sms, utf8.RuneCountInString(w.sms), alphabet, segments, w.title, w.body)
	return strings.ReplaceAll(page, "\u00A0", "~")
}

func TestGolden(t *testing.T) {
	set := builtIn(t)
	for line, milestones := range told {
		for _, milestone := range milestones {
			for _, locale := range []string{"en", "es"} {
				name := filepath.Join(line, milestone, locale+".txt")
				t.Run(name, func(t *testing.T) { checkGolden(t, set, line, milestone, locale, name) })
			}
		}
	}
}

func checkGolden(t *testing.T, set *templates.Set, line, milestone, locale, name string) {
	tp := set.Lookup(line, milestone, locale)
	if tp == nil || tp.Locale != locale {
		t.Fatalf("no words for it")
	}
	v := someone(t, line)
	everything := write(t, tp, v)
	checkSize(t, everything)
	v.Facts = nil
	nothing := write(t, tp, v)
	checkSize(t, nothing)
	got := "# all facts\n" + everything.page() + "\n# no facts\n" + nothing.page()
	file := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("text changed (-want +got), -update takes it over:\n%s", diff)
	}
}

// checkSize holds the texts to what phones show and customers' companies pay.
func checkSize(t *testing.T, w written) {
	t.Helper()
	if n, _ := templates.Segments(w.sms); n > 2 {
		t.Errorf("SMS needs %d segments: %s", n, w.sms)
	}
	if n := utf8.RuneCountInString(w.title); n > 50 {
		t.Errorf("title has %d characters: %s", n, w.title)
	}
	if n := utf8.RuneCountInString(w.body); n > 150 {
		t.Errorf("body has %d characters: %s", n, w.body)
	}
}

// TestEveryTextIsTold finds files that no golden test reads.
func TestEveryTextIsTold(t *testing.T) {
	known := map[string]bool{}
	for _, milestones := range told {
		for _, m := range milestones {
			known[m] = true
		}
	}
	for _, name := range builtIn(t).Names() {
		if !known[name] {
			t.Errorf("%s has words but no golden file: add it to told", name)
		}
	}
}
