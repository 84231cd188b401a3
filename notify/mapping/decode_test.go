package mapping_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"onmyway/notify"
	"onmyway/notify/mapping"
	"onmyway/templates"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 11, 21, 19, 1, 0, 0, time.UTC)

const canonical = `{"id":"evt-1","order_id":"CH-1001","customer_id":"c-42","line":"car_haul","milestone":"driver_en_route_to_pickup",
 "sequence":7,"occurred_at":"2026-11-21T19:00:00Z",
 "customer":{"name":"Dana Reyes","phone":"+14155550123","locale":"en-US","time_zone":"America/Los_Angeles"},
 "data":{"driver_name":"Sam","vehicle":"2021 Honda Civic","eta":{"start":"2026-11-21T19:30:00Z","end":"2026-11-21T20:15:00Z"}, "stops": [ 1, "a b" ] }}`

func decode(t *testing.T, r *notify.Record) notify.Event {
	t.Helper()
	var e notify.Event
	if err := mapping.Decode(r, now, &e); err != nil {
		t.Fatalf("decode: %v", err)
	}
	return e
}

func TestDecode(t *testing.T) {
	value := []byte(canonical)
	r := &notify.Record{Topic: "order-events", Partition: 3, Offset: 99, Time: now, Value: value}
	e := decode(t, r)
	clear(value) // the source takes its memory back
	occurred := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	want := notify.Event{
		ID: notify.NewID(occurred, "evt-1"), Key: "evt-1", OrderID: "CH-1001", CustomerID: "c-42", Line: notify.CarHaul,
		Milestone: notify.MilestoneOf(notify.CarHaul, "driver_en_route_to_pickup"), Sequence: 7, OccurredAt: occurred,
		Customer: &notify.Contact{Name: "Dana Reyes", Phone: "+14155550123", Locale: "en-US", TimeZone: "America/Los_Angeles"},
		Data:     []byte(`{"driver_name":"Sam","vehicle":"2021 Honda Civic","eta":{"start":"2026-11-21T19:30:00Z","end":"2026-11-21T20:15:00Z"},"stops":[1,"a b"]}`),
		Facts: templates.Facts{
			{Name: "driver_name", Value: "Sam"}, {Name: "vehicle", Value: "2021 Honda Civic"},
			{Name: "eta.start", Value: "2026-11-21T19:30:00Z"}, {Name: "eta.end", Value: "2026-11-21T20:15:00Z"},
			{Name: "stops", Value: `[1,"a b"]`},
		},
		Origin: notify.Origin{Topic: "order-events", Partition: 3, Offset: 99, Time: now},
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Error(diff)
	}
	if e.Milestone != want.Milestone {
		t.Error("the milestone is a copy")
	}
}

