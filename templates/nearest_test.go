package templates_test

import (
	"strings"
	"testing"

	"onmyway/templates"
)

func TestNearest(t *testing.T) {
	names := []string{"name", "phone", "quiet_hours", "time_zone", "kafka.brokers", "kafka.broker_id", "if"}
	for in, want := range map[string]string{
		"name": "name", "nmae": "name", "nam": "name", "names": "name", "Phone": "phone", "quiethours": "quiet_hours",
		"timeZone": "time_zone", "kafka.broker": "kafka.brokers", "kafak.borkers": "kafka.brokers", "fi": "", "i": "",
		"tz": "", "": "", "x": "", "favourite_colour": "", "naïve": "", strings.Repeat("name", 1<<14): "",
	} {
		if got, ok := templates.Nearest(in, names); got != want || ok != (want != "") {
			t.Errorf("%.30q: %q, %t; want %q", in, got, ok, want)
		}
	}
	if got, ok := templates.Nearest("name", nil); ok {
		t.Errorf("among none: %q", got)
	}
	if got, _ := templates.Nearest("cat", []string{"bat", "hat"}); got != "bat" {
		t.Errorf("of two equally near ones: %q, want the first", got)
	}
}

func FuzzNearest(f *testing.F) {
	f.Add("driver_name", "drivr_name")
	f.Add("Phone", "")
	f.Add("\xff\x00", "İ")
	f.Fuzz(func(t *testing.T, a, b string) {
		if near, ok := templates.Nearest(a, []string{a, b}); a != "" && (!ok || near != a) {
			t.Errorf("%q is nearest to %q, %t", a, near, ok)
		}
		_, ab := templates.Nearest(a, []string{b})
		_, ba := templates.Nearest(b, []string{a})
		if ab != ba {
			t.Errorf("%q and %q are near one way only", a, b)
		}
	})
}