// small is the least event, with fields changed or added: a value of "" takes a field out.
func small(change ...string) string {
	names := []string{"id", "order_id", "customer_id", "line", "milestone", "occurred_at"}
	values := map[string]string{
		"id": `"e"`, "order_id": `"o"`, "customer_id": `"c"`, "line": `"car_haul"`, "milestone": `"picked_up"`,
		"occurred_at": `"2026-11-21T19:00:00Z"`,
	}
	for i := 0; i < len(change); i += 2 {
		if _, ok := values[change[i]]; !ok {
			names = append(names, change[i])
		}
		values[change[i]] = change[i+1]
	}
	var parts []string
	for _, n := range names {
		if values[n] != "" {
			parts = append(parts, fmt.Sprintf("%q:%s", n, values[n]))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestAccepts(t *testing.T) {
	for _, tt := range []struct {
		name, value string
		want        func(e notify.Event) bool
	}{
		{"the least", small(), func(e notify.Event) bool {
			return e.Customer == nil && e.Data == nil && e.Facts == nil && e.Sequence == 0
		}},
		{"a byte order mark", "\ufeff" + small(), func(e notify.Event) bool { return e.Key == "e" }},
		{"space around", " \r\n\t" + small() + "\n", func(e notify.Event) bool { return e.Key == "e" }},
		{"nulls", small("sequence", "null", "customer", "null", "data", "null"), func(e notify.Event) bool { return e.Customer == nil && e.Data == nil }},
		{"no id but a sequence", small("id", "", "sequence", "9007199254740991"), func(e notify.Event) bool {
			return e.Key == notify.EventKey("", "o", notify.CarHaul, "picked_up", 1<<53-1) && e.Sequence == 1<<53-1
		}},
		{"an empty id but a sequence", small("id", `""`, "sequence", "1"), func(e notify.Event) bool { return strings.HasPrefix(e.Key, "o\x1f") }},
		{"fields that we do not know", small("Status", `{"a":[1,{"b":null}]}`, "zone", "1e9"), func(e notify.Event) bool { return e.Key == "e" }},
		{"escapes in a name", strings.Replace(small(), `"order_id"`, `"\u006frder\u005fid"`, 1), func(e notify.Event) bool { return e.OrderID == "o" }},
		{"escapes in a value", small("order_id", `"\ud83d\ude97 \"\\\/é\u00e9"`), func(e notify.Event) bool { return e.OrderID == `🚗 "\/éé` }},
		{"128 characters of three bytes", small("order_id", `"`+strings.Repeat("漢", 128)+`"`), func(e notify.Event) bool { return utf8.RuneCountInString(e.OrderID) == 128 }},
		{"a time with an offset", small("occurred_at", `"2026-11-21T11:00:00.123456789-08:00"`), func(e notify.Event) bool {
			return e.OccurredAt == time.Date(2026, 11, 21, 19, 0, 0, 123456000, time.UTC)
		}},
		{"five minutes ahead", small("occurred_at", `"2026-11-21T19:06:00Z"`), func(e notify.Event) bool { return true }},
		{"an empty customer", small("customer", `{"name":"","phone":null,"vip":true}`), func(e notify.Event) bool { return e.Customer == nil }},
		{"a national number", small("customer", `{"phone":"(415) 555-0123"}`), func(e notify.Event) bool { return e.Customer.Phone == "+14155550123" }},
		{"a number of another country", small("customer", `{"phone":"+52 55 1234 5678"}`), func(e notify.Event) bool { return strings.HasPrefix(e.Customer.Phone, "+52") }},
		{"consent", small("customer", `{"consent":{"sms":true,"email":false}}`), func(e notify.Event) bool { return e.Customer == nil && e.Consents[notify.SMS] && len(e.Consents) == 1 }},
		{"consent taken back", small("customer", `{"name":"Dana","consent":{"sms":false}}`), func(e notify.Event) bool {
			given, says := e.Consents[notify.SMS]
			return e.Customer.Name == "Dana" && says && !given
		}},
		{"consent to nothing", small("customer", `{"consent":{"sms":null}}`), func(e notify.Event) bool { return e.Consents == nil }},
		{"a language with underscore", small("customer", `{"locale":"es_mx"}`), func(e notify.Event) bool { return e.Customer.Locale == "es-MX" }},
		{"an old zone name", small("customer", `{"time_zone":"US/Pacific"}`), func(e notify.Event) bool { return e.Customer.TimeZone == "US/Pacific" }},
		{"empty data", small("data", `{ }`), func(e notify.Event) bool { return string(e.Data) == "{}" && len(e.Facts) == 0 }},
		{"data of thirty levels", small("data", strings.Repeat(`{"a":`, 30)+`{}`+strings.Repeat("}", 30)), func(e notify.Event) bool { return len(e.Data) > 100 }},
		{"same names in different objects", small("data", `{"a":{"x":1},"b":{"x":1},"x":[{"x":1},{"x":2}]}`), func(e notify.Event) bool { return len(e.Facts) == 3 }},
		{"numbers of every form", small("data", `{"a":[0,-0,1.5,-1.5e+10,1E-2,123456789012345678901234567890]}`), func(e notify.Event) bool { return true }},
		{"specversion in the data", small("data", `{"specversion":"1.0"}`), func(e notify.Event) bool { return e.Key == "e" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if e := decode(t, &notify.Record{Value: []byte(tt.value)}); !tt.want(e) {
				t.Errorf("got %+v, customer %+v", e, e.Customer)
			}
		})
	}
}

func TestRejects(t *testing.T) {
	const hidden = "s3cret" // stands in values, and must not come back
	q := func(s string) string { return `"` + s + `"` }
	for _, tt := range []struct {
		name, value, reason, field, words string
	}{
		{"no value", "", mapping.Tombstone, "", "no value"},
		{"too large", small("data", `{"a":"`+strings.Repeat("x", mapping.MaxSize)+`"}`), mapping.TooLarge, "", "262144"},
		{"too many facts", small("data", "{"+manyNames(1100)+"}"), mapping.TooLarge, "data", "too many"},

		{"plain words", hidden, mapping.NotJSON, "", "line 1, column 1"},
		{"cut off", small()[:30], mapping.NotJSON, "order_id", "ends"},
		{"a comma too many", "{\n \"a\":1,\n}", mapping.NotJSON, "a", "line 3, column 1"},
		{"two values", small() + small(), mapping.NotJSON, "", "follows the end"},
		{"single quotes", `{'id':1}`, mapping.NotJSON, "", "double quotes"},
		{"no colon", `{"id" 1}`, mapping.NotJSON, "id", "colon"},
		{"no comma", `{"id":1 "a":2}`, mapping.NotJSON, "id", "comma or }"},
		{"no comma in a list", `{"id":[1 2]}`, mapping.NotJSON, "id[0]", "comma or ]"},
		{"a leading zero", `{"id":01}`, mapping.NotJSON, "id", "comma or }"},
		{"a bare minus", `{"id":-}`, mapping.NotJSON, "id", "digit"},
		{"a fraction without digits", `{"id":1.}`, mapping.NotJSON, "id", "digit"},
		{"an exponent without digits", `{"id":1e+}`, mapping.NotJSON, "id", "digit"},
		{"NaN", `{"id":NaN}`, mapping.NotJSON, "id", "value is expected"},
		{"half a word", `{"id":nul}`, mapping.NotJSON, "id", "value is expected"},
		{"a line break in a string", "{\"id\":\"a\nb\"}", mapping.NotJSON, "id", "control character"},
		{"an escape that is none", `{"id":"\x41"}`, mapping.NotJSON, "id", "escape does not exist"},
		{"a short escape", `{"id":"\u12"}`, mapping.NotJSON, "id", "hex digits"},
		{"a backslash at the end", `{"id":"\`, mapping.NotJSON, "id", "inside a string"},

		{"bytes that are no text", small("data", "{\"a\":[\"\xff\"]}"), mapping.InvalidUTF8, "data.a[0]", "UTF-8"},
		{"a surrogate alone", small("order_id", `"\ud800"`), mapping.InvalidUTF8, "order_id", "surrogate"},
		{"the second half alone", small("order_id", `"\udc00"`), mapping.InvalidUTF8, "order_id", "surrogate"},
		{"two first halves", small("order_id", `"\ud83d\ud83d"`), mapping.InvalidUTF8, "order_id", "surrogate"},
		{"a surrogate as bytes", small("order_id", "\"\xed\xa0\x80\""), mapping.InvalidUTF8, "order_id", "UTF-8"},
		{"NUL in a value", small("data", `{"a":"\u0000"}`), mapping.NULCharacter, "data.a", "u0000"},
		{"NUL in a name", small("data", `{"a\u0000":1}`), mapping.NULCharacter, "data", "u0000"},
		{"33 levels", strings.Repeat("[", 33), mapping.TooDeep, strings.Repeat("[0]", 32), "more than 32"},
		{"a bomb of brackets", strings.Repeat("[", 200_000), mapping.TooDeep, strings.Repeat("[0]", 32), "more than 32"},
		{"a name twice", small("data", `{"a":{"b":1,"c":2,"b":3}}`), mapping.DuplicateKey, "data.a.b", "comes twice"},
		{"below a number as a name", small("data", `{"+14155550123":{"a":"\u0000"}}`), mapping.NULCharacter, "data.….a", "u0000"},
		{"below an address as a name", small("data", `{"dana@example.com":["\u0000"]}`), mapping.NULCharacter, "data.…[0]", "u0000"},
		{"a name twice but for case", small("data", `{"status":1,"STATUS":2}`), mapping.DuplicateKey, "data.STATUS", "comes twice"},
		{"a name twice by an escape", small("data", `{"a":1,"\u0061":2}`), mapping.DuplicateKey, `data.\u0061`, "comes twice"},
		{"a name twice by another K", small("data", "{\"k\":1,\"\u212a\":2}"), mapping.DuplicateKey, "data.\u212a", "comes twice"},
		{"a name twice among many", small("data", "{"+manyNames(300)+`,"N7":1}`), mapping.DuplicateKey, "data.N7", "comes twice"},
		{"one of ours twice", strings.Replace(small(), "{", `{"id":"x",`, 1), mapping.DuplicateKey, "id", "comes twice"},

		{"a list", "[" + small() + "]", mapping.WrongType, "", "one JSON object"},
		{"null", "null", mapping.WrongType, "", "one JSON object"},
		{"a number for a text", small("order_id", "17"), mapping.WrongType, "order_id", "double quotes"},
		{"a text for a sequence", small("sequence", `"7"`), mapping.WrongType, "sequence", "whole number"},
		{"a fraction for a sequence", small("sequence", "7.5"), mapping.WrongType, "sequence", "whole number"},
		{"sequence 0", small("sequence", "0"), mapping.WrongType, "sequence", "from 1"},
		{"sequence -1", small("sequence", "-1"), mapping.WrongType, "sequence", "from 1"},
		{"sequence 2^53", small("sequence", "9007199254740992"), mapping.WrongType, "sequence", "9007199254740991"},
		{"a huge sequence", small("sequence", strings.Repeat("9", 400)), mapping.WrongType, "sequence", "9007199254740991"},
		{"data as text", small("data", `"{}"`), mapping.WrongType, "data", "object"},
		{"data as a list", small("data", `[1]`), mapping.WrongType, "data", "object"},
		{"customer as text", small("customer", q(hidden)), mapping.WrongType, "customer", "object"},
		{"a name that is a list", small("customer", `{"name":["`+hidden+`"]}`), mapping.WrongType, "customer.name", "double quotes"},

		{"an id too long", small("id", q(strings.Repeat("x", 129))), mapping.BadText, "id", "128"},
		{"a line break in an id", small("order_id", `"a\nb"`), mapping.BadText, "order_id", "printable"},
		{"an invisible character", small("customer_id", "\"a\u200bb\""), mapping.BadText, "customer_id", "printable"},
		{"a name too long", small("customer", `{"name":"`+strings.Repeat("é", 201)+`"}`), mapping.BadText, "customer.name", "200"},
		{"no order", small("order_id", ""), mapping.MissingField, "order_id", "missing"},
		{"an empty order", small("order_id", `""`), mapping.MissingField, "order_id", "missing"},
		{"null as order", small("order_id", `null`), mapping.MissingField, "order_id", "missing"},
		{"no time", small("occurred_at", ""), mapping.MissingField, "occurred_at", "missing"},
		{"neither id nor sequence", small("id", ""), mapping.MissingIdentity, "id", "give each event an id, or a sequence"},
		{"an empty id", small("id", `""`), mapping.MissingIdentity, "id", "give each event an id, or a sequence"},
		{"another case", strings.Replace(small(), "order_id", "Order_ID", 1), mapping.UnknownField, "Order_ID", "write it order_id"},
		{"consent as text", small("customer", `{"consent":"`+hidden+`"}`), mapping.WrongType, "customer.consent", `{"sms": true}`},
		{"consent in words", small("customer", `{"consent":{"sms":"`+hidden+`"}}`), mapping.WrongType, "customer.consent.sms", "true or false"},
		{"another case in the consent", small("customer", `{"consent":{"SMS":true}}`), mapping.UnknownField, "customer.consent.SMS", "write it sms"},
		{"another case in the customer", small("customer", `{"Phone":"`+hidden+`"}`), mapping.UnknownField, "customer.Phone", "write it phone"},

		{"a line", small("line", q(hidden)), mapping.UnknownLine, "line", "car_haul, drive_away or title_registration"},
		{"a line in another case", small("line", `"CAR_HAUL"`), mapping.UnknownLine, "line", "car_haul"},
		{"a milestone", small("milestone", q(hidden)), mapping.UnknownMilestone, "milestone", "is not a milestone of car_haul: see the list"},
		{"a milestone misspelt", small("milestone", `"pickd_up"`), mapping.UnknownMilestone, "milestone", "did you mean picked_up?"},
		{"a milestone in another spelling", small("milestone", `"Driver-At-Pickup"`), mapping.UnknownMilestone, "milestone", "did you mean driver_at_pickup?"},
		{"a milestone of another line", small("milestone", `"trip_started"`), mapping.UnknownMilestone, "milestone", "it is one of drive_away"},
		{"a very long milestone", small("milestone", q(strings.Repeat("picked_up", 1000))), mapping.UnknownMilestone, "milestone", "see the list"},

		{"a phone that is none", small("customer", `{"phone":"`+hidden+`"}`), mapping.BadPhone, "customer.phone", "+14155550123"},
		{"a phone without area code", small("customer", `{"phone":"555-0123"}`), mapping.BadPhone, "customer.phone", "country code"},
		{"a phone that cannot exist", small("customer", `{"phone":"+10000000000"}`), mapping.BadPhone, "customer.phone", "can exist"},
		{"a national phone that cannot exist", small("customer", `{"phone":"0001112222"}`), mapping.BadPhone, "customer.phone", "can exist"},
		{"a phone with extension", small("customer", `{"phone":"+14155550123 ext. 7"}`), mapping.BadPhone, "customer.phone", "can exist"},
		{"a phone without end", small("customer", `{"phone":"+`+strings.Repeat("1", 9999)+`"}`), mapping.BadPhone, "customer.phone", "can exist"},
		{"a day", small("occurred_at", `"2026-11-21"`), mapping.BadTime, "occurred_at", "2026-11-21T19:00:00Z"},
		{"a time without zone", small("occurred_at", `"2026-11-21T19:00:00"`), mapping.BadTime, "occurred_at", "is not a time"},
		{"a day that is none", small("occurred_at", `"2026-02-30T19:00:00Z"`), mapping.BadTime, "occurred_at", "is not a time"},
		{"a time as number", small("occurred_at", `1764000000`), mapping.WrongType, "occurred_at", "double quotes"},
		{"the first day of .NET", small("occurred_at", `"0001-01-01T00:00:00Z"`), mapping.BadTime, "occurred_at", "before the year 2000"},
		{"tomorrow", small("occurred_at", `"2026-11-22T19:00:00Z"`), mapping.TimeInFuture, "occurred_at", "5 minutes"},
		{"a moment too far ahead", small("occurred_at", `"2026-11-21T19:06:00.000001Z"`), mapping.TimeInFuture, "occurred_at", "5 minutes"},
		{"a language that is none", small("customer", `{"locale":"English"}`), mapping.BadLocale, "customer.locale", "en-US"},
		{"no language", small("customer", `{"locale":"und"}`), mapping.BadLocale, "customer.locale", "en-US"},
		{"a zone that is none", small("customer", `{"time_zone":"Pacific Standard Time"}`), mapping.BadTimeZone, "customer.time_zone", "America/Los_Angeles"},
		{"our own zone", small("customer", `{"time_zone":"Local"}`), mapping.BadTimeZone, "customer.time_zone", "IANA"},
		{"a file as zone", small("customer", `{"time_zone":"../../etc/passwd"}`), mapping.BadTimeZone, "customer.time_zone", "IANA"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := notify.Event{Key: "untouched"}
			dst := before
			err := mapping.Decode(&notify.Record{Time: now, Value: []byte(tt.value)}, now, &dst)
			var invalid *notify.Invalid
			if !errors.As(err, &invalid) {
				t.Fatalf("got %v, want %s", err, tt.reason)
			}
			first := invalid.Problems[0]
			if invalid.Reason != tt.reason || first.Field != tt.field || !strings.Contains(first.Detail, tt.words) {
				t.Errorf("got %s at %q: %s\nwant %s at %q: …%s…", invalid.Reason, first.Field, first.Detail, tt.reason, tt.field, tt.words)
			}
			if strings.Contains(err.Error(), hidden) {
				t.Errorf("the error repeats the value: %v", err)
			}
			if diff := cmp.Diff(before, dst); diff != "" {
				t.Errorf("dst was changed: %s", diff)
			}
		})
	}
}

// Whether something lies in the future is said by the record and not by the clock of who reads it: all must decide alike.
func TestFutureIsJudgedByTheRecord(t *testing.T) {
	for _, tt := range []struct {
		name     string
		recorded time.Time
		clock    time.Duration // how far that of the reader is off
		after    time.Duration // when it happened, after now
		refused  bool
	}{
		{"just now", now, 0, 0, false},
		{"just now, read with a slow clock", now, -10 * time.Minute, 0, false},
		{"just now, read with a very slow clock", now, -23 * time.Hour, 0, false},
		{"soon", now, 0, 5 * time.Minute, false},
		{"soon, read with a slow clock", now, -10 * time.Minute, 5 * time.Minute, false},
		{"too soon", now, 0, 6 * time.Minute, true},
		{"too soon, read with a fast clock", now, 10 * time.Minute, 6 * time.Minute, true},
		{"too soon, read long after", now, 48 * time.Hour, 6 * time.Minute, true},
		{"no timestamp", time.Time{}, 0, 6 * time.Minute, false},
		{"no timestamp, far away", time.Time{}, 0, 25 * time.Hour, true},
		{"a timestamp from the future", now.Add(1000 * time.Hour), 0, 999 * time.Hour, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			value := small("occurred_at", `"`+now.Add(tt.after).Format(time.RFC3339)+`"`)
			var e notify.Event
			err := mapping.Decode(&notify.Record{Time: tt.recorded, Value: []byte(value)}, now.Add(tt.clock), &e)
			if (err != nil) != tt.refused {
				t.Errorf("refused: %v, want %v", err, tt.refused)
			}
		})
	}
}

func manyNames(n int) string {
	var parts []string
	for i := range n {
		parts = append(parts, fmt.Sprintf(`"n%d":1`, i))
	}
	return strings.Join(parts, ",")
}

func TestAllProblemsAtOnce(t *testing.T) {
	value := `{"order_id":"","line":"boat","milestone":"picked_up","occurred_at":"soon","customer":{"phone":"12","locale":"x","time_zone":"Mars"},"data":[],"x":{"a":"\u0000","A":1}}`
	err := mapping.Decode(&notify.Record{Value: []byte(value)}, now, new(notify.Event))
	var invalid *notify.Invalid
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v", err)
	}
	var fields []string
	for _, p := range invalid.Problems {
		fields = append(fields, p.Field)
	}
	want := []string{"x.a", "x.A", "order_id", "customer_id", "line", "occurred_at", "id", "customer.phone", "customer.locale", "customer.time_zone", "data"}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Error(diff)
	}
	if invalid.Reason != mapping.NULCharacter {
		t.Errorf("the reason is %s, want that of the first", invalid.Reason)
	}
}

func TestProblemsAreBounded(t *testing.T) {
	names := strings.Repeat(`"`+strings.Repeat("long", 1000)+`":1,`, 50)
	err := mapping.Decode(&notify.Record{Value: []byte(small("data", "{"+names+`"x":1}`))}, now, new(notify.Event))
	var invalid *notify.Invalid
	if !errors.As(err, &invalid) || len(invalid.Problems) != 20 || len(err.Error()) > 8000 {
		t.Errorf("%d problems in %d bytes", len(invalid.Problems), len(err.Error()))
	}
}

// A record of many names must cost no more than others of its size.
func TestManyNamesAreQuick(t *testing.T) {
	value := []byte(small("x", "{"+manyNames(20_000)+"}"))
	start := time.Now()
	decode(t, &notify.Record{Value: value})
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("20,000 names took %v", took)
	}
}

func TestSameInputSameID(t *testing.T) {
	a := decode(t, &notify.Record{Topic: "a", Offset: 1, Value: []byte(small())})
	b := decode(t, &notify.Record{Topic: "b", Offset: 2, Value: []byte(small("extra", "1"))})
	if a.ID != b.ID || a.ID.IsZero() {
		t.Errorf("ids %v and %v", a.ID, b.ID)
	}
	c := decode(t, &notify.Record{Value: []byte(small("id", `"f"`))})
	if a.ID == c.ID {
		t.Error("another event has the same id")
	}
}
